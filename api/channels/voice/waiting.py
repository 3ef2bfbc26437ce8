"""What a caller hears while he waits, and what an agent hears before he is put through.

waitUrl may answer <Play>, <Say>, <Pause>, <Gather>, <Redirect>, <Hangup> and <Leave>
(https://www.twilio.com/docs/voice/twiml/enqueue); it is asked again when it has been played.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.voice.moment import known, words
from api.channels.voice.tables import Call
from api.channels.voice.twiml import Script
from api.conversations import handover
from api.conversations.tables import Conversation, Message
from api.network.lookup import find_places
from api.network.rules import CLEAR
from api.tickets.service import HAZARD
from api.tickets.tables import Ticket

#: Seconds of listening in one round: so long may pass until a claim is noticed.
ROUND = 5
#: Rounds between words, so that the line is never silent for long.
WORDS_EVERY = 4
LONG = timedelta(minutes=3)
#: The sentences that tell the place: nobody, one, more ahead.
PLACES = ("queue_next", "queue_one_ahead", "queue_ahead")
#: Characters of what is told to the agent.
LONGEST = 200
#: Lines that are looked through for a place.
PLACE_LINES = 12


async def call_and_conversation(session: AsyncSession, call_sid: str) -> tuple[Call, Conversation] | None:
    """A call and its conversation, unlocked."""
    query = select(Call, Conversation).join(Conversation, Conversation.id == Call.conversation_id)
    row = (await session.execute(query.where(Call.sid == call_sid))).one_or_none()
    return (row[0], row[1]) if row is not None else None


async def waiting_round(
    session: AsyncSession, script: Script, call_sid: str, now: datetime, *, rounds: int, told: int, keys: str
) -> None:
    """One round: <Leave> where the call is not to wait any more, else its place when that has changed.

    `told`: how many were ahead when the caller last heard it, -1 for never. How long it will take is said where others'
    latest waits tell.
    """
    found = await call_and_conversation(session, call_sid)
    if found is None or found[1].owner != "waiting" or keys == "1":
        script.leave()
        return
    call, conversation = found
    script.slow = call.slow
    if not await handover.agents_on_duty(session, now):
        script.leave()
        return
    ahead = max(await handover.position(session, conversation) - 1, 0)
    language = conversation.language
    speaks = ahead != told or rounds % WORDS_EVERY == 0 or keys == "*"
    with script.gather(script.links("queue", n=rounds + 1, told=ahead), language, speech=False, keys=1, timeout=ROUND):
        if speaks:
            waited = now - (conversation.waiting_since or now)
            place = _place_words(ahead, told, keys, waited, rounds)
            script.line(words(place, language, ahead=ahead), language)
            minutes = await handover.expected_wait(session, now) if place in PLACES else None
            if minutes is not None:
                script.line(words("queue_wait", language, minutes=minutes), language)
    script.redirect(script.links("queue", n=rounds + 1, told=ahead))


def _place_words(ahead: int, told: int, keys: str, waited: timedelta, rounds: int) -> str:
    """Which sentence: the place where it is news, an apology now and then, else a word of patience."""
    if ahead != told or keys == "*":
        return PLACES[min(ahead, 2)]
    return "queue_long" if waited > LONG and rounds % (3 * WORDS_EVERY) == 0 else "queue_patience"


async def whisper(session: AsyncSession, script: Script, call_sid: str) -> None:
    """Tell the agent who is about to be put through: where, what for, and what was tried."""
    found = await call_and_conversation(session, call_sid)
    if found is None:
        script.hangup()
        return
    call, conversation = found
    agent = await session.get(Agent, conversation.agent_id) if conversation.agent_id else None
    language = next((str(each) for each in (agent.languages if agent else [])), "zh")
    opening = "whisper_callback" if call.direction == "outbound" else "whisper"
    for key, values in [(opening, dict[str, Any]()), *await story(session, conversation, language)]:
        if "guide" in values:
            values["guide"] = words(values["guide"], language)
        script.line(words(key, language, **values), language)


async def story(session: AsyncSession, conversation: Conversation, language: str) -> list[tuple[str, dict[str, Any]]]:
    """What is known of a conversation, as keys of sentences and what they name."""
    tickets = select(Ticket).where(Ticket.conversation_id == conversation.id)
    ticket = await session.scalar(tickets.order_by(Ticket.created_at.desc()).limit(1))
    told: list[tuple[str, dict[str, Any]]] = []
    if conversation.priority == 1 or (ticket is not None and ticket.topic == HAZARD):
        told.append(("whisper_danger", {}))
    if ticket is None:
        said = select(Message.text).where(Message.conversation_id == conversation.id, Message.sender == "customer")
        lines = (await session.scalars(said.order_by(Message.seq.desc()).limit(3))).all()
        place = await place_said(session, conversation.id, language)
        told.append(("whisper_place", {"place": place}) if place else ("whisper_no_place", {}))
        if lines:
            told.append(("whisper_about", {"about": "；".join(reversed(lines))[:LONGEST]}))
        return told
    told.append(("whisper_place", {"place": ticket.address}) if ticket.address else ("whisper_no_place", {}))
    if ticket.description:
        told.append(("whisper_about", {"about": ticket.description[:LONGEST]}))
    told.append(("whisper_ticket", {"number": ticket.number}))
    if ticket.tried:
        guide = f"guide_{ticket.tried[-1].get('guide', '')}"
        told.append(("whisper_tried", {"steps": len(ticket.tried), "guide": guide if known(guide) else "guide"}))
    else:
        told.append(("whisper_nothing_tried", {}))
    return told


async def place_said(session: AsyncSession, conversation_id: str, language: str) -> str:
    """The place that was named last and exactly, by the caller or by the bot that confirmed it; '' where none was."""
    said = select(Message.text).where(
        Message.conversation_id == conversation_id, Message.sender.in_(("customer", "bot"))
    )
    for line in await session.scalars(said.order_by(Message.seq.desc()).limit(PLACE_LINES)):
        found = await find_places(session, line)
        if len(found.candidates) == 1 and found.candidates[0].score >= CLEAR:
            point = found.candidates[0]
            return (point.address_en if language == "en" else point.address_zh) + found.detail
    return ""
