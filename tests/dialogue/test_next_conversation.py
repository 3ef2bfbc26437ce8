"""A customer's story is told once: what was reported in one conversation is known in the next, after verification."""

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.dialogue.customer import Customer
from tests.e2e.desk import Desk

TICKET = re.compile(r"\d{4} \d{4} \d{4}")


@pytest.fixture
def client(desk: Desk) -> Iterator[httpx.Client]:
    with desk.client() as opened:
        yield opened


def said(customer: Customer, text: str, choose: bool = False) -> str:
    heard = customer.choose(text) if choose else customer.send(text)
    return "\n".join(message["text"] for message in heard)


def tickets(desk: Desk, client: httpx.Client, customer: Customer) -> list[dict[str, object]]:
    answer = client.get("/api/v1/tickets", params={"conversation_id": customer.id}, headers=desk.service)
    found: list[dict[str, object]] = answer.raise_for_status().json()["items"]
    return found


def history(desk: Desk, client: httpx.Client, number: str) -> list[str]:
    answer = client.get(f"/api/v1/tickets/{number.replace(' ', '')}", headers=desk.service)
    return [str(event["data"].get("text", "")) for event in answer.raise_for_status().json()["events"]]


def test_the_open_report_is_told_and_added_to_zh(desk: Desk, client: httpx.Client) -> None:
    first = Customer(client, "zh")
    said(first, "铜元路27号停电了，整条街都没电")
    number = TICKET.search(said(first, "林静 19911000146"))
    assert number

    second = Customer(client, "zh")
    assert "户号" in said(second, "我家停电了，是不是因为欠费")
    said(second, "5200105405")
    answer = said(second, "19911000146")
    assert re.search(rf"您.*登记的停电报修（工单 {number[0]}）", answer), answer
    assert "不用再报一次" in answer
    assert not re.search("请问是哪里|姓名|联系电话", answer), answer
    assert tickets(desk, client, second) == []
    assert any("是不是因为欠费" in text for text in history(desk, client, number[0]))
    # It is mentioned unasked once, and told as often as it is asked for.
    assert number[0] not in said(second, "帮我查一下电费")
    assert number[0] in said(second, "我的报修到哪一步了")
    assert "已撤销" in said(second, "来电了，不用来了")


def test_the_open_report_is_told_and_added_to_en(desk: Desk, client: httpx.Client) -> None:
    first = Customer(client, "en")
    said(first, "No power at 17 Linjiang Street, the whole street is dark")
    number = TICKET.search(said(first, "Zhou Min 19911000152"))
    assert number

    second = Customer(client, "en")
    assert "account" in said(second, "I already reported my power cut on WeChat")
    assert "account" in said(second, "I didn't note the number")
    said(second, "Check my account", choose=True)
    said(second, "5200105627")
    answer = said(second, "19911000152")
    assert number[0] in answer
    assert not re.search("Where is it|your name", answer), answer
    assert "withdrawn" in said(second, "it is back now, no need to come")
    assert tickets(desk, client, second) == []


def test_address_and_phone_are_not_asked_for_again(desk: Desk, client: httpx.Client) -> None:
    customer = Customer(client, "zh")
    said(customer, "我要查电费")
    said(customer, "5200105701")
    assert "元" in said(customer, "19911000154")
    answer = said(customer, "我家停电了")
    assert re.search("临江街31号.*只有您一家", answer, re.DOTALL), answer
    answer = said(customer, "周围都停了")
    assert TICKET.search(answer), answer
    assert "199****0154" in answer
    (ticket,) = tickets(desk, client, customer)
    assert (ticket["contact_phone"], ticket["contact_name"]) == ("19911000154", "陈艳")
    assert str(ticket["address"]).startswith("临江街31号")


def test_without_verification_nothing_is_known(desk: Desk, client: httpx.Client) -> None:
    first = Customer(client, "zh")
    said(first, "新安街15号停电了，只有我家")
    said(first, "派人来")
    number = TICKET.search(said(first, "杨勇 19911000128"))
    assert number

    second = Customer(client, "zh")
    heard = said(second, "我之前打过电话报修了，新安街15号停电")
    assert "户号" in heard
    heard += said(second, "没有工单号", choose=True)
    heard += said(second, "只有我家")
    heard += said(second, "不核对，电话19911000128，派人来")
    assert number[0] not in heard
    assert "杨勇" not in heard
