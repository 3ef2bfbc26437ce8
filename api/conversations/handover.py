"""Passing a conversation between bot, queue and agent: the primitives, and what the customer is told."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import object_session

from api.agents.tables import Agent, AgentSession
from api.conversations import rules
from api.conversations.bell import QUEUE, agent_key, mark, touch
from api.conversations.sentences import callback_due, hours_words, local_time, say
from api.conversations.tables import Callback, Conversation, QueueWait
from api.conversations.transcript import Offer, drop_turns
from api.db.base import new_id

#: Payloads of choices that the desk offers and handles itself, whether Rasa is up or not.
RESUME_BOT = "/resume_bot"
HAND_OVER = "/hand_over"
LEAVE_MESSAGE = "/leave_message"
RETRY = "/retry_message "
#: An agent whose console was not seen for so long is not there.
ON_DUTY_FOR = timedelta(minutes=2)
#: Waits of so long a time, and no longer ones, tell what to expect now.
RECENT = timedelta(hours=2)
#: Why those wait who were with an agent before; how long they waited then is no measure.
RETURNED = ("transfer", "silent", "no-answer")


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
        conversation.place_told = await position(session, conversation)


async def agents_on_duty(session: AsyncSession, now: datetime, *, but: str | None = None) -> int:
    """Who talks with customers and was seen in the last minutes; at a console, those that have not said that they are
    away. `but`: not counting this agent.
    """
    since = now - ON_DUTY_FOR
    query = (
        select(func.count(AgentSession.agent_id.distinct()))
        .join(Agent, Agent.id == AgentSession.agent_id)
        .where(AgentSession.seen_at >= since, AgentSession.expires_at > now)
        .where(Agent.active, Agent.role.in_(rules.SERVING), Agent.id != (but or ""))
        .where(AgentSession.console.is_(False) | (Agent.presence != "away"))
    )
    return await session.scalar(query) or 0


async def position(session: AsyncSession, conversation: Conversation) -> int:
    """Place in the queue, from 1, in the order in which agents see it; 0 for a conversation that does not wait."""
    if conversation.owner != "waiting" or conversation.waiting_since is None:
        return 0
    c, mine = Conversation, conversation
    longer = (c.waiting_since < mine.waiting_since) | ((c.waiting_since == mine.waiting_since) & (c.id < mine.id))
    ahead = select(func.count()).where(
        c.owner == "waiting", (c.priority < mine.priority) | ((c.priority == mine.priority) & longer)
    )
    return (await session.scalar(ahead) or 0) + 1


async def note_wait(session: AsyncSession, conversation: Conversation, now: datetime) -> None:
    """Keep how long a conversation waited that an agent has just claimed."""
    if conversation.waiting_since is None or conversation.handover_reason in RETURNED:
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


async def queued_words(session: AsyncSession, conversation: Conversation, now: datetime) -> str:
    """What a customer is told who has just been put in the queue."""
    language = conversation.language
    if await agents_on_duty(session, now):
        queued = say("queued", language, ahead=max(await position(session, conversation) - 1, 0))
        return " ".join(filter(None, (queued, await wait_words(session, language, now))))
    return say("queued_off_duty", language, hours=await hours_words(session, language))


async def passed_words(
    session: AsyncSession, conversation: Conversation, key: str, now: datetime, *, by: str | None = None
) -> str:
    """What a customer is told who goes back into the queue: the sentence `key`, unless nobody is there.

    `by`: the agent who passes him on and does not count. On the telephone he does, as the caller holds the line.
    """
    language = conversation.language
    if await agents_on_duty(session, now, but=by if conversation.channel != "voice" else None):
        return say(key, language)
    return say("passed_off_duty", language, hours=await hours_words(session, language))


async def place_words(session: AsyncSession, conversation: Conversation, place: int, now: datetime) -> str:
    """What a waiting customer is told now and then: his place, and how long it takes at present."""
    language = conversation.language
    ahead = max(place - 1, 0)
    told = say("place_ahead", language, ahead=ahead) if ahead else say("place_next", language)
    return ("" if language == "zh" else " ").join(filter(None, (told, await wait_words(session, language, now))))


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
