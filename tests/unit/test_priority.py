"""Priority from the customer's profile (C20)."""

import pytest

from api.tickets.rules import Profile, priority_of, utility_of_danger

LIFE, KEY, BOTH = Profile(life_support=True), Profile(key_account=True), Profile(life_support=True, key_account=True)


@pytest.mark.parametrize(
    ("kind", "danger", "scope", "profile", "priority"),
    [
        ("fault_report", True, "household", None, 1),
        ("fault_report", True, "surroundings", BOTH, 1),
        ("complaint", True, "unknown", None, 1),
        ("fault_report", False, "household", LIFE, 2),
        ("fault_report", False, "surroundings", BOTH, 2),
        ("fault_report", False, "surroundings", None, 3),
        ("fault_report", False, "household", KEY, 3),
        ("fault_report", False, "household", None, 4),
        ("fault_report", False, "unknown", Profile(), 4),
        ("damage_claim", False, "household", KEY, 4),
        ("complaint", False, "unknown", LIFE, 5),
        ("service_request", False, "unknown", None, 5),
        ("enquiry", False, "surroundings", BOTH, 5),
    ],
)
def test_the_table(kind: str, danger: bool, scope: str, profile: Profile | None, priority: int) -> None:
    assert priority_of(kind, danger=danger, scope=scope, profile=profile) == priority


def test_who_deals_with_a_danger() -> None:
    assert utility_of_danger("wet_electrics") == "power"
    assert utility_of_danger("drowning") == "water"
