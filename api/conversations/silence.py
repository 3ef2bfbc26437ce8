"""Nobody waits unseen: silent agents are reminded and relieved, who waits hears his place, who has room is given work.

Every desk does this; what is due is looked for without a lock, and each case is done in a transaction of its own that
skips what another desk holds and looks again whether it is still due.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.voice.legs import on_the_phone
from api.chores import again_and_again
from api.conversations import handover, rules
from api.conversations.assignment import assign_waiting, next_agent, queue_of
from api.conversations.bell import QUEUE, agent_key, touch
from api.conversations.notes import add_note
from api.conversations.presence import console_gone
from api.conversations.sentences import limits, say
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
    limit = limits()["agent_silent"]
    c = Conversation
    due = or_(
        c.unanswered_since <= now - timedelta(seconds=limit["remind_seconds"]),
        and_(c.priority == 1, c.unanswered_since <= now - timedelta(seconds=limit["urgent_remind_seconds"])),
    )
    query = select(c.id).where(c.owner == "agent", c.closed_at.is_(None), c.unanswered_since.is_not(None), due)

    async def see_to(session: AsyncSession, conversation: Conversation) -> bool:
        return await _see_to(session, conversation, now)

    async with database.glance.connect() as connection:
        ids = (await connection.scalars(query.order_by(c.priority, c.unanswered_since).limit(AT_ONCE))).all()
    return sum([await _one(database, conversation_id, see_to) for conversation_id in ids])


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
    limit, urgent = limits()["agent_silent"], "urgent_" if conversation.priority == 1 else ""
    gone = await console_gone(session, conversation.agent_id, now)
    act = rules.silence(
        now - conversation.unanswered_since,
        now - conversation.reminded_at if conversation.reminded_at else None,
        gone=gone,
        remind_seconds=limit[f"{urgent}remind_seconds"],
        pass_seconds=limit[f"{urgent}pass_seconds"],
    )
    if act == "remind":
        conversation.reminded_at = now
        await touch(session, agent_key(conversation.agent_id))
        await touch(session, QUEUE)  # the supervisor's page shows it
        log.info("agent.reminded", agent=conversation.agent_id, conversation=conversation.id)
    elif act == "pass":
        await pass_on(session, conversation, now, gone=gone)
    return act != ""


async def pass_on(session: AsyncSession, conversation: Conversation, now: datetime, *, gone: bool = False) -> None:
    """Give a (locked) conversation whose agent is silent to the next one, or put it back where it waited before."""
    silent = await session.get(Agent, conversation.agent_id) if conversation.agent_id else None
    language, since = conversation.language, conversation.unanswered_since or now
    minutes = max(int((now - since).total_seconds() // 60), 1)
    to = await next_agent(session, conversation, now, but=conversation.agent_id)
    if to is not None:
        handover.give_to_agent(conversation, to, now)
        conversation.handover_reason = "silent"
    else:
        handover.give_to_queue(conversation, "silent", now)
    conversation.passed_by = silent.id if silent else None
    told = [
        say(
            "note_gone" if gone else "note_silent",
            each,
            agent=silent.username if silent else "?",
            minutes=minutes,
            to=to.username if to else say("note_queue", each),
        )
        for each in ("zh", "en")
    ]
    await add_note(session, conversation, None, "transfer", "\n".join(told), now)
    if to is not None:
        await add_message(session, conversation, "system", say("agent_passed", language), now)
    else:
        words = await handover.passed_words(session, conversation, "agent_passed_back", now)
        offers = await handover.ways_out(session, conversation)
        await add_message(session, conversation, "system", words, now, offers=offers)
        conversation.place_told = await handover.position(session, conversation)
    await session.flush()
    log.info("agent.relieved", agent=conversation.passed_by, conversation=conversation.id, to=to.id if to else None)


async def tell_places(database: Database, now: datetime) -> int:
    """Tell those who wait a better place, or now and then that they still wait; how many. Not where nobody is there:
    they have been told the hours."""
    limit = limits()["waiting_place"]
    async with database.read() as session:
        if not await handover.agents_on_duty(session, now):
            return 0
        places = {waiting.conversation_id: place for place, waiting in enumerate(await queue_of(session, now), 1)}
        query = select(Conversation).where(Conversation.owner == "waiting", Conversation.closed_at.is_(None))
        due = [row.id for row in await session.scalars(query) if _due(row, places.get(row.id, 0), now, limit)]

    async def tell(session: AsyncSession, conversation: Conversation) -> bool:
        place = await handover.position(session, conversation)
        if not _due(conversation, place, now, limit):
            return False
        words = await handover.place_words(session, conversation, place, now)
        offers = await handover.ways_out(session, conversation)
        await add_message(session, conversation, "system", words, now, offers=offers)
        conversation.place_told, conversation.waiting_told_at = place, now
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
