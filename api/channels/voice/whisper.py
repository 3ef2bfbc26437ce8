"""What an agent hears who takes the receiver off, and the key without which nobody is put through to him.

Twilio runs the document of `url` on the called leg before the two are joined, so that the call can be declined there by
<Gather> and <Hangup>; it may hold no <Dial> (https://www.twilio.com/docs/voice/twiml/number, …/sip,
https://www.twilio.com/docs/voice/twiml/gather, https://www.twilio.com/docs/glossary/call-whisper,
https://www.twilio.com/docs/api/errors/13201). Whatever ends without a <Hangup> joins them, so every way out of here but
one has one (https://github.com/twilio-labs/function-templates/issues/12 and /17). A key tells a person from a voicemail
for certain, which listening to the line does not (https://www.twilio.com/docs/voice/answering-machine-detection), but
anybody may pick up: nothing that is the customer's own is said before it.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.voice import legs, steps
from api.channels.voice.moment import known, words
from api.channels.voice.tables import Call
from api.channels.voice.twiml import Script
from api.channels.voice.waiting import call_and_conversation
from api.conversations.rules import SKILLS
from api.conversations.tables import Conversation, Message
from api.network.lookup import find_places
from api.network.rules import CLEAR
from api.tickets.service import HAZARD
from api.tickets.tables import Ticket

#: The key that takes the call, and the seconds for it when all has been said.
TAKES, SECONDS = "1", 7
#: Characters of what is told to the agent.
LONGEST = 200
#: Lines that are looked through for a place.
PLACE_LINES = 12


async def whisper(session: AsyncSession, script: Script, call_sid: str, leg: int) -> None:
    """Say in a sentence who calls, and ask for the key. Changes nothing."""
    found = await call_and_conversation(session, call_sid)
    agent = await session.get(Agent, found[1].agent_id) if found is not None and _wanted(*found, leg) else None
    if found is None or agent is None:
        _gone(script, None if found is None else await _agent(session, found[0]))
        return
    call, conversation = found
    ticket = await _ticket(session, conversation)
    onward = script.links("taken", call=call.sid, leg=leg)
    with script.gather(onward, agent.language, speech=False, keys=1, timeout=SECONDS):
        if _dangerous(conversation, ticket):
            script.line(words("whisper_danger", agent.language), agent.language)
        script.line(_introduction(call, conversation, agent.language), agent.language)
        script.line(words("whisper_press", agent.language), agent.language)
    script.hangup()


async def taken(
    session: AsyncSession, script: Script, call_sid: str, leg: int, key: str, now: datetime, *, heard: bool
) -> None:
    """The agent has pressed a key, or none in time: tell him the story if it was the right one, else hang up.

    `heard`: he has heard the story, or cut it short; the empty document joins him with the customer.
    """
    found = await steps.locked_call(session, call_sid)
    if found is None or not _wanted(*found, leg):
        _gone(script, None if found is None else await _agent(session, found[0]))
        return
    call, conversation = found
    agent = await session.get_one(Agent, call.agent_id)
    if heard:
        legs.move(call, conversation, "talking", now)
        return
    legs.answered(call, conversation, leg, now)
    if key != TAKES:
        script.line(words("whisper_not_taken", agent.language), agent.language)
        script.hangup()
        return
    onward = script.links("taken", call=call.sid, leg=leg, heard=1)
    with script.gather(onward, agent.language, speech=False, keys=1, timeout=1):
        for name, values in await story(session, conversation, agent.language):
            if "guide" in values:
                values["guide"] = words(values["guide"], agent.language)
            script.line(words(name, agent.language, **values), agent.language)
    script.redirect(onward)


def _wanted(call: Call, conversation: Conversation, leg: int) -> bool:
    """Whether this leg may still take the call: the customer is there, is this agent's, and nothing else was asked."""
    own = conversation.owner == "agent" and conversation.agent_id == call.agent_id
    ringing = call.leg == leg and call.leg_state in legs.UNTAKEN and call.ended_at is None
    return own and ringing and call.asked not in ("hangup", "move")


async def _agent(session: AsyncSession, call: Call) -> Agent | None:
    return await session.get(Agent, call.agent_id) if call.agent_id else None


def _gone(script: Script, agent: Agent | None) -> None:
    language = agent.language if agent is not None else "zh"
    script.line(words("whisper_gone", language), language)
    script.hangup()


def _introduction(call: Call, conversation: Conversation, language: str) -> str:
    """Who calls, in one sentence: the language, the skill, how long he waited until he was taken."""
    told = [words(f"whisper_who_{conversation.language}" if conversation.language else "whisper_who", language)]
    skill = conversation.skill or str((conversation.sheet or {}).get("utility") or "")
    if skill in SKILLS:
        told.append(words(f"whisper_skill_{skill}", language))
    if call.direction == "outbound":
        return words("whisper_callback", language, who=_joined(told, language))
    since, until = conversation.waiting_since, conversation.claimed_at
    if conversation.handover_reason == "transfer":
        told.append(words("whisper_passed", language))
    elif since is not None and until is not None:
        minutes = max(until - since, timedelta()) // timedelta(minutes=1)
        key = ("whisper_waited_short", "whisper_waited_one", "whisper_waited")[min(minutes, 2)]
        told.append(words(key, language, minutes=minutes))
    return words("whisper", language, who=_joined(told, language))


def _joined(parts: list[str], language: str) -> str:
    return (", " if language == "en" else "，").join(parts)


async def _ticket(session: AsyncSession, conversation: Conversation) -> Ticket | None:
    tickets = select(Ticket).where(Ticket.conversation_id == conversation.id)
    return await session.scalar(tickets.order_by(Ticket.created_at.desc()).limit(1))


def _dangerous(conversation: Conversation, ticket: Ticket | None) -> bool:
    return conversation.priority == 1 or (ticket is not None and ticket.topic == HAZARD)


async def story(session: AsyncSession, conversation: Conversation, language: str) -> list[tuple[str, dict[str, Any]]]:
    """What is known of a conversation, as keys of sentences and what they name."""
    ticket = await _ticket(session, conversation)
    told: list[tuple[str, dict[str, Any]]] = []
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
