"""When customers may be told something, and what is worth telling. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

#: Nobody is disturbed then, unless the utility says otherwise (fact `rest_hours`, `notice_rest_hours`); local time.
REST_HOURS: Sequence[Sequence[str]] = (("22:00", "07:00"),)
#: An expected end that moves by less is not worth a message.
WORTH_TELLING = timedelta(minutes=15)

Periods = tuple[tuple[time, time], ...]


def periods(fact: Any) -> Periods:
    """Rest hours out of the utility's fact [["21:00", "09:00"], …]; the default where it says none.

    An empty list means that there are none.
    """
    given = REST_HOURS if fact is None else fact
    return tuple((time.fromisoformat(str(start)), time.fromisoformat(str(end))) for start, end in given)


def as_data(resting: Periods) -> list[list[str]]:
    """Rest hours as `periods` takes them."""
    return [[f"{start:%H:%M}", f"{end:%H:%M}"] for start, end in resting]


def rest_ends(now: datetime, resting: Iterable[tuple[time, time]], zone: ZoneInfo) -> datetime:
    """The first moment from `now` on at which a customer may be disturbed; `now` itself outside rest hours.

    Periods may go over midnight and may touch each other. In the zone of `now`.
    """
    moment, spans = now, tuple(resting)
    for _ in range(2 * len(spans) + 1):
        local = moment.astimezone(zone)
        end = next((e for span in spans if (e := _end_of(local, *span, zone)) is not None), None)
        if end is None:
            return moment
        moment = end.astimezone(now.tzinfo)
    return now  # they rest around the clock: no hour is better than this one


def seconds_of_rest(resting: Any, now: datetime, zone: ZoneInfo) -> float:
    """Seconds until somebody with these rest hours (`as_data`) may be disturbed; 0 where there are none."""
    return (rest_ends(now, periods(resting), zone) - now).total_seconds() if resting else 0.0


def _end_of(local: datetime, start: time, end: time, zone: ZoneInfo) -> datetime | None:
    """When the period that `local` lies in ends; None where it lies outside."""
    for days in (-1, 0):
        day = (local + timedelta(days=days)).date()
        begins, ends = datetime.combine(day, start, zone), datetime.combine(day, end, zone)
        if ends <= begins:
            ends += timedelta(days=1)
        if begins <= local < ends:
            return ends
    return None


def worth_telling(told: datetime | None, expected: datetime | None, now: datetime) -> bool:
    """Whether customers should hear of a new expected end. `told` is the one they last heard of."""
    if expected is None or expected <= now:
        return False
    return told is None or abs(expected - told) >= WORTH_TELLING


def channel_for(*, wechat: bool, phone: str, takes_texts: bool) -> str | None:
    """How somebody is told: where he wrote from, if that was WeChat; else by SMS, or a call to a landline.

    None where there is no way: a web page that was closed hears nothing.
    """
    if wechat:
        return "wechat"
    if not phone:
        return None
    return "sms" if takes_texts else "call"
