"""The translator that is always there: it names the utility's words in the other language, and translates nothing."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from api.translation.base import Kind, Language, Term, Translation
from api.translation.words import find, key_of

OTHER: dict[Language, Language] = {"zh": "en", "en": "zh"}
#: By the forms of a word's pieces: what it is called in the other language.
Words = dict[tuple[str, ...], str]


class Glossary:
    """Pairs of words of the two languages, from glossary.yml."""

    name = "glossary"
    kind: Kind = "glossary"

    def __init__(self, entries: list[dict[str, list[str]]]) -> None:
        self._words: dict[Language, Words] = {"zh": {}, "en": {}}
        for language, words in self._words.items():
            for entry in entries:
                for word in entry[language]:
                    words.setdefault(key_of(word), entry[OTHER[language]][0])
        self._longest = {language: max(map(len, words), default=0) for language, words in self._words.items()}

    def terms(self, text: str, source: Language) -> tuple[Term, ...]:
        """The words of the glossary in a text, from left to right; the longest where several begin at one place."""
        return tuple(
            Term(found.start, found.end, text[found.start : found.end], found.value)
            for found in find(text, self._words[source], self._longest[source])
        )

    async def translate(self, text: str, source: Language, target: Language) -> Translation:
        return Translation("glossary", self.name, terms=self.terms(text, source) if target != source else ())

    async def close(self) -> None:
        pass


@cache
def glossary() -> Glossary:
    """The utility's glossary, read once."""
    loaded: Any = yaml.safe_load(Path(__file__).with_name("glossary.yml").read_text(encoding="utf-8"))
    return Glossary(loaded)
