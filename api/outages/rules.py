"""The processes' rules for outages: statuses, what counts as current, when calls mean an outage (A6, C4). Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["planned", "fault", "predicted"]
Status = Literal["scheduled", "reported", "dispatched", "on_site", "repairing", "restored", "cancelled"]

ENDED = frozenset({"restored", "cancelled"})
#: From which status to which. What ended stays ended: the next cut is another outage with its own number (A6).
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "scheduled": frozenset({"on_site", "repairing", "restored", "cancelled"}),
    "reported": frozenset({"dispatched", "on_site", "repairing", "restored", "cancelled"}),
    "dispatched": frozenset({"on_site", "repairing", "restored", "cancelled"}),
    "on_site": frozenset({"dispatched", "repairing", "restored", "cancelled"}),
    "repairing": frozenset({"restored", "cancelled"}),
    "restored": frozenset(),
    "cancelled": frozenset(),
}
FIRST_STATUS: Mapping[str, Status] = {"planned": "scheduled", "fault": "reported", "predicted": "reported"}

#: C4: so many open fault reports below one asset within this time mean a likely outage.
REPORTS_THAT_MEAN_OUTAGE = 3
REPORTS_WITHIN = timedelta(minutes=30)
#: A single appliance circuit is no outage; what the caller does not know of the surroundings may be one.
SCOPES_THAT_COUNT = ("surroundings", "household", "unknown")
#: How far ahead an address is told of planned cuts (C10).
UPCOMING = timedelta(days=7)


def may_become(old: str, new: str) -> bool:
    """Whether an outage may go from one status to another; staying is allowed."""
    return old == new or new in TRANSITIONS[old]


def complaint_about(
    kind: str, starts_at: datetime, expected_end_at: datetime | None, ended_at: datetime | None = None
) -> tuple[str, str] | None:
    """(field, reason) where the times cannot stand, else None. A confirmed outage always has an expected end (C4)."""
    if expected_end_at is None and kind != "predicted":
        return "expected_end_at", "A confirmed outage always has an expected end."
    if expected_end_at is not None and expected_end_at <= starts_at:
        return "expected_end_at", "The expected end must be after the start."
    if ended_at is not None and ended_at < starts_at:
        return "ended_at", "An outage cannot end before it starts."
    return None


def is_active(
    status: str,
    starts_at: datetime,
    expected_end_at: datetime | None,
    ended_at: datetime | None,
    at: datetime,
    now: datetime,
) -> bool:
    """Whether supply is off at `at`, as known at `now`.

    Up to now an outage lasts until it was ended, however late that is; of a future moment only the expected end tells.
    """
    if status == "cancelled" or starts_at > at or (ended_at is not None and ended_at <= at):
        return False
    return at <= now or (expected_end_at is not None and expected_end_at > at)


def is_overdue(expected_end_at: datetime | None, ended_at: datetime | None, now: datetime) -> bool:
    """Expected to be over and not over: the time that was told no longer holds (B5)."""
    return ended_at is None and expected_end_at is not None and expected_end_at <= now


def phase(starts_at: datetime, at: datetime) -> Literal["current", "upcoming"]:
    return "upcoming" if starts_at > at else "current"


def means_outage(reports: int) -> bool:
    """Whether so many open reports of different callers below one asset are a likely outage (C4)."""
    return reports >= REPORTS_THAT_MEAN_OUTAGE
