"""The agent's part of a call: his own telephone, which the desk rings, from the first ring until it hangs up.

`Call.leg` counts how often a call was put through; `leg_state` is what became of the last time:
ringing → offered (somebody has picked up and is asked for a key, api.channels.voice.whisper) → talking → held (the
caller hears words, the agent's phone is free) → ringing (taken up again) → …, ended (the agent has hung up, the caller
is still there, or the whole call is over), busy | no-answer | failed | canceled | not-taken (picked up, and the key was
not pressed: nobody, somebody else, a voicemail), written (the agent has no telephone and types).
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import object_session

from api.agents.tables import Agent
from api.channels.voice.moment import Moment
from api.channels.voice.tables import Call
from api.conversations import handover
from api.conversations.bell import QUEUE, agent_key, mark
from api.conversations.tables import Conversation
from api.phones import e164, is_sip

#: Seconds for which an agent's phone rings.
RINGS = 25
#: Nobody has taken the call yet.
UNTAKEN = ("ringing", "offered")
#: The agent's phone is ringing or off the hook.
LIVE = (*UNTAKEN, "talking")
#: What Twilio says of a leg that was answered, by whomever (DialCallStatus).
ANSWERED = ("completed", "answered")
#: No agent was reached; all but the last are a DialCallStatus, too.
NOT_REACHED = ("busy", "no-answer", "failed", "canceled", "not-taken")
#: Of a call that seems to be talked on for longer the end was never reported.
LONGEST = timedelta(hours=3)
#: So long what was asked of Twilio may take until its webhook comes; nothing else is asked meanwhile.
SETTLES = timedelta(seconds=15)


def line_of(agent: Agent) -> str:
    """The agent's telephone as Twilio dials it: E.164, or a SIP address."""
    return agent.phone if is_sip(agent.phone) else e164(agent.phone)


def tell(call: Call, conversation: Conversation) -> None:
    """Ring for whoever looks at this call: its conversation, the lists of calls, the agent."""
    here = object_session(call)
    for key in (conversation.id, QUEUE, *(agent_key(one) for one in {call.agent_id, conversation.agent_id} if one)):
        mark(here, key)


def move(call: Call, conversation: Conversation, state: str, now: datetime) -> None:
    """The leg is `state` from here; whatever was asked has come about or is void."""
    nothing_asked(call)
    _reach(call, conversation, state, now)


def _reach(call: Call, conversation: Conversation, state: str, now: datetime) -> None:
    call.leg_state, call.leg_at = state, now
    tell(call, conversation)


def ask(call: Call, conversation: Conversation, what: str, now: datetime) -> None:
    """Keep that this is asked of the call."""
    call.asked, call.asked_at, call.asked_error = what, now, ""
    tell(call, conversation)


def nothing_asked(call: Call) -> None:
    call.asked, call.asked_at, call.asked_error = "", None, ""


def pending(call: Call, now: datetime) -> str:
    """What was asked of the call a moment ago and may come about any time; '' for nothing."""
    return call.asked if call.asked and call.asked_at is not None and now - call.asked_at < SETTLES else ""


def dial(at: Moment, agent: Agent) -> None:
    """Ring the agent's phone, and join the two when he has pressed the key and heard what it is about."""
    call = at.call
    call.agent_id, call.leg = agent.id, call.leg + 1
    move(call, at.conversation, "ringing", at.now)
    at.script.dial(
        line_of(agent),
        at.url("dialled", t=call.leg),
        whisper=at.script.links("whisper", call=call.sid, leg=call.leg),
        progress=at.script.links("leg", call=call.sid, leg=call.leg),
        timeout=RINGS,
        caller_id=at.settings.twilio_from,
    )


def answered(call: Call, conversation: Conversation, leg: int, now: datetime) -> None:
    """Somebody has taken the receiver off; a report that comes late changes nothing. Call and conversation locked."""
    if call.leg == leg and call.leg_state == "ringing" and call.ended_at is None:
        _reach(call, conversation, "offered", now)


def after(call: Call, status: str, bridged: str) -> str:
    """What became of a leg that is over, by Twilio's DialCallStatus and DialBridged.

    A leg that was answered and declined is `completed`, too, and only DialBridged tells (https://www.twilio.com/docs/
    voice/twiml/dial; `DialCallStatus=completed&DialBridged=false` is what those get who screen by a key, `no-answer`
    what https://www.twilio.com/docs/howto/callscreening counts on): the key that we were told of has the last word.
    """
    if call.leg_state == "talking" and status in ANSWERED and bridged != "false":
        return "ended"
    if call.leg_state != "ringing" or status in ANSWERED:
        return "not-taken"
    return status if status in NOT_REACHED else "failed"


async def called_back(session: AsyncSession, conversation: Conversation) -> None:
    """The two have talked: a call back that was promised is kept."""
    callback = await handover.open_callback(session, conversation.id)
    if callback is not None:
        callback.status = "done"


async def on_the_phone(session: AsyncSession, conversation: Conversation, now: datetime) -> bool:
    """Whether the agent whose conversation it is talks with its customer now, or has him on hold."""
    query = select(Call.sid).where(
        Call.conversation_id == conversation.id,
        Call.agent_id == conversation.agent_id,
        Call.ended_at.is_(None),
        Call.leg_state.in_((*LIVE, "held")),
        Call.leg_at > now - LONGEST,
    )
    return await session.scalar(query.limit(1)) is not None
