"""What routers ask for: sessions, settings, the clock, and who is calling."""

import hmac
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Depends, Header, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api.audit.service import record
from api.db.engine import Database
from api.errors import Problem
from api.settings import Settings

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def get_database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def get_now(request: Request) -> datetime:
    clock: Clock = request.app.state.clock
    return clock()


SettingsDep = Annotated[Settings, Depends(get_settings)]
DatabaseDep = Annotated[Database, Depends(get_database)]
Now = Annotated[datetime, Depends(get_now)]


async def read_session(database: DatabaseDep) -> AsyncIterator[AsyncSession]:
    async with database.read() as session:
        yield session


@dataclass(frozen=True)
class Act:
    """What a request is for the audit log, by its row in access.yml."""

    by: str
    action: str
    subject: str


async def write_session(request: Request, database: DatabaseDep, now: Now) -> AsyncIterator[AsyncSession]:
    """One request is one transaction: committed when the endpoint returns, before the answer is sent.

    Where the request is an act for the audit log, the entry is part of the transaction.
    """
    act: Act | None = getattr(request.state, "act", None)
    async with database.write() as session, session.begin():
        if act is not None:
            record(session, act.by, act.action, act.subject, now)
        yield session


# scope="function": the transaction ends before the answer leaves, so that a failed commit is a 500 and not a lie.
ReadSession = Annotated[AsyncSession, Depends(read_session, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(write_session, scope="function")]


@dataclass(frozen=True)
class Caller:
    """Who calls `/api/v1`.

    `conversation_id`, `message_id` and `fence` are set for the bot only: it acts for one customer message of one
    conversation, and for as long as that turn is its own.
    """

    kind: Literal["service", "agent", "bot"]
    agent_id: str | None = None
    role: str | None = None
    conversation_id: str | None = None
    message_id: str | None = None
    fence: int | None = None

    @property
    def name(self) -> str:
        """Who it is, for histories and for telling one caller's idempotency keys from another's."""
        return ":".join(filter(None, (self.kind, self.agent_id or self.conversation_id)))


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header, or '' where there is none."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def same(given: str, expected: str) -> bool:
    """Constant-time comparison; an unset secret equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


async def recognise(request: Request, settings: Settings, database: Database, now: datetime) -> Caller:
    """Recognise the service token, the bot's token (loopback only) or an agent's token; 401 otherwise."""
    token = bearer(request.headers.get("authorization"))
    if same(token, settings.service_token.get_secret_value()):
        return Caller("service")
    if same(token, settings.bot_token.get_secret_value()):
        passed_on = any(name in request.headers for name in ("x-forwarded-for", "forwarded"))  # by a proxy beside us
        if passed_on or request.client is None or request.client.host not in ("127.0.0.1", "::1"):
            raise Problem(403, "forbidden", "The bot's token is accepted from this machine only.")
        conversation_id, fence = request.headers.get("x-conversation-id"), request.headers.get("x-turn-fence", "")
        if not conversation_id:
            raise Problem(400, "conversation-required", "The bot must name the conversation it acts for.")
        return Caller(
            "bot",
            conversation_id=conversation_id,
            message_id=request.headers.get("x-message-id"),
            fence=int(fence) if fence.isdecimal() else None,
        )
    # Imported here: agents depend on this module for their sessions.
    from api.agents.service import agent_of_token

    async with database.read() as session:
        agent = await agent_of_token(session, token, now) if token else None
    if agent is None:
        raise Problem(401, "unauthorised", "A valid token is required.", headers={"WWW-Authenticate": "Bearer"})
    return Caller("agent", agent_id=agent.id, role=agent.role)


async def get_caller(
    request: Request,
    authorization: Annotated[str | None, Header()] = None,
    x_conversation_id: Annotated[str | None, Header()] = None,
    x_message_id: Annotated[str | None, Header()] = None,
    x_turn_fence: Annotated[int | None, Header()] = None,
) -> Caller:
    """Who was admitted to this request (api.access); the headers stand here for the reference."""
    caller: Caller = request.state.caller
    return caller


CurrentCaller = Annotated[Caller, Depends(get_caller)]


async def staff_only(caller: CurrentCaller) -> Caller:
    """The service token or an agent; never the bot."""
    if caller.kind == "bot":
        raise Problem(403, "forbidden", "The bot may not do this.")
    return caller


Staff = Annotated[Caller, Depends(staff_only)]
