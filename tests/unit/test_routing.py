"""Which unit an order goes to (A3): data, of which the most specific row wins."""

import pytest

from api.tickets.rules import Route, choose_unit, name_in

ROUTES = [
    Route(1, "power-repair", utility="power"),
    Route(2, "water-repair", utility="water"),
    Route(3, "damage-desk", utility="power", kind="damage_claim"),
    Route(4, "transmission", utility="power", topic="line_110kv"),
    Route(5, "substation", utility="power", topic="substation"),
    Route(6, "village-power", utility="power", area_class="rural"),
    Route(7, "village-power", utility="power", area_class="remote"),
    Route(8, "yipin", district="巴南区"),
    Route(9, "quality", utility="water", topic="water_quality"),
    Route(10, "service", kind="complaint"),
]


@pytest.mark.parametrize(
    ("utility", "kind", "area", "district", "topic", "unit"),
    [
        ("power", "fault_report", "urban", "南岸区", "outage", "power-repair"),
        ("water", "fault_report", "urban", "南岸区", "no_water", "water-repair"),
        ("power", "damage_claim", "urban", "南岸区", "", "damage-desk"),
        ("power", "fault_report", "urban", "南岸区", "line_110kv", "transmission"),
        ("power", "fault_report", "remote", "南岸区", "outage", "village-power"),
        ("power", "fault_report", "urban", "巴南区", "outage", "yipin"),
        ("water", "fault_report", "urban", "南岸区", "water_quality", "quality"),
        ("water", "complaint", None, None, "", "service"),
        ("power", "enquiry", None, None, "", "power-repair"),
        ("power", "fault_report", "urban", "巴南区", "line_110kv", "transmission"),
        ("power", "complaint", "rural", "南岸区", "", "service"),
    ],
)
def test_the_table(utility: str, kind: str, area: str | None, district: str | None, topic: str, unit: str) -> None:
    found = choose_unit(ROUTES, utility=utility, kind=kind, area_class=area, district=district, topic=topic)
    assert found == unit


def test_rank_then_id_decide_between_equals() -> None:
    equals = [Route(3, "c"), Route(2, "b", rank=100), Route(1, "a", rank=200)]
    assert choose_unit(equals, utility="power", kind="enquiry") == "b"


def test_no_row_no_unit() -> None:
    assert choose_unit([Route(1, "water-repair", utility="water")], utility="power", kind="enquiry") is None
    assert choose_unit([], utility="power", kind="enquiry") is None


@pytest.mark.parametrize(
    ("words", "district"),
    [
        ("巴南区李家沱1号", "巴南区"),
        ("12 Lijiatuo, BANAN, Chongqing", "Banan"),
        ("海棠晓月3栋", None),
        ("", None),
    ],
)
def test_a_name_is_found_in_the_words(words: str, district: str | None) -> None:
    assert name_in(words, ["巴南区", "Banan", "", "巴南"]) == district
