"""A day at the desk in figures, and who works there, for supervisors. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent, AgentSession
from api.conversations.presence import SERVING, open_by_agent, seen_lately
from api.conversations.tables import Alarm, Conversation, Message, QueueWait


@dataclass(frozen=True)
class Day:
    """Since midnight. Waits are those of customers whom a person took, in seconds; None without any."""

    began: int
    bot_only: int
    claimed: int
    median_wait: int | None
    longest_wait: int | None
    #: Conversations closed by agents, by outcome ('' for none given).
    closed: Mapping[str, int]
    #: Why those that began today went to a person, the most frequent first.
    reasons: Sequence[tuple[str, int]]
    alarms: int

    @property
    def closed_count(self) -> int:
        return sum(self.closed.values())


def midnight(now: datetime, zone: ZoneInfo) -> datetime:
    """When the local day began."""
    local = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return local.astimezone(now.tzinfo)


async def day(session: AsyncSession, since: datetime) -> Day:
    """The figures since that moment."""
    c = Conversation
    waits = sorted(await session.scalars(select(QueueWait.seconds).where(QueueWait.at >= since)))
    began = await session.scalar(select(func.count()).select_from(c).where(c.created_at >= since)) or 0
    by_agent = exists().where(Message.conversation_id == c.id, Message.sender == "agent")
    alone = select(func.count()).select_from(c).where(c.created_at >= since, c.handover_reason == "", ~by_agent)
    reasons = (
        select(c.handover_reason, func.count().label("times"))
        .where(c.created_at >= since, c.handover_reason != "")
        .group_by(c.handover_reason)
        .order_by(func.count().desc(), c.handover_reason)
    )
    closed = select(c.outcome, func.count()).where(c.closed_at >= since, (c.outcome != "") | by_agent)
    alarms = select(func.count()).select_from(Alarm).where(Alarm.at >= since)
    return Day(
        began=began,
        bot_only=await session.scalar(alone) or 0,
        claimed=len(waits),
        median_wait=round(median(waits)) if waits else None,
        longest_wait=waits[-1] if waits else None,
        closed=dict((await session.execute(closed.group_by(c.outcome))).all()),
        reasons=[(reason, times) for reason, times in await session.execute(reasons)],
        alarms=await session.scalar(alarms) or 0,
    )


@dataclass(frozen=True)
class AtWork:
    """An agent as the supervisor sees him."""

    agent: Agent
    #: A sign-in was seen lately.
    present: bool
    seen_at: datetime | None
    open: int
    unanswered: int

    @property
    def name(self) -> str:
        return self.agent.name or self.agent.username

    @property
    def full(self) -> bool:
        return self.open >= self.agent.capacity


async def at_work(session: AsyncSession, now: datetime) -> list[AtWork]:
    """Everybody who talks with customers: those present first, available ones before others, then by name."""
    query = select(Agent).where(Agent.active, Agent.role.in_(SERVING))
    there, opened = await seen_lately(session, now), await open_by_agent(session)
    s = AgentSession
    latest = select(s.agent_id, func.max(s.seen_at)).group_by(s.agent_id)
    last: dict[str, Any] = dict((await session.execute(latest)).all())
    owed = select(Conversation.agent_id, func.count()).where(
        Conversation.owner == "agent", Conversation.closed_at.is_(None), Conversation.unanswered_since.is_not(None)
    )
    unanswered = dict((await session.execute(owed.group_by(Conversation.agent_id))).all())
    found = [
        AtWork(agent, agent.id in there, last.get(agent.id), opened.get(agent.id, 0), unanswered.get(agent.id, 0))
        for agent in await session.scalars(query)
    ]
    order = {"available": 0, "busy": 1, "away": 2}
    return sorted(found, key=lambda one: (not one.present, order.get(one.agent.presence, 3), one.name))
