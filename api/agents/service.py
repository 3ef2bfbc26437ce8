"""Agents and their sign-ins. Functions take a session and never commit."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents import otp
from api.agents.passwords import hash_password
from api.agents.schemas import NewAgent
from api.agents.tables import Agent, AgentSession
from api.audit.service import record
from api.db.base import new_id
from api.errors import Problem
from api.settings import Settings

log = structlog.get_logger(__name__)

SESSION_LASTS = timedelta(hours=12)
TOUCH_EVERY = timedelta(minutes=1)
ABOVE = ("supervisor", "admin")
LAST_ADMIN = Problem(409, "last-admin", "There must be an active admin; make somebody else one first.")


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_nonce() -> str:
    return secrets.token_hex(16)


def token_of(secret: str, nonce: str) -> str:
    """The token of a sign-in, from what its idempotency record keeps and a secret that no table holds."""
    return hmac.new(secret.encode(), f"sign-in {nonce}".encode(), hashlib.sha256).hexdigest()


async def agent_named(session: AsyncSession, username: str) -> Agent | None:
    return (await session.scalars(select(Agent).where(Agent.username == username))).one_or_none()


async def list_agents(session: AsyncSession) -> Sequence[Agent]:
    return (await session.scalars(select(Agent).order_by(Agent.username))).all()


async def create_agent(
    session: AsyncSession, new: NewAgent, password_hash: str, now: datetime, by: str, *, must_change_password: bool
) -> Agent:
    """Add an agent; Problem 409 where the name is taken."""
    if await agent_named(session, new.username) is not None:
        raise Problem(409, "username-taken", "There is an agent with this name already.")
    fields = new.model_dump(exclude={"password", "must_change_password"})
    agent = Agent(**fields, must_change_password=must_change_password, password_hash=password_hash, created_at=now)
    return await _add(session, agent, by, now)


async def ensure_admin(session: AsyncSession, password: str, now: datetime) -> bool:
    """On the first start: create `admin`, who changes this password (of any length) at the first sign-in.

    True if it was created now.
    """
    if not password or await agent_named(session, "admin") is not None:
        return False
    admin = Agent(
        username="admin",
        role="admin",
        languages=["zh", "en"],
        password_hash=await hash_password(password),
        must_change_password=True,
        created_at=now,
    )
    await _add(session, admin, "service", now)
    return True


async def _add(session: AsyncSession, agent: Agent, by: str, now: datetime) -> Agent:
    agent.id = new_id("ag")
    session.add(agent)
    await session.flush()
    record(session, by, "agent.created", f"agent:{agent.id}", now, role=agent.role)
    log.info("agent.created", agent=agent.id, role=agent.role)
    return agent


async def change_agent(session: AsyncSession, agent: Agent, fields: dict[str, Any], by: str, now: datetime) -> None:
    """Set what is given; who is not active any more, or a supervisor or an admin from here, is signed out.

    Problem 409 `last-admin`.
    """
    if agent.role == "admin" and agent.active and not _stays_admin(fields):
        admins = select(Agent.id).where(Agent.role == "admin", Agent.active).order_by(Agent.id).with_for_update()
        if len((await session.scalars(admins)).all()) < 2:
            raise LAST_ADMIN
    before = {name: getattr(agent, name) for name in fields}
    changed = sorted(name for name, value in fields.items() if value != before[name])
    for name in changed:
        setattr(agent, name, fields[name])
    if "active" in changed and not agent.active:
        agent.presence = "away"
        await end_sign_ins(session, agent)
    if "role" in changed and agent.role in ABOVE:  # which asks for whatever this role needs
        await end_sign_ins(session, agent)
    await session.flush()
    whose = f"agent:{agent.id}"
    for name, action in (("role", "agent.role_changed"), ("active", "agent.activity_changed")):
        if name in changed:
            record(session, by, action, whose, now, before=before[name], after=fields[name])
    if rest := [name for name in changed if name not in ("role", "active")]:
        record(session, by, "agent.changed", whose, now, fields=", ".join(rest))


def _stays_admin(fields: dict[str, Any]) -> bool:
    return bool(fields.get("role", "admin") == "admin" and fields.get("active", True))


async def sign_in(
    session: AsyncSession, agent: Agent, token: str, now: datetime, *, console: bool = False, way: str = "password"
) -> None:
    """Keep a new sign-in's token (hashed) and drop the agent's expired ones."""
    await session.execute(delete(AgentSession).where(AgentSession.agent_id == agent.id, AgentSession.expires_at <= now))
    session.add(
        AgentSession(
            token_hash=token_hash(token),
            agent_id=agent.id,
            created_at=now,
            expires_at=now + SESSION_LASTS,
            seen_at=now,
            acted_at=now,
            console=console,
        )
    )
    await session.flush()
    whose = f"agent:{agent.id}"
    record(session, whose, "agent.signed_in", whose, now, way=way, console=console)
    log.info("agent.signed_in", agent=agent.id)


async def sign_ins_of(session: AsyncSession, agent: Agent, now: datetime) -> Sequence[AgentSession]:
    """The agent's sign-ins that have not expired, the latest first."""
    query = select(AgentSession).where(AgentSession.agent_id == agent.id, AgentSession.expires_at > now)
    return (await session.scalars(query.order_by(AgentSession.created_at.desc(), AgentSession.token_hash))).all()


async def end_sign_ins(session: AsyncSession, agent: Agent, *, but: str = "") -> None:
    """End all sign-ins of an agent, except the one with this token's hash."""
    ended = delete(AgentSession).where(AgentSession.agent_id == agent.id, AgentSession.token_hash != but)
    await session.execute(ended)


async def change_password(session: AsyncSession, agent: Agent, password_hash: str, now: datetime) -> None:
    """Set the agent's own new password; every sign-in of the agent ends."""
    agent.password_hash, agent.must_change_password = password_hash, False
    await end_sign_ins(session, agent)
    record(session, f"agent:{agent.id}", "agent.password_changed", f"agent:{agent.id}", now)
    log.info("agent.password_changed", agent=agent.id)


async def reset_password(session: AsyncSession, agent: Agent, password_hash: str, by: str, now: datetime) -> None:
    """Set a one-time password for a colleague, whose sign-ins end."""
    agent.password_hash, agent.must_change_password = password_hash, True
    await end_sign_ins(session, agent)
    record(session, by, "agent.password_reset", f"agent:{agent.id}", now)


async def turn_on_second_factor(
    session: AsyncSession, settings: Settings, agent: Agent, enrolment: str, code: str, now: datetime
) -> list[str] | None:
    """Switch the second factor on; the recovery codes, or None for a wrong code (see otp.turn_on).

    Problem 409 where there is one: another device takes its place only after it is switched off, which takes a code.
    """
    if agent.second_factor:
        raise Problem(409, "second-factor-on", "The second factor is on already.")
    codes = otp.turn_on(settings, agent, enrolment, code, now)
    if codes is not None:
        await session.flush()
        record(session, f"agent:{agent.id}", "agent.totp_on", f"agent:{agent.id}", now)
    return codes


async def turn_off_second_factor(session: AsyncSession, agent: Agent, now: datetime) -> None:
    otp.turn_off(agent)
    record(session, f"agent:{agent.id}", "agent.totp_off", f"agent:{agent.id}", now)


async def reset_second_factor(session: AsyncSession, agent: Agent, by: str, now: datetime) -> None:
    """Switch off the second factor of a colleague who lost the device; the sign-ins end."""
    otp.turn_off(agent)
    await end_sign_ins(session, agent)
    record(session, by, "agent.totp_reset", f"agent:{agent.id}", now)


async def unlink(session: AsyncSession, agent: Agent, by: str, now: datetime) -> None:
    """Forget which identity of the OpenID provider is this agent's."""
    agent.oidc_subject = None
    await end_sign_ins(session, agent)
    record(session, by, "agent.unlinked", f"agent:{agent.id}", now)


async def sign_out(session: AsyncSession, token: str, now: datetime) -> None:
    """End the sign-in of this token."""
    ended = await session.get(AgentSession, token_hash(token))
    if ended is not None:
        await session.delete(ended)
        record(session, f"agent:{ended.agent_id}", "agent.signed_out", f"agent:{ended.agent_id}", now)


async def touch(session: AsyncSession, token: str, now: datetime) -> None:
    """Note that the agent is there; written at most once a minute."""
    signed_in = await session.get(AgentSession, token_hash(token))
    if signed_in is not None and now - signed_in.seen_at >= TOUCH_EVERY:
        signed_in.seen_at = now


async def agent_of_token(session: AsyncSession, token: str, now: datetime) -> Agent | None:
    """The agent whose sign-in this bearer token is, while it lasts; a console's cookie is none."""
    query = (
        select(Agent)
        .join(AgentSession)
        .where(
            AgentSession.token_hash == token_hash(token),
            AgentSession.expires_at > now,
            AgentSession.console.is_(False),
            Agent.active.is_(True),
        )
    )
    return (await session.scalars(query)).one_or_none()
