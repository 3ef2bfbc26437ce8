"""What the intent classifier sees of a message: three views, each a string of blank-separated pieces. Pure."""

import re
from collections.abc import Sequence

from pypinyin import Style, lazy_pinyin

from bot.nlu.text import HAN, normalise
from bot.nlu.words import words as word_spans

_HAN_RUN = re.compile(f"[{HAN}]+")
_LINK = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\S+")
_DIGITS = re.compile(r"\d+(?:[ .,:/-]?\d+)*")
#: So long a message is told apart by its words; a shorter one also as a whole.
_SHORT = 12


def views(text: str) -> tuple[str, str, str]:
    """Words, characters and sounds of a message."""
    normal = normalise(text)
    pieces = [normal.text[start:end] for start, end in word_spans(normal)]
    return word_view(pieces), character_view(normal.text, pieces), sound_view(normal.text)


def shapes(text: str) -> str:
    """Numbers by their length class, links by a mark: what they are matters, not which."""
    return _DIGITS.sub(_shape, _LINK.sub(" linkmark ", text))


def word_view(words: Sequence[str]) -> str:
    """The words, numbers as shapes, and a short message once more as a whole."""
    pieces = [shapes(word).strip().replace(" ", "") for word in words]
    whole = "".join(pieces)
    if len(whole) <= _SHORT:
        pieces.append(f"={whole}=")
    return " ".join(pieces)


def character_view(text: str, words: Sequence[str]) -> str:
    """The text for character n-grams."""
    return shapes(text)


def sound_view(text: str) -> str:
    """Toneless pinyin of the Chinese runs, a syllable a piece, so that homophones look alike."""
    syllables: list[str] = []
    for run in _HAN_RUN.findall(text):
        syllables += lazy_pinyin(run, style=Style.NORMAL)
    return " ".join(syllables)


def _shape(found: re.Match[str]) -> str:
    count = sum(character.isdigit() for character in found[0])
    return f" {'d' * 2}{count if count < 5 else 6 if count < 8 else 9 if count < 11 else count if count < 13 else 13}dd "
