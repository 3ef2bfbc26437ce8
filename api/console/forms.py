"""What the forms of tickets and outages share: what is wrong in words and in the form's own place, times as written."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from api.console.pages import say_or, word
from api.console.session import SignedIn
from api.errors import Problem


@contextmanager
def in_words(me: SignedIn, where: str) -> Iterator[None]:
    """Say what is wrong with a form in the agent's words, in the element `where` of the form (a CSS selector)."""
    try:
        yield
    except ValidationError as error:
        fields = [str(one["loc"][0]) if one["loc"] else "other" for one in error.errors()]
        raise _said(422, _fields(fields, me.language), where) from error
    except Problem as problem:
        raise _said(problem.status, _problem(problem, me.language), where) from problem


def _said(status: int, words: str, where: str) -> Problem:
    return Problem(status, "said", words, headers={"HX-Retarget": where, "HX-Reswap": "innerHTML"})


def _fields(names: list[str], language: str) -> str:
    other = word("fields.other", language)
    return " ".join(dict.fromkeys(say_or(f"fields.{name}", other, language) for name in names))


def _problem(problem: Problem, language: str) -> str:
    if problem.type == "wording":
        return word("fields.wording", language, words="、".join(problem.extra.get("words", ())))
    if problem.type == "invalid" and (errors := problem.extra.get("errors")):
        return _fields([str(one["field"]).rpartition(".")[2] for one in errors], language)
    return say_or(f"problems.{problem.type}", problem.detail or word("problems.other", language), language)


def to_utc(written: str, zone: ZoneInfo, field: str) -> datetime | None:
    """The moment that a `datetime-local` input says, in UTC; None for an empty one, Problem 422 for what is none."""
    if not written.strip():
        return None
    try:
        moment = datetime.fromisoformat(written.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        errors = [{"field": f"body.{field}", "message": "This is not a time."}]
        raise Problem(422, "invalid", "Some fields are not valid.", errors=errors) from error


def as_written(moment: datetime | None, zone: ZoneInfo) -> str:
    """The value of a `datetime-local` input."""
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}" if moment else ""
