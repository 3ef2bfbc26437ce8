"""Passing a conversation between bot, queue and agent: the primitives, and what the customer is told."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import AgentSession
from api.conversations import rules
from api.conversations.sentences import callback_due, hours_words, local_time, say
from api.conversations.tables import Callback, Conversation, QueueWait
from api.conversations.transcript import Offer, drop_turns
from api.db.base import new_id

#: Payloads of choices that the desk offers and handles itself, whether Rasa is up or not.
RESUME_BOT = "/resume_bot"
HAND_OVER = "/hand_over"
RETRY = "/retry_message "
#: An agent whose console was not seen for so long is not there.
ON_DUTY_FOR = timedelta(minutes=2)
#: Waits of so long a time, and no longer ones, tell what to expect now.
RECENT = timedelta(hours=2)


def give_to_bot(conversation: Conversation) -> None:
    """The bot owns the (locked) conversation from here."""
    conversation.owner = "bot"
    conversation.agent_id = None
    conversation.waiting_since = None
    conversation.handover_message = None
    conversation.waiting_told_at = None


async def hand_over(
    session: AsyncSession, conversation: Conversation, reason: str, now: datetime, message_id: str | None = None
) -> None:
    """Put a (locked) conversation in the queue; one that already waits keeps its place, an agent's stays his.

    `message_id`: the customer message whose turn hands over and may still say so. One that has been closed meanwhile
    (the caller hung up) waits for nobody.
    """
    if conversation.owner == "bot" and conversation.closed_at is None:
        conversation.owner = "waiting"
        conversation.waiting_since = now
        conversation.handover_reason = reason
        conversation.handover_message = message_id
        conversation.waiting_told_at = None
        await drop_turns(session, conversation.id, but=message_id)
        await session.flush()


async def agents_on_duty(session: AsyncSession, now: datetime) -> int:
    """Agents whose console was seen in the last minutes."""
    since = now - ON_DUTY_FOR
    query = select(func.count(AgentSession.agent_id.distinct())).where(
        AgentSession.seen_at >= since, AgentSession.expires_at > now
    )
    return await session.scalar(query) or 0


async def position(session: AsyncSession, conversation: Conversation) -> int:
    """Place in the queue, from 1; 0 for a conversation that does not wait."""
    if conversation.owner != "waiting" or conversation.waiting_since is None:
        return 0
    ahead = select(func.count()).where(
        Conversation.owner == "waiting",
        Conversation.id != conversation.id,
        (Conversation.priority < conversation.priority)
        | (
            (Conversation.priority == conversation.priority)
            & (Conversation.waiting_since <= conversation.waiting_since)
        ),
    )
    return (await session.scalar(ahead) or 0) + 1


async def note_wait(session: AsyncSession, conversation: Conversation, now: datetime) -> None:
    """Keep how long a conversation waited that an agent has just claimed."""
    if conversation.waiting_since is None:
        return
    waited = now - conversation.waiting_since
    if waited <= RECENT:  # a night's wait says nothing about the day
        session.add(QueueWait(seconds=int(waited.total_seconds()), at=now))


async def expected_wait(session: AsyncSession, now: datetime) -> int | None:
    """Minutes that it takes at present until a person is there; None where nobody can tell."""
    query = select(QueueWait.seconds).where(QueueWait.at > now - RECENT)
    waits = await session.scalars(query.order_by(QueueWait.at.desc()).limit(rules.MOST_WAITS))
    return rules.expected_wait(waits.all())


async def wait_words(session: AsyncSession, language: str | None, now: datetime) -> str:
    """The expected wait as a sentence, '' where nobody can tell."""
    minutes = await expected_wait(session, now)
    return "" if minutes is None else say("expected_wait", language, minutes=minutes)


async def open_callback(session: AsyncSession, conversation_id: str) -> Callback | None:
    """The call that was promised in this conversation and not made yet."""
    query = select(Callback).where(Callback.conversation_id == conversation_id, Callback.status == "open")
    return await session.scalar(query.order_by(Callback.due_at).limit(1))


async def promise_callback(
    session: AsyncSession, conversation_id: str, phone: str, now: datetime, zone: ZoneInfo
) -> Callback:
    """Promise a call in the agents' next working time; an open promise gets the new number instead."""
    callback = await open_callback(session, conversation_id)
    if callback is None:
        callback = Callback(
            id=new_id("cb"),
            conversation_id=conversation_id,
            due_at=await callback_due(session, now, zone),
            status="open",
            created_at=now,
        )
        session.add(callback)
    callback.phone = phone or callback.phone or ""
    await session.flush()
    return callback


async def note_callback_phone(session: AsyncSession, conversation_id: str, phone: str) -> bool:
    """Put the number on the conversation's open call-back; False where none was promised."""
    callback = await open_callback(session, conversation_id)
    if callback is not None:
        callback.phone = phone
    return callback is not None


def resume_offer(language: str | None) -> Offer:
    """The way back to the assistant."""
    return Offer(say("choice_resume", language or "zh"), RESUME_BOT)


def person_offer(language: str | None) -> Offer:
    """The way to a person."""
    return Offer(say("choice_person", language or "zh"), HAND_OVER)


async def queued_words(session: AsyncSession, conversation: Conversation, now: datetime) -> str:
    """What a customer is told who has just been put in the queue."""
    language = conversation.language
    if await agents_on_duty(session, now):
        queued = say("queued", language, ahead=max(await position(session, conversation) - 1, 0))
        return " ".join(filter(None, (queued, await wait_words(session, language, now))))
    return say("queued_off_duty", language, hours=await hours_words(session, language))


async def waiting_words(session: AsyncSession, conversation: Conversation, now: datetime, zone: ZoneInfo) -> str:
    """What a waiting customer is told who writes on; names the call back that is on file."""
    language = conversation.language
    if await agents_on_duty(session, now):
        return say("waiting", language)
    words = [say("waiting_off_duty", language, hours=await hours_words(session, language))]
    callback = await open_callback(session, conversation.id)
    if callback is not None:
        words.append(say("waiting_callback", language, due=local_time(callback.due_at, zone, language)))
    return ("" if language == "zh" else " ").join(words)
