"""The passive reply: what a callback's own answer carries, which costs no quota. Settled once for all its copies."""

import asyncio
from datetime import datetime

from sqlalchemy import bindparam, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.wechat.deliver import rendered
from api.channels.wechat.intake import Taken, settled_reply
from api.channels.wechat.replies import fitting
from api.channels.wechat.tables import Received
from api.conversations.bell import bell, wait_for_ring
from api.conversations.tables import Turn
from api.conversations.transcript import UNFINISHED, lock_conversation
from api.db.engine import Database
from api.outbox.queue import carried, enqueue, let_go
from api.outbox.rules import BETWEEN
from api.outbox.tables import Delivery

#: Lines that are looked at for one reply.
MOST_LINES = 20
#: Seconds between looks at the database while nobody rings.
POLL = 0.5
_UNFINISHED = select(exists().where(Turn.message_id == bindparam("message"), Turn.state.in_(UNFINISHED)))
_SAID = select(exists().where(Delivery.conversation_id == bindparam("conversation"), Delivery.state == "queued"))
_THERE = (
    select(Delivery)
    .where(
        Delivery.channel == "wechat",
        Delivery.recipient == bindparam("follower"),
        Delivery.state.in_(("queued", "sending")),
    )
    .order_by(Delivery.id)
    .limit(MOST_LINES)
    .with_for_update()
    .execution_options(populate_existing=True)
)


async def until_answered(database: Database, taken: Taken, seconds: float) -> bool:
    """Wait until the bot has done with the message, or the time is up. Whether there may be something to say."""
    if taken.message_id is None or taken.conversation_id is None:
        return True
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    with bell.listen(taken.conversation_id) as rung:
        while (left := until - loop.time()) > 0:
            rung.clear()
            async with database.glance.connect() as connection:
                if not await connection.scalar(_UNFINISHED, {"message": taken.message_id}):
                    return True
            await wait_for_ring(rung, min(left, POLL))
    async with database.glance.connect() as connection:  # words of safety, above all
        return bool(await connection.scalar(_SAID, {"conversation": taken.conversation_id}))


async def reply_of(session: AsyncSession, taken: Taken, now: datetime, *, late: bool = False) -> str:
    """The text to answer with, '' for none: what is there now, and the same for every copy of the callback ever after.

    What it carries is `sent` by the same transaction; what it does not is the outbox's from here. `late`: that is all.
    """
    if (settled := await settled_reply(session, taken.key)) is not None:
        return settled
    # Locked in this order, as everywhere.
    conversation = await lock_conversation(session, taken.conversation_id) if taken.conversation_id else None
    row = await session.get_one(Received, taken.key, with_for_update=True, populate_existing=True)
    if row.reply is None:
        row.reply, row.carried = await (_waive if late else _gather)(session, row, now)
        if conversation is not None and conversation.held_until == row.held_until:
            conversation.held_until = None  # else a later message is still waited for
    row.given += 1
    return row.reply


async def _gather(session: AsyncSession, row: Received, now: datetime) -> tuple[str, list[int]]:
    """The text, and the deliveries that it carries; the others are let go."""
    there = list(await session.scalars(_THERE, {"follower": row.open_id}))
    waiting = [line for line in there if line.state == "queued"]
    # A reply of ours must not overtake what is on its way.
    carry = waiting if len(waiting) == len(there) else []
    parts = [await rendered(session, [line]) for line in carry]
    ending = [row.sentence] if row.sentence else []
    ids = [line.id for line in carry[: fitting(parts, ending)]]
    gone = await carried(session, ids, now)
    if len(gone) < len(waiting) or len(there) == MOST_LINES:
        await let_go(session, "wechat", row.open_id, now)
    kept = [part for part, line in zip(parts, carry, strict=True) if line.id in gone]
    return BETWEEN.join([*kept, *ending]), sorted(gone)


async def _waive(session: AsyncSession, row: Received, now: datetime) -> tuple[str, list[int]]:
    """No text: all is the outbox's, also what is no line of the conversation."""
    if row.sentence:
        body = {"text": row.sentence}
        await enqueue(session, "wechat", row.open_id, body, now, key=f"said {row.key}", purpose="reply")
    await let_go(session, "wechat", row.open_id, now)
    return "", []


async def take_back(database: Database, key: str, now: datetime) -> bool:
    """One copy of the callback was acknowledged before its reply was there. If no other one carried it, it has reached
    nobody, and its lines are the outbox's. True if that was so."""
    async with database.write() as session, session.begin():
        row = await session.get_one(Received, key, with_for_update=True, populate_existing=True)
        row.given -= 1
        if row.given > 0 or not row.reply:
            return False
        lines = await session.scalars(select(Delivery).where(Delivery.id.in_(row.carried)).with_for_update())
        for line in lines:
            if line.state == "sent" and line.via == "passive":
                line.state, line.via, line.updated_at = "queued", "", now
        await session.flush()
        row.reply, row.carried = await _waive(session, row, now)
        return True
