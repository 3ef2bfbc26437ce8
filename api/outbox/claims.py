"""What the worker does to deliveries: taking those that are due, and writing down what became of them.

Each function is one transaction. `sending` is committed before the vendor is called; `fence` grows with every claim, so
that whoever lost a delivery cannot write its end any more.
"""

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import and_, bindparam, exists, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.base import Outcome, Parked, Refused, Retry, Sent, Unknown
from api.conversations.bell import touch
from api.conversations.transcript import lock_conversation
from api.db.base import table_of
from api.db.engine import Database
from api.outbox import rules
from api.outbox.fallback import go_by_sms
from api.outbox.queue import MAX_ERROR, OUTBOX, give_back_words
from api.outbox.tables import Delivery

#: Queued deliveries of one recipient that are looked at to find what goes together.
MOST_LOOKED_AT = 50
#: PostgreSQL's lock of whoever claims: two claims at once could both take from one recipient.
_CLAIM_LOCK = "select pg_advisory_xact_lock(hashtextextended('mainsdesk outbox', 0))"

_d = table_of(Delivery).c
_other = table_of(Delivery).alias()
_now = bindparam("now", type_=_d.not_before.type)
_before = and_(
    _other.c.state == "queued",
    _other.c.id < _d.id,
    or_(_other.c.purpose == _d.purpose, _other.c.attempts > 0),
)
_blocked = exists().where(
    _other.c.channel == _d.channel,
    _other.c.recipient == _d.recipient,
    or_(_other.c.state == "sending", _before),
)
_claimable = and_(
    _d.state == "queued",
    _d.not_before <= _now,
    _d.channel.in_(bindparam("channels", expanding=True)),
    ~_blocked,
)
_HEADS = select(_d.channel, _d.recipient).where(_claimable).order_by(_d.not_before, _d.id).limit(bindparam("limit"))
_NEXT_DUE = select(func.min(_d.not_before)).where(_d.state == "queued", _d.not_before > _now)
_LOST = select(_d.id).where(_d.state == "sending", _d.lease_until <= _now).limit(1)
_QUEUE = (
    select(Delivery)
    .where(
        Delivery.channel == bindparam("channel"),
        Delivery.recipient == bindparam("recipient"),
        Delivery.state == "queued",
    )
    .order_by(Delivery.id)
    .limit(MOST_LOOKED_AT)
    .with_for_update(skip_locked=True)
    .execution_options(populate_existing=True)
)
_QUEUED_IDS = (
    select(_d.id)
    .where(_d.channel == bindparam("channel"), _d.recipient == bindparam("recipient"), _d.state == "queued")
    .order_by(_d.id)
    .limit(MOST_LOOKED_AT)
)


@dataclass(frozen=True)
class Claim:
    """Deliveries of one recipient that are this worker's until the lease ends, in order, for one vendor call."""

    deliveries: tuple[Delivery, ...]

    @property
    def channel(self) -> str:
        return self.deliveries[0].channel

    @property
    def ids(self) -> list[int]:
        return [delivery.id for delivery in self.deliveries]


@dataclass(frozen=True)
class Look:
    """Whether there is something to claim, whether a lease has run out, and when the next delivery is due."""

    claimable: bool
    lost: bool
    next_due: datetime | None


async def look(database: Database, channels: Collection[str], now: datetime) -> Look:
    """A cheap look, without any lock."""
    async with database.glance.connect() as connection:
        head = (await connection.execute(_HEADS, {"now": now, "channels": list(channels), "limit": 1})).first()
        lost = (await connection.execute(_LOST, {"now": now})).first()
        return Look(head is not None, lost is not None, await connection.scalar(_NEXT_DUE, {"now": now}))


async def claim(database: Database, channel: str, joins: int, now: datetime, lease: float, limit: int) -> list[Claim]:
    """Take what is due of one channel for at most `limit` recipients, those first that have waited longest."""
    async with database.write() as session, session.begin():
        if not database.is_sqlite:
            await session.execute(text(_CLAIM_LOCK))
        heads = (await session.execute(_HEADS, {"now": now, "channels": [channel], "limit": limit * 2})).all()
        recipients = list(dict.fromkeys(head.recipient for head in heads))[:limit]
        claims = [await _take(session, channel, recipient, joins, now, lease) for recipient in recipients]
        await session.flush()
    return [taken for taken in claims if taken is not None]


async def _take(
    session: AsyncSession, channel: str, recipient: str, joins: int, now: datetime, lease: float
) -> Claim | None:
    of = {"channel": channel, "recipient": recipient}
    locked = (await session.scalars(_QUEUE, of)).all()
    # What somebody else holds just now, a callback that may carry it, is not overtaken.
    there = (await session.scalars(_QUEUED_IDS, of)).all()
    queue = [row for row, _ in takewhile(lambda pair: pair[0].id == pair[1], zip(locked, there, strict=False))]
    words = [rules.widest(d.body.get("text", ""), d.body.get("choices", ())) for d in queue]
    taken = [queue[place] for place in rules.next_group(channel, queue, words, now, joins)]
    for delivery in taken:
        delivery.state, delivery.updated_at = "sending", now
        delivery.fence += 1
        delivery.attempts += 1
        delivery.lease_until = now + timedelta(seconds=lease)
    return Claim(tuple(taken)) if taken else None


async def finish(database: Database, claim: Claim, outcome: Outcome, now: datetime, *, may_text: bool) -> Sequence[str]:
    """Write down what became of a claim; the states that its deliveries got, [] for those that were lost to others.

    `may_text`: text messages can be sent, and carry what WeChat does not take now.
    """
    async with database.write() as session, session.begin():
        move = may_text and isinstance(outcome, Parked | Refused) and claim.channel == "wechat"
        if move and (conversation_id := claim.deliveries[0].conversation_id):
            await lock_conversation(session, conversation_id)  # before its deliveries, as everywhere
        held = await _held(session, claim, outcome)
        if not held:
            return []
        why = "" if isinstance(outcome, Sent) else outcome.why[:MAX_ERROR]
        state, chance = _state_of(outcome), random.random()
        moved = await go_by_sms(session, held, now) if move else None
        for delivery in held:
            delivery.state, delivery.error, delivery.lease_until, delivery.updated_at = state, why, None, now
            if isinstance(outcome, Sent):
                delivery.provider_id, delivery.via = outcome.provider_id, outcome.via or delivery.via
            elif isinstance(outcome, Retry):
                _again(delivery, outcome, now, chance)
            elif moved is not None:
                delivery.state, delivery.via = "moved", "sms"
                delivery.error = f"{why}; goes by text message as delivery {moved}"[:MAX_ERROR]
            if delivery.state in ("failed", "dead"):
                await give_back_words(session, delivery.body, f"text message failed: {why}", now)
            if delivery.conversation_id is not None:
                await touch(session, delivery.conversation_id)  # the agent's page shows what became of the line
        await session.flush()
        await touch(session, OUTBOX)
        return [delivery.state for delivery in held]


def _state_of(outcome: Outcome) -> str:
    match outcome:
        case Sent():
            return "sent"
        case Retry():
            return "queued"
        case Parked():
            return "parked"
        case Refused():
            return "failed"
        case Unknown():
            return "unknown"


def _again(delivery: Delivery, outcome: Retry, now: datetime, chance: float) -> None:
    if delivery.attempts >= rules.MOST_TRIES:
        delivery.state = "dead"
    else:
        seconds = rules.wait(delivery.attempts, outcome.after, chance)
        delivery.not_before = now + timedelta(seconds=seconds)


async def _held(session: AsyncSession, claim: Claim, outcome: Outcome) -> list[Delivery]:
    """The claim's deliveries, locked, that are still its own. One whose lease ran out is `unknown`, or queued again by
    an agent: that it was sent after all is worth knowing, and nothing else is."""
    query = (
        select(Delivery)
        .where(Delivery.id.in_(claim.ids))
        .order_by(Delivery.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    fences = {delivery.id: delivery.fence for delivery in claim.deliveries}
    states = ("sending", "unknown", "queued") if isinstance(outcome, Sent) else ("sending",)
    found = (await session.scalars(query)).all()
    return [delivery for delivery in found if delivery.fence == fences[delivery.id] and delivery.state in states]


async def put_back(database: Database, claim: Claim, now: datetime) -> None:
    """Queue again what was claimed and never came to a call, because its process ends."""
    async with database.write() as session, session.begin():
        for delivery in await _held(session, claim, Unknown("")):
            delivery.state, delivery.not_before, delivery.lease_until = "queued", now, None
            delivery.attempts -= 1
        await session.flush()
        await touch(session, OUTBOX)


async def give_up_lost(database: Database, now: datetime) -> list[int]:
    """Deliveries whose worker died in the call: they may have been sent, and are for a person to look at."""
    async with database.write() as session, session.begin():
        lost = await session.scalars(
            update(Delivery)
            .where(Delivery.state == "sending", Delivery.lease_until <= now)
            .values(state="unknown", error="the desk stopped during the call", lease_until=None, updated_at=now)
            .returning(Delivery.id)
            .execution_options(synchronize_session=False)
        )
        return list(lost)
