"""Outages: order of statuses, what counts as current, what the times must be (A6, C4)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.outages import rules
from api.outlets.rules import distance, is_open

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def local(day: int, hour: int, minute: int) -> datetime:
    """In March 2026 in Shanghai; the 4th is a Wednesday."""
    return datetime(2026, 3, day, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("scheduled", "repairing", True),
        ("scheduled", "reported", False),
        ("reported", "dispatched", True),
        ("reported", "scheduled", False),
        ("dispatched", "on_site", True),
        ("on_site", "dispatched", True),  # this crew cannot mend it, another one is sent
        ("repairing", "reported", False),
        ("repairing", "restored", True),
        ("restored", "repairing", False),
        ("cancelled", "scheduled", False),
        ("restored", "restored", True),
    ],
)
def test_order_of_statuses(old: str, new: str, allowed: bool) -> None:
    assert rules.may_become(old, new) is allowed


def test_every_status_can_end_or_has_ended() -> None:
    for status, following in rules.TRANSITIONS.items():
        assert following >= rules.ENDED or status in rules.ENDED
        assert not following & {status}


@pytest.mark.parametrize(
    ("status", "starts", "expected", "ended", "at", "active"),
    [
        ("repairing", -2, 2, None, 0, True),
        ("repairing", -2, -1, None, 0, True),  # late, and still off
        ("reported", -2, None, None, 0, True),
        ("restored", -2, 2, -1, 0, False),
        ("restored", -3, 2, -1, -2, True),  # asked about a time when it was off
        ("cancelled", -2, 2, None, 0, False),
        ("scheduled", 1, 2, None, 0, False),
        ("scheduled", 1, 3, None, 2, True),
        ("scheduled", 1, 3, None, 3, False),
        ("repairing", -2, -1, None, 5, False),  # nobody knows about the future of a late one
        ("reported", -2, None, None, 5, False),
    ],
)
def test_active(status: str, starts: int, expected: int | None, ended: int | None, at: int, active: bool) -> None:
    def time(hours: int | None) -> datetime | None:
        return None if hours is None else NOW + hours * HOUR

    assert rules.is_active(status, NOW + starts * HOUR, time(expected), time(ended), NOW + at * HOUR, NOW) is active


def test_a_confirmed_outage_needs_its_expected_end() -> None:
    assert rules.complaint_about("predicted", NOW, None) is None
    for kind in ("fault", "planned"):
        assert rules.complaint_about(kind, NOW, None) is not None
        assert rules.complaint_about(kind, NOW, NOW + HOUR) is None
        assert rules.complaint_about(kind, NOW, NOW) is not None
    assert rules.complaint_about("fault", NOW, NOW + HOUR, NOW - HOUR) is not None


def test_overdue_is_late_and_not_ended() -> None:
    assert rules.is_overdue(NOW, None, NOW)
    assert not rules.is_overdue(NOW + HOUR, None, NOW)
    assert not rules.is_overdue(NOW - HOUR, NOW, NOW)
    assert not rules.is_overdue(None, None, NOW)


def test_three_reports_mean_an_outage() -> None:
    assert [rules.means_outage(n) for n in (0, 2, 3, 9)] == [False, False, True, True]


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (local(4, 8, 29), False),
        (local(4, 8, 30), True),
        (local(4, 12, 30), False),
        (local(4, 17, 30), False),
        (local(7, 10, 0), False),
    ],
)
def test_opening_hours(at: datetime, expected: bool) -> None:
    assert is_open({"wed": ["08:30-12:00", "13:00-17:30"], "sat": []}, at) is expected


def test_round_the_clock_has_no_gap() -> None:
    hours = {"wed": ["00:00-24:00"]}
    assert is_open(hours, local(4, 0, 0))
    assert is_open(hours, local(4, 23, 59))


def test_nearness() -> None:
    assert distance("a", "东", "a", "东") == 0
    assert distance("b", "东", "a", "东") == 1
    assert distance("b", "西", "a", "东") == 2
    assert distance(None, "", None, None) == 2
