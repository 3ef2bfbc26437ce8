"""Which of a ticket's times runs now, and how near it is (D2, D3). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from api.tickets.rules import BEFORE_ON_SITE

#: A time that is so near asks for somebody's eye.
SOON = timedelta(minutes=15)
State = Literal["overdue", "soon", "later"]


@dataclass(frozen=True)
class Due:
    """The time that runs: the order at its unit (D2) or a crew on the spot (D3). `minutes` to it, or past it."""

    what: Literal["dispatch", "arrival"]
    at: datetime
    state: State
    minutes: int


def due_of(status: str, dispatch_due_at: datetime | None, arrival_due_at: datetime | None, now: datetime) -> Due | None:
    """The earliest time that is still to be kept; None once a crew is there, or where none was committed."""
    running: list[tuple[datetime, Literal["dispatch", "arrival"]]] = []
    if status == "received" and dispatch_due_at is not None:
        running.append((dispatch_due_at, "dispatch"))
    if status in BEFORE_ON_SITE and arrival_due_at is not None:
        running.append((arrival_due_at, "arrival"))
    if not running:
        return None
    at, what = min(running)
    state: State = "overdue" if at <= now else "soon" if at - now <= SOON else "later"
    return Due(what, at, state, int(abs(at - now) // timedelta(minutes=1)))
