"""Which agents are there. Functions take a session and never commit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent, AgentSession
from api.conversations.bell import QUEUE, agent_key, touch
from api.conversations.handover import ON_DUTY_FOR
from api.conversations.rules import SERVING as SERVING
from api.conversations.rules import Seat, skills_of
from api.conversations.tables import Conversation

log = structlog.get_logger(__name__)
Presence = Literal["available", "busy", "away"]


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


async def console_gone(session: AsyncSession, agent_id: str, now: datetime) -> bool:
    """Whether the agent works at a console and it was not seen for ON_DUTY_FOR; never of one who uses the API alone.

    Who does not work here any more is gone, too.
    """
    if not await session.scalar(select(Agent.active).where(Agent.id == agent_id)):
        return True
    last = select(func.max(AgentSession.seen_at)).where(AgentSession.agent_id == agent_id)
    if await session.scalar(last.where(AgentSession.console)) is None:
        return False
    seen = await session.scalar(last.where(AgentSession.expires_at > now))
    return seen is None or seen < now - ON_DUTY_FOR


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
