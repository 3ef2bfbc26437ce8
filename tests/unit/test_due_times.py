"""When a fault must have reached its unit (D2) and the crew the place (D3)."""

from datetime import UTC, datetime, timedelta

import pytest

from api.tickets.rules import due_times

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(("area", "minutes"), [("urban", 45), ("rural", 90), ("remote", 120)])
def test_a_fault_has_two_minutes_and_the_areas_time(area: str, minutes: int) -> None:
    assert due_times("fault_report", NOON, area) == (NOON + timedelta(minutes=2), NOON + timedelta(minutes=minutes))


def test_the_utility_may_promise_other_times() -> None:
    assert due_times("fault_report", NOON, "urban", {"urban": 30})[1] == NOON + timedelta(minutes=30)


@pytest.mark.parametrize("area", [None, "", "moon"])
def test_no_arrival_is_promised_where_the_place_is_unknown(area: str | None) -> None:
    assert due_times("fault_report", NOON, area) == (NOON + timedelta(minutes=2), None)


@pytest.mark.parametrize("kind", ["complaint", "damage_claim", "service_request", "enquiry"])
def test_only_faults_have_them(kind: str) -> None:
    assert due_times(kind, NOON, "urban") == (None, None)
