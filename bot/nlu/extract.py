"""Every value in a message, by rule, in both languages. Pure; Rasa's component is bot.nlu.entities."""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from bot.nlu import wording
from bot.nlu.numbers import digits_for_words, numbers
from bot.nlu.scope import scope_in
from bot.nlu.text import normalise

PLACES = Path(__file__).resolve().parents[1] / "data" / "lookups" / "places.txt"


class Value(NamedTuple):
    """One entity: its name, its normalised value, and where it stands in the message as sent."""

    entity: str
    value: str
    start: int
    end: int


@lru_cache(maxsize=8)  # the classifier and the extractor ask for the same message
def extract(text: str) -> tuple[Value, ...]:
    """phone, account, ticket_number, amount, reading, scope, utility, place, time: in the order of the message."""
    normal = digits_for_words(normalise(text))
    plain = normal.text
    long_numbers = list(numbers(plain))
    rest = plain
    for entity, _, start, end in long_numbers:
        if entity in ("ticket_number", "account", "phone"):
            rest = rest[:start] + "#" * (end - start) + rest[end:]
    hits = [*long_numbers, *wording.utility(plain)]
    if extent := scope_in(plain):
        hits.append(("scope", extent, 0, len(plain)))
    hits += [*wording.place(rest, place_names()), *wording.time(rest)]
    values = (Value(entity, value, *normal.span(start, end)) for entity, value, start, end in hits)
    return tuple(sorted(values, key=_order))


@lru_cache(maxsize=1)
def place_names() -> re.Pattern[str]:
    """The names of bot/data/lookups/places.txt as one pattern, in standard form."""
    lines = (line.partition("#")[0].strip() for line in PLACES.read_text("utf-8").splitlines())
    return _any_of(normalise(name).text for name in lines if name)


def _any_of(names: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(set(names), key=lambda name: (-len(name), name))
    return re.compile("|".join(rf"(?<![a-z]){re.escape(name)}(?![a-z])" for name in longest_first) or r"(?!)")


def _order(value: Value) -> tuple[int, int]:
    return value.start, value.end
