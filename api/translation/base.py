"""What every translator is, whatever stands behind it."""

from dataclasses import dataclass
from typing import Literal, Protocol

Language = Literal["zh", "en"]
Kind = Literal["glossary", "machine"]


@dataclass(frozen=True)
class Term:
    """A word of the utility's in a text: where it stands (`start` to before `end`), and what it is called."""

    start: int
    end: int
    source: str
    target: str


@dataclass(frozen=True)
class Translation:
    """What a translator made of a text. The original is shown beside it, always.

    `text` is None where nothing was translated: a glossary only names the terms that it found.
    """

    kind: Kind
    provider: str
    text: str | None = None
    terms: tuple[Term, ...] = ()
    #: Why the chosen translator's work is not here, and the glossary's is: timeout | refused | failed; '' where it is.
    failure: str = ""


class Refused(Exception):
    """The provider will not translate this: its quota is used up, the key is wrong, the text is not to its liking."""


class Translator(Protocol):
    """One way to translate. It is chosen by its name in `MAINSDESK_TRANSLATOR`."""

    name: str
    kind: Kind

    async def translate(self, text: str, source: Language, target: Language) -> Translation:
        """Translate. Raises Refused; whatever else it raises counts as a failure, and so does an empty text."""

    async def close(self) -> None:
        """Give back its connections."""
