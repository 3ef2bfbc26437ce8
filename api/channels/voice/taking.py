"""What a caller's answer does: it goes into the transcript and to the bot, chooses, or asks for the same again."""

from sqlalchemy import select

from api.channels.voice import keys, prompts, telling
from api.channels.voice.calls import preference, remember
from api.channels.voice.hearing import sure
from api.channels.voice.hooks import At
from api.channels.voice.keys import Chose, Misheard, Prompt, Repeat, Said, Silence, Speak
from api.channels.voice.speech import digits
from api.conversations import handover
from api.conversations.accept import Incoming, accept
from api.conversations.sentences import hotline
from api.conversations.tables import Alarm
from api.conversations.transcript import Line, lines_after
from api.danger import safety_words, scan


async def act(at: At, step: int) -> str:
    """Do what the answer asks for; the TwiML, or '' where the bot is to answer."""
    provider_id = f"{at.hook.sid}:{step}"
    prompt = Prompt.restored(at.call.last_said)
    default = await at.language()
    heard = "SpeechResult" in at.hook.form.fields
    speech = at.hook.form.get("SpeechResult")
    meant = keys.read(
        prompt,
        at.hook.form.get("Digits"),
        speech if heard else None,
        prompts.key_words(default),
        default,
        sure=sure(at.hook.form),
    )
    if prompt.kind == "language" and not isinstance(meant, Speak | Repeat | Misheard):
        at.conversation.language = default
    match meant:
        case Speak(language=language, chosen=chosen, text=text):
            at.conversation.language = language
            if chosen:
                await remember(at.session, at.hook.settings, at.call.number, language, at.hook.now)
            at.call.state = "talk"
            if text:
                return await _accept(at, step, Incoming(provider_id, text))
            silent = not chosen and await preference(at.session, at.hook.settings, at.call.number) is None
            return await telling.first_question(at, silences=at.call.silences + 1 if silent else 0)
        case Said(text=text, number=number):
            at.call.last_said = {**at.call.last_said, "typed": prompts.read_back(prompt.expects, number)}
            return await _accept(at, step, Incoming(provider_id, text))
        case Chose(token=token):
            return await _accept(at, step, Incoming(provider_id, None, token))
    if at.conversation.owner != "bot":
        return ""
    match meant:
        case Repeat(slower=slower):
            at.call.slow = at.call.slow or slower
            return await telling.again(at, at.call.step)
        case Silence() if prompt.kind == "closing":
            script = at.script
            script.hangup()
            return script.xml()
        case Silence():
            at.call.silences += 1
            return await telling.once_more(at, at.call.silences, "not_heard")
        case _:
            at.call.misheard += 1
            why = "wrong_key" if at.hook.form.get("Digits") else "not_clear"
            return await telling.once_more(at, at.call.misheard, why)


async def _accept(at: At, step: int, message: Incoming) -> str:
    before = at.conversation.last_seq
    at.call.state = "talk"
    accepted = await accept(at.session, at.conversation, message, at.hook.now, at.hook.settings.zone)
    if at.call.ended_at is not None:
        at.conversation.closed_at = at.hook.now  # it is kept, but nobody is on the line any more
    alarm = [line for line in await lines_after(at.session, at.conversation.id, before) if line.message.alert]
    if alarm:
        return await _safety(at, step, message, alarm[0])
    if accepted.problem is None:
        return ""
    if accepted.problem.status == 429:
        return await telling.again(at, at.call.step, before=[at.word("too_fast")])
    at.call.misheard += 1
    return await telling.once_more(at, at.call.misheard, "not_clear")


async def _safety(at: At, step: int, message: Incoming, line: Line) -> str:
    """Danger: the safety words before all else, then a person if one is there, else the number of the ticket."""
    language = at.conversation.language or "zh"
    danger = scan(message.text or "")
    dial = digits(await hotline(at.session), language)
    said = safety_words(danger, language, voice=True, hotline=dial) if danger else line.message.text
    at.call.told_seq = line.message.seq
    if at.conversation.owner == "bot" and await handover.agents_on_duty(at.session, at.hook.now):
        await handover.hand_over(at.session, at.conversation, "danger", at.hook.now)
    if at.conversation.owner != "bot":
        at.call.told_seq = at.conversation.last_seq
        return await telling.person(at, [said])
    query = select(Alarm.ticket_number).where(
        Alarm.conversation_id == at.conversation.id, Alarm.provider_id == message.provider_id
    )
    # Told with what the bot says next, which may name it itself.
    at.call.last_said = {**at.call.last_said, "ticket": await at.session.scalar(query) or ""}
    script = at.script
    script.line(said, language)
    script.redirect(prompts.turn_link(at.hook.links, step, language, wait=1))
    return script.xml()
