"""Chinese by its sounds: toneless pinyin of characters, and messages that are typed in pinyin. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal
from spacy.lang.en.stop_words import STOP_WORDS

from bot.nlu.text import HAN, has_han

_HAN_RUN = re.compile(f"[{HAN}]+")
_LATIN = re.compile(r"[a-z']+")
_FEWEST = 2


def syllables(text: str) -> list[str]:
    """The syllables of the Chinese runs of a text in standard form, or of all of it where it is typed in pinyin."""
    if has_han(text):
        return [s for run in _HAN_RUN.findall(text) for s in lazy_pinyin(run, style=Style.NORMAL)]
    return typed(text)


def typed(text: str) -> list[str]:
    """The syllables of a message in pinyin (wo jia tingdian le); empty for any other, English above all."""
    words = _LATIN.findall(text)
    if all(word in STOP_WORDS for word in words) or not all(map(_word().fullmatch, words)):
        return []
    found = [syllable for word in words for syllable in _syllable().findall(word)]
    return found if len(found) >= _FEWEST else []


@lru_cache(maxsize=1)
def _syllable() -> re.Pattern[str]:
    return re.compile("|".join(_longest_first(_known_syllables())))


@lru_cache(maxsize=1)
def _word() -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(_longest_first(_known_syllables()))})+")


@lru_cache(maxsize=1)
def _known_syllables() -> frozenset[str]:
    common = (PINYIN_DICT[code].split(",")[0] for code in range(0x4E00, 0x9FA6) if code in PINYIN_DICT)
    return frozenset(s for s in {to_normal(said) for said in set(common)} if s.isascii() and re.search("[aeiouv]", s))


def _longest_first(items: Iterable[str]) -> list[str]:
    return sorted(items, key=lambda item: (-len(item), item))
