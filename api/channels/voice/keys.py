"""What a caller's speech and keys mean, given what the call had just asked. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from api.conversations.language import Language, language_of

#: What answers a number: # ends it, 0 is a digit, * starts it again.
NUMBERS = frozenset({"account", "phone", "ticket", "reading", "factor"})
#: Of these the digits are not said back: they are half a secret.
UNSPOKEN = frozenset({"factor"})
#: Options that a caller can keep in mind.
MOST_OPTIONS = 3
#: Digits keyed in answer to an open question that are a number and no slip of a finger.
A_NUMBER = 4

Kind = Literal["language", "menu", "options", "yes_no", "number", "open", "closing"]


@dataclass(frozen=True)
class Prompt:
    """What was said last and what it waits for: enough to say it again and to read the answer."""

    kind: Kind
    #: Written sentences.
    lines: tuple[str, ...] = ()
    #: Message.expects of the last line.
    expects: str = ""
    #: (token, label) of the choices, in order.
    options: tuple[tuple[str, str], ...] = ()
    #: A number that was keyed in, to be read back before the lines.
    keyed: str = ""

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> "Prompt":
        """From `stored`; the question what one can do for the caller where nothing was stored."""
        return cls(
            kind=data.get("kind", "open"),
            lines=tuple(data.get("lines", ())),
            expects=data.get("expects", ""),
            options=tuple((token, label) for token, label in data.get("options", ())),
            keyed=data.get("keyed", ""),
        )


def kind_of(expects: str, options: Sequence[Any], *, keys_only: bool) -> Kind:
    """How a line's answer can be given. A number can be keyed even where an option (to skip it) stands under it."""
    if expects in NUMBERS:
        return "number"
    if options:
        return "options"
    if expects == "yes_no":
        return "yes_no"
    return "menu" if keys_only else "open"


@dataclass(frozen=True)
class Silence:
    """Neither said nor keyed anything."""


@dataclass(frozen=True)
class Misheard:
    """Said or keyed something that means nothing here."""


@dataclass(frozen=True)
class Repeat:
    """Wants to hear it again; from now on slowly, if `slower`."""

    slower: bool = False


@dataclass(frozen=True)
class Speak:
    """Chose a language, by key or word (`chosen`), by saying `text` in it, or not at all."""

    language: Language
    chosen: bool = False
    text: str = ""


@dataclass(frozen=True)
class Said:
    """Said this, or keyed what means it; `number` are the digits that were keyed."""

    text: str
    number: str = field(default="")


@dataclass(frozen=True)
class Chose:
    """Took this option."""

    token: str


Act = Silence | Misheard | Repeat | Speak | Said | Chose


@dataclass(frozen=True)
class Words:
    """What keys stand for in one language."""

    person: str
    yes: str
    no: str
    #: By the keys of the main menu.
    menu: Mapping[str, str]


def read(
    prompt: Prompt, digits: str, speech: str | None, words: Words, language: Language, *, sure: bool = True
) -> Act:
    """What the caller means. `speech`: None where nothing was heard, '' where it was not made out; `sure`: whether the
    recogniser trusts its own words."""
    if digits:
        return _keyed(prompt, digits, words)
    text = (speech or "").strip()
    if prompt.kind == "language":
        return _language(text, language)
    if speech is None:
        return Silence()
    if not text or not sure:
        return Misheard()
    if asks_slower(text):
        return Repeat(slower=True)
    if asks_again(text):
        return Repeat()
    return _option(prompt, text) or Said(text)


def _keyed(prompt: Prompt, digits: str, words: Words) -> Act:
    if prompt.kind == "number":
        number = digits.rpartition("*")[2].strip("#")
        if number.isdigit():
            return Said(number, number)
        return Repeat()
    key = digits.rstrip("#") or "#"
    if key.endswith("*"):
        return Repeat()
    if key == "0":
        return Said(words.person)
    if prompt.kind == "language":
        return Speak("zh" if key == "1" else "en", chosen=True) if key in ("1", "2") else Misheard()
    if key.isdigit() and len(key) >= A_NUMBER and prompt.kind == "open":
        return Said(key, key)
    if prompt.kind == "options":
        at = int(key) - 1 if key.isdigit() else -1
        return Chose(prompt.options[at][0]) if 0 <= at < min(len(prompt.options), MOST_OPTIONS) else Misheard()
    if prompt.kind == "yes_no" and key in ("1", "2"):
        return Said(words.yes if key == "1" else words.no)
    if prompt.kind == "menu" and key in words.menu:
        return Said(words.menu[key])
    return Misheard()


_CHINESE = re.compile(r"中文|普通话|汉语|国语|华语|\b(?:chinese|mandarin)\b", re.IGNORECASE)
_ENGLISH = re.compile(r"英[文语]|\benglish\b", re.IGNORECASE)


def _language(text: str, default: Language) -> Speak:
    """A language's name, or a wish that is told by the language it is told in."""
    if not text:
        return Speak(default)
    bare = _bare(text)
    if len(bare) <= 24 and bool(_CHINESE.search(text)) != bool(_ENGLISH.search(text)):
        return Speak("zh" if _CHINESE.search(text) else "en", chosen=True)
    if (number := _NUMBER_WORDS.get(bare)) in (1, 2):
        return Speak("zh" if number == 1 else "en", chosen=True)
    return Speak(language_of(text, default), text=text)


_PUNCTUATION = re.compile(r"[\s，。！？、；：,.!?;:'\"“”‘’]+")


def _bare(text: str) -> str:
    return _PUNCTUATION.sub("", text).lower()


_NUMBER_WORDS = {
    word: number
    for number, said in enumerate(
        (
            "1 一 幺 第一 第一个 选一 选1 按1 按一 one first thefirst thefirstone optionone option1 pressone press1",
            "2 二 两 第二 第二个 选二 选2 按2 按二 two second thesecond thesecondone optiontwo option2 presstwo press2",
            "3 三 第三 第三个 选三 选3 按3 按三 three third thethird thethirdone optionthree option3 pressthree press3",
        ),
        1,
    )
    for word in said.split()
}


def _written_out(text: str) -> str:
    """Bare, and without the short forms of English: recognisers write either."""
    plain = text.lower().replace("\u2019", "'")
    for short, whole in (("can't", "cannot"), ("won't", "will not"), ("n't", " not"), ("it's", "it is")):
        plain = plain.replace(short, whole)
    return _bare(plain)


def spoken_key(text: str) -> str:
    """The key that is said rather than pressed: "1" for 按一 or "the first one"; '' for all else."""
    number = _NUMBER_WORDS.get(_bare(text))
    return "" if number is None else str(number)


def _option(prompt: Prompt, text: str) -> Chose | None:
    """An option by its number or by its very words."""
    if prompt.kind != "options":
        return None
    bare = _bare(text)
    at = _NUMBER_WORDS.get(bare, 0)
    if 1 <= at <= min(len(prompt.options), MOST_OPTIONS):
        return Chose(prompt.options[at - 1][0])
    bare = _written_out(text)
    return next((Chose(token) for token, label in prompt.options if _written_out(label) == bare), None)


#: Water runs slowly, too: what is to be slower must be the speech.
_SLOWER = re.compile(
    r"(?:请|麻烦|你|您|能不能|可不可以|可以|能|再|帮我)*"
    r"(?:(?:说|讲)得?(?:再)?慢(?:一)?(?:点|些)|慢(?:一)?(?:点|些)儿?(?:说|讲)|慢(?:一)?(?:点|些)|(?:说|讲)得?太快|太快)"
    r"(?:儿|吗|吧|好吗|可以吗|行吗|了|啊|呀|谢谢)*"
)
_SLOWER_ENGLISH = re.compile(
    r"(?:can you |could you |would you |please |sorry |you are |you're |talk |speak |say (?:it|that) |a bit |a little "
    r"|more |too )*(?:slower|slowly|slow down|too fast)(?: a bit| a little)?(?: please)?"
)
_AGAIN = re.compile(
    r"(?:对不起|不好意思|抱歉|请|麻烦|你|您|我|能不能|可以|能|刚才|刚刚)*"
    r"(?:什么|啥|说什么|讲什么|说啥|再(?:说|讲|重复)一?(?:遍|次|下)|重复一?(?:遍|次|下)|没(?:有)?听清楚?|听不清楚?)"
    r"(?:吗|吧|好吗|可以吗|了|啊|呀|谢谢)*"
)
_AGAIN_ENGLISH = re.compile(
    r"(?:sorry |i beg your |i am |i'm |please |can you |could you )*(?:pardon|pardon me|what|sorry|what was that"
    r"|what did you say|say (?:that|it) again|repeat(?: that| it)?|come again|once more|again"
    r"|i (?:did not|didn't|cannot|can't|couldn't) (?:hear|catch)(?: you| that| it)?)(?: please)?"
)


def asks_slower(text: str) -> bool:
    """Whether that is all that is said: 说慢一点."""
    return bool(_SLOWER.fullmatch(_bare(text)) or _SLOWER_ENGLISH.fullmatch(_plain(text)))


def asks_again(text: str) -> bool:
    """Whether that is all that is said: 什么？"""
    return bool(_AGAIN.fullmatch(_bare(text)) or _AGAIN_ENGLISH.fullmatch(_plain(text)))


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[^a-z']+", " ", text.lower().replace("\u2019", "'")).split()) if text.isascii() else ""


Stage = Literal["again", "keys", "person"]


def stage(count: int, tries: int) -> Stage:
    """What follows the `count`-th silence (or answer not understood) in a row: a new try, keys only, a person."""
    if count < tries:
        return "again"
    return "keys" if count < 2 * tries else "person"
