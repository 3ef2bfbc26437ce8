"""A message that a caller leaves where nobody answers: a ticket with its recording."""

import re
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.moment import Moment, as_dialled, words
from api.channels.voice.signature import Form
from api.channels.voice.tables import Call, Step
from api.conversations import handover
from api.conversations.tables import Conversation, Message
from api.tickets.schemas import NewTicket
from api.tickets.service import file_ticket, record
from api.tickets.tables import Ticket

#: Seconds that a message may last, and of silence that end it.
LONGEST, SILENCE = 120, 5
TOPIC = "voicemail"
_WATER = re.compile(r"水|\bwater\b|\btap\b", re.IGNORECASE)
_POWER = re.compile(r"电(?!话)|跳闸|\b(?:power|electric\w*|breaker|lights?)\b", re.IGNORECASE)


def ask(at: Moment) -> None:
    """Ask for the message. Without one Twilio goes on to the next verb.

    https://www.twilio.com/docs/voice/twiml/record: both `action` and the status callback tell of the recording.
    """
    at.say("leave_message")
    callback = at.script.links("status")
    at.script.record(at.url("message"), seconds=LONGEST, silence=SILENCE, callback=callback)
    at.script.redirect(at.url("no_message"))


async def keep(at: Moment, form: Form, _tries: int) -> None:
    """File the ticket, and say its number."""
    number = await file_message(at.session, at.call, at.conversation, form, at.now)
    if number is None:
        at.say("no_message")
        at.say("goodbye")
        at.script.hangup()
        return
    callback = await handover.open_callback(at.session, at.conversation.id)
    if callback is not None and not callback.phone:
        callback.status = "cancelled"  # he left a message instead
    if callback is None or callback.status == "cancelled":
        handover.give_to_bot(at.conversation)
    await at.note("message_kept", number=number)
    at.script.hangup()


async def file_message(
    session: AsyncSession, call: Call, conversation: Conversation, form: Form, now: datetime
) -> str | None:
    """The number of the ticket that a recording became, however often it is told of; None where there is none.

    Call and conversation are locked.
    """
    url, sid, seconds = form.get("RecordingUrl")[:500], form.get("RecordingSid")[:34], form.get("RecordingDuration")
    if not url.startswith(("https://", "http://")) or seconds == "0":
        return None
    key = f"rec:{sid}"
    known = await session.get(Step, (call.sid, key))
    if known is not None:
        return known.twiml
    language = "en" if conversation.language == "en" else "zh"
    long = seconds if seconds.isdigit() else "?"
    new = NewTicket(
        kind="service_request",
        utility="water" if await about_water(session, conversation) else "power",
        topic=TOPIC,
        description=words("voicemail_description", language, seconds=long, url=url),
        contact_phone=as_dialled(call.number),
        language="en" if language == "en" else "zh",
        conversation_id=conversation.id,
    )
    ticket = await file_ticket(session, new, "desk", now)
    await record(session, ticket.number, "recording", "desk", now, {"url": url, "sid": sid, "seconds": long})
    session.add(Step(call_sid=call.sid, step=key, body_hash=form.body_hash, twiml=ticket.number, at=now))
    await session.flush()
    return ticket.number


async def about_water(session: AsyncSession, conversation: Conversation) -> bool:
    """Whether it is the water side's: by the conversation's last ticket, else by what the caller said before."""
    tickets = select(Ticket.utility).where(Ticket.conversation_id == conversation.id)
    utility = await session.scalar(tickets.order_by(Ticket.created_at.desc()).limit(1))
    if utility is not None:
        return utility == "water"
    said = select(Message.text).where(Message.conversation_id == conversation.id, Message.sender == "customer")
    lines = (await session.scalars(said.order_by(Message.seq))).all()
    return means_water(lines)


def means_water(lines: Sequence[str]) -> bool:
    """Whether what was said is about water and not about power; the later line counts more."""
    for line in reversed(lines):
        water, power = _WATER.search(line), _POWER.search(line)
        if bool(water) != bool(power):
            return water is not None
    return False
