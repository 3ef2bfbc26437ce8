"""The processes' rules for tickets: status, priority, times, routing, wording. Pure: no clock, no database."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Kind = Literal["fault_report", "complaint", "damage_claim", "service_request", "enquiry"]
Status = Literal[
    "received",
    "dispatched",
    "accepted",
    "on_site",
    "repaired",
    "customer_informed",
    "followed_up",
    "closed",
    "transferred",
    "returned",
    "cancelled",
]

#: Categories of danger that are water's alone; every other one may be electric.
WATER_DANGERS = frozenset({"drowning"})

#: From which status to which (C19, D2-D5, D8, A3). What ended stays ended.
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "received": frozenset({"dispatched", "transferred", "returned", "cancelled"}),
    "dispatched": frozenset({"accepted", "transferred", "returned", "cancelled"}),
    "accepted": frozenset({"on_site", "transferred", "returned", "cancelled"}),
    "on_site": frozenset({"repaired", "transferred", "returned", "cancelled"}),
    "repaired": frozenset({"customer_informed", "on_site"}),
    "customer_informed": frozenset({"followed_up", "closed", "on_site"}),
    "followed_up": frozenset({"closed"}),
    "transferred": frozenset({"dispatched", "returned", "closed", "cancelled"}),
    "returned": frozenset({"dispatched", "transferred", "closed", "cancelled"}),
    "closed": frozenset(),
    "cancelled": frozenset(),
}
#: What needs no crew may be answered without one: the customer is informed straight from these.
ANSWERABLE_FROM = frozenset({"received", "dispatched", "accepted"})
NEEDS_CREW = frozenset({"fault_report"})
#: The customer may still cancel or correct: no crew is on the spot.
BEFORE_ON_SITE = frozenset({"received", "dispatched", "accepted", "transferred", "returned"})
#: The trouble itself is not yet over.
OPEN = BEFORE_ON_SITE | {"on_site"}
#: Nothing can happen to it any more.
ENDED = frozenset({"closed", "cancelled"})


def may_change(kind: str, old: str, new: str) -> bool:
    """Whether a ticket of this kind may go from one status to another."""
    answered = new == "customer_informed" and old in ANSWERABLE_FROM and kind not in NEEDS_CREW
    return answered or new in TRANSITIONS[old]


@dataclass(frozen=True)
class Profile:
    """What the customer's file says of a service point (C20)."""

    life_support: bool = False
    key_account: bool = False


ORDINARY_PRIORITY: Mapping[str, int] = {
    "fault_report": 4,
    "damage_claim": 4,
    "service_request": 5,
    "complaint": 5,
    "enquiry": 5,
}


def priority_of(kind: str, *, danger: bool = False, scope: str = "unknown", profile: Profile | None = None) -> int:
    """Priority 1 (danger to life) to 5 (can wait), C20: danger, then life support, then many or key customers."""
    profile = profile or Profile()
    if danger:
        return 1
    if kind == "fault_report":
        if profile.life_support:
            return 2
        if scope == "surroundings" or profile.key_account:
            return 3
    return ORDINARY_PRIORITY[kind]


def utility_of_danger(kind: str) -> Literal["power", "water"]:
    """Who deals with a danger: the water side where it is water's alone, else the power side."""
    return "water" if kind in WATER_DANGERS else "power"


DISPATCH_WITHIN = timedelta(minutes=2)
#: Minutes until a crew arrives (D3), where the utility's own facts say nothing else.
ARRIVAL_MINUTES: Mapping[str, int] = {"urban": 45, "rural": 90, "remote": 120}


def due_times(
    kind: str, created_at: datetime, area_class: str | None, commitments: Mapping[str, int] = ARRIVAL_MINUTES
) -> tuple[datetime | None, datetime | None]:
    """When a fault must have reached its unit (D2) and a crew the place (D3).

    Other kinds have neither; where the place is unknown there is no arrival time to promise (B5).
    """
    if kind != "fault_report":
        return None, None
    minutes = commitments.get(area_class or "")
    return created_at + DISPATCH_WITHIN, created_at + timedelta(minutes=minutes) if minutes else None


@dataclass(frozen=True)
class Route:
    """A row of the routing table; an empty column matches anything."""

    id: int
    unit_id: str
    rank: int = 100
    utility: str | None = None
    kind: str | None = None
    area_class: str | None = None
    district: str | None = None
    topic: str | None = None


def choose_unit(
    routes: Iterable[Route],
    *,
    utility: str,
    kind: str,
    area_class: str | None = None,
    district: str | None = None,
    topic: str | None = None,
) -> str | None:
    """The unit that gets the order (A3), None where no row matches.

    The most specific matching row wins: one that names the topic before one that names the district, then the kind,
    the area class, the utility (a 110 kV line is the transmission team's in every district). Then the lowest rank.
    """
    given = (topic, district, kind, area_class, utility)

    def wanted(route: Route) -> tuple[str | None, ...]:
        return (route.topic, route.district, route.kind, route.area_class, route.utility)

    def vagueness(route: Route) -> tuple[object, ...]:
        return (*(not column for column in wanted(route)), route.rank, route.id)

    matching = [
        route
        for route in routes
        if all(not column or column == value for column, value in zip(wanted(route), given, strict=True))
    ]
    best = min(matching, key=vagueness, default=None)
    return best.unit_id if best else None


def name_in(words: str, names: Iterable[str]) -> str | None:
    """The one of these names that an address no service point matched says (A3(2)); the longest wins."""
    found = [name for name in names if name and name.casefold() in words.casefold()]
    return max(found, key=len, default=None)


FILLERS = ("请核实", "电工已查", "请先联系", "强烈要求")
_FILLER = re.compile("|".join(FILLERS))
_STRAY_MARKS = re.compile(r"^[\s，,。；;、！!]+|(?<=[，,。；;、！!\s])[，,。；;、！!]+")


def order_text(words: str) -> str:
    """The words as they stand in an order (B16): one line, no fillers; unchanged if nothing would be left."""
    flat = " ".join(words.split())
    if not _FILLER.search(flat):
        return flat
    kept = _STRAY_MARKS.sub("", _FILLER.sub("", flat)).strip()
    return kept if re.search(r"\w", kept) else flat


def offending_words(text: str, *, confirmed_true: bool, liable: bool) -> Sequence[str]:
    """The words that may not stand in an order about to be closed (A8).

    "不存在" never in an order confirmed true; "无人员责任" never in a no-liability (无责) order.
    """
    banned = {"不存在": confirmed_true, "无人员责任": not liable}
    return [word for word, applies in banned.items() if applies and word in text]
