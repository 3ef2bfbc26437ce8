"""The chat page in a real browser: whole reports by clicking and typing, and what reloads and crashes do to them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.desk import Desk
from tests.e2e.page import ChatPage, a_browser

pytestmark = pytest.mark.xdist_group("customers")

NUMBER = {"zh": r"工单号 \d{4} \d{4} \d{4}", "en": r"number \d{4} \d{4} \d{4}"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with a_browser() as made:
        yield made


@pytest.fixture
def open_page(browser: Browser, desk: Desk, tmp_path: Path) -> Iterator[Any]:
    """`open_page(language, width=…)`: a tab; whatever a test does, no dialog, no error, no breach of the policy."""
    desk.wait_ready()
    opened: list[ChatPage] = []

    def make(language: str, **size: int) -> ChatPage:
        opened.append(ChatPage(browser, desk.base_url, language, **size))
        return opened[-1]

    yield make
    for number, tab in enumerate(opened):
        tab.page.screenshot(path=tmp_path / f"page{number}.png")
        left = (tab.dialogs, tab.errors, tab.policy_violations)
        tab.close()
        assert left == ([], [], [])


def tickets(desk: Desk, tab: ChatPage) -> list[dict[str, Any]]:
    with desk.client() as client:
        answer = client.get("/api/v1/tickets", params={"conversation_id": tab.conversation["id"]}, headers=desk.service)
    answer.raise_for_status()
    return sorted(answer.json()["items"], key=lambda ticket: str(ticket["created_at"]))


def recorded(desk: Desk, tab: ChatPage) -> list[dict[str, Any]]:
    """The conversation's messages as the desk has them, in the page's terms."""
    kept = tab.conversation
    with desk.client() as client:
        answer = client.get(
            f"/web/conversations/{kept['id']}/messages", headers={"Authorization": f"Bearer {kept['token']}"}
        )
    answer.raise_for_status()
    return [{name: line[name] for name in ("seq", "from", "text")} for line in answer.json()["messages"]]


def test_an_outage_and_weak_water_are_reported_in_chinese(desk: Desk, open_page: Any) -> None:
    tab = open_page("zh")
    expect(tab.page.get_by_test_id("owner")).to_have_attribute("data-owner", "bot")
    tab.start_with("starterNoPower", "哪里")
    tab.say("江畔明珠16栋", "只有您一家")
    tab.choose("只有我家", "检查")
    tab.choose("直接检查", "总开关")
    tab.choose("没有跳闸", "漏电保护器")
    tab.choose("没有跳", "电表")
    tab.choose("余额正常", "姓名")
    tab.say("王芳，13900004321，2单元501", NUMBER["zh"])
    tab.say("另外家里水压太小了", "只有您一家")
    tab.choose("邻居家也这样", NUMBER["zh"])
    power, water = tickets(desk, tab)
    assert (power["utility"], power["kind"], power["scope"]) == ("power", "fault_report", "household")
    assert (water["utility"], water["kind"], water["scope"]) == ("water", "fault_report", "surroundings")
    for ticket in (power, water):
        assert ticket["contact_name"] == "王芳"
        assert ticket["contact_phone"].endswith("13900004321")
        assert ticket["service_point_id"] == "sp_jiangpan_16"
        spoken = re.sub(r"(\d{4})(?=\d)", r"\1 ", ticket["number"])
        assert tab.page.get_by_text(f"工单号 {spoken}").is_visible()
    assert tab.messages == recorded(desk, tab)


def test_an_outage_and_weak_water_are_reported_in_english(desk: Desk, open_page: Any) -> None:
    tab = open_page("en")
    tab.start_with("starterNoPower", "Where is it")
    tab.say("Building 17, Riverside Pearl", "only your home")
    tab.choose("Only my home", "check")
    tab.choose("Check right away", "main switch")
    tab.choose("It is up", "leakage protector")
    tab.choose("It has not", "meter")
    tab.choose("It is on", "name")
    tab.say("Jane Park, 13900004322", NUMBER["en"])
    tab.say("the water pressure is very low too", "only your home")
    tab.choose("neighbours", NUMBER["en"])
    power, water = tickets(desk, tab)
    assert (power["utility"], power["kind"], power["scope"]) == ("power", "fault_report", "household")
    assert (water["utility"], water["kind"], water["scope"]) == ("water", "fault_report", "surroundings")
    for ticket in (power, water):
        assert ticket["contact_name"] == "Jane Park"
        assert ticket["contact_phone"].endswith("13900004322")
        assert ticket["service_point_id"] == "sp_jiangpan_17"
        assert ticket["language"] == "en"
        spoken = re.sub(r"(\d{4})(?=\d)", r"\1 ", ticket["number"])
        assert tab.page.get_by_text(f"number {spoken}").is_visible()
    assert tab.messages == recorded(desk, tab)


def test_a_reload_keeps_everything_once(desk: Desk, open_page: Any) -> None:
    tab = open_page("zh")
    tab.start_with("starterNoPower", "哪里")
    tab.say("江畔明珠18栋", "只有您一家")
    before = tab.messages
    tab.page.reload()
    expect(tab.page.locator(".message")).to_have_count(len(before))
    assert tab.messages == before == recorded(desk, tab)
    tab.choose("周围都停了", "姓名")
    tab.type("李明 13900004323")
    tab.page.reload()  # while the answer is under way
    tab.wait_for(NUMBER["zh"])
    assert tab.messages == recorded(desk, tab)
    assert [ticket["service_point_id"] for ticket in tickets(desk, tab)] == ["sp_jiangpan_18"]


def test_the_front_desk_dies_and_comes_back(desk: Desk, open_page: Any) -> None:
    tab = open_page("en")
    tab.start_with("starterNoPower", "Where is it")
    old = desk.kill("front desk")
    tab.type("Building 19, Riverside Pearl")
    desk.wait_replaced("front desk", old)
    tab.wait_for("only your home")
    expect(tab.page.get_by_test_id("connection")).to_have_attribute("data-state", "online")
    tab.choose("neighbours", "name")
    tab.type("Sam Hill 13900004324")
    old = desk.kill("front desk")  # while the answer is under way
    desk.wait_replaced("front desk", old)
    tab.wait_for(NUMBER["en"])
    assert tab.messages == recorded(desk, tab)
    texts = [message["text"] for message in tab.messages]
    assert len(set(texts)) == len(texts), "something stands there twice"
    assert [ticket["service_point_id"] for ticket in tickets(desk, tab)] == ["sp_jiangpan_19"]


ATTACKS = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(2)"><svg onload=alert(3)>',
    '"><iframe src="javascript:alert(4)"></iframe>',
    "[x](javascript:alert(5)) {{constructor.constructor('alert(6)')()}}",
)


def test_markup_stands_in_the_page_as_text(desk: Desk, open_page: Any) -> None:
    tab = open_page("en")
    for text in ATTACKS:
        tab.say(text, ".")
    tab.page.reload()
    expect(tab.page.locator(".message[data-from=customer]")).to_have_count(len(ATTACKS))
    shown = [message["text"] for message in tab.messages if message["from"] == "customer"]
    assert shown == list(ATTACKS)
    assert tab.page.locator("[data-testid=chat-log] :is(script, img, svg, iframe, a)").count() == 0


def test_a_long_conversation_scrolls_inside_its_frame(desk: Desk, open_page: Any) -> None:
    """The field and the header stay where they are however much was said."""
    tab = open_page("en")
    for _ in range(8):
        tab.say("hello", ".")
    height = "document.scrollingElement.scrollHeight - document.scrollingElement.clientHeight"
    assert tab.page.evaluate(height) == 0
    expect(tab.page.get_by_test_id("chat-input")).to_be_in_viewport(ratio=1)
    expect(tab.page.get_by_test_id("owner")).to_be_in_viewport(ratio=1)
    expect(tab.page.locator(".message").last).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_cut_off_on_a_phone(desk: Desk, open_page: Any, language: str) -> None:
    tab = open_page(language, width=320, height=640)

    def overflow() -> int:
        return int(tab.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    assert overflow() == 0
    tab.start_with("starterNoPower", "哪里|Where is it")
    tab.say("国汇尚城15栋" if language == "zh" else "Building 15, Guohui Shangcheng", "国汇|Guohui")
    tab.say("W" * 200 + " https://example.org/" + "a" * 200, ".")
    assert overflow() == 0
    for control in ("chat-input", "chat-send", "language-switch", "talk-to-human"):
        box = tab.page.get_by_test_id(control).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320


def test_the_language_is_switched_with_one_click(desk: Desk, open_page: Any) -> None:
    tab = open_page("zh")
    tab.page.get_by_test_id("language-switch").click()
    expect(tab.page.locator("html")).to_have_attribute("lang", "en")
    tab.start_with("starterNoWater", "Where|water")
    assert all(re.search("[a-z]", message["text"]) for message in tab.messages[1:])
    tab.page.reload()
    expect(tab.page.locator("html")).to_have_attribute("lang", "en")
