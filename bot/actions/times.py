"""Times as people say them: local, relative to today, in both languages."""

import os
from datetime import datetime
from zoneinfo import ZoneInfo

Bilingual = dict[str, str]


def local_zone() -> ZoneInfo:
    """The utility's time zone (MAINSDESK_TIMEZONE)."""
    return ZoneInfo(os.environ.get("MAINSDESK_TIMEZONE") or "Asia/Shanghai")


def spoken_time(moment: datetime, now: datetime) -> Bilingual:
    """`今天14:30` / `today at 14:30`; further off with month and day. Both arguments are aware."""
    zone = local_zone()
    at, today = moment.astimezone(zone), now.astimezone(zone).date()
    clock = f"{at:%H:%M}"
    days = (at.date() - today).days
    near = {
        0: ("今天", "today"),
        1: ("明天", "tomorrow"),
        2: ("后天", "the day after tomorrow"),
        -1: ("昨天", "yesterday"),
    }
    if days in near:
        zh, en = near[days]
        return {"zh": f"{zh}{clock}", "en": f"{en} at {clock}"}
    return {"zh": f"{at.month}月{at.day}日{clock}", "en": f"{at.day} {at:%B} at {clock}"}


def spoken_length(minutes: int) -> Bilingual:
    """A duration: `约2小时30分钟` / `about 2 h 30 min`."""
    hours, rest = divmod(max(minutes, 0), 60)
    if hours and rest:
        return {"zh": f"约{hours}小时{rest}分钟", "en": f"about {hours} h {rest} min"}
    if hours:
        return {"zh": f"约{hours}小时", "en": f"about {hours} hour{'s' if hours > 1 else ''}"}
    if not rest:
        return {"zh": "不到1分钟", "en": "less than a minute"}
    return {"zh": f"约{rest}分钟", "en": f"about {rest} minute{'s' if rest > 1 else ''}"}


def parse_time(text: str | None) -> datetime | None:
    """An RFC 3339 time of the API."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None


def spoken_number(number: str) -> str:
    """A ticket number in groups of four, easy to copy and to read out."""
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))
