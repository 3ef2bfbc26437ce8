"""Which of the numbered options a follower means. Pure.

Numbers are the places of the options in the order in which they were shown, from 1.
"""

import re
import unicodedata
from collections.abc import Sequence

#: Answers that are numbers themselves (Message.expects).
NUMERIC = frozenset({"account", "phone", "ticket", "reading", "count"})
_DIGITS = "一二三四五六七八九"
_TEENS = ["十", *(f"十{d}" for d in _DIGITS), "二十"]
_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
NUMERALS = {
    **{numeral: number for number, numeral in enumerate([*_DIGITS, *_TEENS], 1)},
    **{word: number for number, word in enumerate(_WORDS, 1)},
    **{word: number for number, word in enumerate(_ORDINALS, 1)},
    "两": 2,
}
_CHINESE = r"[一二三四五六七八九十两]{1,3}"
_ENGLISH = "|".join(_WORDS)
_ORDINAL = "|".join(_ORDINALS)
#: Says in so many words that an option is meant.
_EXPLICIT = (
    re.compile(rf"(?:请|我)?(?:要|想)?(?:选择?|按)\s*第?\s*(\d{{1,2}}|{_CHINESE})\s*(?:个|项|条|种|号)?(?:吧|的)?"),
    re.compile(rf"(?:就|我要)?第\s*(\d{{1,2}}|{_CHINESE})\s*(?:个|项|条|种)(?:吧|的)?"),
    re.compile(rf"选项\s*(\d{{1,2}}|{_CHINESE})"),
    re.compile(
        rf"(?:i(?:'ll)?\s+(?:take|choose|want)\s+)?(?:option|choice|number|no\.?|#)\s*(\d{{1,2}}|{_ENGLISH})"
        r"(?:\s*,?\s*please)?"
    ),
    re.compile(
        rf"(?:i(?:'ll)?\s+(?:take|choose|want)\s+)?(?:the\s+)?({_ORDINAL})(?:\s+(?:one|option|choice))?"
        r"(?:\s*,?\s*please)?"
    ),
    re.compile(r"(?:the\s+)?(\d{1,2})(?:st|nd|rd|th)(?:\s+(?:one|option|choice))?"),
)
_BARE = re.compile(r"[1-9]\d?")
_BARE_WORD = re.compile(rf"{_CHINESE}|{_ENGLISH}")
_AROUND = "。.,，、!！?？;；:：()（）[]【】\"“”' "


def plain(text: str) -> str:
    """Full-width forms, case and punctuation around it set aside."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).strip(_AROUND)


def chosen(text: str, labels: Sequence[str], expects: str = "") -> int | None:
    """The index of the option that `text` takes; None where it takes none, and is then an ordinary message.

    `expects`: what the last line waits for. Where that is a number, a spelled one is none of an option.
    """
    said = plain(text)
    if not said or not labels:
        return None
    for index, label in enumerate(labels):
        if said == plain(label):
            return index
    number = _number(said)
    if number is None and expects not in NUMERIC and _BARE_WORD.fullmatch(said):
        number = NUMERALS.get(said)
    return number - 1 if number is not None and 1 <= number <= len(labels) else None


def _number(said: str) -> int | None:
    if _BARE.fullmatch(said):
        return int(said)
    for pattern in _EXPLICIT:
        if found := pattern.fullmatch(said):
            word = found[1]
            return int(word) if word.isdecimal() else NUMERALS.get(word)
    return None
