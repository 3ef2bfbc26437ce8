"""Opening hours, in local time. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_open(hours: Mapping[str, Sequence[str]], local: datetime) -> bool:
    """Whether one of the day's spans (`08:30-17:30`, `00:00-24:00`) holds the local time."""
    clock = f"{local:%H:%M}"
    spans = (span.split("-") for span in hours.get(DAYS[local.weekday()], ()))
    return any(start <= clock < end for start, end in spans)


def distance(outlet_place: str | None, outlet_district: str, place: str | None, district: str | None) -> int:
    """0 at the same place, 1 in the same district, 2 elsewhere."""
    if place is not None and outlet_place == place:
        return 0
    return 1 if district and outlet_district == district else 2
