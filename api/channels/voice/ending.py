"""What stays of a call that is over."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice import legs
from api.channels.voice.moment import as_dialled, words
from api.channels.voice.tables import Call
from api.conversations import handover
from api.conversations.tables import Conversation
from api.conversations.transcript import add_message, drop_turns


async def hung_up(session: AsyncSession, call: Call, conversation: Conversation, now: datetime) -> None:
    """The call is over. Who was promised a call back keeps his place in the queue; nobody else waits any more.

    An agent keeps the conversation until he closes it; one of another channel goes on there.
    """
    if call.ended_at is not None:
        return
    call.ended_at = now
    if call.leg_state in legs.UNTAKEN:
        legs.move(call, conversation, "canceled", now)
    elif call.leg_state in ("talking", "held", "written"):
        if call.leg_state != "written":
            await legs.called_back(session, conversation)
        legs.move(call, conversation, "ended", now)
    legs.nothing_asked(call)
    legs.tell(call, conversation)
    if conversation.channel != "voice" or conversation.closed_at is not None:
        return
    callback = await handover.open_callback(session, conversation.id)
    if callback is not None and not callback.phone:
        # The bot promised it, and he hung up before he was asked for a number.
        callback.phone = as_dialled(call.number)
        callback.status = "open" if callback.phone else "cancelled"
    promised = callback is not None and callback.status == "open"
    if conversation.owner == "agent" or (conversation.owner == "waiting" and promised):
        key = "hung_up" if conversation.owner == "agent" else "hung_up_callback"
        handover.expect_nothing(conversation)
        await add_message(session, conversation, "system", words(key, conversation.language), now)
        return
    if conversation.owner == "waiting":
        await drop_turns(session, conversation.id)
        handover.give_to_bot(conversation)
    conversation.closed_at = now
