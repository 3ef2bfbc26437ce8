"""The order in which a ticket's statuses may follow each other, and the wording of orders (B16, A8)."""

from itertools import pairwise
from typing import get_args

import pytest

from api.tickets.rules import (
    BEFORE_ON_SITE,
    ENDED,
    OPEN,
    TRANSITIONS,
    Kind,
    Status,
    may_change,
    offending_words,
    order_text,
)

STATUSES = get_args(Status)
KINDS = get_args(Kind)
CHAIN = ["received", "dispatched", "accepted", "on_site", "repaired", "customer_informed", "followed_up", "closed"]


def test_every_status_has_its_row() -> None:
    assert set(TRANSITIONS) == set(STATUSES)
    assert set().union(*TRANSITIONS.values()) == set(STATUSES) - {"received"}


def test_a_fault_goes_the_whole_way() -> None:
    assert all(may_change("fault_report", old, new) for old, new in pairwise(CHAIN))


@pytest.mark.parametrize(
    ("old", "allowed"),
    [
        ("received", {"dispatched", "transferred", "returned", "cancelled"}),
        ("dispatched", {"accepted", "transferred", "returned", "cancelled"}),
        ("accepted", {"on_site", "transferred", "returned", "cancelled"}),
        ("on_site", {"repaired", "transferred", "returned", "cancelled"}),
        ("repaired", {"customer_informed", "on_site"}),
        ("customer_informed", {"followed_up", "closed", "on_site"}),
        ("followed_up", {"closed"}),
        ("transferred", {"dispatched", "returned", "closed", "cancelled"}),
        ("returned", {"dispatched", "transferred", "closed", "cancelled"}),
        ("closed", set()),
        ("cancelled", set()),
    ],
)
def test_what_may_follow_in_a_fault_report(old: str, allowed: set[str]) -> None:
    assert {new for new in STATUSES if may_change("fault_report", old, new)} == allowed


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"fault_report"}))
def test_what_needs_no_crew_is_answered_without_one(kind: str) -> None:
    assert may_change(kind, "received", "customer_informed")
    assert may_change(kind, "accepted", "customer_informed")
    assert not may_change("fault_report", "accepted", "customer_informed")


def test_nothing_leaves_an_end_and_open_means_not_over() -> None:
    assert not any(may_change(kind, old, new) for kind in KINDS for old in ENDED for new in STATUSES)
    assert not OPEN & ENDED
    assert "on_site" not in BEFORE_ON_SITE


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("家里没电了，强烈要求，请核实。邻居有电", "家里没电了，邻居有电"),
        ("请核实，3栋停电", "3栋停电"),
        ("电工已查，总闸合不上。\n 请先联系", "总闸合不上。"),
        ("no power\n  since 8", "no power since 8"),
        ("水管爆了！！快来", "水管爆了！！快来"),
        ("强烈要求", "强烈要求"),
        ("", ""),
    ],
)
def test_fillers_are_dropped_from_orders(words: str, text: str) -> None:
    assert order_text(words) == text


@pytest.mark.parametrize(
    ("text", "true", "liable", "found"),
    [
        ("客户反映的情况不存在", True, True, ["不存在"]),
        ("客户反映的情况不存在", False, True, []),
        ("本次停电无人员责任", True, False, ["无人员责任"]),
        ("本次停电无人员责任", True, True, []),
        ("情况不存在，无人员责任", True, False, ["不存在", "无人员责任"]),
        ("已恢复供电", True, False, []),
    ],
)
def test_words_that_may_not_stand_in_a_closed_order(text: str, true: bool, liable: bool, found: list[str]) -> None:
    assert offending_words(text, confirmed_true=true, liable=liable) == found
