"""`/api/v1/agents`: who works at the console, signing in and out, being there."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import JSONResponse

from api.agents import service
from api.agents.schemas import AgentChange, AgentOut, Done, LoggedIn, Login, NewAgent, PasswordChange
from api.agents.tables import Agent
from api.db.engine import Database
from api.db.idempotency import once, require_key
from api.deps import Caller, DatabaseDep, Now, ReadSession, SettingsDep, Staff, WriteSession, bearer
from api.errors import Problem, not_found, problem_response
from api.paging import Page

router = APIRouter(prefix="/agents", tags=["agents"])
Key = Annotated[str, Depends(require_key)]
Authorization = Annotated[str | None, Header()]

CHANGE_FIRST = Problem(
    403,
    "password-change-required",
    "Change the password first: POST /api/v1/agents/password with username, password and new_password.",
)


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
    """Add an agent (service token or admin)."""
    password_hash = await service.hash_password(body.password.get_secret_value())

    async def do() -> dict[str, Any]:
        agent = await service.create_agent(session, body, password_hash, now)
        return AgentOut.model_validate(agent).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)


@router.get("")
async def index(_caller: Staff, session: ReadSession) -> Page[AgentOut]:
    """All agents, by name."""
    return Page(items=[AgentOut.model_validate(agent) for agent in await service.list_agents(session)])


@router.patch("/{username}")
async def change(username: str, body: AgentChange, caller: Staff, session: WriteSession) -> AgentOut:
    """Change the number that calls are put through to: one's own, or as an admin anybody's. 404 for no such agent."""
    agent = await service.agent_named(session, username)
    if caller.kind == "agent" and caller.role != "admin" and (agent is None or agent.id != caller.agent_id):
        raise Problem(403, "forbidden", "Only an admin may change another agent.")
    if agent is None:
        raise not_found("agent")
    if body.phone is not None:
        agent.phone = body.phone
        await session.flush()
    return AgentOut.model_validate(agent)


async def password_right(database: Database, username: str, password: str) -> bool:
    """Check a password before the writing transaction begins: hashing is slow, and SQLite has one writer."""
    async with database.read() as session:
        agent = await service.agent_named(session, username)
    return await service.password_is(password, agent.password_hash if agent else None)


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
    """Sign in. 401 for a wrong name or password alike, 429 `locked` after five, 403 `password-change-required`."""
    secret = settings.service_token.get_secret_value()
    right = await password_right(database, body.username, body.password.get_secret_value())

    async def do() -> dict[str, Any]:
        agent = await service.check_sign_in(session, body.username, right, now, secret)
        if isinstance(agent, Agent) and agent.must_change_password:
            agent = CHANGE_FIRST
        if isinstance(agent, Problem):
            return refused(agent)
        nonce = service.new_nonce()
        await service.sign_in(session, agent, service.token_of(secret, nonce), now)
        return {"nonce": nonce, "role": agent.role}

    answer = await once(session, request, key, f"login:{body.username}", now, do)
    if nonce := answer.get("nonce"):
        answer = LoggedIn(token=service.token_of(secret, nonce), role=answer["role"]).model_dump()
    return given_back(answer)


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
    """Change a password by giving the old one; all of the agent's sign-ins end."""
    old, new = body.password.get_secret_value(), body.new_password.get_secret_value()
    right = await password_right(database, body.username, old)
    new_hash = await service.hash_password(new) if right else ""

    async def do() -> dict[str, Any]:
        agent = await service.check_sign_in(
            session, body.username, right, now, settings.service_token.get_secret_value()
        )
        if isinstance(agent, Agent) and old == new:
            agent = Problem(422, "invalid", "The new password must differ from the old one.")
        if isinstance(agent, Problem):
            return refused(agent)
        await service.change_password(session, agent, new_hash)
        return Done().model_dump()

    return given_back(await once(session, request, key, f"password:{body.username}", now, do))


@router.post("/logout")
async def logout(_key: Key, _caller: SignedIn, session: WriteSession, authorization: Authorization = None) -> Done:
    """End this sign-in."""
    await service.sign_out(session, bearer(authorization))
    return Done()


@router.post("/presence")
async def presence(
    _key: Key, _caller: SignedIn, session: WriteSession, now: Now, authorization: Authorization = None
) -> Done:
    """Say that the agent is there; who has not for two minutes is off duty."""
    await service.touch(session, bearer(authorization), now)
    return Done()
