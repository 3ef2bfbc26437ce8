"""The queue of turns: claiming one with a lease, giving it up, finishing it. Each function is one transaction.

Only the oldest unfinished turn of a conversation can be claimed, so that one conversation never has two at once;
`fence` grows with every claim, so that whoever lost a turn can neither finish it nor write for it any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from api.conversations import handover, rules
from api.conversations.bell import touch
from api.conversations.rasa import Said
from api.conversations.sentences import hotline, say
from api.conversations.tables import Conversation, Message, Turn
from api.conversations.transcript import UNFINISHED, Offer, add_message, lock_conversation
from api.db.engine import Database


@dataclass(frozen=True)
class Claim:
    """A turn that is this worker's until the lease ends."""

    message_id: str
    conversation_id: str
    episode: int
    channel: str
    fence: int
    attempts: int
    accepted_at: datetime
    payload: dict[str, Any]

    @property
    def request(self) -> dict[str, Any]:
        """What Rasa's channel is sent."""
        return {
            "sender": f"{self.conversation_id}.{self.episode}",
            "message_id": self.message_id,
            "message": self.payload["text"],
            "metadata": {
                "conversation_id": self.conversation_id,
                "message_id": self.message_id,
                "fence": self.fence,
                "language": self.payload["language"],
                "channel": self.channel,
                "choice": self.payload["choice"],
                "danger": self.payload["danger"],
            },
        }


def _next_in_line() -> ColumnElement[bool]:
    """The oldest unfinished turn of its conversation."""
    earlier = aliased(Turn)
    blocked = exists().where(
        earlier.conversation_id == Turn.conversation_id, earlier.seq < Turn.seq, earlier.state.in_(UNFINISHED)
    )
    return and_(Turn.state.in_(UNFINISHED), ~blocked)


def _claimable(now: datetime) -> ColumnElement[bool]:
    due = or_(
        and_(Turn.state == "queued", Turn.not_before <= now), and_(Turn.state == "running", Turn.lease_until <= now)
    )
    return and_(_next_in_line(), due)


async def claim(database: Database, worker: str, now: datetime, lease: float, limit: int = 1) -> list[Claim]:
    """Take the turns that have waited longest, at most `limit`, for `lease` seconds."""
    claimable = _claimable(now)
    async with database.read() as reader:
        if await reader.scalar(select(Turn.message_id).where(claimable).limit(1)) is None:
            return []
    async with database.write() as session, session.begin():
        query = select(Turn).where(claimable).order_by(Turn.not_before, Turn.seq).limit(limit)
        turns = (await session.scalars(query.with_for_update(skip_locked=True))).all()
        for turn in turns:
            turn.state = "running"
            turn.fence += 1
            turn.attempts += 1
            turn.worker = worker
            turn.lease_until = now + timedelta(seconds=lease)
        about = (
            select(Message.id, Message.at, Conversation.episode, Conversation.channel)
            .join(Conversation, Message.conversation_id == Conversation.id)
            .where(Message.id.in_([turn.message_id for turn in turns]))
        )
        known = {row.id: row for row in await session.execute(about)}
        return [_claim(turn, known[turn.message_id]) for turn in turns]


def _claim(turn: Turn, about: Row[str, datetime, int, str]) -> Claim:
    return Claim(
        message_id=turn.message_id,
        conversation_id=turn.conversation_id,
        episode=about.episode,
        channel=about.channel,
        fence=turn.fence,
        attempts=turn.attempts,
        accepted_at=about.at,
        payload=dict(turn.payload),
    )


async def _held(session: AsyncSession, claim: Claim) -> tuple[Conversation, Turn] | None:
    """The conversation and turn, locked in this order, if the turn is still the claimer's."""
    conversation = await lock_conversation(session, claim.conversation_id)
    turn = await session.get(Turn, claim.message_id, with_for_update=True, populate_existing=True)
    if conversation is None or turn is None or turn.state != "running" or turn.fence != claim.fence:
        return None
    return conversation, turn


def _may_speak(conversation: Conversation, turn: Turn) -> bool:
    """The bot speaks while it owns the conversation, and once more in the very turn that handed it over."""
    if conversation.closed_at is not None:
        return False
    return conversation.owner == "bot" or (
        conversation.owner == "waiting" and conversation.handover_message == turn.message_id
    )


async def finish(database: Database, claim: Claim, said: tuple[Said, ...], now: datetime) -> bool:
    """Commit the replies and the turn's end together. False if the turn or the conversation was no longer the bot's."""
    async with database.write() as session, session.begin():
        held = await _held(session, claim)
        if held is None:
            return False
        conversation, turn = held
        speaks = _may_speak(conversation, turn)
        turn.state = "done" if speaks else "dropped"
        await session.flush()
        for message in said if speaks else ():
            await add_message(
                session, conversation, "bot", message.text, now, offers=message.offers, reply_to=claim.message_id
            )
        await touch(session, claim.conversation_id)
        return speaks


async def fail(database: Database, claim: Claim, now: datetime) -> bool:
    """End the turn with an honest sentence and ways on."""
    async with database.read() as session:
        conversation = await session.get(Conversation, claim.conversation_id)
        number = await hotline(session)
    language = conversation.language if conversation else None
    words = say("failure", language)
    if number:
        words += ("" if language == "zh" else " ") + say("failure_hotline", language, hotline=number)
    retry = Offer(say("choice_retry", language or "zh"), handover.RETRY + claim.message_id)
    return await finish(database, claim, (Said(words, (retry, handover.person_offer(language))),), now)


async def put_back(database: Database, claim: Claim, now: datetime, *, lost: bool) -> bool:
    """Queue the turn again after Rasa could not be reached, and tell the customer once that the answer is late.

    False where the turn was lost half-way so often that it must count as failed.
    """
    async with database.write() as session, session.begin():
        held = await _held(session, claim)
        if held is None:
            return True
        conversation, turn = held
        losses = int(turn.payload.get("lost", 0)) + lost
        if losses >= rules.MAX_LOST:
            return False
        turn.payload = {**turn.payload, "lost": losses}
        turn.state = "queued"
        turn.not_before = now + timedelta(seconds=rules.backoff(claim.attempts))
        if (now - claim.accepted_at).total_seconds() >= rules.DELAY_TOLD_AFTER:
            await _tell_delay(session, conversation, turn, now)
        return True


async def _tell_delay(session: AsyncSession, conversation: Conversation, turn: Turn, now: datetime) -> None:
    if not turn.delay_told and _may_speak(conversation, turn):
        # One notice speaks for every message that waits with this one.
        waiting = update(Turn).where(Turn.conversation_id == conversation.id, Turn.state.in_(UNFINISHED))
        await session.execute(waiting.values(delay_told=True))
        language = conversation.language
        offers = [handover.person_offer(language)]
        await add_message(session, conversation, "system", say("delay", language), now, offers=offers)


async def tell_delays(database: Database, now: datetime, limit: int = 50) -> None:
    """Tell the customers whose turn no worker has had time for yet."""
    late = now - timedelta(seconds=rules.CROWD_TOLD_AFTER)
    untold = and_(_next_in_line(), Turn.state == "queued", Turn.not_before <= late, Turn.delay_told.is_(False))
    async with database.read() as reader:
        found = (await reader.execute(select(Turn.conversation_id, Turn.message_id).where(untold).limit(limit))).all()
    for conversation_id, message_id in found:
        async with database.write() as session, session.begin():
            conversation = await lock_conversation(session, conversation_id)
            turn = await session.get(Turn, message_id, with_for_update=True, populate_existing=True)
            if conversation is not None and turn is not None and turn.state == "queued":
                await _tell_delay(session, conversation, turn, now)


async def give_back(database: Database, worker: str, now: datetime) -> None:
    """Queue again what this worker holds, because its process ends."""
    async with database.write() as session, session.begin():
        await session.execute(
            update(Turn)
            .where(Turn.worker == worker, Turn.state == "running")
            .values(state="queued", not_before=now, fence=Turn.fence + 1)
        )
