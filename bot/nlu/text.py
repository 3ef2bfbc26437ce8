"""One standard form for a message, however it was typed, with a way back to the customer's own characters. Pure."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from opencc import OpenCC

LOOKUPS = Path(__file__).resolve().parents[1] / "data" / "lookups"
VARIANTS, CONCEPTS = LOOKUPS / "variants.txt", LOOKUPS / "concepts.txt"
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"

_HAN = re.compile(f"[{HAN}]")
_PUNCTUATION = str.maketrans("’‘“”。、，—–～", "''\"\".,,--~")
_LATIN_WORD = re.compile(r"[a-z]{5,}")
_TO_SIMPLIFIED = OpenCC("t2s")
#: English words that differ from one of the trade by two letters that changed places.
_ALSO_WORDS = {
    "form",
    "trail",
    "dairy",
    "board",
    "broad",
    "angle",
    "angel",
    "untied",
    "sliver",
    "bale",
    "scared",
    "field",
    "trial",
}


@dataclass(frozen=True, slots=True)
class Normal:
    """A message in standard form. `origin[i]` is where character i stands in the message as sent; its last item is
    the message's length, so that `span(start, end)` always has an answer."""

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where [start, end) of the standard form stands in the message as sent."""
        return self.origin[start], self.origin[end - 1] + 1 if end > start else self.origin[start]


def normalise(text: str, variants: Mapping[str, str] | None = None) -> Normal:
    """Half-width, lower-case, Simplified characters; Cantonese and dialect words by their standard ones; two letters
    that changed places in a word of the trade (pwoer) back again.

    variants: word → standard word, by default those of bot/data/lookups/variants.txt.
    """
    return _normalised(text, tuple(variants.items()) if variants is not None else None)


@lru_cache(maxsize=8)  # every component asks for the same message
def _normalised(text: str, variants: tuple[tuple[str, str], ...] | None) -> Normal:
    characters: list[str] = []
    origin: list[int] = []
    for position, character in enumerate(text):
        for standard in _standard(character):
            characters.append(standard)
            origin.append(position)
    swapped = _swapped()
    spelled = _LATIN_WORD.sub(lambda word: swapped.get(word[0], word[0]), "".join(characters))
    plain = Normal(spelled, (*origin, len(text)))
    pattern, standard_words = _glossary(variants)
    return replace(plain, pattern, lambda found: standard_words[found[0]])


def replace(normal: Normal, pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]) -> Normal:
    """`normal` with each match of `pattern` replaced; a replacement stands where the match began and ended."""
    pieces: list[str] = []
    origin: list[int] = []
    done = 0
    for found in pattern.finditer(normal.text):
        start, end = found.span()
        new = by(found)
        pieces += [normal.text[done:start], new]
        origin += normal.origin[done:start]
        old = normal.origin[start:end]
        origin += [*old[: len(new) - 1], *([old[-1]] * (len(new) - len(old[: len(new) - 1])))] if new else []
        done = end
    if not done:
        return normal
    return Normal("".join([*pieces, normal.text[done:]]), (*origin, *normal.origin[done:]))


@lru_cache(maxsize=64)
def simplified(text: str) -> str:
    """The same characters one by one in Simplified form, as many as before."""
    return "".join(_standard(c) if "\u4e00" <= c <= "\u9fff" else c for c in text)


def has_han(text: str) -> bool:
    """Whether any Chinese character is in `text`."""
    return _HAN.search(text) is not None


@lru_cache(maxsize=20_000)
def _standard(character: str) -> str:
    if "\u4e00" <= character <= "\u9fff":
        simplified = _TO_SIMPLIFIED.convert(character)
        return str(simplified) if len(simplified) == 1 else character
    return unicodedata.normalize("NFKC", character).lower().translate(_PUNCTUATION)


@lru_cache(maxsize=1)
def _swapped() -> dict[str, str]:
    """Misspelt → right, for the Latin words of bot/data/lookups/concepts.txt."""
    words = {word for said in read_pairs(CONCEPTS).values() for word in _LATIN_WORD.findall(said)}
    swaps = {
        word[:i] + word[i + 1] + word[i] + word[i + 2 :]: word
        for word in sorted(words)
        for i in range(len(word) - 1)
        if word[i] != word[i + 1]
    }
    return {wrong: right for wrong, right in swaps.items() if wrong not in words | _ALSO_WORDS}


@lru_cache(maxsize=4)
def _glossary(variants: tuple[tuple[str, str], ...] | None) -> tuple[re.Pattern[str], dict[str, str]]:
    words = read_pairs(VARIANTS) if variants is None else dict(variants)
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)"), words


def read_pairs(file: Path) -> dict[str, str]:
    """`word = standard word` a line; `#` begins a comment."""
    lines = (line.partition("#")[0].strip() for line in file.read_text("utf-8").splitlines())
    return {left.strip(): right.strip() for left, _, right in (line.partition("=") for line in lines if line)}
