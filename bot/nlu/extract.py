"""Every value in a message, by rule, in both languages. Pure; Rasa's component is bot.nlu.entities."""

from functools import lru_cache
from typing import NamedTuple

from bot.nlu import wording
from bot.nlu.gazetteer import Gazetteer, gazetteer
from bot.nlu.numbers import digits_for_words, meant, numbers
from bot.nlu.scope import scope_in
from bot.nlu.text import normalise


class Value(NamedTuple):
    """One entity: its name, its normalised value, and where it stands in the message as sent."""

    entity: str
    value: str
    start: int
    end: int


def extract(text: str) -> tuple[Value, ...]:
    """phone, account, ticket_number, amount, reading, scope, utility, place, line, time; in the message's order."""
    return _extract(text, gazetteer())


@lru_cache(maxsize=8)  # the classifier and the extractor ask for the same message
def _extract(text: str, known_names: Gazetteer) -> tuple[Value, ...]:
    normal = digits_for_words(normalise(text))
    plain = normal.text
    long_numbers = meant(plain, list(numbers(plain)))
    rest = plain
    for entity, _, start, end in long_numbers:
        if entity in ("ticket_number", "account", "phone"):
            rest = rest[:start] + "#" * (end - start) + rest[end:]
    hits = [*long_numbers, *wording.utility(plain)]
    if extent := scope_in(plain):
        hits.append(("scope", extent, 0, len(plain)))
    names = list(known_names.find(rest))
    hits += [("line", rest[name.start : name.end], name.start, name.end) for name in names if name.kind == "line"]
    known = [(name.start, name.end) for name in names if name.kind == "place"]
    hits += [*wording.place(rest, known), *wording.time(rest)]
    values = (Value(entity, value, *normal.span(start, end)) for entity, value, start, end in hits)
    return tuple(sorted(values, key=_order))


def _order(value: Value) -> tuple[int, int]:
    return value.start, value.end
