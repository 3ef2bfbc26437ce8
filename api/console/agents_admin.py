"""The admins' page: who works here, as what."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents import lockout, service
from api.agents.passwords import hash_password, one_time_password
from api.agents.schemas import AgentChange, NewAgent
from api.agents.tables import Agent
from api.console.pages import redirect, render
from api.console.session import Me, SignedIn
from api.db.engine import Database
from api.deps import DatabaseDep, Now, SettingsDep
from api.errors import Problem, not_found
from api.settings import ROLES

router = APIRouter()
PAGE = "/console/admin"
#: What conversations ask for; the API takes others, too.
SKILLS = ("power", "water", "complaint")
BLANK: dict[str, Any] = {
    "username": "",
    "name": "",
    "role": "agent",
    "languages": ["zh"],
    "skills": [],
    "capacity": 5,
    "phone": "",
}
OWN_ACCOUNT = Problem(409, "own-account", "This is your own account: change it on its own page.")
Text = Annotated[str, Form(max_length=200)]
Choices = Annotated[list[str], Form()]


async def list_page(
    request: Request, me: SignedIn, database: Database, *, problem: str = "", typed: dict[str, Any] | None = None
) -> Response:
    """All agents, and the form that adds one, as it was typed."""
    async with database.read() as session:
        agents = await service.list_agents(session)
    return render(
        request,
        me,
        "admin.html",
        status=422 if problem else 200,
        agents=agents,
        roles=ROLES,
        skills=SKILLS,
        problem=problem,
        agent=typed or BLANK,
    )


def agent_page(
    request: Request, me: SignedIn, agent: Agent, *, problem: str = "", done: bool = False, typed: Any = None
) -> Response:
    """One agent."""
    extra = [skill for skill in agent.skills if skill not in SKILLS]
    return render(
        request,
        me,
        "admin_agent.html",
        status=422 if problem else 200,
        whom=agent,
        agent=typed or agent,
        roles=ROLES,
        skills=[*SKILLS, *extra],
        problem=problem,
        done=done,
        mine=agent.id == me.agent.id,
    )


def shown_once(request: Request, me: SignedIn, agent: Agent, password: str) -> Response:
    """The one-time password, this once."""
    return render(request, me, "admin_password.html", whom=agent, password=password)


def fault(error: ValidationError) -> str:
    """The type of the problem with a form."""
    return "wrong-phone" if any("phone" in e["loc"] for e in error.errors()) else "invalid"


async def named(session: AsyncSession, username: str) -> Agent:
    agent = await service.agent_named(session, username)
    if agent is None:
        raise not_found("agent")
    return agent


@router.get("/console/admin")
async def page(request: Request, me: Me, database: DatabaseDep) -> Response:
    return await list_page(request, me, database)


@router.post("/console/admin/agents")
async def add(
    request: Request,
    me: Me,
    database: DatabaseDep,
    now: Now,
    username: Text,
    role: Text,
    name: Text = "",
    languages: Choices = [],  # noqa: B006
    skills: Choices = [],  # noqa: B006
    capacity: Annotated[int, Form()] = 5,
    phone: Text = "",
) -> Response:
    """Add an agent; the one-time password is shown once."""
    typed = {
        "username": username,
        "name": name,
        "role": role,
        "languages": languages,
        "skills": skills,
        "capacity": capacity,
        "phone": phone,
    }
    password = one_time_password()
    try:
        new = NewAgent.model_validate(typed | {"password": password})
    except ValidationError as error:
        return await list_page(request, me, database, problem=fault(error), typed=typed)
    password_hash = await hash_password(password)
    try:
        async with database.write() as session, session.begin():
            agent = await service.create_agent(
                session, new, password_hash, now, me.caller.name, must_change_password=True
            )
    except Problem as problem:
        return await list_page(request, me, database, problem=problem.type, typed=typed)
    return shown_once(request, me, agent, password)


@router.get("/console/admin/agents/{username}")
async def one(
    request: Request, me: Me, username: str, database: DatabaseDep, done: Annotated[bool, Query()] = False
) -> Response:
    async with database.read() as session:
        return agent_page(request, me, await named(session, username), done=done)


@router.post("/console/admin/agents/{username}")
async def change(
    request: Request,
    me: Me,
    username: str,
    database: DatabaseDep,
    now: Now,
    role: Text,
    name: Text = "",
    languages: Choices = [],  # noqa: B006
    skills: Choices = [],  # noqa: B006
    capacity: Annotated[int, Form()] = 5,
    phone: Text = "",
    active: Annotated[bool, Form()] = False,
) -> Response:
    """Change what the form holds."""
    typed = {
        "name": name,
        "role": role,
        "languages": languages,
        "skills": skills,
        "capacity": capacity,
        "phone": phone,
        "active": active,
    }
    try:
        fields = AgentChange.model_validate(typed).model_dump(exclude_unset=True)
        async with database.write() as session, session.begin():
            await service.change_agent(session, await named(session, username), fields, me.caller.name, now)
    except (ValidationError, Problem) as error:
        problem = error.type if isinstance(error, Problem) else fault(error)
        async with database.read() as session:
            return agent_page(request, me, await named(session, username), problem=problem, typed=typed)
    return redirect(request, f"{PAGE}/agents/{username}?done=true")


async def colleague(session: AsyncSession, me: SignedIn, username: str) -> Agent:
    """Another agent; one's own password and second factor take the present ones, on the account's page."""
    agent = await named(session, username)
    if agent.id == me.agent.id:
        raise OWN_ACCOUNT
    return agent


@router.post("/console/admin/agents/{username}/password")
async def reset_password(
    request: Request, me: Me, username: str, database: DatabaseDep, settings: SettingsDep, now: Now
) -> Response:
    """A one-time password for who has forgotten the own; it also ends a lock."""
    password = one_time_password()
    password_hash = await hash_password(password)
    async with database.write() as session, session.begin():
        agent = await colleague(session, me, username)
        await service.reset_password(session, agent, password_hash, me.caller.name, now)
        await lockout.forget(session, settings, agent.username)
    return shown_once(request, me, agent, password)


@router.post("/console/admin/agents/{username}/second-factor")
async def reset_second_factor(request: Request, me: Me, username: str, database: DatabaseDep, now: Now) -> Response:
    """For who has lost the device and the recovery codes."""
    async with database.write() as session, session.begin():
        await service.reset_second_factor(session, await colleague(session, me, username), me.caller.name, now)
    return redirect(request, f"{PAGE}/agents/{username}?done=true")


@router.post("/console/admin/agents/{username}/unlink")
async def unlink(request: Request, me: Me, username: str, database: DatabaseDep, now: Now) -> Response:
    """Forget the identity of the OpenID provider."""
    async with database.write() as session, session.begin():
        await service.unlink(session, await colleague(session, me, username), me.caller.name, now)
    return redirect(request, f"{PAGE}/agents/{username}?done=true")
