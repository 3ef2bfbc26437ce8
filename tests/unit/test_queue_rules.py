"""Who serves whom, what a silence leads to, when a place is told again: the pure rules, by table."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from api.conversations import rules
from api.conversations.notes import mentioned
from api.conversations.rules import Seat, Waiting
from api.conversations.sentences import DATA

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
SUITED = timedelta(minutes=3)


def seat(
    name: str = "li", languages: str = "zh", skills: str = "", open: int = 0, idle: int = 0, room: int = 5
) -> Seat:
    since = NOW - timedelta(minutes=idle)
    return Seat(name, frozenset(languages.split()), frozenset(skills.split()), open, room, since)


def waiting(
    id: str = "cv",
    language: str | None = "zh",
    skill: str = "",
    priority: int = 4,
    waited: int = 1,
    by: str | None = None,
) -> Waiting:
    return Waiting(id, priority, NOW - timedelta(minutes=waited), language, skill, by)


@pytest.mark.parametrize(
    ("languages", "skills", "language", "skill", "expected"),
    [
        ("zh", "", "zh", "", True),
        ("zh", "", "en", "", False),
        ("zh en", "", "en", "", True),
        ("zh", "", None, "", True),
        ("", "", "en", "power", True),  # nothing named: anything
        ("zh", "", "zh", "water", True),  # no skills: anything
        ("zh", "power", "zh", "water", False),
        ("zh", "power", "zh", "", True),
        ("zh", "power water", "zh", "water", True),
        ("zh", "water", "en", "water", False),
    ],
)
def test_whom_an_agent_suits(languages: str, skills: str, language: str | None, skill: str, expected: bool) -> None:
    assert rules.suits(seat("li", languages, skills), waiting("cv", language, skill)) is expected


@pytest.mark.parametrize(
    ("named", "expected"),
    [([], set()), (["power"], {"power"}), (["Complaints", "vip"], {"complaint"}), (["meter", 3], set())],
)
def test_the_skills_that_queues_know(named: list[Any], expected: set[str]) -> None:
    assert rules.skills_of(named) == expected


def test_the_order_in_which_an_agent_is_offered_what_waits() -> None:
    queue = [
        waiting("late", waited=2),
        waiting("let lie", priority=2, waited=9, by="li"),
        waiting("english", "en", waited=2),
        waiting("english, long", "en", waited=4),
        waiting("danger, english", "en", priority=1, waited=0),
        waiting("urgent", priority=3, waited=0),
    ]
    order = [each.conversation_id for each in rules.in_order(seat(), queue, NOW, SUITED)]
    assert order == ["danger, english", "urgent", "english, long", "late", "let lie"]


@pytest.mark.parametrize(
    ("seats", "who", "expected"),
    [
        ([], waiting(), None),
        ([seat("a", open=2), seat("b", open=1)], waiting(), "b"),
        ([seat("a", idle=1), seat("b", idle=9)], waiting(), "b"),
        ([seat("a", room=2, open=2)], waiting(), None),
        ([seat("a", room=2, open=2), seat("b", open=4)], waiting(), "b"),
        ([seat("a")], waiting(by="a"), None),
        ([seat("a")], waiting(language="en"), None),
        ([seat("a")], waiting(language="en", waited=3), "a"),
        ([seat("a"), seat("b", "en", open=4)], waiting(language="en", waited=3), "b"),
        ([seat("a")], waiting(language="en", priority=1, waited=0), "a"),
        ([seat("a", skills="water"), seat("b", skills="power", open=3)], waiting(skill="power"), "b"),
    ],
)
def test_who_gets_a_conversation(seats: list[Seat], who: Waiting, expected: str | None) -> None:
    best = rules.best_seat(seats, who, NOW, SUITED)
    assert (best.agent_id if best else None) == expected


@pytest.mark.parametrize(
    ("unanswered", "reminded", "gone", "expected"),
    [
        (119, None, False, ""),
        (120, None, False, "remind"),
        (299, 179, False, ""),
        (300, 180, False, "pass"),
        (300, None, False, "remind"),  # after a stop of the desk: nobody loses it unwarned
        (310, 10, False, ""),
        (490, 180, False, "pass"),
        (119, None, True, ""),
        (120, None, True, "pass"),
    ],
)
def test_what_silence_leads_to(unanswered: int, reminded: int | None, gone: bool, expected: str) -> None:
    ago = None if reminded is None else timedelta(seconds=reminded)
    found = rules.silence(timedelta(seconds=unanswered), ago, gone=gone, remind_seconds=120, pass_seconds=300)
    assert found == expected


LIMIT = {"better_minutes": 2, "again_minutes": 10, "times": {"web": 3, "wechat": 1}}


@pytest.mark.parametrize(
    ("place", "told", "minutes", "times", "channel", "expected"),
    [
        (2, 3, 1, 0, "web", False),
        (2, 3, 2, 0, "web", True),
        (3, 3, 2, 0, "web", False),
        (4, 3, 9, 0, "web", False),
        (4, 3, 10, 0, "web", True),
        (1, 0, 2, 0, "web", True),
        (1, 9, 60, 3, "web", False),
        (1, 9, 60, 0, "wechat", True),
        (1, 9, 60, 1, "wechat", False),
        (1, 9, 60, 0, "voice", False),
    ],
)
def test_when_a_place_is_told_again(
    place: int, told: int, minutes: int, times: int, channel: str, expected: bool
) -> None:
    assert rules.tells_place(place, told, timedelta(minutes=minutes), times, LIMIT, channel) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@wang please", {"wang"}),
        ("@WANG, @Li: look", {"wang", "li"}),
        ("@wang请看一下", {"wang"}),
        ("@wangfang", set()),
        ("@wang_2", set()),
        ("ask wang", set()),
        ("@张三请看", {"张三"}),
        ("@li.na and @li.", {"li.na", "li"}),
        ("mail me at x@li", {"li"}),
        ("@@li", {"li"}),
        ("@", set()),
    ],
)
def test_who_is_named_in_a_note(text: str, expected: set[str]) -> None:
    assert mentioned(text, ["wang", "li", "li.na", "张三"]) == expected


def test_the_limits_make_sense() -> None:
    limits = yaml.safe_load((DATA / "limits.yml").read_text(encoding="utf-8"))
    silent = limits["agent_silent"]
    assert silent["remind_seconds"] < silent["pass_seconds"]
    assert silent["urgent_remind_seconds"] < silent["urgent_pass_seconds"] <= silent["pass_seconds"]
    assert limits["assignment"] in ("claim", "automatic")
    assert limits["waiting_place"]["times"]["wechat"] <= 1, "WeChat lets us write a few messages only"
