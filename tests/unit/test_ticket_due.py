"""Which of a ticket's times runs, how near it is (D2, D3), and of what its customer is still to be told (D4, D5)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.tickets.due import due_of
from api.tickets.news import grouped, sentence, untold

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)


def at(minutes: float | None) -> datetime | None:
    return None if minutes is None else NOW + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("status", "dispatch", "arrival", "expected"),
    [
        ("received", 2, 45, ("dispatch", "soon", 2)),
        ("received", -3, 40, ("dispatch", "overdue", 3)),
        ("received", 0, 45, ("dispatch", "overdue", 0)),
        ("received", None, 45, ("arrival", "later", 45)),
        ("received", None, None, None),
        ("dispatched", -3, 40, ("arrival", "later", 40)),
        ("accepted", -3, 15, ("arrival", "soon", 15)),
        ("accepted", -3, 15.5, ("arrival", "later", 15)),
        ("transferred", -3, -1, ("arrival", "overdue", 1)),
        ("returned", -3, -1, ("arrival", "overdue", 1)),
        ("on_site", -3, -1, None),
        ("repaired", -3, -1, None),
        ("cancelled", -3, -1, None),
    ],
)
def test_the_time_that_runs(
    status: str, dispatch: float | None, arrival: float | None, expected: tuple[str, str, int] | None
) -> None:
    due = due_of(status, at(dispatch), at(arrival), NOW)
    assert (due and (due.what, due.state, due.minutes)) == expected


def moved(status: str, **details: str) -> tuple[str, dict[str, Any]]:
    return "changed", {"new": {"status": status}, "details": details}


TOLD: tuple[str, dict[str, Any]] = ("told", {})
LATER: tuple[str, dict[str, Any]] = ("changed", {"details": {"eta": "2026-03-04T07:00:00+00:00"}})
EXPECTED: tuple[str, dict[str, Any]] = ("changed", {"details": {"expected": "2026-03-04T07:00:00+00:00"}})


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], ""),
        ([("created", {"priority": 4})], ""),
        ([moved("dispatched"), moved("accepted")], ""),
        ([moved("dispatched"), moved("accepted", eta="2026-03-04T07:00:00+00:00")], "expected"),
        ([moved("dispatched"), LATER, moved("accepted")], "expected"),
        ([moved("on_site")], "on_site"),
        ([moved("on_site"), EXPECTED], "on_site"),
        ([moved("on_site"), TOLD], ""),
        ([moved("on_site"), TOLD, EXPECTED], "expected"),
        ([moved("on_site"), moved("repaired")], "repaired"),
        ([moved("repaired"), ("note", {"text": "x"})], "repaired"),
        ([moved("repaired"), EXPECTED], "repaired"),
        ([moved("repaired"), moved("customer_informed")], ""),
        ([moved("repaired"), moved("on_site")], "on_site"),
        ([moved("on_site"), moved("cancelled")], ""),
        ([LATER, moved("returned")], ""),
        ([("changed", {"details": {"cause": "fuse"}})], ""),
    ],
)
def test_what_is_still_to_be_told(events: list[tuple[str, dict[str, Any]]], expected: str) -> None:
    assert untold(events) == expected


def test_news_in_both_languages_with_local_times() -> None:
    details = {"expected": "2026-03-04T07:30:00+00:00", "crew": "x"}
    assert sentence("123456789012", "on_site", details, "en", UTC).endswith("Expected to be restored at 07:30.")
    assert sentence("123456789012", "on_site", {"expected": "soon"}, "zh", UTC).endswith("请告诉客户。")
    assert grouped("123456789012") == "1234 5678 9012"
