"""Times, lengths and numbers as customers read them, in the utility's own time zone."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.actions.times import local_zone, parse_time, spoken_length, spoken_number, spoken_time


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "moment", "now", "zh", "en"),
    [
        ("Asia/Shanghai", "2025-06-10T06:30", "2025-06-10T05:00", "今天14:30", "today at 14:30"),
        # Half past midnight in Shanghai is still the day before in UTC.
        ("Asia/Shanghai", "2025-06-10T16:30", "2025-06-10T15:00", "明天00:30", "tomorrow at 00:30"),
        ("Asia/Shanghai", "2025-06-10T16:30", "2025-06-10T16:10", "今天00:30", "today at 00:30"),
        ("Asia/Shanghai", "2025-06-10T15:59", "2025-06-10T16:01", "昨天23:59", "yesterday at 23:59"),
        ("Asia/Shanghai", "2025-06-12T04:00", "2025-06-10T04:00", "后天12:00", "the day after tomorrow at 12:00"),
        ("Asia/Shanghai", "2025-06-13T04:00", "2025-06-10T04:00", "6月13日12:00", "13 June at 12:00"),
        ("Asia/Shanghai", "2025-06-08T04:00", "2025-06-10T04:00", "6月8日12:00", "8 June at 12:00"),
        ("Asia/Shanghai", "2025-12-31T16:05", "2025-12-31T12:00", "明天00:05", "tomorrow at 00:05"),
        ("Asia/Shanghai", "2026-01-05T04:00", "2025-12-31T12:00", "1月5日12:00", "5 January at 12:00"),
        ("Asia/Shanghai", "2024-02-28T16:00", "2024-02-28T12:00", "明天00:00", "tomorrow at 00:00"),
        ("UTC", "2025-06-10T16:30", "2025-06-10T15:00", "今天16:30", "today at 16:30"),
        ("America/Los_Angeles", "2025-06-10T06:30", "2025-06-10T08:00", "昨天23:30", "yesterday at 23:30"),
        ("Asia/Kathmandu", "2025-06-10T18:20", "2025-06-10T18:00", "明天00:05", "tomorrow at 00:05"),
        # The night in which clocks go back an hour: 01:30 comes twice, and the day stays the same.
        ("Europe/Berlin", "2025-10-26T00:30", "2025-10-25T22:10", "今天02:30", "today at 02:30"),
        ("Europe/Berlin", "2025-10-26T01:30", "2025-10-25T22:10", "今天02:30", "today at 02:30"),
    ],
)
def test_a_time_is_local_and_relative_to_the_local_day(
    monkeypatch: pytest.MonkeyPatch, zone: str, moment: str, now: str, zh: str, en: str
) -> None:
    monkeypatch.setenv("MAINSDESK_TIMEZONE", zone)
    assert spoken_time(utc(moment), utc(now)) == {"zh": zh, "en": en}


def test_the_offset_of_the_arguments_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSDESK_TIMEZONE", "Asia/Shanghai")
    moment, now = utc("2025-06-10T16:30"), utc("2025-06-10T15:00")
    elsewhere = timezone(timedelta(hours=-7))
    assert spoken_time(moment.astimezone(elsewhere), now) == spoken_time(moment, now.astimezone(elsewhere))


def test_the_zone_is_shanghai_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAINSDESK_TIMEZONE", raising=False)
    assert local_zone().key == "Asia/Shanghai"
    monkeypatch.setenv("MAINSDESK_TIMEZONE", "")
    assert local_zone().key == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("minutes", "zh", "en"),
    [
        (-5, "不到1分钟", "less than a minute"),
        (0, "不到1分钟", "less than a minute"),
        (1, "约1分钟", "about 1 minute"),
        (45, "约45分钟", "about 45 minutes"),
        (60, "约1小时", "about 1 hour"),
        (90, "约1小时30分钟", "about 1 h 30 min"),
        (120, "约2小时", "about 2 hours"),
        (150, "约2小时30分钟", "about 2 h 30 min"),
        (1500, "约25小时", "about 25 hours"),
    ],
)
def test_a_length(minutes: int, zh: str, en: str) -> None:
    assert spoken_length(minutes) == {"zh": zh, "en": en}


@pytest.mark.parametrize(
    ("number", "spoken"),
    [("202506100042", "2025 0610 0042"), ("12345", "1234 5"), ("1", "1"), ("", "")],
)
def test_a_ticket_number_in_groups_of_four(number: str, spoken: str) -> None:
    assert spoken_number(number) == spoken


def test_times_of_the_api_are_aware() -> None:
    assert parse_time("2025-06-10T16:30:00Z") == utc("2025-06-10T16:30")
    assert parse_time("2025-06-11T00:30:00+08:00") == utc("2025-06-10T16:30")
    assert parse_time(None) is None
    assert parse_time("") is None
