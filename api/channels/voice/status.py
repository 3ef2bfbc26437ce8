"""What became of calls and text messages, as Twilio reports it: forward only, and as often as it likes.

https://www.twilio.com/docs/voice/api/call-resource#statuscallback: reports may come out of order.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice import sms, steps
from api.channels.voice.ending import hung_up
from api.channels.voice.signature import Form
from api.channels.voice.voicemail import file_message
from api.conversations.bell import agent_key, touch
from api.conversations.tables import Conversation
from api.db.base import MOST_ID
from api.outbox.queue import report
from api.outbox.tables import Delivery
from api.surveys.service import call_ended

#: How far a call has got; from one of the last rank nothing leads on.
RANKS: Mapping[str, int] = {
    "queued": 0,
    "initiated": 1,
    "ringing": 2,
    "in-progress": 3,
    "answered": 3,
    "completed": 4,
    "busy": 4,
    "no-answer": 4,
    "failed": 4,
    "canceled": 4,
}
OVER = 4
#: What it means for the delivery that makes the call.
DELIVERED: Mapping[str, str] = {
    "initiated": "sent",
    "ringing": "sent",
    "in-progress": "sent",
    "answered": "sent",
    "completed": "delivered",
    "busy": "failed",
    "no-answer": "failed",
    "failed": "failed",
    "canceled": "failed",
}


def moves(old: str, new: str) -> bool:
    """Whether a call that was reported as `old` may now be `new`; an unknown status leads nowhere."""
    return RANKS.get(new, -1) > RANKS.get(old, -1)


async def take_status(session: AsyncSession, form: Form, delivery_id: int | None, now: datetime) -> None:
    """Record one report of a call, a text message, or a message that a caller left."""
    if message := form.get("MessageSid") or form.get("SmsSid"):
        state = sms.STATES.get(form.get("MessageStatus") or form.get("SmsStatus"))
        if state is not None:
            await report(session, message, state, now, delivery_id=delivery_id, error=form.get("ErrorCode"))
        return
    if form.get("RecordingSid"):
        found = await steps.locked_call(session, form.call_sid)
        if found is not None and form.get("RecordingStatus") == "completed":
            await file_message(session, *found, form, now)
        return
    status = form.get("CallStatus")
    if status not in RANKS or form.get("ParentCallSid"):
        return  # the leg to an agent's phone: its <Dial> tells
    found = await steps.locked_call(session, form.call_sid)
    if found is not None:
        call, conversation = found
        if moves(call.status, status):
            call.status = status
        if RANKS[status] == OVER:
            await hung_up(session, call, conversation, now)
    if state := DELIVERED.get(status):
        error = "" if state != "failed" else status
        if await report(session, form.call_sid, state, now, delivery_id=delivery_id, error=error):
            await _tell_agent(session, delivery_id)
    if delivery_id is not None and RANKS[status] == OVER:
        delivery = await session.get(Delivery, delivery_id) if 0 < delivery_id <= MOST_ID else None
        if delivery is not None and delivery.purpose == "survey" and delivery.provider_id == form.call_sid:
            await call_ended(session, delivery, status == "completed", now)


async def _tell_agent(session: AsyncSession, delivery_id: int | None) -> None:
    """Ring for the agent who calls a customer back."""
    delivery = await session.get(Delivery, delivery_id) if delivery_id and delivery_id <= MOST_ID else None
    if delivery is not None and delivery.purpose == "callback" and delivery.conversation_id:
        conversation = await session.get(Conversation, delivery.conversation_id)
        await touch(session, delivery.conversation_id)
        if conversation is not None and conversation.agent_id:
            await touch(session, agent_key(conversation.agent_id))
