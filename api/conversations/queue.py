"""The queue of turns: claiming one with a lease, giving it up, finishing it. Each function is one transaction.

Only the oldest unfinished turn of a conversation can be claimed, so that one conversation never has two at once;
`fence` grows with every claim, so that whoever lost a turn can neither finish it nor write for it any more.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.bulletins.telling import said_first
from api.conversations import handover, rules
from api.conversations.bell import touch
from api.conversations.insight import Understood, note_person_next, write_understanding
from api.conversations.rasa import Said
from api.conversations.sentences import hotline, say
from api.conversations.tables import Conversation, Message, Turn
from api.conversations.transcript import (
    LOCKED_TURN,
    UNFINISHED,
    Offer,
    add_message,
    add_messages,
    lock_conversation,
    route_of,
)
from api.db.base import table_of
from api.db.engine import Database

#: What the bot gets in the place of a command that a customer typed.
COMMAND = "…"


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
    #: What an agent tells the bot (Conversation.briefing); {} where there is nothing new.
    briefing: dict[str, Any] = field(default_factory=dict)

    @property
    def in_words(self) -> bool:
        """Whether the customer wrote or said something, and neither chose a button nor typed a command."""
        return not self.payload["choice"] and self.payload["text"] != COMMAND

    @property
    def words_of(self) -> str:
        """The message whose words these are: after "try again" that of the first try."""
        return str(self.payload.get("words_of") or self.message_id)

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
                **({"briefing": self.briefing} if self.briefing else {}),
            },
        }


_earlier = table_of(Turn).alias()
_t = table_of(Turn).c
_next_in_line = and_(
    _t.state.in_(UNFINISHED),
    ~exists().where(
        _earlier.c.conversation_id == _t.conversation_id, _earlier.c.seq < _t.seq, _earlier.c.state.in_(UNFINISHED)
    ),
)
_now = bindparam("now", type_=_t.not_before.type)
_claimable = and_(
    _next_in_line,
    or_(and_(_t.state == "queued", _t.not_before <= _now), and_(_t.state == "running", _t.lease_until <= _now)),
)
# Statements of every turn are built once: building one costs as much as running it.
_ANY_CLAIMABLE = select(_t.message_id).where(_claimable).limit(1)
_CLAIMABLE = (
    select(
        *(_t.message_id, _t.conversation_id, _t.fence, _t.attempts, _t.payload),
        Message.at,
        Conversation.episode,
        Conversation.channel,
        Conversation.briefing,
    )
    .join_from(table_of(Turn), Message, Message.id == _t.message_id)
    .join(Conversation, Conversation.id == _t.conversation_id)
    .where(_claimable)
    .order_by(_t.not_before, _t.seq)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, of=table_of(Turn))
)
_CLAIM = (
    update(table_of(Turn))
    .where(_t.message_id == bindparam("turn"))
    .values(
        state="running",
        fence=_t.fence + 1,
        attempts=_t.attempts + 1,
        worker=bindparam("by"),
        lease_until=bindparam("until"),
    )
)
_END = update(table_of(Turn)).where(_t.message_id == bindparam("turn")).values(state=bindparam("end"))
_TURN = select(_t.state, _t.fence).where(_t.message_id == bindparam("turn")).with_for_update()
_c = table_of(Conversation).c
_SPEAKER = (
    select(
        *(_c.owner, _c.closed_at, _c.handover_message, _c.handover_reason, _c.last_seq, _c.language, _c.sheet),
        *(_c.channel, _c.deliver_to, _c.held_until),
    )
    .where(_c.id == bindparam("conversation"))
    .with_for_update()
)
_UNTOLD = (
    select(_t.conversation_id, _t.message_id)
    .where(_next_in_line, _t.state == "queued", _t.not_before <= _now, _t.delay_told.is_(False))
    .limit(bindparam("limit"))
)


async def claim(database: Database, worker: str, now: datetime, lease: float, limit: int = 1) -> list[Claim]:
    """Take the turns that have waited longest, at most `limit`, for `lease` seconds."""
    async with database.glance.connect() as connection:
        if await connection.scalar(_ANY_CLAIMABLE, {"now": now}) is None:
            return []
    async with database.write() as session, session.begin():
        return await claim_in(session, worker, now, lease, limit)


async def claim_in(session: AsyncSession, worker: str, now: datetime, lease: float, limit: int) -> list[Claim]:
    """The same within a transaction."""
    found = (await session.execute(_CLAIMABLE, {"now": now, "limit": limit})).all()
    until = now + timedelta(seconds=lease)
    if found:
        rows = [{"turn": row.message_id, "by": worker, "until": until} for row in found]
        await session.execute(_CLAIM, rows)
    return [
        Claim(
            message_id=row.message_id,
            conversation_id=row.conversation_id,
            episode=row.episode,
            channel=row.channel,
            fence=row.fence + 1,
            attempts=row.attempts + 1,
            accepted_at=row.at,
            payload=dict(row.payload),
            briefing=dict(row.briefing or {}),
        )
        for row in found
    ]


async def _held(session: AsyncSession, claim: Claim) -> tuple[Conversation, Turn] | None:
    """The conversation and turn, locked in this order, if the turn is still the claimer's."""
    conversation = await lock_conversation(session, claim.conversation_id)
    turn = await session.scalar(LOCKED_TURN, {"turn": claim.message_id})
    if conversation is None or turn is None or turn.state != "running" or turn.fence != claim.fence:
        return None
    return conversation, turn


def _may_speak(conversation: Any, message_id: str) -> bool:
    """The bot speaks while it owns the conversation, and once more in the very turn that handed it over."""
    if conversation.closed_at is not None:
        return False
    handed_over = conversation.owner == "waiting" and conversation.handover_message == message_id
    return bool(conversation.owner == "bot" or handed_over)


async def finish(
    database: Database,
    claim: Claim,
    said: tuple[Said, ...],
    now: datetime,
    *,
    understood: Understood | None = None,
    sheet: dict[str, Any] | None = None,
    failed: bool = False,
) -> bool:
    """Commit the replies and the turn's end together. False if the turn or the conversation was no longer the bot's.

    Bulletins that concern the customer come before the replies. `sheet`: what the bot knows now, None for as before.
    An agent's briefing has been heard, unless the turn `failed`.
    """
    about = {"conversation": claim.conversation_id, "turn": claim.message_id}
    async with database.write() as session, session.begin():
        # Locked in this order, as everywhere.
        conversation = (await session.execute(_SPEAKER, about)).one_or_none()
        turn = (await session.execute(_TURN, about)).one_or_none()
        if conversation is None or turn is None or turn.state != "running" or turn.fence != claim.fence:
            return False
        speaks = _may_speak(conversation, claim.message_id)
        await session.execute(_END, {"turn": claim.message_id, "end": "done" if speaks else "dropped"})
        if speaks:
            about_place = conversation.sheet if sheet is None else sheet
            quiet = not said or claim.payload.get("danger")
            first = (
                []
                if quiet
                else await said_first(session, claim.conversation_id, conversation.language, about_place, now)
            )
            seq, route = conversation.last_seq, route_of(conversation)
            await add_messages(session, claim.conversation_id, seq, "system", first, now, route)
            seq += len(first)
            if conversation.owner == "waiting":
                said = await _with_ways_out(session, claim, said)
            new: dict[str, Any] = {} if sheet is None else {"sheet": sheet}
            if claim.briefing and not failed:
                new["briefing"] = {}
            await add_messages(
                session, claim.conversation_id, seq, "bot", said, now, route, also=new, reply_to=claim.message_id
            )
            await _note_understanding(session, claim, conversation, understood, now)
        await touch(session, claim.conversation_id)
        return speaks


async def _with_ways_out(session: AsyncSession, claim: Claim, said: tuple[Said, ...]) -> tuple[Said, ...]:
    """Under the words that hand over: what the customer can do instead of waiting (the telephone says it itself)."""
    if claim.channel == "voice" or not said or said[-1].offers:
        return said
    conversation = await session.get_one(Conversation, claim.conversation_id)
    return (*said[:-1], replace(said[-1], offers=tuple(await handover.ways_out(session, conversation))))


async def _note_understanding(
    session: AsyncSession, claim: Claim, conversation: Any, understood: Understood | None, now: datetime
) -> None:
    """Keep what the customer's words were taken for, and that a person was asked for after the words before."""
    if understood is not None and claim.in_words:
        language = claim.payload["language"]
        await write_understanding(session, claim.words_of, claim.conversation_id, language, understood, now)
    if conversation.handover_message == claim.message_id and conversation.handover_reason == "wish":
        await note_person_next(session, claim.conversation_id, claim.words_of)


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
    return await finish(database, claim, (Said(words, (retry, handover.person_offer(language))),), now, failed=True)


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
    if not turn.delay_told and _may_speak(conversation, turn.message_id):
        # One notice speaks for every message that waits with this one.
        waiting = update(Turn).where(Turn.conversation_id == conversation.id, Turn.state.in_(UNFINISHED))
        await session.execute(waiting.values(delay_told=True))
        language = conversation.language
        offers = [handover.person_offer(language)]
        await add_message(session, conversation, "system", say("delay", language), now, offers=offers)


async def tell_delays(database: Database, now: datetime, limit: int = 50) -> None:
    """Tell the customers whose turn no worker has had time for yet."""
    late = now - timedelta(seconds=rules.CROWD_TOLD_AFTER)
    async with database.glance.connect() as connection:
        found = (await connection.execute(_UNTOLD, {"now": late, "limit": limit})).all()
    for conversation_id, message_id in found:
        async with database.write() as session, session.begin():
            conversation = await lock_conversation(session, conversation_id)
            turn = await session.scalar(LOCKED_TURN, {"turn": message_id})
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
