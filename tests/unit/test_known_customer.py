"""What is known of a verified customer: whose order is added to, what is forgotten, what is kept out of a wish."""

from typing import Any

import pytest
from rasa_sdk.executor import CollectingDispatcher

from bot.actions.contact_words import name_beside_number, without_contact
from bot.actions.desk import Desk
from bot.actions.filing import can_be_called, uses_phone_on_file
from bot.actions.known import forget, own_order
from bot.actions.place import address_of
from bot.actions.supply import move
from bot.actions.turn import SLOTS, Turn
from bot.nlu.extract import extract


def turn(**slots: Any) -> Turn:
    """A turn with these slots, that calls nobody."""
    kept = dict.fromkeys(SLOTS) | {"memory": {}, "place": {}, "contact": {}, "later": [], "misses": 0} | slots
    return Turn(
        dispatcher=CollectingDispatcher(), desk=Desk("cv_1", "ms_1", 1), language="zh", text="", intent="",
        confidence=0, entities=[], ranking=[], metadata={}, slots=kept,
    )  # fmt: skip


def order(number: str, **fields: Any) -> dict[str, Any]:
    usual = {"kind": "fault_report", "utility": "power", "topic": "outage", "service_point_id": "sp-1", "joined": False}
    return usual | fields | {"number": number}


@pytest.mark.parametrize(
    ("tickets", "utility", "point", "scope", "number"),
    [
        ([order("1")], "power", "sp-1", None, "1"),
        ([order("1")], "power", None, "household", "1"),
        ([order("2"), order("1")], "power", "sp-1", None, "2"),
        ([order("1", kind="complaint", topic="complaint"), order("2")], "power", "sp-1", None, "2"),
        ([order("1")], "water", "sp-1", None, None),
        ([order("1")], "power", "sp-2", None, None),
        ([order("1", topic="hazard")], "power", "sp-1", None, None),
        ([order("1", joined=True)], "power", "sp-1", "surroundings", "1"),
        ([order("1", joined=True)], "power", "sp-1", "household", None),
        ([], "power", "sp-1", None, None),
    ],
)
def test_whose_order_is_added_to(
    tickets: list[dict[str, Any]], utility: str, point: str | None, scope: str | None, number: str | None
) -> None:
    found = own_order({"tickets": tickets, "outages": []}, utility, point, scope)
    assert (found or {}).get("number") == number
    assert own_order(None, utility, point, scope) is None


def test_nothing_of_an_account_outlives_its_verification() -> None:
    known = {"on_file": "138****5678", "holder": "李梅", "name": "李梅", "ticket": "1", "told": ["1"]}
    after = turn(contact=known, place={"resolved": True, "of_account": True, "address_zh": "海棠晓月3栋"}, ticket="1")
    forget(after)
    assert (after.contact, after.place, after.slots["ticket"]) == ({}, {}, None)


def test_what_the_customer_said_stays() -> None:
    said = {"on_file": "138****5678", "holder": "李梅", "name": "王强", "phone": "13900001111", "ticket": "1"}
    place = {"resolved": True, "address_zh": "海棠晓月3栋"}
    after = turn(contact=said, place=place, ticket="2")
    forget(after)
    assert (after.contact, after.place) == ({"name": "王强", "phone": "13900001111"}, place)
    assert after.slots["ticket"] == "2"


@pytest.mark.parametrize(
    ("contact", "on_file", "callable_"),
    [
        ({}, False, False),
        ({"on_file": "138****5678"}, True, True),
        ({"on_file": "138****5678", "phone": "13900001111"}, False, True),
        ({"on_file": "138****5678", "phone": ""}, False, False),  # who gives no phone is not called at another one
        ({"phone": "13900001111"}, False, True),
    ],
)
def test_which_phone_is_used(contact: dict[str, str], on_file: bool, callable_: bool) -> None:
    assert (uses_phone_on_file(turn(contact=contact)), can_be_called(turn(contact=contact))) == (on_file, callable_)


@pytest.mark.parametrize("topic", ["hazard", "third_party", "voltage"])
def test_only_orders_about_supply_are_joined(topic: str) -> None:
    street = order("1", topic=topic, scope="surroundings")
    assert move({"outages": [], "open_tickets": [street]}, "surroundings", None) == ("nothing", {})


@pytest.mark.parametrize(
    ("words", "phones"),
    [
        ("13812345678，不对，是13912345678", ["13912345678"]),
        ("王芳 13812345678，说错了，13912345678", ["13912345678"]),
        ("不是13812345678，是13912345678", ["13912345678"]),
        ("13812345678，不是13912345678", ["13812345678"]),
        ("my number is 13812345678, sorry, 13912345678", ["13912345678"]),
        ("one three eight one two three four five six seven eight, no, 13912345678", ["13912345678"]),
        ("13812345678或者13912345678", ["13812345678", "13912345678"]),
    ],
)
def test_a_phone_corrected_within_the_message(words: str, phones: list[str]) -> None:
    assert [value.value for value in extract(words) if value.entity == "phone"] == phones


@pytest.mark.parametrize(
    ("words", "name", "rest"),
    [
        ("要他道歉，我叫郭敏，电话18600000017", "郭敏", "要他道歉"),
        ("要他道歉", None, "要他道歉"),
        ("赔钱，138 0000 0000", None, "赔钱"),
        ("I want an apology. My name is Tom Baker, phone 13800000000", "Tom Baker", "I want an apology"),
        ("我叫王芳，幺三八幺二三四五六七八", "王芳", ""),
        ("Tom Baker one three nine one two three four five six seven eight", "Tom Baker", ""),
    ],
)
def test_name_and_number_stay_out_of_a_wish(words: str, name: str | None, rest: str) -> None:
    assert name_beside_number(words) == name
    assert without_contact(words, name) == rest


def test_a_flat_is_said_in_the_customer_s_language() -> None:
    place = {"address_zh": "烟雨路21号", "address_en": "21 Yanyu Road", "detail": "2单元1003"}
    assert address_of(place) == {"zh": "烟雨路21号2单元1003", "en": "21 Yanyu Road, unit 2 1003"}
