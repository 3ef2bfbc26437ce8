"""The form by which conversations are scored, and what scores come to. Pure, but for reading form.yml once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

MOST_POINTS = 2
#: What a supervisor may give; None where it did not come up.
POINTS = (2, 1, 0, None)
Scores = Mapping[str, int | None]
#: A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Criterion:
    """One line of the form, in both languages, and the processes that lay it down."""

    id: str
    zh: str
    en: str
    hint_zh: str
    hint_en: str
    processes: tuple[str, ...]

    def name(self, language: str) -> str:
        return self.en if language == "en" else self.zh

    def hint(self, language: str) -> str:
        return self.hint_en if language == "en" else self.hint_zh


@cache
def form() -> tuple[Criterion, ...]:
    """The criteria in their order."""
    given = yaml.safe_load(Path(__file__).with_name("form.yml").read_text(encoding="utf-8"))
    return tuple(Criterion(**{**one, "processes": tuple(one["processes"])}) for one in given["criteria"])


def complaint_about(scores: Scores, criteria: Sequence[Criterion]) -> str | None:
    """The criterion that is missing, unknown or has impossible points; `scores` where nothing was scored at all."""
    names = [criterion.id for criterion in criteria]
    for name in (*names, *scores):
        if name not in scores or name not in names or scores[name] not in POINTS or isinstance(scores[name], bool):
            return name
    return "scores" if all(points is None for points in scores.values()) else None


def total(scores: Scores) -> int:
    """Percent of the points that could be reached where it came up; 0 where nothing did. Half a percent rounds up."""
    given = [points for points in scores.values() if points is not None]
    return (200 * sum(given) + len(given) * MOST_POINTS) // (2 * len(given) * MOST_POINTS) if given else 0


@dataclass(frozen=True)
class Line:
    """One line of the report: of an agent (None: of all together)."""

    agent_id: str | None
    reviews: int
    average: int
    #: Percent by criterion; None where it never came up.
    criteria: Mapping[str, int | None]


def line(agent_id: str | None, reviews: Sequence[tuple[int, Scores]], criteria: Iterable[Criterion]) -> Line:
    """What reviews, each (total, scores), come to."""
    by_criterion = {}
    for criterion in criteria:
        given = {str(n): scores.get(criterion.id) for n, (_, scores) in enumerate(reviews)}
        by_criterion[criterion.id] = total(given) if any(p is not None for p in given.values()) else None
    sum_ = sum(percent for percent, _ in reviews)
    average = (2 * sum_ + len(reviews)) // (2 * len(reviews)) if reviews else 0
    return Line(agent_id, len(reviews), average, by_criterion)


def guarded(cell: object) -> str:
    """A cell of a CSV file that no spreadsheet runs as a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
