"""What an article and a canned reply are, and the checks that a file must pass. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

#: What a canned reply may be filled with, from the conversation.
PLACEHOLDERS = frozenset({"name", "ticket", "agent", "address"})
#: Characters of a text that a chat shows as one message.
LONGEST = 500
#: How long before an article's last day supervisors are asked to look at it.
NEAR = timedelta(days=30)
PLACEHOLDER = re.compile(r"\{(\w*)\}")

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST)]
Group = Literal["greeting", "apology", "wait", "verify", "power", "water", "safety", "ticket", "complaint", "closing"]
State = Literal["current", "upcoming", "expired"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pair(_Strict):
    """The same in both languages."""

    zh: Line
    en: Line

    @property
    def both(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


class Text(Pair):
    """A sentence for the customer; `spoken` is its form for the ear, where that differs."""

    spoken: Pair | None = None

    @property
    def aloud(self) -> dict[str, str]:
        """Both languages as they are said on the telephone."""
        return (self.spoken or self).both


class Words(_Strict):
    """Words per language: keywords, or phrases that decide which article answers."""

    zh: tuple[Line, ...] = ()
    en: tuple[Line, ...] = ()

    def within(self, words: str) -> bool:
        """Whether one of them, of either language, stands in the words; Latin ones at the beginning of a word."""
        said = words.casefold()
        return any(
            re.search(rf"(?<![a-z]){re.escape(phrase)}" if phrase.isascii() else re.escape(phrase), said)
            for phrase in map(str.casefold, (*self.zh, *self.en))
        )


class Source(_Strict):
    """Where the facts are from: process ids, and the document's name."""

    processes: tuple[Annotated[str, StringConstraints(pattern=r"^[A-E][0-9]{1,2}$")], ...] = ()
    document: Pair


class Article(_Strict):
    """Something that customers ask, answered once for the bot and for agents.

    An article with `when` answers its intents only where one of these phrases is in the customer's words, and goes
    before one without; with `unless` it does not where one of those is. `safety`: the customer must not act.
    """

    id: Id
    utility: Literal["power", "water", "both"]
    intents: tuple[Id, ...] = ()
    when: Words | None = None
    unless: Words | None = None
    title: Pair
    body: Text
    steps: tuple[Text, ...] = ()
    keywords: Words
    source: Source
    valid_from: date | None = None
    #: The last day on which customers are told it.
    valid_until: date | None = None
    reviewed_on: date
    safety: bool = False
    #: For agents alone: what to check first, what not to promise.
    advice: Pair | None = None

    @model_validator(mode="after")
    def whole(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until is before valid_from")
        if not (self.keywords.zh and self.keywords.en):
            raise ValueError("keywords are needed in both languages")
        return self

    def state(self, today: date) -> State:
        """Whether customers may be told it on that local day."""
        if self.valid_until and today > self.valid_until:
            return "expired"
        return "upcoming" if self.valid_from and today < self.valid_from else "current"

    def soon_over(self, today: date) -> bool:
        """Whether its last day is near or past, so that somebody has to look whether it still holds."""
        return self.valid_until is not None and self.valid_until <= today + NEAR

    def answers(self, words: str) -> bool:
        """Whether it answers this wording of its intents."""
        if self.unless and self.unless.within(words):
            return False
        return self.when is None or self.when.within(words)


class Reply(_Strict):
    """A canned reply; `key` is the short code that an agent types."""

    id: Id
    key: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,12}$")]
    group: Literal[
        "greeting", "apology", "wait", "verify", "power", "water", "safety", "ticket", "complaint", "closing"
    ]
    text: Text

    @model_validator(mode="after")
    def filled_alike(self) -> Self:
        wanted = set(placeholders(self.text.zh))
        if unknown := wanted - PLACEHOLDERS:
            raise ValueError(f"unknown placeholder: {', '.join(sorted(unknown))}")
        texts = [self.text.en, *(self.text.spoken.both.values() if self.text.spoken else ())]
        if any(set(placeholders(text)) != wanted for text in texts):
            raise ValueError("the placeholders differ between the languages")
        return self


def tellable(found: Sequence[Article], today: date) -> list[Article]:
    """Of articles that answer a customer's words, the more particular ones first, those that he may be told.

    None where one that fits better has expired and nothing current stands in its place: a general answer would be
    given for certain where a particular rule is known to be open (B5).
    """
    for particular in (True, False):
        group = [article for article in found if (article.when is not None) is particular]
        if current := [article for article in group if article.state(today) == "current"]:
            rest = [article for article in found if article.when is None] if particular else []
            return current + [article for article in rest if article.state(today) == "current"]
        if any(article.state(today) == "expired" for article in group):
            return []
    return []


Facts = Mapping[str, str | Mapping[str, str]]


def placeholders(text: str) -> list[str]:
    """Names of the placeholders that a text still has: nothing with one of them is fit to be sent."""
    return list(dict.fromkeys(PLACEHOLDER.findall(text)))


def fill(reply: Reply, facts: Facts) -> dict[str, str]:
    """Both languages of a reply with its placeholders filled; a fact may be {"zh", "en"}.

    What is not known stays in braces, so that whoever sends it sees it: see `placeholders`.
    """
    return {language: filled(text, facts, language) for language, text in reply.text.both.items()}


def filled(text: str, facts: Facts, language: str) -> str:
    """One language of it."""

    def value(found: re.Match[str]) -> str:
        fact = facts.get(found[1], "")
        return (fact if isinstance(fact, str) else fact.get(language, "")) or found[0]

    return PLACEHOLDER.sub(value, text)
