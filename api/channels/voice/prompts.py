"""What a call says and how it then listens: prompts, holding words, apologies, each a whole document of TwiML."""

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml

from api.channels.voice.keys import MOST_OPTIONS, UNSPOKEN, Prompt, Words
from api.channels.voice.speech import digits
from api.channels.voice.twiml import Links, Script, tuning, voice_of
from api.conversations.language import HAN, Language
from api.danger import safety_words, scan

BOTH: tuple[Language, Language] = ("zh", "en")
#: Waits after which a person is offered while the bot is late.
LONG_WAIT = 4
#: Apologies after which a call is ended: about a minute and a half of a database that does not answer.
MOST_SORRY = 20


@cache
def _sentences() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = yaml.safe_load(
        (Path(__file__).parent / "sentences.yml").read_text(encoding="utf-8")
    )
    return loaded


def words(key: str, language: str | None, **values: object) -> str:
    """The sentence `key` in the language, Chinese where none is known. KeyError for an unknown key."""
    texts = _sentences()[key]
    return texts[language if language in texts else "zh"].format(**values)


@cache
def key_words(language: str | None) -> Words:
    """What the keys stand for."""
    return Words(
        person=words("key_person", language),
        yes=words("key_yes", language),
        no=words("key_no", language),
        menu={key: words(f"key_menu_{key}", language) for key in ("1", "2", "3")},
    )


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(tuning()[name])


def misunderstood(lines: Sequence[str]) -> bool:
    """Whether the bot says that it did not understand."""
    return any(_pattern("misunderstood").search(line) for line in lines)


def says_goodbye(lines: Sequence[str]) -> bool:
    return bool(lines) and bool(_pattern("goodbye").search(lines[-1]))


def turn_link(links: Links, step: int, language: str | None, **query: object) -> str:
    """Where the answer to a question goes. It carries the language, for apologies that no database can tell it."""
    return links("turn", step=step, lang=language, **query)


def ask(
    script: Script,
    prompt: Prompt,
    language: str | None,
    action: str,
    *,
    before: Sequence[str] = (),
    keys_only: bool = False,
    places: Sequence[str] = (),
) -> None:
    """Say `before` and the prompt, and listen meanwhile. `places`: names that an answer may hold."""
    hints = [*_own_hints(prompt, language, places)]
    number = prompt.kind == "number"
    listening = script.gather(
        action,
        language,
        speech=not keys_only,
        keys=None if number else 1,
        timeout=tuning()["timeout"]["closing"] if prompt.kind == "closing" else None,
        hints=hints,
    )
    with listening:
        for sentence in before:
            script.line(sentence, language)
        if prompt.keyed:
            script.say(words("read_back", language, number=digits(prompt.keyed, language or "zh")), language)
        for sentence in prompt.lines:
            script.line(sentence, language)
        for sentence in _how_to_answer(prompt, language, keys_only=keys_only):
            script.line(sentence, language)


def _how_to_answer(prompt: Prompt, language: str | None, *, keys_only: bool) -> list[str]:
    match prompt.kind:
        case "options":
            shown = prompt.options[:MOST_OPTIONS]
            said = [words("option", language, label=label, number=n) for n, (_, label) in enumerate(shown, 1)]
            return said if len(prompt.options) <= MOST_OPTIONS or keys_only else [*said, words("or_say", language)]
        case "yes_no":
            return [words("yes_no", language)]
        case "number":
            also = [words("or_say_this", language, label=label) for _, label in prompt.options[:MOST_OPTIONS]]
            return [words("key_number", language), *([] if keys_only else also)]
        case "closing":
            return [words("last_offer", language)]
        case "menu":
            return [words("menu", language)]
        case _:
            return []


def _own_hints(prompt: Prompt, language: str | None, places: Sequence[str]) -> list[str]:
    known = voice_of(language).hints
    labels = [label for _, label in prompt.options]
    near = known.get(prompt.expects, []) if prompt.expects else []
    if prompt.expects in ("", "place", "free"):
        near = [*near, *places]
    return [*labels, *near, *(known[""] if prompt.expects != "place" else ())]


def read_back(expects: str, number: str) -> str:
    """The keyed number, if it is to be read back."""
    return "" if expects in UNSPOKEN else number


def ask_language(
    script: Script, preferred: str | None, action: str, *, recorded: bool, greets: bool = True, before: str = ""
) -> None:
    """Greet in both languages and ask for one; the preferred one first, and by default."""
    order = [preferred, *(language for language in BOTH if language != preferred)] if preferred else list(BOTH)
    with script.gather(action, order[0], timeout=tuning()["timeout"]["language"], hints=["中文", "英文", "English"]):
        for language in order:
            if greets:
                script.line(words("greeting", language), language)
                script.line(words("recorded" if recorded else "not_recorded", language), language)
            elif before:
                script.line(words(before, language), language)
            script.line(words("language_menu", language), language)


def hold(script: Script, step: int, language: str | None, wait: int) -> None:
    """Holding words, then the next look for the bot's answer: `wait` is its number, from 1."""
    onward = turn_link(script.links, step, language, wait=wait)
    if wait > LONG_WAIT:
        with script.gather(onward, language, speech=False, timeout=2):
            script.line(words("hold_long", language), language)
        return
    script.line(words("hold" if wait == 1 else "hold_on", language), language)
    script.redirect(onward)


def apology(links: Links, url: str, language: str | None, speech: str = "") -> str:
    """Without any database: an apology, and another try at `url`. In both languages where none is known.

    `speech`, which may not get any further now: words of danger in it are answered all the same, and first.
    """
    script = Script(links)
    danger = scan(speech) if speech else None
    if danger is not None:
        language = language or danger.language
        script.line(safety_words(danger, language, voice=True), language)
    for spoken in [language] if language in BOTH else BOTH:
        script.say(words("sorry_danger" if danger else "sorry", spoken), spoken)
    script.redirect(url)
    return script.xml()


def farewell(links: Links, language: str | None) -> str:
    """Without any database: nothing goes, and the call ends."""
    script = Script(links)
    for spoken in [language] if language in BOTH else BOTH:
        script.say(words("give_up", spoken), spoken)
    script.hangup()
    return script.xml()


@cache
def _names(file: Path, _changed: float) -> tuple[str, ...]:
    return tuple(json.loads(file.read_text(encoding="utf-8")).get("place", ()))


def place_names(file: Path, language: str | None) -> list[str]:
    """The names of places in a language, as the desk writes them for the bot; none while there is no such file."""
    try:
        names = _names(file, file.stat().st_mtime)
    except (OSError, ValueError):
        return []
    return [name for name in names if bool(HAN.search(name)) == (language != "en")]
