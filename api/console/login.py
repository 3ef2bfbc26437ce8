"""Signing in to the console, step by step, and out."""

import secrets
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents import otp, proof, service, steps
from api.agents.passwords import expect_good, hash_password, password_is
from api.agents.tables import Agent
from api.channels.voice.legs import on_the_phone
from api.console import known
from api.console.pages import language_of, redirect, render
from api.console.session import Me, drop_cookie, from_our_pages, given_cookie, note_act, set_cookie
from api.conversations import relief
from api.conversations.presence import set_presence
from api.deps import DatabaseDep, Now, SettingsDep
from api.errors import Problem
from api.settings import Settings

router = APIRouter()
#: Pages for who is not signed in.
doors = APIRouter(include_in_schema=False, dependencies=[Depends(from_our_pages)])
Text = Annotated[str, Form(max_length=200)]
Code = Annotated[str, Form(max_length=40)]
#: What is proved so far, sealed.
Seal = Annotated[str, Form(max_length=2000)]


def first_page(request: Request, lang: str, problem: Problem | None = None) -> Response:
    """The page that asks for name and password."""
    answer = render(
        request,
        None,
        "login.html",
        status=problem.status if problem else 200,
        lang=language_of(request, lang),
        problem=problem.type if problem else "",
        oidc=request.app.state.settings.oidc_on,
    )
    answer.headers.update(dict((problem and problem.headers) or {}))
    return answer


async def go_on(
    request: Request,
    session: AsyncSession,
    agent: Agent,
    underway: steps.Underway,
    now: datetime,
    lang: str,
    *,
    problem: str = "",
    begun: str = "",
    codes: list[str] | None = None,
) -> Response:
    """The page of the next step; after the last one the cookie, and the console or, once, the recovery codes.

    `begun`: a second factor that is being set up, whose picture is shown again.
    """
    settings: Settings = request.app.state.settings
    step = steps.next_step(agent, underway, settings)
    if step == "in":
        return await signed_in(request, session, agent, now, underway.way, lang, codes)
    shown: dict[str, Any] = {
        "seal": steps.sealed(settings, agent, underway, now),
        "problem": problem,
        "username": agent.username,
    }
    if step == "enrol":
        shown |= enrolment(settings, agent, begun or otp.begin(settings, agent, now), now)
    status = 422 if problem else 200
    return render(request, None, f"login_{step}.html", status=status, lang=language_of(request, lang), **shown)


def enrolment(settings: Settings, agent: Agent, sealed: str, now: datetime) -> dict[str, Any]:
    """What a page needs to have a second factor set up."""
    secret = otp.secret_of(settings, agent, sealed, now)
    return {
        "enrolment": sealed,
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "picture": otp.picture(secret, agent.username),
    }


async def signed_in(
    request: Request, session: AsyncSession, agent: Agent, now: datetime, way: str, lang: str, codes: list[str] | None
) -> Response:
    """A new sign-in: its token is made here and nowhere before."""
    lang = language_of(request, lang)
    token = secrets.token_urlsafe(32)
    if before := given_cookie(request):  # this browser's last sign-in, whoever it was
        await service.sign_out(session, before, now)
    await service.sign_in(session, agent, token, now, console=True, way=way)
    if agent.role == "agent":  # supervisors have other work, too, and say themselves when they serve
        await set_presence(session, agent, "available", now)
    if codes:
        answer: Response = render(request, None, "recovery_codes.html", lang=lang, codes=codes)
    else:
        answer = redirect(request, "/console")
    set_cookie(answer, request, token)
    known.remember(answer, request, agent.username, now)
    return answer


@doors.get("/console/login")
async def page(request: Request, lang: Annotated[str, Query(max_length=5)] = "") -> Response:
    return first_page(request, lang)


@doors.post("/console/login")
async def sign_in(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
    username: Text,
    password: Text,
    lang: Text = "",
) -> Response:
    """Check name and password; the next step, or the page again with what is wrong."""
    username = username.strip().lower()
    subjects = known.subjects_of(request, username, now)
    claim = await proof.claim_of(database, username, password, subjects, now)
    if isinstance(claim, Problem):
        return first_page(request, lang, claim)
    async with database.write() as session, session.begin():
        agent = await proof.by_password(session, claim, now)
        if isinstance(agent, Agent):
            return await go_on(request, session, agent, steps.Underway(agent.id, "password"), now, lang)
    return first_page(request, lang, agent)


@doors.post("/console/login/otp")
async def second_factor(
    request: Request, database: DatabaseDep, settings: SettingsDep, now: Now, seal: Seal, code: Code, lang: Text = ""
) -> Response:
    """Take the code of the second factor."""
    async with database.write() as session, session.begin():
        agent, underway = await steps.opened(session, settings, seal, now)
        subjects = known.subjects_of(request, agent.username, now)
        wrong = await proof.by_code(session, settings, agent, code, subjects, now)
        if wrong is None:
            return await go_on(request, session, agent, replace(underway, factor=True), now, lang)
        if wrong.type != "locked":
            return await go_on(request, session, agent, underway, now, lang, problem="wrong-otp")
    return first_page(request, lang, wrong)


@doors.post("/console/login/password")
async def new_password(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
    seal: Seal,
    password: Text,
    again: Text,
    lang: Text = "",
) -> Response:
    """Take the first password of the agent's own."""
    async with database.read() as session:
        agent, underway = await steps.opened(session, settings, seal, now)
    if steps.next_step(agent, underway, settings) != "password":
        raise steps.EXPIRED
    problem = await objection(agent, password, again)
    new_hash = "" if problem else await hash_password(password)
    async with database.write() as session, session.begin():
        agent, underway = await steps.opened(session, settings, seal, now, alone=True)
        if not problem:
            agent.language = language_of(request, lang)  # at the first sign-in: what the pages are read in
            await service.change_password(session, agent, new_hash, now)
        return await go_on(request, session, agent, underway, now, lang, problem=problem)


async def objection(agent: Agent, password: str, again: str) -> str:
    """What is wrong with a new password: a problem's type, or ''."""
    if password != again:
        return "not-the-same"
    try:
        expect_good(password, agent.username)
    except Problem as problem:
        return problem.type
    return "same-password" if await password_is(password, agent.password_hash) else ""


@doors.post("/console/login/enrol")
async def enrol(
    request: Request,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
    seal: Seal,
    enrolment: Seal,
    code: Code,
    lang: Text = "",
) -> Response:
    """Switch on the second factor that the role needs."""
    async with database.write() as session, session.begin():
        agent, underway = await steps.opened(session, settings, seal, now, alone=True)
        if steps.next_step(agent, underway, settings) != "enrol":
            raise steps.EXPIRED
        codes = await service.turn_on_second_factor(session, settings, agent, enrolment, code, now)
        if codes is None:
            return await go_on(request, session, agent, underway, now, lang, problem="wrong-otp", begun=enrolment)
        underway = replace(underway, factor=True)
        return await go_on(request, session, agent, underway, now, lang, codes=codes)


@router.post("/console/logout")
async def sign_out(
    request: Request, me: Me, database: DatabaseDep, now: Now, pass_on: Annotated[bool, Form()] = False
) -> Response:
    """End the sign-in. Who has conversations open is shown them first, and passes them on by it (`pass_on`)."""
    token = given_cookie(request)
    async with database.read() as session:
        last = not await relief.elsewhere(session, me.agent.id, now, but=token)
        left = await relief.open_of(session, me.agent.id) if last and not pass_on else []
        talking = {row.id for row in left if await on_the_phone(session, row, now)}
    if left:
        return render(request, me, "signing_out.html", left=left, talking=talking)
    await relief.sign_out(database, me.agent.id, token, now)
    answer = redirect(request, "/console/login")
    drop_cookie(answer, request)
    return answer


@router.post("/console/language")
async def language(
    request: Request, me: Me, database: DatabaseDep, lang: Annotated[str, Form(pattern="^(zh|en)$")]
) -> Response:
    """The agent's own language of the pages."""
    async with database.write() as session, session.begin():
        (await session.get_one(Agent, me.agent.id)).language = lang
    came_from = urlsplit(request.headers.get("referer", ""))
    here = came_from.netloc == request.url.netloc and came_from.path.startswith("/console")
    return redirect(request, came_from.path if here else "/console")


@router.post("/console/_/active", status_code=204)
async def active(me: Me, database: DatabaseDep, now: Now) -> None:
    """The agent writes or reads on: the page says so once a minute."""
    await note_act(database, me.token_hash, now)
