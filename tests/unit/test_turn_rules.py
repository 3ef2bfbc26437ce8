"""Text, pace, patience and working time of conversations."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.conversations import rules
from api.conversations.sentences import _sentences, say

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  停电了 \n", "停电了"),
        ("a\x00b\x1b[0m", "ab[0m"),
        ("line\nbreak\ttab", "line\nbreak\ttab"),
        ("\u202etxt\u202c", "txt"),
        ("e\u0301", "é"),
        ("\u200b/restart", "/restart"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("\u200d/restart", "/restart"),
        ("\ud800x", "x"),
        ("", ""),
    ],
)
def test_normalise(raw: str, clean: str) -> None:
    assert rules.normalise(raw) == clean


@given(st.text())
def test_what_the_bot_sees_is_never_a_command(text: str) -> None:
    seen = rules.without_slash(rules.normalise(text))
    assert not seen.strip().startswith("/")
    assert rules.normalise(rules.normalise(text)) == rules.normalise(text)


@pytest.mark.parametrize(
    ("typed", "seen"),
    [("/restart", "restart"), ("//x", "x"), (" / /inform{}", "inform{}"), ("3/4", "3/4"), ("/", "")],
)
def test_without_slash(typed: str, seen: str) -> None:
    assert rules.without_slash(typed) == seen


def test_content_hash_tells_text_from_choice() -> None:
    assert rules.content_hash("text", "a") != rules.content_hash("choice", "a")
    assert rules.content_hash("text", "a") == rules.content_hash("text", "a")


def test_pace_allows_a_burst_then_one_per_second() -> None:
    mark = None
    for _ in range(5):
        pace = rules.next_slot(mark, NOW, burst=5, seconds=1.0)
        assert pace.allowed
        mark = pace.mark
    refused = rules.next_slot(mark, NOW, burst=5, seconds=1.0)
    assert not refused.allowed
    assert refused.wait == 1.0
    later = NOW + timedelta(seconds=1)
    assert (again := rules.next_slot(mark, later, burst=5, seconds=1.0)).allowed
    assert not rules.next_slot(again.mark, later, burst=5, seconds=1.0).allowed
    assert rules.next_slot(mark, NOW + timedelta(minutes=1), burst=5, seconds=1.0).mark == NOW + timedelta(seconds=61)


def test_backoff_grows_to_five_seconds() -> None:
    assert [rules.backoff(n) for n in (1, 2, 3, 4, 5, 6, 7, 100)] == [0.5, 0.5, 1, 2, 4, 5, 5, 5]
    # The customer is told of a delay at the try that falls on the third second at the latest.
    assert sum(rules.backoff(n) for n in (1, 2, 3)) == rules.DELAY_TOLD_AFTER


WEEKDAYS = {"from": "08:30", "to": "17:30", "days": [1, 2, 3, 4, 5]}


@pytest.mark.parametrize(
    ("fact", "local", "expected"),
    [
        (WEEKDAYS, "2026-03-04T10:00", "2026-03-04T10:00"),  # Wednesday, at work
        (WEEKDAYS, "2026-03-04T07:00", "2026-03-04T08:30"),
        (WEEKDAYS, "2026-03-04T17:30", "2026-03-05T08:30"),
        (WEEKDAYS, "2026-03-06T18:00", "2026-03-09T08:30"),  # Friday evening → Monday
        (WEEKDAYS, "2026-03-08T12:00", "2026-03-09T08:30"),
        ({**WEEKDAYS, "days": ["sun"]}, "2026-03-08T18:00", "2026-03-15T08:30"),
        ({"from": "08:00", "to": "22:00"}, "2026-03-07T23:00", "2026-03-08T08:00"),  # every day
        ({"from": "22:00", "to": "06:00"}, "2026-03-04T23:00", "2026-03-04T23:00"),  # over midnight
        ({"from": "22:00", "to": "06:00"}, "2026-03-04T03:00", "2026-03-04T03:00"),
        ({"from": "22:00", "to": "06:00"}, "2026-03-04T07:00", "2026-03-04T22:00"),
        ({}, "2026-03-04T03:00", "2026-03-04T03:00"),
    ],
)
def test_next_working_time(fact: dict[str, Any], local: str, expected: str) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI).astimezone(UTC)
    due = rules.next_working_time(now, rules.Hours.from_fact(fact), SHANGHAI)
    assert due == datetime.fromisoformat(expected).replace(tzinfo=SHANGHAI)
    assert due.tzinfo is UTC


def test_agents_who_never_work() -> None:
    with pytest.raises(ValueError, match="never"):
        rules.next_working_time(NOW, rules.Hours(rules.time(8), rules.time(9), frozenset()), SHANGHAI)


def test_every_sentence_exists_in_both_languages() -> None:
    for key, texts in _sentences().items():
        assert set(texts) == {"zh", "en"}, key
        assert "抱歉" not in texts["zh"], key
        assert " " not in texts["zh"].replace(" {", "{").replace("} ", "}"), key


def test_without_a_language_both_are_said() -> None:
    both = say("greeting", None)
    assert say("greeting", "zh") in both
    assert say("greeting", "en") in both


@pytest.mark.parametrize(
    ("waits", "minutes"),
    [([], None), ([60, 70], None), ([1, 2, 3], 1), ([60, 60, 60], 1), ([61, 10, 900], 2), ([60, 120, 180, 240], 3)],
)
def test_an_expected_wait_is_the_median_of_enough_in_whole_minutes(waits: list[int], minutes: int | None) -> None:
    """B5: no promise where too little is known."""
    assert rules.expected_wait(waits) == minutes
