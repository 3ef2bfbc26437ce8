"""What the intent classifier sees of a message: several views, each a string of blank-separated pieces."""

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pypinyin import Style, lazy_pinyin

from bot.nlu.extract import extract
from bot.nlu.text import HAN, has_han, normalise, read_pairs
from bot.nlu.words import words as word_spans

CONCEPTS = Path(__file__).resolve().parents[1] / "data" / "lookups" / "concepts.txt"
_HAN_RUN = re.compile(f"[{HAN}]+")
_LATIN = re.compile(r"[a-z0-9]+(?:['-][a-z0-9]+)*")
_LINK = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\S+")
_DIGITS = re.compile(r"\d+(?:[ .,:/-]?\d+)*")
#: A message that is not longer is also a piece as a whole.
_SHORT = 12


class Views(NamedTuple):
    """A message as the classifier sees it."""

    words: str
    characters: str
    sounds: str
    concepts: str


def views(text: str) -> Views:
    """All views of a message."""
    normal = normalise(text)
    pieces = [normal.text[start:end] for start, end in word_spans(normal)]
    sounds = _sounds(normal.text)
    return Views(_words(pieces), _shapes(normal.text), sounds, _concepts(text, normal.text, sounds))


def _words(pieces: Sequence[str]) -> str:
    shaped = [_shapes(piece).strip().replace(" ", "") for piece in pieces]
    whole = "".join(shaped)
    return " ".join([*shaped, f"={whole}="] if len(whole) <= _SHORT else shaped)


def _sounds(text: str) -> str:
    """Toneless pinyin of the Chinese runs, a syllable a piece, so that homophones look alike."""
    return " ".join(s for run in _HAN_RUN.findall(text) for s in lazy_pinyin(run, style=Style.NORMAL))


def _concepts(original: str, text: str, sounds: str) -> str:
    """What the message is about, as written or as it sounds; values that it holds; its length; a question or not."""
    spaced = f" {' '.join(_LATIN.findall(text))} {_marked(sounds)} "
    found = [n for n, terms in _concept_terms() if any(term in (spaced if term[0] == " " else text) for term in terms)]
    values = [f"@{v.entity}" + (f"={v.value}" if v.entity in ("scope", "utility") else "") for v in extract(original)]
    size = len(_HAN_RUN.sub(" x ", text).split()) + len(re.findall(f"[{HAN}]", text)) // 2
    return " ".join([*found, *sorted(set(values)), f"#{min(size, 12) // 3}", "#?" if "?" in text else "#."])


def _shapes(text: str) -> str:
    """Numbers by how long they are, links by a mark: what they are matters, not which."""
    return _DIGITS.sub(_shape, _LINK.sub(" linkmark ", text))


def _shape(found: re.Match[str]) -> str:
    count = sum(character.isdigit() for character in found[0])
    return f" dd{next((limit for limit in (1, 2, 3, 4, 7, 10, 11, 12) if count <= limit), 13)}dd "


@lru_cache(maxsize=1)
def _concept_terms() -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (name, tuple(form for term in said.split(",") for form in _forms(normalise(term.strip()).text)))
        for name, said in read_pairs(CONCEPTS).items()
    )


def _forms(term: str) -> tuple[str, ...]:
    """What to look for: a Chinese word as written and, from two characters on, by its sound; a Latin word between
    blanks, `*` takes any ending."""
    if not has_han(term):
        return (f" {term.removesuffix('*')}" if term.endswith("*") else f" {term} ",)
    return (term, f" {_marked(_sounds(term))} ") if len(term) > 1 else (term,)


def _marked(sounds: str) -> str:
    """Syllables that cannot be mistaken for Latin words."""
    return " ".join(f"~{syllable}" for syllable in sounds.split())
