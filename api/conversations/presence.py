"""Which agents are there. Functions take a session and never commit."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

import structlog
from sqlalchemy import case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent, AgentSession
from api.conversations.bell import QUEUE, agent_key, touch
from api.conversations.rules import SERVING as SERVING
from api.conversations.rules import Seat, skills_of
from api.conversations.tables import Conversation

log = structlog.get_logger(__name__)
Presence = Literal["available", "busy", "away"]
#: An agent whose console was not seen for so long is not there.
ON_DUTY_FOR = timedelta(minutes=2)


async def set_presence(session: AsyncSession, agent: Agent, presence: Presence, now: datetime) -> int:
    """Say whether an agent takes conversations. How many he has: who goes away keeps them, and is to be told so."""
    if agent.presence != presence:
        agent.presence = presence
        await session.flush()
        await touch(session, QUEUE)
        await touch(session, agent_key(agent.id))
        log.info("agent.presence", agent=agent.id, presence=presence, at=now.isoformat())
    return await open_of(session, agent.id)


async def open_of(session: AsyncSession, agent_id: str) -> int:
    """How many conversations are this agent's now."""
    query = select(func.count()).select_from(Conversation)
    return (
        await session.scalar(
            query.where(
                Conversation.owner == "agent", Conversation.agent_id == agent_id, Conversation.closed_at.is_(None)
            )
        )
        or 0
    )


async def open_by_agent(session: AsyncSession) -> dict[str, int]:
    """How many conversations each agent has who has any."""
    query = select(Conversation.agent_id, func.count()).where(
        Conversation.owner == "agent", Conversation.closed_at.is_(None)
    )
    rows = await session.execute(query.group_by(Conversation.agent_id))
    return {agent_id: count for agent_id, count in rows if agent_id is not None}


async def seen_lately(session: AsyncSession, now: datetime) -> set[str]:
    """Ids of the agents of whom a sign-in was seen within ON_DUTY_FOR."""
    query = select(AgentSession.agent_id).where(
        AgentSession.seen_at >= now - ON_DUTY_FOR, AgentSession.expires_at > now
    )
    return set(await session.scalars(query.distinct()))


async def on_duty(session: AsyncSession, now: datetime, *, but: str | None = None) -> list[Seat]:
    """Who talks with customers and was seen in the last minutes; at a console, those that have not said that they are
    away. `but`: not this agent. How many conversations they have is not counted here.
    """
    seen = exists().where(
        AgentSession.agent_id == Agent.id,
        AgentSession.seen_at >= now - ON_DUTY_FOR,
        AgentSession.expires_at > now,
        AgentSession.console.is_(False) | (Agent.presence != "away"),
    )
    query = select(Agent).where(Agent.active, Agent.role.in_(SERVING), Agent.id != (but or ""), seen)
    return [seat_of(agent, 0) for agent in await session.scalars(query)]


async def agents_on_duty(session: AsyncSession, now: datetime, *, but: str | None = None) -> int:
    """How many are on duty."""
    return len(await on_duty(session, now, but=but))


async def console_gone(session: AsyncSession, agent_id: str, now: datetime) -> bool:
    """Whether the agent works at a console and it was not seen for ON_DUTY_FOR; never of one who uses the API alone.

    Who does not work here any more is gone, too.
    """
    return agent_id in await gone_among(session, {agent_id}, now)


async def gone_among(session: AsyncSession, agent_ids: Collection[str], now: datetime) -> set[str]:
    """Those of the agents of whom `console_gone` is true."""
    s = AgentSession
    at_console, lately = case((s.console, s.seen_at)), case((s.expires_at > now, s.seen_at))
    query = (
        select(Agent.id, Agent.active, func.max(at_console).label("console"), func.max(lately).label("seen"))
        .outerjoin(s, s.agent_id == Agent.id)
        .where(Agent.id.in_(sorted(agent_ids)))
        .group_by(Agent.id, Agent.active)
    )
    since = now - ON_DUTY_FOR
    return {
        row.id
        for row in await session.execute(query)
        if not row.active or (row.console is not None and (row.seen is None or row.seen < since))
    }


def seat_of(agent: Agent, opened: int) -> Seat:
    """The agent as queues see him."""
    return Seat(
        agent_id=agent.id,
        languages=frozenset(map(str, agent.languages or ())),
        skills=skills_of(agent.skills or ()),
        open=opened,
        capacity=agent.capacity,
        idle_since=agent.served_at or agent.created_at,
    )


async def seats(session: AsyncSession, now: datetime, presence: Sequence[Presence] = ("available",)) -> list[Seat]:
    """The agents who are there and say so."""
    present = await session.scalars(
        select(Agent).where(Agent.active, Agent.role.in_(SERVING), Agent.presence.in_(presence))
    )
    seen, opened = await seen_lately(session, now), await open_by_agent(session)
    return [seat_of(agent, opened.get(agent.id, 0)) for agent in present if agent.id in seen]
