"""Turns text into tokens that compare by how they sound: Han characters by pinyin, Latin words as written."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from opencc import OpenCC
from pypinyin import lazy_pinyin

#: Longer messages are cut: an address stands near their beginning.
LONGEST = 400
#: The first CJK code point that matters here: what comes later is Han.
FIRST_HAN = 0x2E80
HAN = "\u3400-\u4dbf\u4e00-\u9fff"
_TO_SIMPLIFIED = OpenCC("tw2sp")
_TOKEN = re.compile(rf"[{HAN}]|[a-z]+|\d+")
_APOSTROPHES = re.compile(r"['\u2019`]")
_ABBREVIATIONS = {
    "rd": "road",
    "st": "street",
    "ave": "avenue",
    "sq": "square",
    "gardens": "garden",
    "one": "1",
    "two": "2",
    "ii": "2",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One Han character, Latin word or run of digits; `start` and `end` are offsets in the normalised text."""

    text: str
    sound: str
    start: int
    end: int

    @property
    def is_han(self) -> bool:
        return ord(self.text[0]) >= FIRST_HAN


def normalise(words: str) -> str:
    """Simplified characters, half width, lower case, no apostrophes, at most LONGEST characters."""
    text = unicodedata.normalize("NFKC", words[:LONGEST]).lower()
    return _APOSTROPHES.sub("", _TO_SIMPLIFIED.convert(text))


@lru_cache(maxsize=20_000)
def sound_of(character: str) -> str:
    """Toneless pinyin of one Han character, always the same one: a name and a sentence must agree."""
    return str(lazy_pinyin(character)[0])


def tokens(text: str) -> list[Token]:
    """Tokens of a normalised text."""
    found = []
    for match in _TOKEN.finditer(text):
        raw = match.group()
        han = ord(raw[0]) >= FIRST_HAN
        sound = sound_of(raw) if han else _ABBREVIATIONS.get(raw, raw)
        found.append(Token(raw, sound, match.start(), match.end()))
    return found


def sound(text: str) -> str:
    """All sounds of a normalised text in one word: `海棠晓月` and `hai tang xiaoyue` are both haitangxiaoyue."""
    return "".join(token.sound for token in tokens(text))


def spoken(text: str) -> str:
    """The same by whole words, so that characters with two readings get the usual one (长 in 长江: chang)."""
    return "".join(re.findall(r"[a-z0-9]+", " ".join(lazy_pinyin(text)).lower()))
