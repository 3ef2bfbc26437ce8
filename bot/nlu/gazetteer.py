"""The names of the utility's own places and lines, found in a message in one pass, however many there are.

They come from the file that the front desk writes (`MAINSDESK_NAMES`: {"place": […], "line": […]}), which is followed
within seconds, so that another utility's data need no training; without one, from bot/data/lookups/places.txt.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import ahocorasick

from bot.nlu.text import LOOKUPS, normalise

PLACES = LOOKUPS / "places.txt"
VARIABLE = "MAINSDESK_NAMES"
KINDS = ("place", "line")
#: Seconds after which the file is looked at again.
FRESH = 5.0
#: A name of one character would be found in every other word.
SHORTEST = 2


class Found(NamedTuple):
    """A name in a text in standard form: what it names, and where."""

    kind: str
    start: int
    end: int


class Gazetteer:
    """Names of each kind, in any script and case."""

    def __init__(self, names: Mapping[str, Sequence[str]]) -> None:
        self._automaton = ahocorasick.Automaton()
        for kind in reversed(KINDS):  # what is both is a place
            for name in names.get(kind, ()):
                standard = normalise(name).text.strip()
                if len(standard) >= SHORTEST:
                    self._automaton.add_word(standard, (kind, len(standard)))
        self._automaton.make_automaton()

    def find(self, text: str) -> Iterator[Found]:
        """Names in a text in standard form, in its order; of those that overlap the longest, then the first."""
        if not len(self._automaton):
            return
        hits = [Found(kind, last + 1 - size, last + 1) for last, (kind, size) in self._automaton.iter(text)]
        taken: list[Found] = []
        for hit in sorted(hits, key=lambda hit: (hit.start - hit.end, hit.start)):
            if _whole(text, hit) and all(hit.end <= other.start or other.end <= hit.start for other in taken):
                taken.append(hit)
        yield from sorted(taken, key=lambda hit: hit.start)


def gazetteer() -> Gazetteer:
    """That of the names as they are now."""
    file = os.environ.get(VARIABLE, "")
    return _read(file, _changed(file, int(time.monotonic() / FRESH))) if file else _shipped()


def _whole(text: str, hit: Found) -> bool:
    """Latin names are not found inside longer words."""
    before = text[hit.start - 1] if hit.start else " "
    after = text[hit.end] if hit.end < len(text) else " "
    return not ((_latin(before) and _latin(text[hit.start])) or (_latin(after) and _latin(text[hit.end - 1])))


def _latin(character: str) -> bool:
    return "a" <= character <= "z"


@lru_cache(maxsize=1)
def _changed(file: str, period: int) -> float:
    try:
        return Path(file).stat().st_mtime
    except OSError:  # not written yet
        return 0.0


@lru_cache(maxsize=1)
def _read(file: str, changed: float) -> Gazetteer:
    try:
        return Gazetteer(json.loads(Path(file).read_text("utf-8")))
    except (OSError, ValueError):  # the front desk is starting; the bot must answer all the same
        return _shipped()


@lru_cache(maxsize=1)
def _shipped() -> Gazetteer:
    lines = (line.partition("#")[0].strip() for line in PLACES.read_text("utf-8").splitlines())
    return Gazetteer({"place": [line for line in lines if line]})
