"""What a call is told next: the bot's answer and its question, the same question once more, or a person."""

from collections.abc import Sequence
from dataclasses import replace

from api.channels.base import offered
from api.channels.voice import keys, prompts
from api.channels.voice.bulletin import news
from api.channels.voice.calls import preference
from api.channels.voice.hooks import At
from api.channels.voice.keys import Prompt
from api.channels.voice.person import person_twiml
from api.channels.voice.prompts import words
from api.channels.voice.speech import digits
from api.channels.voice.twiml import check, tuning
from api.conversations import handover
from api.conversations.transcript import Line, add_message, lines_after, state_of


async def compose(at: At, step: int, wait: int) -> str:
    """What the bot and the desk have said since, and the question that it ends with; or holding words."""
    if wait > prompts.LONG_WAIT and at.hook.form.get("Digits") == "0" and at.conversation.owner == "bot":
        return await _to_person(at, "failure")
    lines = [
        line
        for line in await lines_after(at.session, at.conversation.id, at.call.told_seq)
        if line.message.sender != "customer" and line.message.text.strip()
    ]
    at.call.told_seq = at.conversation.last_seq
    texts = [line.message.text for line in lines]
    if at.conversation.owner != "bot":
        return await person(at, texts)
    before = _ticket(at, texts)
    state = await state_of(at.session, at.conversation.id)
    if state is not None and state.busy:
        script = at.script
        for text in (*before, *texts):
            script.line(text, at.conversation.language)
        prompts.hold(script, step, at.conversation.language, wait + 1)
        return script.xml()
    return await _question(at, lines, before)


def _ticket(at: At, texts: Sequence[str]) -> list[str]:
    """The number of the ticket that a danger filed, once, unless the bot names it."""
    number = at.call.last_said.get("ticket")
    if not number:
        return []
    at.call.last_said = {**at.call.last_said, "ticket": ""}
    if any(number in "".join(filter(str.isdecimal, text)) for text in texts):
        return []
    return [words("ticket", at.conversation.language, number=digits(number, at.conversation.language or "zh"))]


async def _question(
    at: At,
    lines: Sequence[Line],
    before: Sequence[str],
) -> str:
    """Say the bot's lines, and listen to the answer that they wait for."""
    texts = [line.message.text for line in lines]
    same_again = bool(texts) and tuple(texts) == Prompt.restored(at.call.last_said).lines
    if not prompts.misunderstood(texts) and not same_again:
        if texts:
            at.call.silences, at.call.misheard, at.call.keys_only = 0, 0, False
    else:
        at.call.misheard += 1
        match keys.stage(at.call.misheard, tuning()["tries"]):
            case "keys":
                at.call.keys_only = True
            case "person":
                return await _to_person(at, "misheard")
    expects = next((line.message.expects for line in reversed(lines) if line.message.expects), "")
    options = tuple((choice.token, choice.label) for choice in await offered(at.session, at.conversation.id))
    kind = keys.kind_of(expects, options, keys_only=at.call.keys_only)
    if kind == "open" and prompts.says_goodbye(texts):
        kind = "closing"
    said = texts or [at.word("anything_else")]
    prompt = Prompt(kind, tuple(said), expects, options, str(at.call.last_said.get("typed") or ""))
    return _ask(at, prompt, at.call.step, before=before)


async def greet(at: At, *, before: str = "") -> str:
    """Say what this is and ask for the language; only the latter after `before`, a sentence's key."""
    preferred = await preference(at.session, at.hook.settings, at.call.number)
    at.call.last_said = Prompt("language").stored()
    script = at.script
    prompts.ask_language(
        script,
        preferred,
        prompts.turn_link(at.hook.links, at.call.step, preferred),
        recorded=at.hook.settings.voice_recorded,
        before=before,
        greets=not before,
    )
    return script.xml()


async def first_question(at: At, *, silences: int = 0) -> str:
    """Tell the news, and ask what one can do for the caller, who was silent so often until now."""
    language = at.conversation.language or "zh"
    told = await news(at.session, at.conversation.id, language, at.hook.now, at.hook.settings.zone)
    if told:
        line = await add_message(at.session, at.conversation, "system", "\n".join(told), at.hook.now)
        at.call.told_seq = line.seq
    at.call.silences, at.call.misheard = silences, 0
    prompt = Prompt("open", (*told, at.word("first_question")))
    return _ask(at, prompt, at.call.step)


async def again(
    at: At,
    step: int,
    *,
    before: Sequence[str] = (),
) -> str:
    """Put the last question once more; its answer goes to `step`."""
    prompt = Prompt.restored(at.call.last_said)
    if prompt.kind == "language":
        return await greet(at)
    return _ask(at, replace(prompt, lines=_unapologetic(prompt.lines)), step, before=before)


async def once_more(at: At, count: int, why: str) -> str:
    """After a silence or what was not understood: the question again, then by keys only, then a person."""
    prompt = Prompt.restored(at.call.last_said)
    before = [at.word(why)]
    stage = keys.stage(count, tuning()["tries"])
    if stage == "person":
        return await _to_person(at, "silence" if why == "not_heard" else "misheard", before)
    if prompt.kind == "language":
        return await greet(at, before=why)
    if stage == "keys":
        at.call.keys_only = True
        before.append(at.word("use_keys"))
        if prompt.kind in ("open", "menu", "closing"):
            prompt = Prompt("menu")
    elif why == "wrong_key" and prompt.kind == "open" and not prompt.expects:
        prompt = Prompt("menu")  # who answers with a key is told what the keys are for
    # Neither the number that was read back, nor an apology or news, is said twice.
    prompt = replace(prompt, lines=the_question(_unapologetic(prompt.lines)), keyed="")
    return _ask(at, prompt, at.call.step, before=before)


def _unapologetic(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Without those that tell of not having understood, as far as anything is left."""
    return tuple(line for line in lines if not prompts.misunderstood([line])) or lines


def the_question(lines: tuple[str, ...]) -> tuple[str, ...]:
    """From the last line on that asks something; all of them where none does."""
    asking = [place for place, line in enumerate(lines) if "？" in line or "?" in line]
    return lines[asking[-1] :] if asking else lines


def _ask(
    at: At,
    prompt: Prompt,
    step: int,
    *,
    before: Sequence[str] = (),
) -> str:
    at.call.state = prompt.kind
    at.call.last_said = prompt.stored()
    language = at.conversation.language
    script = at.script
    prompts.ask(
        script,
        prompt,
        language,
        prompts.turn_link(at.hook.links, step, language),
        before=before,
        keys_only=at.call.keys_only,
        places=prompts.place_names(at.hook.settings.names_file, language),
    )
    return script.xml()


async def _to_person(
    at: At,
    reason: str,
    before: Sequence[str] = (),
) -> str:
    """Give up on the bot: a person, or what there is in his place."""
    at.conversation.language = await at.language()
    await handover.hand_over(at.session, at.conversation, reason, at.hook.now)
    if not await handover.agents_on_duty(at.session, at.hook.now):
        return await person(at, [])
    said = at.word("to_person")
    line = await add_message(at.session, at.conversation, "system", said, at.hook.now)
    at.call.told_seq = line.seq
    return await person(at, [*before, said])


async def person(at: At, said: Sequence[str]) -> str:
    """Say this; the rest of the step is api.channels.voice.person's."""
    at.call.silences, at.call.misheard, at.call.keys_only = 0, 0, False
    at.call.last_said = Prompt("open", (at.word("anything_else"),)).stored()
    return check(str(await person_twiml(at.session, at.hook.settings, at.call, at.conversation, said, at.hook.now)))
