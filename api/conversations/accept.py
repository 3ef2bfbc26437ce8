"""Accepting a customer's message: danger → dedupe → length → rate → owner → the bot's turn.

Everything happens in the caller's transaction, which must be committed even where the answer is a refusal: the safety
words and the alarm of a refused message stand.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations import handover, rules
from api.conversations.alarms import raise_alarm
from api.conversations.bell import list_key, touch
from api.conversations.briefing import NOTHING_NOTED
from api.conversations.language import language_of
from api.conversations.sentences import limits, local_time, say
from api.conversations.tables import Choice, Conversation, Message, Turn
from api.conversations.transcript import add_message, queue_turn
from api.danger import scan
from api.errors import Problem
from api.phones import phone_in

#: Priority of a conversation that nothing makes urgent, of 1 (danger) to 5.
ORDINARY = 4
_EARLIER = select(Message.seq, Message.content_hash).where(
    Message.conversation_id == bindparam("conversation"), Message.provider_id == bindparam("provider")
)


@dataclass(frozen=True)
class Incoming:
    """A normalised message of any channel: the provider's id, and either text or the token of a choice."""

    provider_id: str
    text: str | None = None
    choice: str | None = None

    @property
    def content_hash(self) -> str:
        if self.choice is not None:
            return rules.content_hash("choice", self.choice)
        return rules.content_hash("text", self.text or "")


@dataclass(frozen=True)
class Accepted:
    """The message's seq, or the problem to answer with once the transaction is committed."""

    seq: int = 0
    problem: Problem | None = None


async def accept(
    session: AsyncSession, conversation: Conversation, incoming: Incoming, now: datetime, zone: ZoneInfo
) -> Accepted:
    """Take in one message of a conversation whose row is locked (transcript.lock_conversation)."""
    danger = scan(incoming.text) if incoming.text else None
    known = {"conversation": conversation.id, "provider": incoming.provider_id}
    earlier = (await session.execute(_EARLIER, known)).one_or_none()
    if earlier is not None and earlier.content_hash == incoming.content_hash:
        return Accepted(earlier.seq)

    text = rules.normalise(incoming.text or "")
    choice, problem = await _choice(session, conversation, incoming)
    if earlier is not None:
        problem = Problem(409, "message-id-reused", "This client_message_id came with other content before.")
    problem = problem or _unfit(incoming, text) or _too_fast(conversation, now)
    if problem is not None:
        if danger is not None:
            await raise_alarm(session, conversation, incoming.provider_id, incoming.text or "", danger, now)
        return Accepted(problem=problem)

    if conversation.closed_at is not None:
        _reopen(conversation)
    command = choice is None and rules.is_command(text)
    language = conversation.language if choice or command else language_of(text, conversation.language)
    if language != conversation.language:
        conversation.language = language
        conversation.waiting_told_at = None  # it was told in a language that is not the customer's
    message = await add_message(
        session,
        conversation,
        "customer",
        choice.label if choice else text,
        now,
        provider_id=incoming.provider_id,
        content_hash=incoming.content_hash,
    )
    if conversation.owner == "agent" and conversation.agent_id is not None:
        conversation.unanswered_since = conversation.unanswered_since or now
        await touch(session, list_key(conversation.agent_id))
    raised = None
    if danger is not None:
        said = incoming.text or ""
        raised = await raise_alarm(session, conversation, incoming.provider_id, text, danger, now, scanned=said)
    if choice is not None and await _own_choice(session, conversation, choice, message, now, zone):
        return Accepted(message.seq)
    if conversation.owner == "bot":
        payload = {
            "text": choice.payload if choice else "…" if command else rules.without_slash(text),
            "choice": choice is not None,
            "danger": raised,
            "language": conversation.language or "zh",
        }
        await queue_turn(session, message, payload, now)
    elif conversation.owner == "waiting":
        await _tell_waiting(session, conversation, text, now, zone)
    return Accepted(message.seq)


async def _choice(
    session: AsyncSession, conversation: Conversation, incoming: Incoming
) -> tuple[Choice | None, Problem | None]:
    """The chosen option. An old one, under which newer messages stand, is taken too: the bot knows how to go on."""
    if incoming.choice is None:
        return None, None
    choice = await session.get(Choice, incoming.choice)
    if choice is None or choice.conversation_id != conversation.id:
        return None, Problem(422, "unknown-choice", "This choice was not offered in this conversation.")
    return choice, None


def _unfit(incoming: Incoming, text: str) -> Problem | None:
    if incoming.choice is not None:
        return None
    if len(text) > limits()["message_characters"]:
        return Problem(422, "message-too-long", f"A message has at most {limits()['message_characters']} characters.")
    if not rules.without_slash(text):
        return Problem(422, "message-empty", "The message has no text.")
    return None


def _too_fast(conversation: Conversation, now: datetime) -> Problem | None:
    pace = rules.next_slot(conversation.pace_mark, now, **limits()["messages"])
    if pace.allowed:
        conversation.pace_mark = pace.mark
        return None
    wait = str(max(1, math.ceil(pace.wait)))
    return Problem(429, "too-many-messages", "Please wait a moment.", headers={"Retry-After": wait})


def _reopen(conversation: Conversation) -> None:
    """A closed conversation that the customer takes up again is the bot's, and the bot starts afresh."""
    conversation.closed_at = None
    conversation.episode += 1
    conversation.verified_at = None
    conversation.priority = ORDINARY
    conversation.skill, conversation.outcome, conversation.sheet = "", "", {}
    if conversation.briefing != NOTHING_NOTED:
        conversation.briefing = {}
    handover.give_to_bot(conversation)


async def _own_choice(
    session: AsyncSession, conversation: Conversation, choice: Choice, message: Message, now: datetime, zone: ZoneInfo
) -> bool:
    """Do what a choice of the desk itself asks for, Rasa up or not; False where it is the bot's to answer."""
    owner, language = conversation.owner, conversation.language
    if choice.payload == handover.RESUME_BOT:
        if owner != "agent":
            handover.give_to_bot(conversation)
            words = say("resumed" if owner == "waiting" else "already_bot", language)
            await add_message(session, conversation, "system", words, now)
        return True
    if choice.payload == handover.HAND_OVER:
        if owner == "bot":
            await handover.hand_over(session, conversation, "failure", now)
            words = await handover.queued_words(session, conversation, now)
            offers = await handover.ways_out(session, conversation)
            await add_message(session, conversation, "system", words, now, offers=offers)
        elif owner == "waiting":
            await add_message(session, conversation, "system", say("already_waiting", language), now)
        return True
    if choice.payload == handover.LEAVE_MESSAGE:
        if owner != "agent":
            await _leave_message(session, conversation, now, zone)
        return True
    if choice.payload.startswith(handover.RETRY):
        failed = await session.get(Turn, choice.payload.removeprefix(handover.RETRY))
        if owner == "bot" and failed is not None and failed.conversation_id == conversation.id:
            words_of = failed.payload.get("words_of") or failed.message_id
            await queue_turn(
                session, message, {**failed.payload, "language": language or "zh", "words_of": words_of}, now
            )
        return owner == "bot"
    return False


async def _leave_message(session: AsyncSession, conversation: Conversation, now: datetime, zone: ZoneInfo) -> None:
    """Promise a call to who does not want to wait: what he writes is kept, and his place in the queue, too."""
    language = conversation.language
    if conversation.owner == "bot":
        await handover.hand_over(session, conversation, "message", now)
    callback = await handover.promise_callback(session, conversation.id, "", now, zone)
    due = local_time(callback.due_at, zone, language)
    key = "message_phone_known" if callback.phone else "message_asked"
    words = say(key, language, due=due, phone=callback.phone)
    conversation.waiting_told_at = now
    await add_message(session, conversation, "system", words, now, offers=[handover.resume_offer(language)])


async def _tell_waiting(
    session: AsyncSession, conversation: Conversation, text: str, now: datetime, zone: ZoneInfo
) -> None:
    """Take down a number for the promised call; else tell a waiting customer, now and then, that the message will be
    read, and that the assistant is still there."""
    phone = phone_in(text)
    if phone and await handover.note_callback_phone(session, conversation.id, phone):
        offers = [handover.resume_offer(conversation.language)]
        words = say("callback_phone_noted", conversation.language, phone=phone)
        await add_message(session, conversation, "system", words, now, offers=offers)
        return
    told = conversation.waiting_told_at
    if told is not None and now - told < timedelta(minutes=limits()["waiting_notice_minutes"]):
        return
    conversation.waiting_told_at = now
    words = await handover.waiting_words(session, conversation, now, zone)
    offers = await handover.ways_out(session, conversation)
    await add_message(session, conversation, "system", words, now, offers=offers)
