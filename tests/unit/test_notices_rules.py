"""When customers may be told something, how, and what is worth telling."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from api.notices import rules
from api.notices.sentences import _texts, joined

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = [["22:00", "07:00"]]
UTILITY = [["12:00", "14:00"], ["21:00", "09:00"]]


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("fact", "now", "due"),
    [
        (NIGHT, "04T21:59", "04T21:59"),
        (NIGHT, "04T22:00", "05T07:00"),
        (NIGHT, "05T00:30", "05T07:00"),
        (NIGHT, "05T06:59", "05T07:00"),
        (NIGHT, "05T07:00", "05T07:00"),
        (None, "04T23:00", "05T07:00"),
        ([], "04T23:00", "04T23:00"),
        (UTILITY, "04T12:00", "04T14:00"),
        (UTILITY, "04T08:59", "04T09:00"),
        (UTILITY, "04T20:59", "04T20:59"),
        (UTILITY, "04T21:00", "05T09:00"),
        ([["22:00", "06:00"], ["06:00", "08:00"]], "04T23:00", "05T08:00"),  # one after the other
        ([["13:00", "15:00"], ["12:00", "14:00"]], "04T12:30", "04T15:00"),  # one into the other
        ([["00:00", "12:00"], ["12:00", "00:00"]], "04T10:00", "04T10:00"),  # around the clock: nothing is better
    ],
)
def test_nobody_is_disturbed_in_rest_hours(fact: object, now: str, due: str) -> None:
    moment = local(now).astimezone(UTC)
    assert rules.rest_ends(moment, rules.periods(fact), ZONE) == local(due)


@pytest.mark.parametrize(
    ("told", "expected", "worth"),
    [
        (None, 60, True),
        (60, 60, False),
        (60, 74, False),
        (60, 75, True),
        (60, 45, True),
        (60, 50, False),
        (60, -1, False),  # it is past already
        (60, None, False),
    ],
)
def test_small_moves_are_not_worth_a_message(told: int | None, expected: int | None, worth: bool) -> None:
    now = local("04T14:00")
    times = [None if minutes is None else now + timedelta(minutes=minutes) for minutes in (told, expected)]
    assert rules.worth_telling(times[0], times[1], now) is worth


@pytest.mark.parametrize(
    ("wechat", "phone", "texts", "channel"),
    [
        (True, "", False, "wechat"),
        (True, "+8613812345678", True, "wechat"),
        (False, "+8613812345678", True, "sms"),
        (False, "+862362801234", False, "call"),
        (False, "", False, None),
    ],
)
def test_everybody_is_told_in_one_way(wechat: bool, phone: str, texts: bool, channel: str | None) -> None:
    assert rules.channel_for(wechat=wechat, phone=phone, takes_texts=texts) == channel


def test_every_sentence_is_there_in_both_languages() -> None:
    for key, texts in _texts().items():
        assert set(texts) == {"zh", "en"}, key
        assert all(texts.values()), key
    assert joined("zh", "一。", "", "二。") == "一。二。"
    assert joined("en", "One.", "", "Two.") == "One. Two."
