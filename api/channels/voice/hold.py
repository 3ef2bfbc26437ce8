"""What a caller hears whose agent has put him on hold, or has hung up while the caller is still there.

Both are loops that look whose the call is now, so that taking it up again, passing it on, giving it back and closing it
need no call of ours to the vendor.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice import legs
from api.channels.voice.moment import Moment, words
from api.channels.voice.signature import Form
from api.channels.voice.twiml import Script
from api.channels.voice.waiting import call_and_conversation
from api.conversations import handover
from api.conversations.accept import Incoming, accept
from api.conversations.sentences import say
from api.conversations.transcript import add_message
from api.errors import Problem

#: Seconds of one round on hold, and rounds between words.
ROUND, WORDS_EVERY = 3, 6
#: Rounds of listening after the agent has hung up, until the call is ended.
MOST_ROUNDS = 10


def hold(at: Moment) -> None:
    """The caller is told, and waits; the agent's phone has been hung up."""
    legs.move(at.call, at.conversation, "held", at.now)
    onward = at.script.links("hold", leg=at.call.leg, n=1)
    with at.script.gather(onward, at.language, speech=False, keys=1, timeout=ROUND):
        at.say("held")


async def hold_round(session: AsyncSession, script: Script, call_sid: str, leg: int, rounds: int) -> None:
    """One round on hold, which changes nothing; the call goes on where it is not to be held any more."""
    found = await call_and_conversation(session, call_sid)
    if found is None:
        script.hangup()
        return
    call, conversation = found
    script.slow = call.slow
    still = conversation.owner == "agent" and conversation.agent_id == call.agent_id and call.asked != "resume"
    if call.leg != leg or call.leg_state != "held" or not still:
        script.redirect(script.links("person", step=call.step, ask="resumed"))
        return
    language = conversation.language
    with script.gather(script.links("hold", leg=leg, n=rounds + 1), language, speech=False, keys=1, timeout=ROUND):
        if rounds % WORDS_EVERY == 0:
            script.line(words("held_patience", language), language)


async def done(at: Moment, rounds: int = 0) -> None:
    """The agent has hung up and keeps the conversation: what the caller says is taken down, 1 is the assistant."""
    with at.script.gather(at.url("done", n=rounds + 1), at.language, keys=1, timeout=5):
        await at.untold()
        if not rounds:
            at.say("dial_done")


async def after_done(at: Moment, form: Form, rounds: int) -> bool:
    """Whether the call goes on elsewhere: to the bot, to another agent, to the same one once more."""
    call, conversation = at.call, at.conversation
    if conversation.owner != "agent" or conversation.agent_id != call.agent_id or call.asked == "resume":
        return True
    if form.get("Digits") == "1":
        handover.give_to_bot(conversation)
        await add_message(at.session, conversation, "system", say("resumed", at.language), at.now)
        return True
    if text := form.get("SpeechResult")[:1000]:
        incoming = Incoming(f"{call.sid}:{call.step - 1}", text=text)
        taken = await accept(at.session, conversation, incoming, at.now, at.settings.zone)
        at.say("not_understood" if isinstance(taken.problem, Problem) else "taken_down")
        await done(at, 1)
    elif rounds > MOST_ROUNDS:
        at.say("goodbye")
        at.script.hangup()
    else:
        await done(at, rounds)
    return False
