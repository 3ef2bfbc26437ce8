"""Signing in to the console by an OpenID provider: there and back."""

import hmac
from dataclasses import astuple
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.agents import lockout, oidc, proof, steps
from api.agents.sealing import Broken, seal, unseal
from api.console import known
from api.console.login import first_page, go_on
from api.console.pages import redirect
from api.console.session import drop_cookie, given_cookie, set_cookie
from api.deps import DatabaseDep, Now, SettingsDep
from api.errors import Problem, not_found

#: Pages for who is not signed in.
doors = APIRouter(include_in_schema=False)
COOKIE = "mainsdesk_oidc"
#: Seconds to sign in at the provider.
LASTS = 600
_PURPOSE = "oidc"
Given = Annotated[str, Query(max_length=4000)]


def provider_of(request: Request) -> oidc.Provider:
    """The provider of this desk; 404 where there is none."""
    state = request.app.state
    if not state.settings.oidc_on:
        raise not_found("page")
    if not hasattr(state, "oidc_provider"):
        state.oidc_provider = oidc.Provider(state.settings)
    provider: oidc.Provider = state.oidc_provider
    return provider


def asked_by_a_person(request: Request) -> bool:
    """Whether it may be a try to sign in: not what another site's page has a colleague's browser fetch as a picture,
    to lock the address that the whole office comes from."""
    return request.headers.get("sec-fetch-dest", "document") == "document"


@doors.get("/console/oidc/start")
async def start(request: Request, settings: SettingsDep, now: Now, lang: Given = "") -> Response:
    """Send the browser to the provider; what its answer must fit goes along in a cookie."""
    provider, begun = provider_of(request), oidc.Begun.new()
    try:
        address = await provider.address(begun)
    except Problem as problem:
        return first_page(request, lang, problem)
    answer = redirect(request, address)
    set_cookie(answer, request, seal(settings, _PURPOSE, [*astuple(begun), lang], now), COOKIE, seconds=LASTS)
    return answer


@doors.get("/console/oidc/callback")
async def callback(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
    state: Given = "",
    code: Given = "",
    iss: Given = "",
) -> Response:
    """Take the provider's answer: the next step of signing in, or the sign-in page with what is wrong."""
    provider, lang, subjects = provider_of(request), "", known.source_subject(request, now)
    async with database.read() as reading:
        if locked := await lockout.locked(reading, subjects, now):
            return first_page(request, lang, locked)
    try:
        *begun_parts, lang = unseal(settings, _PURPOSE, given_cookie(request, COOKIE), now, LASTS)
        begun = oidc.Begun(*begun_parts)
        fits = hmac.compare_digest(state.encode(), begun.state.encode()) and iss in ("", settings.oidc_issuer)
        if not (fits and code):
            raise oidc.REFUSED
        identity = await provider.identity(code, begun, now)
        async with database.write() as session, session.begin():
            agent = await oidc.agent_of(session, settings, identity, now)
            underway = steps.Underway(agent.id, "oidc", factor=identity.strong)
            answer = await go_on(request, session, agent, underway, now, lang)
    except (Problem, Broken) as error:
        problem = error if isinstance(error, Problem) else oidc.REFUSED
        if problem is not oidc.UNAVAILABLE and asked_by_a_person(request):
            async with database.write() as session, session.begin():
                await proof.wrong(session, subjects, "oidc", problem.type, now)
        answer = first_page(request, lang, problem)
    drop_cookie(answer, request, COOKIE)
    return answer
