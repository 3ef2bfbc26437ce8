"""What a supervisor gives to change an article or a reply, and what is wrong with it. Pure.

A text is a pair: neither language can be given alone. Lines and blanks are made one; what is left out stays as it is.
"""

import re
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from api.conversations.rules import normalise
from api.knowledge.model import LONGEST, Article, Group, Line, Pair, Reply, Text
from api.knowledge.wording import Fault, article_faults, reply_faults

#: Steps that an article has at most, and characters of its title.
MOST_STEPS, LONGEST_TITLE = 8, 80
WORDS = Path(__file__).with_name("faults.yml")
#: What pydantic calls a fault, and what we do.
_CODES = {"missing": "needed", "string_too_short": "needed", "string_type": "needed", "string_too_long": "too_long"}


def _tidy(value: Any) -> Any:
    """Texts on one line, without control characters, at any depth."""
    if isinstance(value, str):
        return re.sub(r"\s+", " ", normalise(value))
    if isinstance(value, dict):
        return {key: _tidy(one) for key, one in value.items()}
    return [_tidy(one) for one in value] if isinstance(value, list | tuple) else value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class _Draft(BaseModel):
    model_config = ConfigDict(extra="forbid")


Tidy = BeforeValidator(_tidy)
Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,12}$"), BeforeValidator(_lower)]
Keywords = Annotated[tuple[Line, ...], Field(min_length=1, max_length=40)]


class KeywordsIn(_Draft):
    """Words by which an article is found, in both languages."""

    zh: Keywords
    en: Keywords


class ArticleChange(_Draft):
    """What is left out stays; null takes away what may be missing. `version`: the one that was changed.

    `reviewed_on` is when it was last compared with its source, `valid_until` the last day on which it is told.
    """

    version: int = Field(ge=0)
    title: Annotated[Pair, Tidy] | None = None
    body: Annotated[Text, Tidy] | None = None
    steps: Annotated[tuple[Text, ...], Tidy, Field(max_length=MOST_STEPS)] | None = None
    keywords: Annotated[KeywordsIn, Tidy] | None = None
    document: Annotated[Pair, Tidy] | None = None
    advice: Annotated[Pair, Tidy] | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    reviewed_on: date | None = None


class ReplyChange(_Draft):
    """What is left out stays. `version`: the one that was changed."""

    version: int = Field(ge=0)
    key: Key | None = None
    group: Group | None = None
    text: Annotated[Text, Tidy] | None = None


class NewReply(_Draft):
    """A canned reply; `key` is what an agent types."""

    key: Key
    group: Group
    text: Annotated[Text, Tidy]


class Retirement(_Draft):
    """`version`: the one that is retired."""

    version: int = Field(ge=0)


class Return(_Draft):
    """`version`: the present one; `to`: the one that stands again, 0 for the shipped text."""

    version: int = Field(ge=0)
    to: int = Field(ge=0)


def changed_article(article: Article, change: ArticleChange, today: date) -> tuple[Article, list[Fault]]:
    """The article as it would stand, and what is wrong with it; as it is where it could not stand at all."""
    given = change.model_dump(exclude_unset=True, exclude={"version"})
    # What an article cannot be without is not taken away by a null.
    given = {name: value for name, value in given.items() if value is not None or name in _MAY_BE_MISSING}
    document = given.pop("document", None)
    whole = article.model_dump() | given
    if document:
        whole["source"] = whole["source"] | {"document": document}
    faults = []
    if change.reviewed_on and change.reviewed_on > today:
        faults.append(Fault("reviewed_on", "not_yet"))
    if whole["valid_from"] and whole["valid_until"] and whole["valid_until"] < whole["valid_from"]:
        return article, [*faults, Fault("valid_until", "before_start")]
    wanted = Article.model_validate(whole)
    faults += [
        Fault(f"title.{language}", "too_long", {"longest": LONGEST_TITLE})
        for language, title in wanted.title.both.items()
        if len(title) > LONGEST_TITLE
    ]
    return wanted, [*faults, *article_faults(wanted)]


_MAY_BE_MISSING = frozenset({"advice", "valid_from", "valid_until"})


def changed_reply(reply: Reply, change: ReplyChange) -> tuple[Reply, list[Fault]]:
    """The same for a reply."""
    given = change.model_dump(exclude_none=True, exclude={"version"})
    if change.text and (faults := reply_faults(change.text)):
        return reply, faults
    return Reply.model_validate(reply.model_dump() | given), []


def faults_in(error: ValidationError) -> list[Fault]:
    """What is wrong with the shape of a form, in our own words."""
    found = []
    for one in error.errors(include_url=False, include_input=False):
        place = [str(step) for step in one["loc"]]
        code = _CODES.get(one["type"], "date" if one["type"].startswith("date") else "wrong")
        if place[:1] == ["keywords"] and code != "too_long":
            place, code = place[:2], "needed"
        code = {"key": "key", "group": "group"}.get(place[0], code) if place else code
        code = "too_many" if place == ["steps"] else code
        values = {"longest": LONGEST} if code == "too_long" else {"most": MOST_STEPS} if code == "too_many" else {}
        found.append(Fault(".".join(place), code, values))
    return list({(fault.field, fault.code): fault for fault in found}.values())


@cache
def _sentences() -> dict[str, dict[str, dict[str, str]]]:
    content: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    return content


def in_words(fault: Fault, language: Literal["zh", "en"] | str) -> tuple[str, str]:
    """A fault for a reader: the field's name, and the sentence."""
    names, sentences = _sentences()["fields"], _sentences()["faults"]
    parts = fault.field.split(".")
    name = names.get(parts[0], names["other"])[language]
    if parts[0] == "steps" and len(parts) > 1:
        name = names["step"][language].format(number=int(parts[1]) + 1)
    if "spoken" in parts:
        name += names["spoken"][language]
    if parts[-1] in ("zh", "en"):
        name += names[parts[-1]][language]
    return name, sentences[fault.code][language].format(**fault.values)
