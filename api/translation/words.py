"""Cutting texts so that the words of a glossary are found in them. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from opencc import OpenCC

_SIMPLIFIED = OpenCC("t2s")
_PIECE = re.compile(r"[a-z0-9]+(?:['’][a-z]+)?|[\u3400-\u9fff]", re.IGNORECASE)
#: Between the words of a term these say nothing: cut off the power, pay my bill.
_SKIPPED = frozenset("a an the my our your his her their".split())  # noqa: SIM905
#: Words of so few letters have no forms.
_SHORT = 3
_CONTRACTED = re.compile(r"['’](?:s|ve|re|ll|d|m)$")
_DOUBLED = re.compile(r"([b-df-hj-np-tv-z])\1$")
#: Endings of plurals and verbs, and what is left in their place.
_ENDINGS = (("ies", "y"), ("ied", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh"),
            ("ing", ""), ("ed", ""), ("es", "e"), ("s", ""))  # fmt: skip
Value = TypeVar("Value")


@dataclass(frozen=True)
class Piece:
    """A Han character or a word; `form` is the same for all its forms, `start` and `end` are offsets in the text."""

    form: str
    start: int
    end: int


@lru_cache(maxsize=20_000)
def form_of(word: str) -> str:
    """What the forms of an English word have in common: trips, tripped, tripping → trip. No word that one would say."""
    bare = _CONTRACTED.sub("", word.lower()).replace("’", "'")
    if len(bare) <= _SHORT or not bare.isalpha():
        return bare
    for ending, left in _ENDINGS:
        stem = bare.removesuffix(ending)
        if stem != bare and len(stem) >= _SHORT and not (ending == "s" and stem.endswith(("s", "u", "i"))):
            bare = stem + left
            break
    bare = _DOUBLED.sub(r"\1", bare)
    return bare.removesuffix("e") if len(bare) > _SHORT else bare


@lru_cache(maxsize=20_000)
def _simplified(character: str) -> str:
    return str(_SIMPLIFIED.convert(character))


def simplified(text: str) -> str:
    """In simplified characters, of the same length, so that offsets stay."""
    whole = str(_SIMPLIFIED.convert(text))
    return whole if len(whole) == len(text) else "".join(_simplified(c)[:1] or c for c in text)


def pieces(text: str) -> list[Piece]:
    """The Han characters and words of a text, in order; nothing of it that is neither."""
    plain = simplified(text)
    return [Piece(form_of(found[0]), *found.span()) for found in _PIECE.finditer(plain)]


@dataclass(frozen=True)
class Found(Generic[Value]):
    """A term in a text."""

    start: int
    end: int
    value: Value


def key_of(term: str) -> tuple[str, ...]:
    """The forms by which a term is found."""
    return tuple(piece.form for piece in pieces(term) if piece.form not in _SKIPPED)


def find(text: str, terms: Mapping[tuple[str, ...], Value], longest: int) -> list[Found[Value]]:
    """Terms in a text from the left, the longest at each place. `terms` are by the forms of their pieces, at most
    `longest` of them."""
    cut = pieces(text)
    found: list[Found[Value]] = []
    place = 0
    while place < len(cut):
        best = _longest_at(cut, place, terms, longest)
        if best is None:
            place += 1
            continue
        after, value = best
        found.append(Found(cut[place].start, cut[after - 1].end, value))
        place = after
    return found


def _longest_at(
    cut: Sequence[Piece], place: int, terms: Mapping[tuple[str, ...], Value], longest: int
) -> tuple[int, Value] | None:
    """The end, in pieces, and the value of the longest term that begins at `place`."""
    best: tuple[int, Value] | None = None
    forms: list[str] = []
    at = place
    while at < len(cut) and len(forms) < longest:
        if not (forms and cut[at].form in _SKIPPED):
            forms.append(cut[at].form)
            value = terms.get(tuple(forms))
            if value is not None:
                best = (at + 1, value)
        at += 1
    return best
