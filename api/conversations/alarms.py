"""Danger in a customer's message: safety words at once, priority, an alarm that is kept, a ticket."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.bell import ALARMS, QUEUE, agent_key, touch
from api.conversations.sentences import hotline, limits
from api.conversations.tables import Alarm, Conversation
from api.conversations.transcript import add_message
from api.danger import Danger, safety_words
from api.db.base import new_id
from api.errors import Problem, not_found
from api.tickets.rules import utility_of_danger
from api.tickets.service import file_danger_ticket

log = structlog.get_logger(__name__)

#: Dangers whose crew comes from the water works; all others need the power cut off first.
WATER = frozenset({"drowning"})
LONGEST_WORDS = 400


@dataclass(frozen=True)
class Hazard:
    """What the ticket needs to know of a danger."""

    kind: str
    utility: str


async def raise_alarm(
    session: AsyncSession,
    conversation: Conversation,
    provider_id: str,
    text: str,
    danger: Danger,
    now: datetime,
    *,
    scanned: str | None = None,
) -> dict[str, Any] | None:
    """Act on a danger in `text`; what the bot is told of it: {"kind", "utility", "ticket_number"}.

    None if this message raised it before (a refused message has no row of its own that would tell). An agent who
    owns the conversation is alarmed; the customer gets nothing from us then. `scanned`: the
    text in which it was found, where that is another.
    """
    mine = select(Alarm).where(Alarm.conversation_id == conversation.id)
    if await session.scalar(mine.where(Alarm.provider_id == provider_id)) is not None:
        return None
    hazard = Hazard(danger.kind, utility_of_danger(danger.kind))
    alarm = Alarm(
        id=new_id("al"),
        conversation_id=conversation.id,
        provider_id=provider_id,
        kind=hazard.kind,
        words=words_of(danger, text if scanned is None else scanned),
        owner=conversation.owner,
        at=now,
    )
    log.warning("danger.raised", kind=hazard.kind, owner=conversation.owner, conversation=conversation.id)
    conversation.priority = 1
    if conversation.owner != "agent" and not await _told_enough(session, conversation, hazard, now):
        language = conversation.language or danger.language
        words = safety_words(danger, language, hotline=await hotline(session))
        await add_message(session, conversation, "system", words, now, alert=True)
        alarm.ticket_number = await _ticket(session, conversation, text, hazard, now)
    session.add(alarm)
    await session.flush()
    await touch(session, ALARMS)
    await touch(session, QUEUE)  # danger comes first there
    if conversation.agent_id is not None:
        await touch(session, agent_key(conversation.agent_id))
    return {"kind": hazard.kind, "utility": hazard.utility, "ticket_number": alarm.ticket_number}


def words_of(danger: Danger, text: str) -> str:
    """The very words of `text` that tell of the danger, one a line."""
    words = dict.fromkeys(text[start:end].strip() for start, end in danger.spans)
    return "\n".join(each for each in words if each and "\n" not in each)[:LONGEST_WORDS]


async def unseen(session: AsyncSession, limit: int = 100) -> Sequence[Alarm]:
    """The alarms that nobody has seen to yet, the oldest first."""
    query = select(Alarm).where(Alarm.acknowledged_at.is_(None)).order_by(Alarm.at, Alarm.id).limit(limit)
    return (await session.scalars(query)).all()


async def see(session: AsyncSession, alarm_id: str, agent_id: str | None, now: datetime, *, own: bool = False) -> Alarm:
    """Somebody sees to an alarm (None: the service); the first one stays. Problem 404.

    `own`: 409 `not-owner` unless the conversation is this agent's; others could hide it from who has to act.
    """
    alarm = await session.get(Alarm, alarm_id, with_for_update=True)
    if alarm is None:
        raise not_found("alarm")
    if own and (await session.get_one(Conversation, alarm.conversation_id)).agent_id != agent_id:
        raise Problem(409, "not-owner", "This alarm is another agent's.")
    if alarm.acknowledged_at is None:
        alarm.acknowledged_by, alarm.acknowledged_at = agent_id, now
        await session.flush()
        await touch(session, ALARMS)
    return alarm


async def _told_enough(session: AsyncSession, conversation: Conversation, hazard: Hazard, now: datetime) -> bool:
    """True in a flood of the same danger, whose words are not repeated without end."""
    limit = limits()["danger_words"]
    recent = await session.scalar(
        select(func.count()).where(
            Alarm.conversation_id == conversation.id,
            Alarm.kind == hazard.kind,
            Alarm.at > now - timedelta(seconds=limit["seconds"]),
        )
    )
    return (recent or 0) >= int(limit["times"])


async def _ticket(
    session: AsyncSession, conversation: Conversation, text: str, hazard: Hazard, now: datetime
) -> str | None:
    """File the ticket in a savepoint: the safety words go out even where filing fails."""
    try:
        async with session.begin_nested():
            return await file_danger_ticket(session, conversation, text[: limits()["message_characters"]], hazard, now)
    except (SQLAlchemyError, Problem) as error:
        log.error("danger.ticket_failed", conversation=conversation.id, error=type(error).__name__)
        return None
