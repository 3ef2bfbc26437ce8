"""Chinese by its sounds: toneless pinyin of characters, and messages that are typed in pinyin. Pure."""

import re
from functools import lru_cache

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal

from bot.nlu.text import HAN

_HAN_RUN = re.compile(f"[{HAN}]+")
_LATIN = re.compile(r"[a-z']+")
#: Letters of a syllable, and of what may still be a run of them.
_LONGEST, _LONGEST_WORD = 6, 48


def sounds(text: str) -> list[str]:
    """The syllables of the Chinese runs of a text in standard form."""
    return [syllable for run in _HAN_RUN.findall(text) for syllable in _spoken(run)]


def typed(text: str) -> list[str]:
    """The syllables of a message in pinyin (wo jia tingdian le); empty where a word cannot be pinyin.

    Some English can be, too (are you human): ask only about words that are otherwise unknown.
    """
    found: list[str] = []
    for word in _LATIN.findall(text):
        parts = _split(word)
        if not parts:
            return []
        found += parts
    return found if len(found) > 1 else []


@lru_cache(maxsize=4096)
def _split(word: str) -> tuple[str, ...]:
    """Pinyin syllables that make up the word, the longest first; none where it cannot be pinyin."""
    if len(word) > _LONGEST_WORD:
        return ()
    for length in range(min(_LONGEST, len(word)), 0, -1):
        if word[:length] in _syllables():
            rest = _split(word[length:])
            if rest or length == len(word):
                return (word[:length], *rest)
    return ()


@lru_cache(maxsize=256)
def _spoken(run: str) -> tuple[str, ...]:
    return tuple(lazy_pinyin(run, style=Style.NORMAL))


@lru_cache(maxsize=1)
def _syllables() -> frozenset[str]:
    said = {PINYIN_DICT[code].split(",")[0] for code in range(0x4E00, 0x9FA6) if code in PINYIN_DICT}
    return frozenset(s for s in map(to_normal, said) if s.isascii() and re.search("[aeiouv]", s))
