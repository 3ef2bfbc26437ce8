"""A caller and a person: queue, transfer, call-back, message. What V1's turn calls while the bot does not own the call.

<Enqueue> holds the call while it plays what waitUrl answers, until that answers <Leave>; then `action` is asked
(https://www.twilio.com/docs/voice/twiml/enqueue). Twilio's queue is only where the call is held: whose turn it is,
the conversations' own queue says.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.voice import hearing, hold, legs, voicemail
from api.channels.voice.ending import hung_up
from api.channels.voice.keys import asks_again, asks_slower
from api.channels.voice.moment import Moment, as_dialled
from api.channels.voice.signature import Form
from api.channels.voice.speech import digits
from api.channels.voice.tables import Call
from api.channels.voice.twiml import Links, Script, tuning
from api.conversations import handover
from api.conversations.accept import Incoming, accept
from api.conversations.sentences import hotline, hours_words, local_time, say
from api.conversations.tables import Conversation, Message
from api.conversations.transcript import add_message
from api.danger import Danger, safety_words, scan
from api.errors import Problem
from api.phones import normal_phone, phone_in
from api.settings import Settings

QUEUE = "desk"
#: Questions without an understandable answer.
TRIES = 2
#: Rounds of listening after which a caller is asked to be patient while the agent writes nothing.
PATIENCE = 8


async def person_twiml(
    session: AsyncSession,
    settings: Settings,
    call: Call,
    conversation: Conversation,
    said: Sequence[str],
    now: datetime,
) -> Any:
    """Go on with a call whose conversation is `waiting` or an agent's; Twilio's VoiceResponse.

    `said`: written sentences that are to be heard first; `call.told_seq` tells what was. `call.step` is the number of
    the step to come: addresses here are `/voice/person?step=<call.step>…`, and lead back to
    `/voice/turn?step=<n>&back=1` once the bot owns the call again. Conversation and call are locked.
    """
    script = Script(Links.of(settings), slow=call.slow)
    for sentence in said:
        script.line(sentence, conversation.language)
    await go_on(Moment(session, settings, script, call, conversation, now))
    return script.response


async def go_on(at: Moment) -> None:
    """Whatever comes next for the call, by who owns the conversation."""
    match at.conversation.owner:
        case "agent":
            await with_agent(at)
        case "waiting":
            await wait(at)
        case _ if at.conversation.closed_at is not None:
            await at.untold()
            at.say("goodbye")
            at.script.hangup()
        case _:
            at.back_to_bot()


async def wait(at: Moment) -> None:
    """Hold the line where somebody is there to answer; else say what there is instead."""
    if await handover.agents_on_duty(at.session, at.now):
        await at.untold()
        at.script.enqueue(QUEUE, at.script.links("queue"), at.url("left"))
    else:
        await offer(at)


async def with_agent(at: Moment) -> None:
    """Put the call through to the agent's phone; an agent without one writes, and what he writes is read out."""
    agent = await at.session.get(Agent, at.conversation.agent_id)
    said = await at.untold()
    if agent is None or not agent.phone:
        at.call.agent_id = at.conversation.agent_id
        legs.move(at.call, at.conversation, "written", at.now)
        at.say("agent_writes")
        await talk(at, 0)
        return
    if at.call.direction == "inbound" and not said:
        at.say("connecting")
    legs.dial(at, agent)


async def talk(at: Moment, rounds: int) -> None:
    """Read out what the agent wrote, and listen to the caller; after a while without either, look again."""
    with at.script.gather(at.url("talk", n=rounds + 1), at.language, keys=1, timeout=int(tuning()["timeout"]["agent"])):
        said = await at.untold()
        if not said and rounds and rounds % PATIENCE == 0:
            at.say("agent_patience")


async def offer(at: Moment, tries: int = 0) -> None:
    """Nobody is there: a call back, a message, or the assistant. Danger is no matter for a message."""
    await at.untold()
    hours = await hours_words(at.session, at.language)
    if not tries and not await told_lately(at, hours):
        at.say("off_duty", hours=hours)
    danger = in_danger(at.conversation)
    if at.conversation.danger_ticket and not tries:
        at.say("danger_ticket", number=at.conversation.danger_ticket)
    with at.script.gather(at.url("offer", t=tries + 1), at.language, keys=1):
        at.say("offer_danger" if danger else "offer")


async def told_lately(at: Moment, words: str) -> bool:
    """Whether these words stand in what the caller was told since he last spoke."""
    last = select(func.max(Message.seq)).where(
        Message.conversation_id == at.conversation.id, Message.sender == "customer"
    )
    since = select(Message.text).where(
        Message.conversation_id == at.conversation.id,
        Message.sender != "customer",
        Message.seq > func.coalesce(last.scalar_subquery(), 0),
    )
    return any(words in text for text in await at.session.scalars(since))


def in_danger(conversation: Conversation) -> bool:
    return conversation.priority == 1 or conversation.danger_ticket is not None


async def ask_number(at: Moment, tries: int = 0) -> None:
    """On which number to call back: the one that calls, unless it is withheld or another one is wished."""
    number = as_dialled(at.call.number)
    if not number:
        await key_number(at)
        return
    with at.script.gather(at.url("number", t=tries + 1), at.language, keys=1):
        at.say("own_number", number=number)


async def key_number(at: Moment, tries: int = 0, *, wrong: bool = False) -> None:
    with at.script.gather(at.url("key", t=tries + 1), at.language, keys=None):
        at.say("bad_number" if wrong else "ask_number")


async def note_callback(at: Moment, phone: str) -> None:
    """Keep the promise of a call: the conversation stays in the queue, at its place."""
    callback = await handover.promise_callback(at.session, at.conversation.id, phone, at.now, at.settings.zone)
    due = local_time(callback.due_at, at.settings.zone, at.language)
    await at.note("callback_noted", number=phone, due=due)
    at.script.hangup()


# What the answers lead to, by the `ask` of their address.


async def after_queue(at: Moment, form: Form, _tries: int) -> None:
    """The call has left the queue: somebody took it, or the caller wants to be called back."""
    if at.conversation.owner != "waiting":
        await go_on(at)
    elif form.get("QueueResult") == "hangup" or form.get("CallStatus") == "completed":
        await hung_up(at.session, at.call, at.conversation, at.now)
        at.script.hangup()
    elif form.get("QueueResult") == "leave" and await handover.agents_on_duty(at.session, at.now):
        await ask_number(at)
    else:
        await offer(at)


async def aside(at: Moment, form: Form, ask: str, tries: int) -> bool:
    """What may be said at any question, whatever it is: that there is danger, or that it was not heard or too fast.

    Whether it was that, and has been seen to.
    """
    question = QUESTIONS.get(ask)
    keys, speech = form.get("Digits"), form.get("SpeechResult")
    if question is None or at.conversation.owner != "waiting":
        return False
    if not keys and (danger := scan(speech)):
        await alarmed(at, speech, danger)
        return True
    slower = asks_slower(speech)
    if keys.endswith("*") or (not keys and (slower or asks_again(speech))):
        at.call.slow = at.script.slow = at.call.slow or slower
        await question(at, max(tries - 1, 0))
        return True
    return False


async def alarmed(at: Moment, text: str, danger: Danger) -> None:
    """Danger while the caller waits: the ticket is filed, the safety words come first, and no message is asked for."""
    await take_down(at, text)
    dial = digits(await hotline(at.session), at.language)
    at.script.line(safety_words(danger, at.language, voice=True, hotline=dial), at.language)
    at.call.told_seq = at.conversation.last_seq
    await go_on(at)


async def take_down(at: Moment, text: str) -> None:
    """What was said goes into the transcript, and to the bot where it owns the call."""
    incoming = Incoming(f"{at.call.sid}:{at.call.step - 1}", text=text[:1000])
    await accept(at.session, at.conversation, incoming, at.now, at.settings.zone)


async def after_offer(at: Moment, form: Form, tries: int) -> None:
    keys, speech = hearing.answer(form)
    if at.conversation.owner != "waiting":
        await go_on(at)
    elif keys == "1" or hearing.CALL_BACK.search(speech):
        await ask_number(at)
    elif (keys == "2" or hearing.MESSAGE.search(speech)) and not in_danger(at.conversation):
        voicemail.ask(at)
    elif keys == "3" or hearing.ASSISTANT.search(speech):
        await to_assistant(at)
    elif phone := phone_in(speech):
        await note_callback(at, phone)
    elif hearing.tells_a_matter(speech):
        await to_assistant(at, speech)  # rather than take one of the three
    elif hearing.GOODBYE.search(speech):
        at.say("goodbye")
        at.script.hangup()
    elif tries > TRIES and hearing.heard(form):
        await ask_number(at)  # he is there, and wants a person
    elif tries > TRIES:
        at.say("silent_goodbye")
        at.script.hangup()
    else:
        if keys == "0" or hearing.PERSON.search(speech):
            at.say("off_duty", hours=await hours_words(at.session, at.language))
        elif hearing.heard(form):
            at.not_understood(form)
        await offer(at, tries)


async def to_assistant(at: Moment, text: str = "") -> None:
    """The bot goes on, with `text` if there is any; a call back that has no number yet is not promised any more."""
    callback = await handover.open_callback(at.session, at.conversation.id)
    if callback is not None and not callback.phone:
        callback.status = "cancelled"
    handover.give_to_bot(at.conversation)
    if text:
        await take_down(at, text)
    else:
        await add_message(at.session, at.conversation, "system", say("resumed", at.language), at.now)
    at.back_to_bot()


async def after_number(at: Moment, form: Form, tries: int) -> None:
    keys, speech = hearing.answer(form)
    own, same = as_dialled(at.call.number), bool(hearing.SAME.search(speech))
    if phone := phone_in(speech):
        await note_callback(at, phone)
    elif keys == "2" or (not keys and hearing.NO.search(speech) and not same):
        await key_number(at)
    elif keys == "1" or same or hearing.YES.search(speech) or tries > TRIES:
        # Who asked for a call back and says nothing more is called on the number that he calls from.
        await note_callback(at, own)
    else:
        if hearing.heard(form):
            at.not_understood(form)
        await ask_number(at, tries)


async def after_key(at: Moment, form: Form, tries: int) -> None:
    """A keyed or spoken number; `*` began it anew."""
    keyed, speech = form.get("Digits").rpartition("*")[2].rstrip("#"), form.get("SpeechResult")
    try:
        phone = normal_phone(keyed) if keyed else phone_in(speech) or ""
    except ValueError:
        phone = ""
    if phone:
        await note_callback(at, phone)
    elif tries <= TRIES:
        await key_number(at, tries, wrong=bool(keyed or speech))
    elif own := as_dialled(at.call.number):
        await note_callback(at, own)
    else:
        at.say("silent_goodbye")
        at.script.hangup()


async def after_talk(at: Moment, form: Form, rounds: int) -> None:
    """What the caller said goes into the transcript, where the agent reads it."""
    text = (form.get("SpeechResult") or form.get("Digits"))[:1000]
    if text and at.conversation.closed_at is None:
        incoming = Incoming(f"{at.call.sid}:{at.call.step - 1}", text=text)
        taken = await accept(at.session, at.conversation, incoming, at.now, at.settings.zone)
        if isinstance(taken.problem, Problem):
            at.say("not_understood")
        rounds = 0
    agent = await at.session.get(Agent, at.conversation.agent_id) if at.conversation.agent_id else None
    same = at.call.agent_id == at.conversation.agent_id
    if same and at.conversation.owner == "agent" and (agent is None or not agent.phone):
        await talk(at, rounds)
    else:
        await go_on(at)


async def after_dial(at: Moment, form: Form, leg: int) -> None:
    """The agent's phone has hung up, or nobody took the call on it: then the caller keeps his place in the queue.

    https://www.twilio.com/docs/voice/twiml/dial: DialCallStatus, DialBridged. A caller who hangs up meanwhile ends
    here, too. So does a call that the desk has taken away from the agent's phone: it is reported `completed`, like one
    that has ended by itself, and goes where it was sent, whatever this answers (control.py).
    """
    call, asked = at.call, legs.pending(at.call, at.now)
    if form.get("CallStatus") == "completed" or asked == "hangup":
        if form.get("CallStatus") == "completed":
            await hung_up(at.session, call, at.conversation, at.now)
        at.script.hangup()
        return
    if leg != call.leg or call.leg_state not in legs.LIVE:
        at.script.redirect(at.url("resumed"))
        return
    if asked in ("hold", "move"):
        at.script.pause(2)  # where the leg ended by itself: what was asked of Twilio comes now, and once
        at.script.redirect(at.script.links("moved", act=asked, leg=call.leg))
        return
    state = legs.after(call, form.get("DialCallStatus"), form.get("DialBridged"))
    own, talked = at.conversation.owner == "agent" and at.conversation.agent_id == call.agent_id, state == "ended"
    legs.move(call, at.conversation, state, at.now)
    if talked:
        await legs.called_back(at.session, at.conversation)
    if not own:
        await go_on(at)
    elif talked and call.direction == "outbound":
        at.say("goodbye")
        at.script.hangup()
    elif talked:
        await hold.done(at)  # he keeps the conversation until he closes it
    else:
        at.conversation.passed_by = at.conversation.agent_id  # his phone is not to ring again at once
        handover.give_to_queue(at.conversation, "no-answer", at.now)
        if at.call.direction == "outbound":
            await at.note("callback_failed")
            at.script.hangup()
        else:
            await at.note("dial_failed")
            await wait(at)


async def after_done(at: Moment, form: Form, rounds: int) -> None:
    if await hold.after_done(at, form, rounds):
        await go_on(at)


async def resumed(at: Moment, _form: Form, _tries: int) -> None:
    """The call goes on, by whose it is now: it was taken away from an agent's phone, or is not held any more."""
    if at.call.leg_state == "held" and at.call.asked != "resume" and at.conversation.agent_id == at.call.agent_id:
        hold.hold(at)
    else:
        await go_on(at)


async def after_no_message(at: Moment, _form: Form, _tries: int) -> None:
    at.say("no_message")
    await offer(at, TRIES)


#: What is asked once more, with how often it was before.
QUESTIONS: dict[str, Callable[[Moment, int], Awaitable[None]]] = {
    "offer": offer,
    "number": ask_number,
    "key": key_number,
}
ANSWERS: dict[str, Callable[[Moment, Form, int], Awaitable[None]]] = {
    "left": after_queue,
    "offer": after_offer,
    "number": after_number,
    "key": after_key,
    "talk": after_talk,
    "dialled": after_dial,
    "done": after_done,
    "resumed": resumed,
    "message": voicemail.keep,
    "no_message": after_no_message,
}
