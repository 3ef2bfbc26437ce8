"""Turns a customer's words into marked terms in one pass: Chinese by character, English by word. Pure."""

import re
from collections.abc import Iterable, Mapping
from itertools import product
from operator import add
from typing import Any, NamedTuple

_BRACES = re.compile(r"\{([^{}]*)\}")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_HAN = "\u3400-\u9fff"
# What is written but not said: zero-width characters, the repeats of a Latin letter ("fiiire"), and spaces between
# Chinese characters, of which only those beside a lone character go (a recogniser's word-by-word output).
_SILENT = re.compile(rf"[\u00ad\u200b-\u200f\u2060\ufe0f\ufeff]+|(?<=[{_HAN}])[ \t]+(?=[{_HAN}])|(?<=([a-z]))\1\1+")
_IS_HAN = re.compile(f"[{_HAN}]").match
_BETWEEN_WORDS = frozenset({" ", "-", "  ", "\n", " - "})
HARMLESS = "harmless"  # the concept whose terms take their place in a text and mean nothing
_END = ""  # marks the end of a term in a trie; no character and no word is empty


class Token(NamedTuple):
    """One term found: half-open span in the cleaned text, the concepts it stands for, Chinese or not."""

    start: int
    end: int
    concepts: frozenset[str]
    han: bool


class Clean(NamedTuple):
    """Text made comparable, and where each cut was made (position in `text`, characters cut so far)."""

    text: str
    cuts: tuple[tuple[int, int], ...]

    def original(self, position: int) -> int:
        """The position in the customer's own text."""
        shift = 0
        for at, total in self.cuts:
            if at > position:
                break
            shift = total
        return position + shift


def expand(term: str) -> list[str]:
    """Every spelling of a term with choices: `冒{,浓}烟` → 冒烟, 冒浓烟. Choices do not nest."""
    parts = _BRACES.split(term)
    return ["".join(choice) for choice in product(*(p.split(",") if i % 2 else [p] for i, p in enumerate(parts)))]


def _spoken(term: str) -> list[str]:
    """The words of an English term; people write "cant" for "can't", so apostrophes do not count."""
    return _WORD.findall(term.replace("'", ""))


def one_slip(word: str) -> set[str]:
    """The misspellings of an English word by one dropped, doubled or swapped letter."""
    drops = {word[:i] + word[i + 1 :] for i in range(1, len(word))}
    doubles = {word[:i] + word[i] + word[i:] for i in range(len(word))}
    swaps = {word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)}
    return (drops | doubles | swaps) - {word}


class Lexicon:
    """Terms of both languages with their concepts; `tokens` finds them, the longest at each place, left to right."""

    def __init__(
        self,
        terms: Mapping[str, Iterable[str]],
        *,
        characters: Mapping[str, str],
        slips: Iterable[str] = (),
        swaps: Mapping[str, Iterable[str]] | None = None,
    ) -> None:
        """`terms`: concept → terms with choices; `characters`: variant → standard character (Traditional, full
        width); `slips`: English words whose one-letter misspellings count; `swaps`: Chinese words → what is typed or
        heard instead.
        """
        self._table = {ord(variant): standard for variant, standard in characters.items()}
        self._spelling = {wrong: word for word in slips for wrong in one_slip(word)}
        self._han: dict[str, Any] = {}
        self._words: dict[str, Any] = {}
        concepts: dict[str, set[str]] = {}
        for concept, entries in terms.items():
            for entry in entries:
                for term in expand(str(entry)):
                    for form in self._forms(term, swaps or {}):
                        concepts.setdefault(form, set()).add(concept)
        for form, names in concepts.items():
            latin = bool(_WORD.match(form))
            self._add(
                self._words if latin else self._han, _spoken(form) if latin else form, frozenset(names - {HARMLESS})
            )
        self._begins = frozenset(first + second for first, node in self._han.items() for second in node if second)
        self._lone = frozenset(first for first, node in self._han.items() if _END in node)
        for wrong in [w for w in self._spelling if w in self._words]:
            del self._spelling[wrong]

    @staticmethod
    def _forms(term: str, swaps: Mapping[str, Iterable[str]]) -> set[str]:
        forms = {term}
        for word, others in swaps.items():
            if word in term:
                forms |= {term.replace(word, other) for other in others}
        return forms

    @staticmethod
    def _add(trie: dict[str, Any], units: Iterable[str], concepts: frozenset[str]) -> None:
        node = trie
        for unit in units:
            node = node.setdefault(unit, {})
        node[_END] = concepts | node.get(_END, frozenset())

    def clean(self, text: str) -> Clean:
        """Lower case, half width, simplified characters, without what is written but not said."""
        text = text.translate(self._table)
        cuts: list[tuple[int, int]] = []
        parts: list[str] = []
        done = total = 0
        for gap in _SILENT.finditer(text):
            if gap[0].isspace() and _IS_HAN(text, gap.start() - 2) and _IS_HAN(text, gap.end() + 1):
                continue
            parts.append(text[done : gap.start()])
            cuts.append((gap.start() - total, total := total + len(gap[0])))
            done = gap.end()
        parts.append(text[done:])
        return Clean("".join(parts), tuple(cuts))

    def tokens(self, text: str) -> list[Token]:
        """The terms in cleaned text by position; terms without a concept (harmless phrases) only take their place."""
        found = self._han_tokens(text)
        words = self._word_tokens(text)
        return sorted(found + words) if found and words else found or words

    def _han_tokens(self, text: str) -> list[Token]:
        found: list[Token] = []
        begins, lone, size, done = self._begins, self._lone, len(text), 0
        # Most characters begin no term: two of them tell, before the trie is walked.
        for i in [i for i, two in enumerate(map(add, text, text[1:] + " ")) if two in begins or two[0] in lone]:
            if i < done:
                continue
            node, j, end, concepts = self._han[text[i]], i + 1, 0, frozenset[str]()
            while True:
                if _END in node:
                    end, concepts = j, node[_END]
                if j >= size or (node := node.get(text[j])) is None:
                    break
                j += 1
            if end:
                done = end
                if not concepts:
                    continue
                if len(found) > 1 and found[-1].end == i and found[-1].concepts is found[-2].concepts is concepts:
                    found[-1] = Token(found[-1].start, end, concepts, True)  # a run of one term: its first and its rest
                else:
                    found.append(Token(i, end, concepts, True))
        return found

    def _word_tokens(self, text: str) -> list[Token]:
        found: list[Token] = []
        spelling = self._spelling
        words = [(m.start(), m.end(), spelling.get(w := m[0].replace("'", ""), w)) for m in _WORD.finditer(text)]
        size, i = len(words), 0
        while i < size:
            node = self._words.get(words[i][2])
            if node is None:
                i += 1
                continue
            j, end, concepts = i + 1, 0, frozenset[str]()
            while True:
                if _END in node:
                    end, concepts = j, node[_END]
                if j >= size or text[words[j - 1][1] : words[j][0]] not in _BETWEEN_WORDS:
                    break
                if (node := node.get(words[j][2])) is None:
                    break
                j += 1
            if concepts:
                found.append(Token(words[i][0], words[end - 1][1], concepts, False))
            i = end or i + 1
        return found
