"""What must not be concluded from a customer's words: from near the press, from a notice, from a number, from a yes."""

import asyncio
from typing import Any

import httpx
import pytest
from rasa_sdk.executor import CollectingDispatcher

from bot.actions import first, supply_journey, ticket_status
from bot.actions.complaint import Complaint, DamageClaim
from bot.actions.desk import Desk
from bot.actions.journey import begin, proceed
from bot.actions.meter import Card
from bot.actions.turn import SLOTS, Turn


def turn(text: str, intent: str = "inform", answer: dict[str, Any] | None = None, **slots: Any) -> Turn:
    """A turn with these slots, whose desk answers everything with `answer`."""
    usual = {"memory": {}, "place": {}, "contact": {}, "later": [], "past": [], "misses": 0}
    client = httpx.AsyncClient(
        base_url="http://desk", transport=httpx.MockTransport(lambda _: httpx.Response(200, json=answer or {}))
    )
    return Turn(
        dispatcher=CollectingDispatcher(), desk=Desk("cv_1", "ms_1", 1, client), language="zh", text=text,
        intent=intent, confidence=1, entities=[], ranking=[], metadata={}, slots=dict.fromkeys(SLOTS) | usual | slots,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "press"),
    [
        ("我是电视台的记者，想采访你们停电的事", True),
        ("我们是报社的", True),
        ("我是电视台宿舍的，家里停电了", False),
        ("我是报社家属院3栋的，没水了", False),
    ],
)
def test_the_press_and_its_neighbours(words: str, press: bool) -> None:
    assert asyncio.run(first.press(turn(words))) is press


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("通知里说的", True),
        ("就是通知里说的，不用报了", True),
        ("It is what the notice says", True),
        ("我没看到通知", False),
        ("不是通知里说的那个", False),
        ("I did not see any notice", False),
        ("another one than the notice says", False),
    ],
)
def test_what_the_notice_does_not_explain_is_reported(words: str, meant: bool) -> None:
    assert supply_journey._announced_meant(turn(words)) is meant


def test_a_story_goes_onto_the_order_once_and_without_numbers() -> None:
    long = "抢修的师傅上门以后态度很差，" * 30
    slots = {"journey": Complaint.name, "step": "story", "memory": {"said": [], "ruled": True}}
    told = turn(long, "make_complaint", **slots)
    asyncio.run(proceed(told))
    assert told.memory["said"] == [long[:300]]
    for number in ("13912345678", "1000 2345 6789"):
        asked = turn(number, **slots | {"memory": {"said": ["他骂人"]}})
        asyncio.run(proceed(asked))
        assert asked.memory["said"] == ["他骂人"]


@pytest.mark.parametrize(
    ("words", "intent", "step"),
    [
        ("需要", "affirm", "what"),
        ("登记吧", "damage_claim", "what"),
        ("冰箱坏了", "inform", "when"),
        ("不用", "deny", None),
    ],
)
def test_whether_to_record_a_damage_can_be_answered(words: str, intent: str, step: str | None) -> None:
    asked = turn("停电赔钱吗", "damage_claim")
    asyncio.run(begin(asked, DamageClaim.name))
    assert (asked.step, asked.said) == ("register", ["utter_damage_general"])
    answered = turn(words, intent, **asked.slots)
    asyncio.run(begin(answered, DamageClaim.name) if intent == "damage_claim" else proceed(answered))
    assert answered.step == step
    assert "utter_damage_sorry" in answered.said or step is None


@pytest.mark.parametrize(("status", "said"), [("repaired", "已修复"), ("on_site", "抢修人员已到现场")])
def test_news_of_a_joined_order_is_how_it_stands(status: str, said: str) -> None:
    ticket = {"number": "100000000001", "status": status, "arrival_due_at": "2099-01-01T00:00:00Z"}
    asks = turn("修好了吗", "ask_ticket_status", ticket, place={"order": "100000000001", "address_zh": "国汇尚城12栋"})
    assert asyncio.run(ticket_status.of_joined(asks))
    (message,) = asks.dispatcher.messages
    assert (message["response"], message["status"]) == ("utter_joined_order_news", said)


@pytest.mark.parametrize(("balance", "amount"), [("0.00", "0"), ("-12.50", "-12.5")])
def test_the_balance_that_is_told_is_the_one_there_is(balance: str, amount: str) -> None:
    account = {"utility": "power", "state": "active", "prepaid": True, "balance": balance}
    asked = turn("充了值没电", journey=Card.name, step="verify_factor")
    asyncio.run(Card().verified(asked, account))
    assert asked.dispatcher.messages[0]["amount"] == amount
