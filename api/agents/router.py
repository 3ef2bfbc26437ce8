"""`/api/v1/agents`: who works at the console, signing in and out, being there."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents import lockout, proof, service
from api.agents.passwords import expect_good, hash_password
from api.agents.schemas import (
    AgentChange,
    AgentOut,
    Done,
    LoggedIn,
    Login,
    NewAgent,
    PasswordChange,
    PresenceChange,
    Present,
)
from api.agents.tables import Agent
from api.conversations import relief
from api.conversations.presence import set_presence
from api.db.idempotency import once, require_key
from api.deps import Caller, DatabaseDep, Now, ReadSession, SettingsDep, Staff, WriteSession, bearer
from api.errors import Problem, not_found, problem_response
from api.paging import Page
from api.settings import Settings

router = APIRouter(prefix="/agents", tags=["agents"])
Key = Annotated[str, Depends(require_key)]
Authorization = Annotated[str | None, Header()]

OWN_PASSWORD = Problem(
    409, "own-account", "Change your own password by giving the old one: POST /api/v1/agents/password."
)
#: What agents change of themselves.
OWN = frozenset({"phone", "language", "presence"})


def admin_only(caller: Staff) -> Caller:
    """The service token or an admin."""
    if caller.kind != "service" and caller.role != "admin":
        raise Problem(403, "forbidden", "Only an admin may do this.")
    return caller


def agent_only(caller: Staff) -> Caller:
    if caller.kind != "agent":
        raise Problem(403, "forbidden", "Only an agent's token can do this.")
    return caller


Admin = Annotated[Caller, Depends(admin_only)]
SignedIn = Annotated[Caller, Depends(agent_only)]


@router.post("", status_code=201, response_model=AgentOut)
async def create(
    request: Request, body: NewAgent, caller: Admin, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Add an agent (service token or admin), who changes the password first where an admin made it up."""
    password = body.password.get_secret_value()
    expect_good(password, body.username)
    password_hash = await hash_password(password)
    change_first = caller.kind == "agent" if body.must_change_password is None else body.must_change_password

    async def do() -> dict[str, Any]:
        agent = await service.create_agent(
            session, body, password_hash, now, caller.name, must_change_password=change_first
        )
        return AgentOut.model_validate(agent).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)


@router.get("")
async def index(_caller: Staff, session: ReadSession) -> Page[AgentOut]:
    """All agents, by name."""
    return Page(items=[AgentOut.model_validate(agent) for agent in await service.list_agents(session)])


@router.patch("/{username}")
async def change(
    username: str, body: AgentChange, caller: Staff, session: WriteSession, settings: SettingsDep, now: Now
) -> AgentOut:
    """Change what is given: of oneself phone, language and presence, as an admin anything of anybody.

    A new `password` lasts until the agent's next sign-in, ends the others and lifts a lock on the name. 403 for what
    is not one's own to change, 404 for no such agent, 409 `last-admin`, or `own-account` for one's own password
    (POST /api/v1/agents/password asks for the old one), 422 `weak-password`.
    """
    fields = {name: value for name, value in body.model_dump(exclude_unset=True).items() if value is not None}
    password: SecretStr | None = fields.pop("password", None)
    agent = await service.agent_named(session, username)
    own = agent is not None and agent.id == caller.agent_id
    if caller.kind == "agent" and caller.role != "admin" and not (own and not password and fields.keys() <= OWN):
        raise Problem(403, "forbidden", "Only an admin may change this.")
    if agent is None:
        raise not_found("agent")
    if presence := fields.pop("presence", None):
        if not own:
            raise Problem(403, "forbidden", "Everybody says of himself whether he is there.")
        await set_presence(session, agent, presence, now)
    await service.change_agent(session, agent, fields, caller.name, now)
    if password is not None:
        if own:
            raise OWN_PASSWORD
        expect_good(password.get_secret_value(), agent.username)
        password_hash = await hash_password(password.get_secret_value())
        await service.reset_password(session, agent, password_hash, caller.name, now)
        await lockout.forget(session, settings, agent.username)
    return AgentOut.model_validate(agent)


def refused(problem: Problem) -> dict[str, Any]:
    """A refusal as an answer to keep: the try that it counted must not be rolled back."""
    return {
        "refused": {"status": problem.status, "type": problem.type, "detail": problem.detail, **problem.extra},
        "headers": dict(problem.headers or {}),
    }


def given_back(answer: dict[str, Any]) -> Response:
    """The response for a kept answer."""
    if "refused" in answer:
        return problem_response(Problem(**answer["refused"], headers=answer["headers"]))
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


@router.post("/login", response_model=LoggedIn)
async def login(
    request: Request,
    body: Login,
    key: Key,
    database: DatabaseDep,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> Response:
    """Sign in. 401 for a wrong name or password alike, 429 `locked` after five wrong tries.

    403 `password-change-required`, `otp-required` or `otp-enrolment-required` (at the console) where that stands in
    the way; 401 `wrong-otp` for a code that is wrong or was taken before, which counts as a try, too.
    """
    subjects = lockout.subjects_of(settings, request, body.username)
    claim = await proof.claim_of(
        database, body.username, body.password.get_secret_value(), subjects, now, otp=body.otp or ""
    )
    if isinstance(claim, Problem):
        return problem_response(claim)
    secret = settings.service_token.get_secret_value()

    async def do() -> dict[str, Any]:
        agent = await proof.by_password(session, claim, now)
        if isinstance(agent, Agent):
            agent = await all_proved(session, settings, agent, claim, now)
        if isinstance(agent, Problem):
            return refused(agent)
        nonce = service.new_nonce()
        await service.sign_in(session, agent, service.token_of(secret, nonce), now)
        return {"nonce": nonce, "role": agent.role}

    answer = await once(session, request, key, f"login:{body.username}", now, do)
    if nonce := answer.get("nonce"):
        answer = LoggedIn(token=service.token_of(secret, nonce), role=answer["role"]).model_dump()
    return given_back(answer)


async def all_proved(
    session: AsyncSession, settings: Settings, agent: Agent, claim: proof.Claim, now: datetime
) -> Agent | Problem:
    """The agent, or what still stands between the right password and the sign-in."""
    if agent.must_change_password:
        return proof.CHANGE_FIRST
    if problem := await proof.by_code(session, settings, agent, claim.otp, claim.subjects, now):
        return problem
    if agent.role in settings.otp_roles and not agent.second_factor:
        return proof.ENROL_FIRST
    return agent


@router.post("/password", response_model=Done)
async def change_password(
    request: Request,
    body: PasswordChange,
    key: Key,
    database: DatabaseDep,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> Response:
    """Change a password by giving the old one (and `otp`, with a second factor); all of the agent's sign-ins end.

    422 `weak-password` for a new one that is too short, too common, or the name.
    """
    old, new = body.password.get_secret_value(), body.new_password.get_secret_value()
    expect_good(new, body.username)
    subjects = lockout.subjects_of(settings, request, body.username)
    claim = await proof.claim_of(database, body.username, old, subjects, now, otp=body.otp or "")
    if isinstance(claim, Problem):
        return problem_response(claim)
    new_hash = await hash_password(new) if claim.right else ""

    async def do() -> dict[str, Any]:
        agent = await proof.by_password(session, claim, now)
        if isinstance(agent, Agent) and old == new:
            agent = Problem(422, "invalid", "The new password must differ from the old one.")
        if isinstance(agent, Agent):
            agent = await proof.by_code(session, settings, agent, claim.otp, subjects, now) or agent
        if isinstance(agent, Problem):
            return refused(agent)
        await service.change_password(session, agent, new_hash, now)
        return Done().model_dump()

    return given_back(await once(session, request, key, f"password:{body.username}", now, do))


@router.post("/logout")
async def logout(
    _key: Key, caller: SignedIn, database: DatabaseDep, now: Now, authorization: Authorization = None
) -> Done:
    """End this sign-in. After the agent's last one, colleagues or the queue have his conversations at once."""
    await relief.sign_out(database, caller.agent_id or "", bearer(authorization), now)
    return Done()


@router.post("/presence")
async def presence(
    _key: Key,
    caller: SignedIn,
    session: WriteSession,
    now: Now,
    body: PresenceChange | None = None,
    authorization: Authorization = None,
) -> Present:
    """Say that the agent is there, and whether conversations may come; who has not for two minutes is off duty."""
    await service.touch(session, bearer(authorization), now)
    agent = await session.get_one(Agent, caller.agent_id)
    opened = 0
    if body is not None and body.presence is not None:
        opened = await set_presence(session, agent, body.presence, now)
    return Present(presence=agent.presence, conversations=opened)
