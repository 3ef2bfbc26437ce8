"""Rules shared by the supply journeys: what a place's situation means for this customer (C4, C5, C10)."""

import re
from datetime import UTC, datetime
from typing import Any

from bot.actions.desk import Json
from bot.actions.place import address_of
from bot.actions.times import Bilingual, parse_time, spoken_length, spoken_time
from bot.actions.turn import Turn

_ONLY_US = re.compile(
    r"(?:就|只有?|仅|单单?)(?:是)?(?:我|咱|俺|我们|咱们)(?:们)?(?:一)?(?:家|户|屋|这家|这户)|(?:我|咱)(?:们)?一家(?:停|没)|"
    r"(?:邻居|隔壁|对面|楼上|楼下|别人|别家|人家|其他人?家?|周围)(?:家|户|都|也|的)*(?:都)?(?:有电|有灯|亮着|来电了?|正常|没停|没事|有水)|"
    r"\b(?:only|just) (?:me|my|us|our|mine|the one)\b|\b(?:neighbou?rs?'?s?|others?|everyone else|rest of the building|next door)\b"
    r"(?!.{0,25}(?:\b(?:no|not|out|off|dark|without|too|also|same)\b|n't)).{0,25}"
    r"\b(?:have|has|got|is|are|back|fine|lit|on)\b",
    re.IGNORECASE,
)
_ALL_AROUND = re.compile(
    r"(?:整|全|一)(?:栋|幢|个小区|小区|楼|条街|条路|片|村|单元|层)|(?:邻居|隔壁|对面|楼上|楼下|周围|附近|大家|旁边|别人家?|家家|左邻右舍)"
    r".{0,6}(?:也|都|全)|(?:都|全)(?:停|黑|没电|没水|没得)|小区(?:都|全|停)|片区|"
    r"\b(?:whole|entire|all (?:the|of)|everyone|everybody|every house|street|block|neighbou?rhood|estate|"
    r"neighbou?rs? (?:too|also|as well|are|have no|don'?t|is)|building) ?(?:is|are|has|have|too|dark|out|off|down|lost|no)?\b",
    re.IGNORECASE,
)


_COMPLAIN = re.compile(r"投诉|投訴|举报|\bcomplain(?:t|ts|ing)?\b", re.IGNORECASE)
_OFF = re.compile(
    r"(?P<water>没水|停水|断水|没有水|无水|冇水|\bno water\b|water (?:is )?(?:off|out))"
    r"|(?P<power>停电|停電|没电|没有电|断电|冇电|\bno (?:power|electricity|light)\b|(?:power|electricity|lights?) (?:is |are |went )?(?:off|out|gone))",
    re.IGNORECASE,
)
_AND = re.compile(r"而且|并且|还要|另外|同时|顺便|也要|[,，。;；]|\b(?:and|also|plus)\b", re.IGNORECASE)


def wants_to_complain(words: str) -> bool:
    """Whether a message about supply also holds the wish to complain ("停电了，而且我要投诉")."""
    return bool(_COMPLAIN.search(words))


def supply_trouble(words: str) -> str | None:
    """power | water where a complaint also reports that supply is off; only beside another clause, so that a
    complaint *about* power cuts stays one."""
    match = _OFF.search(words)
    if not match or not _AND.search(words):
        return None
    return "water" if match["water"] else "power"


def scope_of(turn: Turn, *, asked: bool = False) -> str | None:
    """household | surroundings | unknown, from the entity or the words; None where nothing is said of it.

    `asked` lets a plain "I don't know" count as the answer "unknown".
    """
    scope = turn.entity("scope")
    if scope in ("household", "surroundings"):
        return str(scope)
    return scope_in(turn.words, asked=asked)


def scope_in(words: str, *, asked: bool = False) -> str | None:
    """The pure part of `scope_of`."""
    if _ONLY_US.search(words):
        return "household"
    if _ALL_AROUND.search(words):
        return "surroundings"
    if asked and re.search(
        r"不知道|不清楚|不晓得|没看|不确定|don'?t know|not sure|no idea|can'?t tell", words, re.IGNORECASE
    ):
        return "unknown"
    return None


def move(situation: Json, scope: str | None, own_ticket: str | None) -> tuple[str, Json]:
    """What to do about a place, and the outage or ticket it is about.

    In the order of C4–C10: planned now, fault in work, own order, somebody's open order here, predicted, nothing.
    A fault where only this household is dark may be a second one: the customer is asked, not sent away.
    """
    current = [o for o in situation.get("outages", []) if o.get("phase") == "current"]
    by_kind = {
        kind: next((o for o in current if o["kind"] == kind), None) for kind in ("planned", "fault", "predicted")
    }
    for kind in ("planned", "fault"):
        outage = by_kind[kind]
        if outage:
            return ("second" if scope == "household" else kind), outage
    orders: list[Json] = [t for t in situation.get("open_tickets", []) if t.get("kind") == "fault_report"]
    own = next((t for t in orders if own_ticket and t["number"] == own_ticket), None)
    if own:
        return "own_order", own
    shared = next((t for t in orders if not (t.get("scope") == "household" and scope == "household")), None)
    if shared:
        return "order", shared
    if by_kind["predicted"] and scope != "household":
        return "predicted", by_kind["predicted"]
    return "nothing", {}


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
