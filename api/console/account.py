"""One's own account: language, telephone, password, second factor, sign-ins."""

import secrets
from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import TypeAdapter, ValidationError

from api.agents import lockout, otp, proof, service
from api.agents.passwords import hash_password
from api.agents.schemas import GivenPhone
from api.agents.tables import Agent
from api.audit.service import record
from api.console.login import enrolment, objection
from api.console.pages import redirect, render
from api.console.session import Me, SignedIn, set_cookie
from api.db.engine import Database
from api.deps import DatabaseDep, Now, SettingsDep
from api.errors import Problem

router = APIRouter()
PAGE = "/console/account"
Text = Annotated[str, Form(max_length=200)]
Part = Literal["", "own", "password", "factor", "sign_ins"]
_LINE: TypeAdapter[str] = TypeAdapter(GivenPhone)


async def account_page(
    request: Request, me: SignedIn, database: Database, *, done: Part = "", at: Part = "", problem: str = ""
) -> Response:
    """The page; `done` says what has just been done, `problem` what is wrong in the part `at`."""
    async with database.read() as session:
        agent = await session.get_one(Agent, me.agent.id)
        sign_ins = await service.sign_ins_of(session, agent, request.app.state.clock())
    return render(
        request,
        me,
        "account.html",
        status=422 if problem else 200,
        agent=agent,
        sign_ins=sign_ins,
        done=done,
        at=at,
        problem=problem,
    )


def done(request: Request, part: Part) -> Response:
    return redirect(request, f"{PAGE}?done={part}")


@router.get("/console/account")
async def page(request: Request, me: Me, database: DatabaseDep, done: Annotated[Part, Query()] = "") -> Response:
    return await account_page(request, me, database, done=done)


@router.post("/console/account")
async def change_own(
    request: Request,
    me: Me,
    database: DatabaseDep,
    now: Now,
    language: Annotated[Literal["zh", "en"], Form()],
    phone: Text = "",
) -> Response:
    """The line that calls are put through to, and the language of the pages."""
    try:
        line = _LINE.validate_python(phone)
    except ValidationError:
        return await account_page(request, me, database, at="own", problem="wrong-phone")
    async with database.write() as session, session.begin():
        agent = await session.get_one(Agent, me.agent.id)
        await service.change_agent(session, agent, {"phone": line, "language": language}, me.caller.name, now)
    return done(request, "own")


async def proved(
    database: Database, settings: SettingsDep, me: SignedIn, password: str, now: Now
) -> proof.Claim | Problem:
    """Whether the password given again is right. Tries count against a subject that nobody else can lock."""
    return await proof.claim_of(database, me.agent.username, password, lockout.own_subject(settings, me.agent.id), now)


@router.post("/console/account/password")
async def change_password(
    request: Request,
    me: Me,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
    current: Text,
    password: Text,
    again: Text,
) -> Response:
    """A new password, by giving the present one. All sign-ins end; this browser gets a new one."""
    claim = await proved(database, settings, me, current, now)
    if isinstance(claim, Problem):
        return await account_page(request, me, database, at="password", problem=claim.type)
    problem = await objection(me.agent, password, again) if claim.right else ""
    new_hash = await hash_password(password) if claim.right and not problem else ""
    token = secrets.token_urlsafe(32)
    async with database.write() as session, session.begin():
        agent = await proof.by_password(session, claim, now)
        if isinstance(agent, Problem):
            problem = "wrong-password" if agent.type == "wrong-credentials" else agent.type
        elif not problem:
            await service.change_password(session, agent, new_hash, now)
            await service.sign_in(session, agent, token, now, console=True, way="new password")
    if problem:
        return await account_page(request, me, database, at="password", problem=problem)
    answer = done(request, "password")
    set_cookie(answer, request, token)
    return answer


@router.get("/console/account/second-factor")
async def begin_second_factor(request: Request, me: Me, settings: SettingsDep, now: Now) -> Response:
    """The picture to scan."""
    if me.agent.second_factor:
        return redirect(request, PAGE)
    begun = enrolment(settings, me.agent, otp.begin(settings, me.agent, now), now)
    return render(request, me, "account_factor.html", problem="", **begun)


@router.post("/console/account/second-factor")
async def turn_on(
    request: Request,
    me: Me,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
    enrolment_seal: Annotated[str, Form(alias="enrolment", max_length=2000)],
    code: Text,
) -> Response:
    """Switch it on by its first code, and show the recovery codes."""
    async with database.write() as session, session.begin():
        agent = await session.get_one(Agent, me.agent.id, with_for_update=True)
        codes = await service.turn_on_second_factor(session, settings, agent, enrolment_seal, code, now)
    if codes is None:
        again = enrolment(settings, me.agent, enrolment_seal, now)
        return render(request, me, "account_factor.html", status=422, problem="wrong-otp", **again)
    return render(request, me, "recovery_codes.html", codes=codes)


@router.post("/console/account/second-factor/off")
async def turn_off(
    request: Request, me: Me, database: DatabaseDep, settings: SettingsDep, now: Now, current: Text, code: Text
) -> Response:
    """Switch it off, by password and code. Who needs one signs in again, and sets up another on the way."""
    claim = await proved(database, settings, me, current, now)
    if isinstance(claim, Problem):
        return await account_page(request, me, database, at="factor", problem=claim.type)
    async with database.write() as session, session.begin():
        found = await proof.by_password(session, claim, now)
        if isinstance(found, Agent):
            found = await proof.by_code(session, settings, found, code or "-", claim.subjects, now) or found
        if isinstance(found, Agent):
            await service.turn_off_second_factor(session, found, now)
            if found.role in settings.otp_roles:
                await service.end_sign_ins(session, found)
    if isinstance(found, Problem):
        problem = "wrong-password" if found.type == "wrong-credentials" else found.type
        return await account_page(request, me, database, at="factor", problem=problem)
    return done(request, "factor")


@router.post("/console/account/sign-ins")
async def end_others(request: Request, me: Me, database: DatabaseDep, now: Now) -> Response:
    """End one's other sign-ins."""
    async with database.write() as session, session.begin():
        await service.end_sign_ins(session, me.agent, but=me.token_hash)
        record(session, me.caller.name, "agent.signed_out", me.caller.name, now, elsewhere=True)
    return done(request, "sign_ins")
