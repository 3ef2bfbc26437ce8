"""Agents, their passwords and sign-ins. Functions take a session and never commit."""

import asyncio
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.schemas import NewAgent
from api.agents.tables import Agent, AgentSession
from api.customers import tries
from api.db.base import new_id
from api.errors import Problem

log = structlog.get_logger(__name__)

SESSION_LASTS = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
#: Five wrong passwords lock a name, known or not, for so long.
LOCK = timedelta(minutes=15)

#: OWASP's parameters for argon2id. The sign-in is open to the internet: more memory would help attackers, too.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
#: Hashing takes tens of milliseconds: never more than two at a time, never in the event loop.
_hashing = ThreadPoolExecutor(2, "hashing")
#: Checked where there is no such agent, so that both take the same time.
_NOBODY = _hasher.hash(secrets.token_hex(16))


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_nonce() -> str:
    return secrets.token_hex(16)


def token_of(secret: str, nonce: str) -> str:
    """The token of a sign-in, from what its idempotency record keeps and a secret that no table holds."""
    return hmac.new(secret.encode(), f"sign-in {nonce}".encode(), hashlib.sha256).hexdigest()


async def hash_password(password: str) -> str:
    """The argon2id hash of a password (RFC 9106)."""
    return await asyncio.get_running_loop().run_in_executor(_hashing, _hasher.hash, password)


async def password_is(password: str, expected: str | None) -> bool:
    """Whether a password has this hash; the same work where there is none."""

    def check() -> bool:
        try:
            return _hasher.verify(expected or _NOBODY, password) and expected is not None
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.get_running_loop().run_in_executor(_hashing, check)


async def agent_named(session: AsyncSession, username: str) -> Agent | None:
    return (await session.scalars(select(Agent).where(Agent.username == username))).one_or_none()


async def list_agents(session: AsyncSession) -> Sequence[Agent]:
    return (await session.scalars(select(Agent).order_by(Agent.username))).all()


async def create_agent(session: AsyncSession, new: NewAgent, password_hash: str, now: datetime) -> Agent:
    """Add an agent; Problem 409 where the name is taken."""
    if await agent_named(session, new.username) is not None:
        raise Problem(409, "username-taken", "There is an agent with this name already.")
    return await _add(
        session, Agent(**new.model_dump(exclude={"password"}), password_hash=password_hash, created_at=now)
    )


async def ensure_admin(session: AsyncSession, password: str, now: datetime) -> bool:
    """On the first start: create `admin` with this password (of any length). True if it was created now."""
    if not password or await agent_named(session, "admin") is not None:
        return False
    password_hash = await hash_password(password)
    await _add(
        session,
        Agent(username="admin", role="admin", languages=["zh", "en"], password_hash=password_hash, created_at=now),
    )
    return True


async def _add(session: AsyncSession, agent: Agent) -> Agent:
    agent.id = new_id("ag")
    session.add(agent)
    await session.flush()
    log.info("agent.created", agent=agent.id, role=agent.role)
    return agent


async def check_sign_in(
    session: AsyncSession, username: str, right: bool, now: datetime, secret: str
) -> Agent | Problem:
    """What a sign-in, its password found right or wrong, leads to: the agent, or the answer that refuses it.

    The answer is returned and not raised: a wrong try must be committed. An unknown name is treated as a known one.
    """
    subjects = [tries.subject(secret, "agent", username)]
    await tries.take_turns(session, subjects)
    if until := await tries.locked(session, subjects, now, LOCK):
        return tries.locked_problem(until, now)
    agent = await agent_named(session, username)
    if agent is None or not right:
        await tries.count(session, subjects, now)
        return Problem(401, "wrong-credentials", "The name or the password is wrong.")
    return agent


async def sign_in(session: AsyncSession, agent: Agent, token: str, now: datetime) -> None:
    """Keep a new sign-in's token (hashed) and drop the agent's expired ones."""
    await session.execute(delete(AgentSession).where(AgentSession.agent_id == agent.id, AgentSession.expires_at <= now))
    session.add(
        AgentSession(
            token_hash=token_hash(token),
            agent_id=agent.id,
            created_at=now,
            expires_at=now + SESSION_LASTS,
            seen_at=now,
        )
    )
    await session.flush()
    log.info("agent.signed_in", agent=agent.id)


async def change_password(session: AsyncSession, agent: Agent, password_hash: str) -> None:
    """Set a new password; every sign-in of the agent ends."""
    agent.password_hash, agent.must_change_password = password_hash, False
    await session.execute(delete(AgentSession).where(AgentSession.agent_id == agent.id))
    log.info("agent.password_changed", agent=agent.id)


async def sign_out(session: AsyncSession, token: str) -> None:
    await session.execute(delete(AgentSession).where(AgentSession.token_hash == token_hash(token)))


async def touch(session: AsyncSession, token: str, now: datetime) -> None:
    """Note that the agent is there; written at most once a minute."""
    signed_in = await session.get(AgentSession, token_hash(token))
    if signed_in is not None and now - signed_in.seen_at >= TOUCH_EVERY:
        signed_in.seen_at = now


async def agent_of_token(session: AsyncSession, token: str, now: datetime) -> Agent | None:
    """The agent whose sign-in this token is, while it lasts."""
    query = (
        select(Agent)
        .join(AgentSession)
        .where(AgentSession.token_hash == token_hash(token), AgentSession.expires_at > now)
    )
    return (await session.scalars(query)).one_or_none()
