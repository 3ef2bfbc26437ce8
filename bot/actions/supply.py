"""Rules shared by the supply journeys: what a place's situation means for this customer (C4, C5, C10). Pure."""

import re
from datetime import UTC, datetime
from typing import Any

from bot.actions.desk import Json
from bot.actions.place import address_of
from bot.actions.times import Bilingual, parse_time, spoken_length, spoken_time

#: Orders that say nothing of supply being off: a hazard is made safe first, and its crew restores nobody's supply.
_OTHER = frozenset({"hazard", "third_party", "voltage", "prepaid_card", "meter_switch", "water_quality"})


def move(situation: Json, scope: str | None, own_ticket: str | None) -> tuple[str, Json]:
    """What to do about a place, and the outage or ticket it is about.

    In the order of C4–C10: planned now, fault in work, own order, somebody's open order here, predicted, nothing.
    A fault where only this household is dark may be a second one: the customer is asked, not sent away.
    """
    current = [o for o in situation.get("outages", []) if o.get("phase") == "current"]
    by_kind = {
        kind: next((o for o in current if o["kind"] == kind), None) for kind in ("planned", "fault", "predicted")
    }
    orders: list[Json] = [
        t for t in situation.get("open_tickets", []) if t.get("kind") == "fault_report" and t.get("topic") not in _OTHER
    ]
    own = next((t for t in orders if own_ticket and t["number"] == own_ticket), None)
    for kind in ("planned", "fault"):
        outage = by_kind[kind]
        if outage and scope != "household":
            return kind, outage
        # The second fault may be what this customer reported before.
        if outage and not (own and own.get("scope") == "household"):
            return "second", outage
    if own:
        return "own_order", own
    # One home's order is no news for the next home in the house, nor the street's for a home that alone is dark.
    shared = next((t for t in orders if t.get("scope") != "household" and scope != "household"), None)
    if shared:
        return "order", shared
    if by_kind["predicted"] and scope != "household":
        return "predicted", by_kind["predicted"]
    return "nothing", {}


_ABOUT = {
    "power": re.compile(
        r"电(?![话子脑视梯邮])|线路|\bpower\b|electric|\blines?\b|\boutage\b|(?<!water )\bsupply\b", re.IGNORECASE
    ),
    "water": re.compile(
        r"水|管(?!理|家|辖)|\bwater\b|\bmains?\b|\bpipes?\b|(?<!power )(?<!electricity )\bsupply\b", re.IGNORECASE
    ),
}


def announced(situation: Json, utility: str) -> bool:
    """Whether a bulletin for this area, told with this very answer, is about this utility's supply (B18)."""
    texts = [f"{b['text_zh']} {b['text_en']}" for b in situation.get("bulletins", [])]
    return any(_ABOUT[utility].search(text) for text in texts)


STATUS: dict[str, Bilingual] = {
    "scheduled": {"zh": "已安排", "en": "scheduled"},
    "reported": {"zh": "已接到报告，正在核实", "en": "reported, being verified"},
    "dispatched": {"zh": "抢修人员已出发", "en": "a crew is on its way"},
    "on_site": {"zh": "抢修人员已到现场", "en": "a crew is on site"},
    "repairing": {"zh": "正在抢修", "en": "being repaired"},
    "restored": {"zh": "已恢复", "en": "restored"},
    "cancelled": {"zh": "已取消", "en": "cancelled"},
}
UNKNOWN_TIME = {"zh": "暂时还不能确定", "en": "not known yet"}


def describe(outage: Json, place: Json) -> dict[str, Any]:
    """The values that outage sentences name: address, cause, status, start, end, length."""
    now = datetime.now(UTC)
    start, end = parse_time(outage.get("starts_at")), parse_time(outage.get("expected_end_at"))
    ended = parse_time(outage.get("ended_at"))
    unknown_cause = {"zh": "原因还在查", "en": "the cause is still being looked into"}
    return {
        "address": address_of(place),
        "cause": {
            "zh": outage.get("cause_zh") or unknown_cause["zh"],
            "en": outage.get("cause_en") or unknown_cause["en"],
        },
        "status": STATUS.get(str(outage.get("status")), STATUS["reported"]),
        "start": spoken_time(start, now) if start else UNKNOWN_TIME,
        "end": spoken_time(end, now) if end else UNKNOWN_TIME,
        "ended": spoken_time(ended, now) if ended else UNKNOWN_TIME,
        "length": spoken_length(int((end - start).total_seconds() // 60)) if start and end else UNKNOWN_TIME,
    }


_CUTS: dict[tuple[str, bool], Bilingual] = {
    ("power", True): {"zh": "计划停电", "en": "planned power cut"},
    ("power", False): {"zh": "停电", "en": "power cut"},
    ("water", True): {"zh": "计划停水", "en": "planned water cut"},
    ("water", False): {"zh": "停水", "en": "water cut"},
}


def cause_of(outage: Json) -> tuple[str, Bilingual]:
    """The response that answers "why", and what the outage is called."""
    known = outage.get("cause_zh") or outage.get("cause_en")
    what = _CUTS[str(outage["utility"]), outage["kind"] == "planned"]
    return "utter_outage_cause" if known else "utter_outage_cause_unknown", what
