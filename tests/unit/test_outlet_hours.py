"""Opening hours of a week in one line (B4): nothing is said that the data does not hold (B5)."""

from typing import Any

import pytest

from bot.actions.information import hours_line

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OFFICE, HALF = ["08:30-17:30"], ["09:00-12:00"]


def week(*spans: list[str]) -> dict[str, list[str]]:
    return dict(zip(DAYS, spans, strict=True))


@pytest.mark.parametrize(
    ("hours", "zh", "en"),
    [
        (week(*[OFFICE] * 7), "周一至周日08:30-17:30", "Mon–Sun 08:30-17:30"),
        (
            week(*[OFFICE] * 5, [], []),
            "周一至周五08:30-17:30；周六至周日休息",
            "Mon–Fri 08:30-17:30; Sat–Sun closed",
        ),
        (
            week(*[OFFICE] * 5, HALF, []),
            "周一至周五08:30-17:30；周六09:00-12:00；周日休息",
            "Mon–Fri 08:30-17:30; Sat 09:00-12:00; Sun closed",
        ),
        (
            week(*[["08:30-12:00", "14:00-17:30"]] * 5, [], []),
            "周一至周五08:30-12:00、14:00-17:30；周六至周日休息",
            "Mon–Fri 08:30-12:00, 14:00-17:30; Sat–Sun closed",
        ),
        (
            week(OFFICE, [], OFFICE, OFFICE, [], HALF, HALF),
            "周一08:30-17:30；周二休息；周三至周四08:30-17:30；周五休息；周六至周日09:00-12:00",
            "Mon 08:30-17:30; Tue closed; Wed–Thu 08:30-17:30; Fri closed; Sat–Sun 09:00-12:00",
        ),
        # A day that is not in the data at all is one on which nobody is said to be there.
        ({"mon": OFFICE}, "周一08:30-17:30；周二至周日休息", "Mon 08:30-17:30; Tue–Sun closed"),
        ({**week(*[OFFICE] * 5, [], []), "sun": None}, "周一至周五08:30-17:30；周六至周日休息", None),
    ],
)
def test_equal_days_are_joined(hours: dict[str, Any], zh: str, en: str | None) -> None:
    line = hours_line(hours)
    assert line["zh"] == zh
    assert en is None or line["en"] == en


def test_unknown_hours_are_not_called_closed() -> None:
    line = hours_line({})
    assert "休息" not in line["zh"]
    assert "closed" not in line["en"]
    assert line == {"zh": "营业时间暂时不清楚", "en": "opening hours not known"}
