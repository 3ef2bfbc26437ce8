"""Rules of bulletins: when one is in force and whom it concerns. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["scheduled", "current", "ended", "withdrawn"]
#: Characters of a text: about four sentences, as much as an ear takes in.
MOST_CHARACTERS = 300
#: Bulletins of one answer; the others come with the next ones.
MOST_AT_ONCE = 3


@dataclass(frozen=True)
class Announced:
    """A bulletin as it is told. It applies below an asset, in a place, or everywhere (both None)."""

    id: str
    asset_id: str | None
    place_id: str | None
    text_zh: str
    text_en: str
    starts_at: datetime
    ends_at: datetime

    @property
    def everywhere(self) -> bool:
        return self.asset_id is None and self.place_id is None


@dataclass(frozen=True)
class Area:
    """Where a customer is: places by id, and all assets that supply him."""

    places: frozenset[str] = frozenset()
    assets: frozenset[str] = frozenset()


NOWHERE = Area()


def state_of(starts_at: datetime, ends_at: datetime, withdrawn_at: datetime | None, now: datetime) -> State:
    """Where a bulletin is in its life; it applies from `starts_at` and until just before `ends_at`."""
    if withdrawn_at is not None:
        return "withdrawn"
    if now >= ends_at:
        return "ended"
    return "current" if starts_at <= now else "scheduled"


def complaint_about(starts_at: datetime, ends_at: datetime, now: datetime) -> tuple[str, str] | None:
    """Field and reason where these times cannot stand."""
    if ends_at <= starts_at:
        return "ends_at", "A bulletin ends after it starts."
    if ends_at <= now:
        return "ends_at", "The end lies in the past."
    return None


def concerns(bulletin: Announced, area: Area) -> bool:
    """Whether a bulletin is for a customer of this area."""
    return bulletin.everywhere or bulletin.asset_id in area.assets or bulletin.place_id in area.places


def to_tell(board: Iterable[Announced], area: Area, now: datetime) -> list[Announced]:
    """What is to be told in this area now: what is for everybody first, and of each the latest first."""
    found = [b for b in board if b.starts_at <= now < b.ends_at and concerns(b, area)]
    return sorted(found, key=lambda b: (not b.everywhere, -b.starts_at.timestamp(), b.id))
