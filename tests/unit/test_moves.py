"""What a place's situation means for one customer: planned, known, reported, inferred, or new (C4, C5, C10, C20)."""

from typing import Any

import pytest

from bot.actions.supply import UNKNOWN_TIME, announced, describe, move

PLANNED = {"id": "o-planned", "kind": "planned", "phase": "current"}
FAULT = {"id": "o-fault", "kind": "fault", "phase": "current"}
PREDICTED = {"id": "o-predicted", "kind": "predicted", "phase": "current"}
TOMORROW = {"id": "o-tomorrow", "kind": "planned", "phase": "upcoming"}


def order(number: str, scope: str = "surroundings", kind: str = "fault_report") -> dict[str, Any]:
    return {"number": number, "kind": kind, "topic": "outage", "scope": scope}


OWN = order("1")
HOME = order("2", "household")
STREET = order("3")
COMPLAINT = order("4", kind="complaint")

CASES = [
    # C4, C10: planned work comes first, whatever else is known.
    ("C10", [PLANNED], [], None, None, "planned", PLANNED),
    ("C10", [PLANNED, FAULT], [STREET], "surroundings", None, "planned", PLANNED),
    ("C10", [PLANNED], [], "unknown", None, "planned", PLANNED),
    # C10: a notice for later is no answer to a stop now.
    ("C10", [TOMORROW], [], None, None, "nothing", {}),
    ("C10", [TOMORROW, FAULT], [], None, None, "fault", FAULT),
    # C4, C5: a fault in work is told.
    ("C5", [FAULT], [], None, None, "fault", FAULT),
    ("C5", [FAULT], [], "surroundings", None, "fault", FAULT),
    ("C5", [FAULT], [STREET], "unknown", None, "fault", FAULT),
    ("C5", [PREDICTED, FAULT], [], None, None, "fault", FAULT),
    ("C5", [FAULT], [OWN], None, "1", "fault", FAULT),
    # C5, C14: neighbours have light, so it may be a second fault.
    ("C5", [FAULT], [], "household", None, "second", FAULT),
    ("C10", [PLANNED], [], "household", None, "second", PLANNED),
    # C4: … unless this customer has reported just that already.
    ("C4", [FAULT], [HOME], "household", "2", "own_order", HOME),
    # C4: an order filed for the street before says nothing of this home.
    ("C4", [FAULT], [OWN], "household", "1", "second", FAULT),
    # C4: own order, then somebody's at this place.
    ("C4", [], [STREET, OWN], None, "1", "own_order", OWN),
    ("C4", [PREDICTED], [OWN], None, "1", "own_order", OWN),
    ("C4", [], [HOME], "household", "2", "own_order", HOME),
    ("C4", [], [STREET], None, "9", "order", STREET),
    ("C4", [], [STREET], None, None, "order", STREET),
    # C4: the street's order is no news of a home that alone is dark, nor one home's for the next in the house.
    ("C4", [], [STREET], "household", None, "nothing", {}),
    ("C4", [], [HOME], "surroundings", None, "nothing", {}),
    ("C4", [], [HOME], None, None, "nothing", {}),
    ("C4", [PREDICTED], [STREET], "surroundings", None, "order", STREET),
    # C20: two homes in one building are two orders, each with its own priority.
    ("C20", [], [HOME], "household", None, "nothing", {}),
    ("C20", [], [HOME, STREET], "household", None, "nothing", {}),
    ("C4", [], [HOME, STREET], "surroundings", None, "order", STREET),
    # C4: only fault reports count as reported.
    ("C4", [], [COMPLAINT], None, None, "nothing", {}),
    ("C4", [], [COMPLAINT], None, "4", "nothing", {}),
    # C4: inferred from earlier calls; not where only this home is dark.
    ("C4", [PREDICTED], [], None, None, "predicted", PREDICTED),
    ("C4", [PREDICTED], [], "unknown", None, "predicted", PREDICTED),
    ("C4", [PREDICTED], [], "surroundings", None, "predicted", PREDICTED),
    ("C4", [PREDICTED], [], "household", None, "nothing", {}),
    # C8: nothing known.
    ("C8", [], [], None, None, "nothing", {}),
    ("C8", [], [], "household", "7", "nothing", {}),
]


@pytest.mark.parametrize(("process", "outages", "tickets", "scope", "own", "what", "subject"), CASES)
def test_the_move(
    process: str,
    outages: list[dict[str, Any]],
    tickets: list[dict[str, Any]],
    scope: str | None,
    own: str | None,
    what: str,
    subject: dict[str, Any],
) -> None:
    assert move({"outages": outages, "open_tickets": tickets}, scope, own) == (what, subject), process


def test_an_empty_situation_holds_nothing() -> None:
    assert move({}, None, None) == ("nothing", {})


def test_an_outage_is_described_in_both_languages_and_only_with_what_is_known() -> None:
    told = describe(
        {
            "status": "dispatched",
            "cause_zh": "变压器故障",
            "cause_en": None,
            "starts_at": "2025-06-10T06:00:00Z",
            "expected_end_at": None,
        },
        {"address_zh": "茉莉花园3栋", "address_en": "Jasmine Garden 3", "detail": "501"},
    )
    assert told["address"] == {"zh": "茉莉花园3栋501", "en": "Jasmine Garden 3, 501"}
    assert told["cause"] == {"zh": "变压器故障", "en": "the cause is still being looked into"}
    assert told["status"]["en"] == "a crew is on its way"
    assert told["end"] == told["ended"] == told["length"] == UNKNOWN_TIME
    assert all(set(value) == {"zh", "en"} for value in told.values())


@pytest.mark.parametrize("status", ["no such status", None])
def test_an_unknown_status_claims_no_more_than_reported(status: str | None) -> None:
    assert describe({"status": status}, {})["status"]["en"] == "reported, being verified"


@pytest.mark.parametrize(
    ("zh", "en", "power", "water"),
    [
        ("今晚切换线路，会短时停电。", "Lines are switched tonight; expect a short cut.", True, False),
        ("弹子石爆管抢修。", "A main has burst at Danzishi.", False, True),
        ("明天营业厅休息。", "The hall is closed tomorrow.", False, False),
        ("今晚停水，服务电话不变。", "The water supply is stopped tonight; our phone number is as ever.", False, True),
        ("今晚停电，请联系物业管理处。", "The power supply is stopped tonight.", True, False),
    ],
)
def test_a_notice_for_the_area_is_about_one_utility(zh: str, en: str, power: bool, water: bool) -> None:
    """B18: only then is the customer asked whether it is what the notice says."""
    situation = {"bulletins": [{"text_zh": zh, "text_en": en}]}
    assert (announced(situation, "power"), announced(situation, "water")) == (power, water)
    assert not announced({}, "power")
