"""The queue, and what is at risk, as supervisors see it. Functions take a session and never commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations import rules
from api.conversations.places import places_of, waiting_of
from api.conversations.presence import seats
from api.conversations.sentences import limits
from api.conversations.tables import Conversation

#: Why something is at risk: waits too long, unanswered too long, danger that waits, nobody there whom it suits.
Why = Literal["waiting", "unanswered", "danger", "nobody"]


@dataclass(frozen=True)
class Queued:
    """One that waits; `position`: from 1, as the customer is told it (places.Place)."""

    conversation_id: str
    position: int
    waited_seconds: int
    priority: int
    skill: str
    language: str | None
    channel: str
    reason: str
    passed_by: str | None


@dataclass(frozen=True)
class AtRisk:
    """A conversation that a supervisor should look at, and why. `seconds`: how long its customer waits for a person."""

    conversation_id: str
    owner: str
    agent_id: str | None
    priority: int
    seconds: int
    why: Sequence[Why]


def _seconds(now: datetime, since: datetime | None) -> int:
    return max(int((now - (since or now)).total_seconds()), 0)


async def _waiting(session: AsyncSession) -> Sequence[Conversation]:
    c = Conversation
    query = select(c).where(c.owner == "waiting").order_by(c.priority, c.waiting_since, c.id)
    return (await session.scalars(query)).all()


async def queue_view(session: AsyncSession, now: datetime) -> list[Queued]:
    """Everybody who waits, in order."""
    stand = await places_of(session, now)
    return [
        Queued(
            conversation_id=row.id,
            position=stand[row.id].number if row.id in stand else 0,
            waited_seconds=_seconds(now, row.waiting_since),
            priority=row.priority,
            skill=row.skill,
            language=row.language,
            channel=row.channel,
            reason=row.handover_reason,
            passed_by=row.passed_by,
        )
        for row in await _waiting(session)
    ]


async def at_risk(session: AsyncSession, now: datetime) -> list[AtRisk]:
    """What needs a supervisor's eye, the most urgent first, then what has waited longest (limits.yml, `at_risk`)."""
    limit = limits()["at_risk"]
    there = await seats(session, now, ("available", "busy"))
    found = []
    for row in await _waiting(session):
        waited = _seconds(now, row.waiting_since)
        why: list[Why] = []
        if row.priority == 1:
            why.append("danger")
        if waited >= limit["waiting_minutes"] * 60:
            why.append("waiting")
        if not any(rules.suits(seat, waiting_of(row, now)) for seat in there):
            why.append("nobody")
        if why:
            found.append(AtRisk(row.id, row.owner, None, row.priority, waited, why))
    c = Conversation
    late = now - timedelta(seconds=limit["unanswered_seconds"])
    unanswered = select(c).where(c.owner == "agent", or_(c.unanswered_since <= late, c.reminded_at.is_not(None)))
    found += [
        AtRisk(row.id, row.owner, row.agent_id, row.priority, _seconds(now, row.unanswered_since), ["unanswered"])
        for row in await session.scalars(unanswered)
    ]
    return sorted(found, key=lambda risk: (risk.priority, -risk.seconds, risk.conversation_id))
