"""bot.sheet and bot.briefing: what the bot tells a person who takes over, and what that person tells the bot."""

import json
from typing import Any

import pytest

from bot.briefing import Briefing
from bot.sheet import MOST_PAST, put_away, sheet_of, skill_of

GUIDED = {
    "guide": "household_dark",
    "tried": [{"guide": "household_dark", "step": "neighbours", "answer": "lit"}],
    "scope": "household",
    "symptom": {"zh": "一户停电", "en": "No power in one household"},
    "account_number": "310045678901",
    "said": ["没电了，我的电话13812345678"],
    "balance": "positive",
}


def test_the_sheet_names_what_is_known_and_no_secret() -> None:
    sheet = sheet_of(
        {
            "journey": "outage",
            "step": "guide",
            "memory": GUIDED,
            "place": {"service_point_id": "sp1", "place_id": "p1", "address_zh": "和泰花园3栋", "resolved": True},
            "contact": {"phone": "13812345678", "on_file": "138****5678", "holder": "王", "told": ["1"]},
            "ticket": "123456789012",
            "later": [{"name": "complaint", "said": []}],
            "past": [{"journey": "water", "tried": [{"guide": "no_water", "step": "valve", "answer": "open"}]}],
            "briefing": {"summary": "crew at five"},
        },
        {"name": "guide", "zh": "总闸跳了吗？", "en": "Has the main switch tripped?"},
    )
    assert sheet == {
        "journey": "outage",
        "step": "guide",
        "question": {"name": "guide", "zh": "总闸跳了吗？", "en": "Has the main switch tripped?"},
        "place": {
            "address": {"zh": "和泰花园3栋", "en": None},
            "resolved": True,
            "service_point_id": "sp1",
            "place_id": "p1",
        },
        "contact": {"phone": "13812345678", "phone_on_file": "138****5678"},
        "ticket": "123456789012",
        "tried": [
            {"journey": "water", "guide": "no_water", "step": "valve", "answer": "open"},
            {"journey": "outage", "guide": "household_dark", "step": "neighbours", "answer": "lit"},
        ],
        "later": ["complaint"],
        "earlier": ["water"],
        "briefing": "crew at five",
        "scope": "household",
        "symptom": {"zh": "一户停电", "en": "No power in one household"},
        "verifying": "********8901",
        "readings": {"balance": "positive"},
    }
    assert "310045678901" not in json.dumps(sheet)


def test_an_empty_memory_is_an_empty_sheet() -> None:
    assert sheet_of({}) == {}
    assert sheet_of(dict.fromkeys(("journey", "memory", "place", "past", "briefing", "later"))) == {}


def test_what_was_tried_outlives_its_journey() -> None:
    past = put_away([], "outage", GUIDED)
    sheet = sheet_of({"past": put_away(past, "human", {"reason": "guide:household_dark"})})
    assert sheet["tried"] == [{"journey": "outage", **GUIDED["tried"][0]}]  # type: ignore[dict-item]
    assert sheet["earlier"] == ["outage"]


def test_put_away_journeys_are_few_and_stand_once() -> None:
    past: list[dict[str, Any]] = []
    for number in range(20):
        past = put_away(past, f"j{number}", {"scope": "household"})
        past = put_away(past, f"j{number}", {"scope": "household"})
    assert [one["journey"] for one in past] == [f"j{number}" for number in range(20 - MOST_PAST, 20)]
    assert put_away(past, None, {}) == past


SKILLS: list[tuple[dict[str, Any], str | None, str | None, str]] = [
    ({}, None, None, ""),
    ({}, "complaint", None, "complaint"),
    ({}, None, "water", "water"),
    ({"journey": "outage"}, None, None, "power"),
    ({"past": [{"journey": "water"}]}, None, None, "water"),
    ({"past": [{"journey": "water"}, {"journey": "complaint"}]}, None, None, "complaint"),
    ({"past": [{"journey": "others", "utility": "water"}]}, None, None, "water"),
    ({"past": [{"journey": "outage"}, {"journey": "bill"}]}, None, None, "power"),
    ({"past": [{"journey": "bill", "utility": "water"}]}, None, None, "water"),
    ({"journey": "bill", "memory": {"utility": "water"}}, None, None, "water"),
    ({"journey": "outage"}, "complaint", None, "complaint"),
]


@pytest.mark.parametrize(("slots", "wish", "utility", "skill"), SKILLS)
def test_the_skill_follows_what_it_was_about(
    slots: dict[str, Any], wish: str | None, utility: str | None, skill: str
) -> None:
    assert skill_of(slots, wish, utility) == skill


PLACE = {"service_point_id": "sp1", "address_zh": "和泰花园3栋", "address_en": "Building 3, Hetai Garden"}


def test_a_briefing_is_read_as_far_as_it_is_sound() -> None:
    assert Briefing.of({"summary": " crew \n at five ", "slots": {"ticket": "1234 5678 9012", **PLACE}}) == Briefing(
        summary="crew at five", ticket="123456789012", place={**PLACE, "resolved": True, "words": ""}
    )


@pytest.mark.parametrize("given", [None, {}, "crew", ["x"], 7])
def test_no_briefing_is_none(given: Any) -> None:
    assert Briefing.of(given) is None


@pytest.mark.parametrize(
    "slots",
    [None, [], {"ticket": 123456789012}, {"ticket": "12"}, {"service_point_id": "sp1"}, {"place": PLACE}, {"x": "y"}],
)
def test_what_is_not_as_it_should_be_is_left_out(slots: Any) -> None:
    assert Briefing.of({"summary": "s", "slots": slots}) == Briefing(summary="s")
