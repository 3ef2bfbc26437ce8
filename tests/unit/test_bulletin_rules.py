"""When a bulletin is in force, and whom it concerns."""

from datetime import UTC, datetime, timedelta

import pytest

from api.bulletins import rules
from api.bulletins.rules import NOWHERE, Announced, Area

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def announced(id: str = "b", starts: float = -1, ends: float = 1, **area: str) -> Announced:
    """Starting and ending so many hours from now."""
    return Announced(id, area.get("asset"), area.get("place"), "停电", "A cut", NOW + starts * HOUR, NOW + ends * HOUR)


@pytest.mark.parametrize(
    ("starts", "ends", "withdrawn", "state"),
    [
        (-1, 1, False, "current"),
        (0, 1, False, "current"),
        (1, 2, False, "scheduled"),
        (-2, 0, False, "ended"),
        (-2, -1, False, "ended"),
        (-1, 1, True, "withdrawn"),
        (-2, -1, True, "withdrawn"),
    ],
)
def test_states(starts: float, ends: float, withdrawn: bool, state: str) -> None:
    assert rules.state_of(NOW + starts * HOUR, NOW + ends * HOUR, NOW if withdrawn else None, NOW) == state


@pytest.mark.parametrize(("starts", "ends", "stands"), [(0, 1, True), (-3, 1, True), (1, 1, False), (2, 1, False),
                                                        (-3, 0, False), (-3, -1, False), (1, 2, True)])  # fmt: skip
def test_times_that_cannot_stand(starts: float, ends: float, stands: bool) -> None:
    assert (rules.complaint_about(NOW + starts * HOUR, NOW + ends * HOUR, NOW) is None) is stands


HETAI = Area(frozenset({"hetai"}), frozenset({"tr_1", "line_1", "ss_1", "valve_1", "plant_1"}))


@pytest.mark.parametrize(
    ("bulletin", "area", "concerned"),
    [
        (announced(), NOWHERE, True),
        (announced(), HETAI, True),
        (announced(asset="line_1"), HETAI, True),
        (announced(asset="plant_1"), HETAI, True),
        (announced(asset="line_2"), HETAI, False),
        (announced(asset="line_1"), NOWHERE, False),
        (announced(place="hetai"), HETAI, True),
        (announced(place="line_1"), HETAI, False),
        (announced(place="wanda"), HETAI, False),
    ],
)
def test_whom_it_concerns(bulletin: Announced, area: Area, concerned: bool) -> None:
    assert rules.concerns(bulletin, area) is concerned


def test_what_is_for_everybody_comes_first_and_the_latest_before_older_ones() -> None:
    board = [
        announced("area", asset="line_1"),
        announced("old", starts=-3),
        announced("new", starts=-1),
        announced("later", starts=1, ends=2),
        announced("over", starts=-3, ends=0),
        announced("other", asset="line_2"),
    ]
    assert [b.id for b in rules.to_tell(board, HETAI, NOW)] == ["new", "old", "area"]
    assert [b.id for b in rules.to_tell(board, NOWHERE, NOW)] == ["new", "old"]
