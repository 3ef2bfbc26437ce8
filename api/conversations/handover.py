"""Passing a conversation between bot, queue and agent: the primitives, and what the customer is told."""

from dataclasses import replace
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import object_session

from api.agents.tables import Agent
from api.conversations import places, rules
from api.conversations.bell import QUEUE, agent_key, mark, touch
from api.conversations.presence import agents_on_duty as agents_on_duty
from api.conversations.presence import on_duty, seat_of
from api.conversations.sentences import callback_due, hours_words, local_time, say
from api.conversations.tables import Callback, Conversation
from api.conversations.transcript import Offer, drop_turns
from api.db.base import new_id

#: Payloads of choices that the desk offers and handles itself, whether Rasa is up or not.
RESUME_BOT = "/resume_bot"
HAND_OVER = "/hand_over"
LEAVE_MESSAGE = "/leave_message"
RETRY = "/retry_message "


def give_to_bot(conversation: Conversation) -> None:
    """The bot owns the (locked) conversation from here."""
    here = object_session(conversation)
    mark(here, QUEUE)
    if conversation.agent_id is not None:
        mark(here, agent_key(conversation.agent_id))
    conversation.owner = "bot"
    conversation.agent_id = None
    conversation.waiting_since = None
    conversation.handover_message = None
    conversation.waiting_told_at = None
    conversation.claimed_at = None
    conversation.passed_by = None
    expect_nothing(conversation)


def expect_nothing(conversation: Conversation) -> None:
    """No agent owes this customer a word."""
    conversation.unanswered_since = None
    conversation.reminded_at = None


def give_to_agent(conversation: Conversation, agent: Agent, now: datetime, *, expected: bool = True) -> None:
    """The agent owns the (locked) conversation from here. `expected`: the customer waits for his first word.

    On the telephone he is put through and says it, unless he has no telephone and writes.
    """
    here = object_session(conversation)
    for agent_id in filter(None, (conversation.agent_id, agent.id)):
        mark(here, agent_key(agent_id))
    mark(here, QUEUE)
    conversation.owner = "agent"
    conversation.agent_id = agent.id
    conversation.handover_message = None
    conversation.waiting_told_at = None
    conversation.claimed_at = now
    conversation.reminded_at = None
    conversation.unanswered_since = now if expected and not talks(conversation, agent) else None
    agent.served_at = now


def talks(conversation: Conversation, agent: Agent | None) -> bool:
    """Whether the two speak on the telephone, so that nothing written tells who waits for whom."""
    return conversation.channel == "voice" and agent is not None and bool(agent.phone)


def give_to_queue(conversation: Conversation, reason: str, now: datetime) -> None:
    """A (locked) conversation that an agent had waits for another one, in the place of its first waiting."""
    here = object_session(conversation)
    mark(here, QUEUE)
    if conversation.agent_id is not None:
        mark(here, agent_key(conversation.agent_id))
    conversation.owner = "waiting"
    conversation.agent_id = None
    conversation.waiting_since = conversation.waiting_since or conversation.unanswered_since or now
    conversation.handover_reason = reason
    conversation.handover_message = None
    conversation.claimed_at = None
    conversation.place_told, conversation.place_times = 0, 0
    conversation.waiting_told_at = now
    expect_nothing(conversation)


async def hand_over(
    session: AsyncSession,
    conversation: Conversation,
    reason: str,
    now: datetime,
    message_id: str | None = None,
    skill: str = "",
) -> None:
    """Put a (locked) conversation in the queue; one that already waits keeps its place, an agent's stays his.

    `message_id`: the customer message whose turn hands over and may still say so. One that has been closed meanwhile
    (the caller hung up) waits for nobody. `skill`: what the agent should know about, one of rules.SKILLS.
    """
    if skill in rules.SKILLS and conversation.owner != "agent":
        conversation.skill = skill
    if conversation.owner == "bot" and conversation.closed_at is None:
        conversation.owner = "waiting"
        conversation.waiting_since = now
        conversation.handover_reason = reason
        conversation.handover_message = message_id
        conversation.waiting_told_at = None
        conversation.passed_by = None
        conversation.place_times = 0
        await drop_turns(session, conversation.id, but=message_id)
        await touch(session, QUEUE)
        await session.flush()
        conversation.place_told = (await places.place_of(session, conversation, now)).number


async def note_wait(session: AsyncSession, conversation: Conversation, now: datetime) -> None:
    """Keep how long a conversation waited that an agent has just claimed."""
    if conversation.handover_reason not in places.RETURNED:
        await places.note_wait(session, conversation, now)


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


def leave_offer(language: str | None) -> Offer:
    """The way not to wait: a message, or a call back."""
    return Offer(say("choice_leave", language or "zh"), LEAVE_MESSAGE)


async def ways_out(session: AsyncSession, conversation: Conversation) -> list[Offer]:
    """What a customer who waits can do instead; danger is no matter for a message, and one promise is enough.

    On the telephone the call itself offers them.
    """
    offers = [resume_offer(conversation.language)]
    waits = conversation.owner == "waiting" and conversation.channel != "voice" and conversation.priority > 1
    if waits and await open_callback(session, conversation.id) is None:
        offers.append(leave_offer(conversation.language))
    return offers


def person_offer(language: str | None) -> Offer:
    """The way to a person."""
    return Offer(say("choice_person", language or "zh"), HAND_OVER)


def joined(language: str | None, *sentences: str) -> str:
    """Sentences one after the other, as the language writes them."""
    return ("" if language == "zh" else " ").join(filter(None, sentences))


def _in_channel(key: str, conversation: Conversation) -> str:
    """A sentence about languages; on the telephone nothing is written."""
    return say(f"{key}_voice" if conversation.channel == "voice" else key, conversation.language)


def place_words(
    conversation: Conversation, place: places.Place, key: Literal["place", "queued", "back"] = "place"
) -> str:
    """His place, how long it takes at present, and where no colleague is there who has his language, that.

    `key`: what the sentence begins with: that he waits on, has just been put in the queue, or no more.
    """
    language, ahead = conversation.language, max(place.number - 1, 0)
    told = say(f"{key}_ahead" if ahead else f"{key}_next", language, ahead=ahead)
    minutes = say("expected_wait", language, minutes=place.minutes) if place.minutes else ""
    return joined(
        language, told, minutes, "" if place.own_language else _in_channel("other_language_there", conversation)
    )


async def queued_words(session: AsyncSession, conversation: Conversation, now: datetime) -> str:
    """What a customer is told who has just been put in the queue."""
    language = conversation.language
    if await agents_on_duty(session, now):
        return place_words(conversation, await places.place_of(session, conversation, now), "queued")
    return say("queued_off_duty", language, hours=await hours_words(session, language))


async def passed_words(
    session: AsyncSession, conversation: Conversation, key: str, now: datetime, *, by: str | None = None
) -> str:
    """What a customer is told who goes back into the queue: the sentence `key` and his place, unless nobody is there.

    `by`: the agent who passes him on and does not count. On the telephone he does, as the caller holds the line.
    """
    language = conversation.language
    there = await on_duty(session, now, but=by if conversation.channel != "voice" else None)
    if not there:
        return say("passed_off_duty", language, hours=await hours_words(session, language))
    place = await places.place_of(session, conversation, now)
    own = any(rules.speaks(seat, language) for seat in there)
    conversation.place_told = place.number
    return joined(language, say(key, language), place_words(conversation, replace(place, own_language=own), "back"))


def taken_words(key: str, conversation: Conversation, agent: Agent) -> str:
    """The sentence `key` for who gets an agent, and that he does not have the customer's language where it is so.

    Whose call is put through has nobody on the line before the agent has pressed a key.
    """
    language = conversation.language
    key = "agent_called" if key == "agent_joined" and talks(conversation, agent) else key
    own = rules.speaks(seat_of(agent, 0), language)
    return joined(language, say(key, language), "" if own else _in_channel("other_language", conversation))


async def waiting_words(session: AsyncSession, conversation: Conversation, now: datetime, zone: ZoneInfo) -> str:
    """What a waiting customer is told who writes on; names the call back that is on file."""
    language = conversation.language
    if await agents_on_duty(session, now):
        return say("waiting", language)
    words = [say("waiting_off_duty", language, hours=await hours_words(session, language))]
    callback = await open_callback(session, conversation.id)
    if callback is not None:
        words.append(say("waiting_callback", language, due=local_time(callback.due_at, zone, language)))
    return joined(language, *words)
