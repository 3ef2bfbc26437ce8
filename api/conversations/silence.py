"""Nobody waits unseen: silent agents are reminded and relieved, who waits hears his place, who has room is given work.

Every desk does this; what is due is looked for without a lock, and each case is done in a transaction of its own that
skips what another desk holds and looks again whether it is still due.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.legs import on_the_phone
from api.chores import again_and_again
from api.conversations import handover, rules
from api.conversations.assignment import assign_waiting
from api.conversations.bell import QUEUE, agent_key, touch
from api.conversations.places import places_of
from api.conversations.presence import console_gone, gone_among
from api.conversations.relief import pass_on
from api.conversations.sentences import limits
from api.conversations.tables import Conversation
from api.conversations.transcript import add_message
from api.db.engine import Database
from api.deps import Clock

log = structlog.get_logger(__name__)

#: Seconds between looks.
PERIOD = 3.0
#: Seconds for which what rings is gathered.
PAUSE = 0.1
AT_ONCE = 200
Do = Callable[[AsyncSession, Conversation], Awaitable[bool]]


async def keep_agents_awake(database: Database, clock: Clock) -> None:
    """The front desk's background tasks for it."""

    async def watch() -> None:
        now = clock()
        await remind_and_pass(database, now)
        await tell_places(database, now)

    async def assign() -> None:
        await assign_waiting(database, clock())
        await asyncio.sleep(PAUSE)

    async with asyncio.TaskGroup() as chores:
        chores.create_task(again_and_again("silence", watch, PERIOD))
        chores.create_task(again_and_again("assignment", assign, PERIOD, key=QUEUE))


async def remind_and_pass(database: Database, now: datetime) -> int:
    """Remind the agents whose customers wait for a word, and pass on what they let lie; how many cases."""
    c = Conversation
    query = select(c.id, c.agent_id, c.priority, c.unanswered_since, c.reminded_at).where(
        c.owner == "agent", c.closed_at.is_(None), c.unanswered_since.is_not(None)
    )

    async def see_to(session: AsyncSession, conversation: Conversation) -> bool:
        return await _see_to(session, conversation, now)

    async with database.read() as session:
        owed = (await session.execute(query.order_by(c.priority, c.unanswered_since))).all()
        gone = await gone_among(session, {row.agent_id for row in owed}, now) if owed else set()
    due = [row.id for row in owed if _leads_to(row, now, gone=row.agent_id in gone)]
    return sum([await _one(database, conversation_id, see_to) for conversation_id in due[:AT_ONCE]])


def _leads_to(conversation: Any, now: datetime, *, gone: bool) -> str:
    """What its agent's silence leads to (rules.silence)."""
    limit, urgent = limits()["agent_silent"], "urgent_" if conversation.priority == 1 else ""
    return rules.silence(
        now - conversation.unanswered_since,
        now - conversation.reminded_at if conversation.reminded_at else None,
        gone=gone,
        remind_seconds=limit[f"{urgent}remind_seconds"],
        pass_seconds=limit[f"{urgent}pass_seconds"],
    )


async def _one(database: Database, conversation_id: str, do: Do) -> bool:
    """Do it with the conversation locked, unless another desk holds it. False where it failed or was not due."""
    query = select(Conversation).where(Conversation.id == conversation_id)
    try:
        async with database.write() as session, session.begin():
            conversation = await session.scalar(query.with_for_update(skip_locked=True))
            return conversation is not None and await do(session, conversation)
    except Exception:
        log.exception("silence.one_failed", conversation=conversation_id)  # the others are not to wait for it
        return False


async def _see_to(session: AsyncSession, conversation: Conversation, now: datetime) -> bool:
    if conversation.owner != "agent" or conversation.agent_id is None or conversation.unanswered_since is None:
        return False
    if await on_the_phone(session, conversation, now):
        return False  # he talks with the customer who writes, too
    gone = await console_gone(session, conversation.agent_id, now)
    act = _leads_to(conversation, now, gone=gone)
    if act == "remind":
        conversation.reminded_at = now
        await touch(session, agent_key(conversation.agent_id))
        await touch(session, QUEUE)  # the supervisor's page shows it
        log.info("agent.reminded", agent=conversation.agent_id, conversation=conversation.id)
    elif act == "pass":
        await pass_on(session, conversation, now, "gone" if gone else "silent")
    return act != ""


async def tell_places(database: Database, now: datetime) -> int:
    """Tell those who wait a better place, or now and then that they still wait; how many. Not where nobody is there:
    they have been told the hours."""
    limit = limits()["waiting_place"]
    async with database.read() as session:
        if not await handover.agents_on_duty(session, now):
            return 0
        query = select(Conversation).where(Conversation.owner == "waiting", Conversation.closed_at.is_(None))
        ripe = [row for row in await session.scalars(query) if _due(row, 1, now, limit)]
        stand = await places_of(session, now, {row.id for row in ripe}) if ripe else {}
        due = [row.id for row in ripe if row.id in stand and _due(row, stand[row.id].number, now, limit)]

    async def tell(session: AsyncSession, conversation: Conversation) -> bool:
        place = stand[conversation.id]
        if not _due(conversation, place.number, now, limit):
            return False
        words = handover.place_words(conversation, place)
        offers = await handover.ways_out(session, conversation)
        await add_message(session, conversation, "system", words, now, offers=offers)
        conversation.place_told, conversation.waiting_told_at = place.number, now
        conversation.place_times += 1
        return True

    return sum([await _one(database, conversation_id, tell) for conversation_id in due[:AT_ONCE]])


def _due(conversation: Conversation, place: int, now: datetime, limit: dict[str, dict[str, int]]) -> bool:
    since = conversation.waiting_since
    if not place or since is None or conversation.owner != "waiting":
        return False
    last = max(conversation.waiting_told_at or since, since)
    told, times = conversation.place_told, conversation.place_times
    return rules.tells_place(place, told, now - last, times, limit, conversation.channel)
