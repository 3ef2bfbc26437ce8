"""Deliveries as agents see and steer them. Functions take a session and never commit."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.bell import touch
from api.errors import Problem, not_found
from api.outbox import rules
from api.outbox.queue import OUTBOX
from api.outbox.tables import Delivery

#: What was done is counted for so long.
DAY = timedelta(days=1)
DONE = ("sent", "delivered", "read", "moved")
#: Of several deliveries of one line, the state that tells most about what the customer lacks.
_WORST_FIRST = ("dead", "failed", "unknown", "parked", "queued", "sending", "moved", "sent", "delivered", "read")


async def retry(session: AsyncSession, delivery_id: int, now: datetime) -> Delivery:
    """Queue a delivery again that was given up, refused, parked, or of which nobody knows. Problem 404, 409."""
    query = select(Delivery).where(Delivery.id == delivery_id).with_for_update()
    delivery = await session.scalar(query.execution_options(populate_existing=True))
    if delivery is None:
        raise not_found("delivery")
    if delivery.state not in rules.MAY_RETRY:
        raise Problem(409, "not-retriable", "This delivery is not one that has failed.", state=delivery.state)
    delivery.state, delivery.not_before, delivery.attempts = "queued", now, 0
    delivery.error, delivery.via, delivery.provider_id, delivery.updated_at = "", "", None, now
    await session.flush()
    await touch(session, OUTBOX)
    return delivery


@dataclass(frozen=True)
class Counts:
    """Deliveries of one channel by state, and from when the oldest one is that should have gone by now."""

    states: dict[str, int]
    oldest: datetime | None = None


async def counts(session: AsyncSession, now: datetime) -> dict[str, Counts]:
    """By channel: everything that is not done, and what was done within the last day."""
    late = (Delivery.state == "queued") & ((Delivery.not_before <= now) | (Delivery.attempts > 0))
    oldest = func.min(Delivery.created_at).filter(late)
    query = (
        select(Delivery.channel, Delivery.state, func.count(), oldest)
        .where(or_(Delivery.state.not_in(DONE), Delivery.not_before >= now - DAY))
        .group_by(Delivery.channel, Delivery.state)
    )
    found: dict[str, Counts] = {}
    for channel, state, number, since in (await session.execute(query)).all():
        known = found.get(channel, Counts({}))
        found[channel] = Counts({**known.states, state: number}, since or known.oldest)
    return found


@dataclass(frozen=True)
class Carried:
    """What became of a line on its way to the customer."""

    state: str
    via: str
    error: str


async def carried_lines(session: AsyncSession, message_ids: Collection[str]) -> Mapping[str | None, Carried]:
    """By message: its delivery; of several parts the one that is furthest from being there."""
    columns = (Delivery.message_id, Delivery.state, Delivery.via, Delivery.error)
    query = select(*columns).where(Delivery.message_id.in_(message_ids)).order_by(Delivery.id)
    found: dict[str | None, Carried] = {}
    for message_id, state, via, error in (await session.execute(query)).all() if message_ids else ():
        known = found.get(message_id)
        if known is None or _WORST_FIRST.index(state) < _WORST_FIRST.index(known.state):
            found[message_id] = Carried(state, via, error)
    return found
