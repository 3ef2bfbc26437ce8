"""What the intent classifier sees of a message: several views, each a string of blank-separated pieces."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import ahocorasick

from bot.nlu.extract import extract
from bot.nlu.pinyin import sounds as sounds_of
from bot.nlu.pinyin import typed
from bot.nlu.text import CONCEPTS, HAN, has_han, normalise, read_pairs
from bot.nlu.words import words as word_spans

_HAN_RUN = re.compile(f"[{HAN}]+")
_NO_POWER = re.compile("电(?=[话影视脑梯瓶池动子])")
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
    return Views(_words(pieces), _shapes(normal.text), " ".join(sounds_of(normal.text)), _concepts(text, normal.text))


def pinyin_views(text: str) -> Views | None:
    """The views of a message that seems to be typed in pinyin, as if its characters were not known; else None."""
    normal = normalise(text)
    syllables = typed(normal.text)
    if not syllables:
        return None
    numbers = _DIGITS.findall(normal.text)
    return Views(_words(numbers), "", " ".join(syllables), _concepts(text, normal.text, syllables))


def _words(pieces: Sequence[str]) -> str:
    shaped = [_shapes(piece).strip().replace(" ", "") for piece in pieces]
    whole = "".join(shaped)
    return " ".join([*shaped, f"={whole}="] if len(whole) <= _SHORT else shaped)


def _concepts(original: str, text: str, syllables: Sequence[str] = ()) -> str:
    """What the message is about, as written or as it sounds; values that it holds; its length; a question or not."""
    guarded = _guarded(text)
    heard = _marked(syllables or sounds_of(guarded))
    spaced = f" {' '.join(_LATIN.findall(text)) if not syllables else ''} {heard} "
    written, spoken = _concept_terms()
    found = {name for _, names in written.iter(guarded) for name in names}
    found |= {name for _, names in spoken.iter(spaced) for name in names}
    values = [f"@{v.entity}" + (f"={v.value}" if v.entity in ("scope", "utility") else "") for v in extract(original)]
    size = len(_HAN_RUN.sub(" x ", text).split()) + len(re.findall(f"[{HAN}]", text)) // 2
    return " ".join([*sorted(found), *sorted(set(values)), f"#{min(size, 12) // 3}", "#?" if "?" in text else "#."])


def _guarded(text: str) -> str:
    """Words whose 电 has nothing to do with power do not look like it: 没有电话 is not 没有电."""
    return _NO_POWER.sub("-", text)


def _shapes(text: str) -> str:
    """Numbers by how long they are, links by a mark: what they are matters, not which."""
    return _DIGITS.sub(_shape, _LINK.sub(" linkmark ", text))


def _shape(found: re.Match[str]) -> str:
    count = sum(character.isdigit() for character in found[0])
    return f" dd{next((limit for limit in (1, 2, 3, 4, 7, 10, 11, 12) if count <= limit), 13)}dd "


@lru_cache(maxsize=1)
def _concept_terms() -> tuple[ahocorasick.Automaton, ahocorasick.Automaton]:
    """The forms of all terms with their concepts' names: those looked for in the text as written, and the others."""
    concepts: tuple[dict[str, set[str]], dict[str, set[str]]] = ({}, {})
    for name, said in read_pairs(CONCEPTS).items():
        for term in said.split(","):
            for form in _forms(normalise(term.strip()).text):
                concepts[form[0] == " "].setdefault(form, set()).add(name)
    automata = ahocorasick.Automaton(), ahocorasick.Automaton()
    for automaton, forms in zip(automata, concepts, strict=True):
        for form, names in forms.items():
            automaton.add_word(form, tuple(names))
        automaton.make_automaton()
    return automata


def _forms(term: str) -> tuple[str, ...]:
    """What to look for: a Chinese word as written and, from two characters on, by its sound; a Latin word between
    blanks, `*` takes any ending."""
    if not has_han(term):
        return (f" {term.removesuffix('*')}" if term.endswith("*") else f" {term} ",)
    guarded = _guarded(term)
    syllables = sounds_of(guarded)
    return (guarded, f" {_marked(syllables)} ") if len(syllables) > 1 else (guarded,)


def _marked(syllables: Sequence[str]) -> str:
    """Syllables that cannot be mistaken for Latin words."""
    return " ".join(f"~{syllable}" for syllable in syllables)
