"""Hours at the keyboard: input methods, what stays where it was, what calls an agent, what a stray key must not do."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.dialogue.customer import Customer
from tests.dialogue.vendors import Channels
from tests.e2e.console.conftest import TakeSeat
from tests.e2e.page import PATIENCE

pytestmark = pytest.mark.xdist_group("console")

NewCustomer = Callable[..., Customer]
FOCUSED = "() => document.activeElement.id"
PRESS = "(field, how) => field.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, ...how}))"
#: Found and pressed in one moment: between two, the list may be swapped.
PRESS_DOWN = """(id) => {
    const node = document.getElementById(id);
    node.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}));
    return node;
}"""
RANG = "() => Number(document.body.dataset.rang ?? 0)"


def compose(page: Page, text: str) -> None:
    """What an input method shows in the field before anything is chosen."""
    page.context.new_cdp_session(page).send(
        "Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)}
    )


def commit(page: Page, text: str) -> None:
    """What was chosen in the input method."""
    page.context.new_cdp_session(page).send("Input.insertText", {"text": text})


def test_an_input_method_sends_nothing_by_itself(seat: TakeSeat, customer: NewCustomer) -> None:
    """Enter chooses a word there; and the key of "/" may write 、 (GB/T 15834: no sentence begins with it)."""
    waiting, agent = customer(), seat("agent", "zh")
    agent.claim(waiting.id)
    page, field = agent.page, agent.page.locator("#reply-text")
    page.check("#enter-sends")
    expect(field).to_be_focused()
    compose(page, "ni'hao")
    field.evaluate(PRESS, {"isComposing": True})
    field.evaluate(PRESS, {"isComposing": True, "ctrlKey": True})
    commit(page, "你好")
    field.evaluate(PRESS, {"keyCode": 229})
    expect(field).to_have_value("你好")
    page.keyboard.press("Enter")
    agent.sees("agent", "你好")
    expect(field).to_have_value("")
    assert [line["text"] for line in agent.lines if line["class"] == "line agent"] == ["你好"]

    for key in "/／、":
        commit(page, key)
        expect(page.locator("#picker-q")).to_be_focused()
        page.keyboard.press("Escape")
        expect(field).to_be_focused()
        expect(field).to_have_value("")
    commit(page, "水、电")
    expect(page.locator("#picker")).to_be_hidden()


def test_enter_sends_for_whom_it_shall(seat: TakeSeat, customer: NewCustomer) -> None:
    waiting, agent = customer("en"), seat("agent", "en")
    agent.claim(waiting.id)
    page, field = agent.page, agent.page.locator("#reply-text")
    page.keyboard.press("r")
    page.keyboard.type("One")
    page.keyboard.press("Enter")
    page.keyboard.type("Two")
    expect(field).to_have_value("One\nTwo")
    page.check("#enter-sends")
    page.reload()
    expect(page.locator("#enter-sends")).to_be_checked()
    expect(field).to_have_value("One\nTwo")
    field.press("Shift+Enter")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    agent.sees("agent", "One\nTwo")
    expect(field).to_have_value("")


def test_what_is_being_written_stays_while_others_write(seat: TakeSeat, customer: NewCustomer) -> None:
    """Text, focus and place stay; the other customer's line shows in the list, the title and the bar, and sounds."""
    first, second = customer(), customer()
    agent = seat("agent", "zh")
    agent.claim(second.id)
    agent.open(first.id)
    with agent.page.expect_navigation():
        agent.page.click("#claim")
    agent.owns()
    page = agent.page
    page.keyboard.press("r")
    page.keyboard.type("正在写的")
    rang = page.evaluate(RANG)
    second.post(text="我这边还没有来水")
    expect(agent.item(second.id).locator(".unread")).to_be_visible(timeout=PATIENCE)
    first.post(text="还有一件事")
    agent.sees("customer", "还有一件事")
    page.keyboard.type("回复")
    expect(page.locator("#reply-text")).to_have_value("正在写的回复")
    assert page.evaluate(FOCUSED) == "reply-text"
    assert page.evaluate(RANG) > rang
    expect(page.locator("#tally .tally")).to_contain_text("2")
    expect(page).to_have_title(re.compile(r"^\(\d+\) "))
    expect(agent.item(first.id).locator(".unread")).to_be_hidden()

    page.click(f"#item-{second.id}")
    agent.owns()
    expect(agent.item(second.id).locator(".unread")).to_be_hidden()
    page.click(f"#item-{first.id}")
    expect(page.locator("#reply-text")).to_have_value("正在写的回复")


def test_an_agent_elsewhere_is_called(seat: TakeSeat, customer: NewCustomer) -> None:
    waiting, agent = customer(), seat("agent", "zh")
    agent.claim(waiting.id)
    agent.reply("请稍等。")
    page = agent.page
    page.goto("/console/tickets")
    agent.streaming()
    expect(page.locator("#tally .tally")).to_have_count(1, timeout=PATIENCE)
    expect(page.locator("#tally .tally")).to_be_hidden()
    waiting.post(text="好了吗")
    expect(page.locator("#tally .tally")).to_contain_text("1", timeout=PATIENCE)
    page.wait_for_function("() => document.body.dataset.rang === '1'")
    page.click("#sound")
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "false")


def test_typing_on_after_a_take_over_is_no_shortcut(seat: TakeSeat, customer: NewCustomer) -> None:
    """The field goes from under his hands: c and n must claim nothing, and what he wrote is kept."""
    waiting, another = customer("en"), customer("en")
    agent, supervisor = seat("agent", "en"), seat("supervisor", "en")
    agent.claim(waiting.id)
    supervisor.open(waiting.id)
    page = agent.page
    page.keyboard.press("r")
    page.keyboard.type("Someone will be with you so")
    supervisor.page.click("#take-over")
    expect(page.locator("#reply-text")).to_be_disabled(timeout=PATIENCE)
    page.keyboard.type("on, can you wait")
    expect(page.locator("#barred")).to_contain_text(supervisor.username)
    expect(page.locator("#reply-text")).to_have_value("Someone will be with you so")
    assert page.url.endswith(waiting.id)
    expect(agent.item(another.id, "#inbox .list:has(.claim)")).to_be_visible()
    page.click("#head")
    page.keyboard.press("n")
    page.wait_for_url(lambda url: "/console/c/" in url and not url.endswith(waiting.id))


def test_a_list_that_changes_loses_no_click(seat: TakeSeat, customer: NewCustomer) -> None:
    waiting, agent = customer(), seat("agent", "zh")
    expect(agent.item(waiting.id)).to_be_visible()
    button = agent.page.evaluate_handle(PRESS_DOWN, f"claim-{waiting.id}")
    with agent.page.expect_response(lambda answer: "/console/_/inbox" in answer.url):
        another = customer()
    assert button.evaluate("(node) => node.isConnected"), "the list was swapped under the pressed button"
    button.evaluate("(node) => (node.dispatchEvent(new PointerEvent('pointerup', {bubbles: true})), node.click())")
    agent.page.wait_for_url(f"**/console/c/{waiting.id}")
    expect(agent.item(another.id)).to_be_visible(timeout=PATIENCE)


def test_a_menu_over_a_list_does_not_stop_it(seat: TakeSeat, customer: NewCustomer) -> None:
    """Where the system's menu opens, no browser tells that the button was let go."""
    agent = seat("agent", "zh")
    agent.page.locator("#inbox").dispatch_event("pointerdown", {"button": 2})
    agent.page.locator("#inbox").dispatch_event("contextmenu")
    expect(agent.item(customer().id)).to_be_visible(timeout=PATIENCE)


def test_a_draft_of_an_article_writes_over_nobody_unseen(seat: TakeSeat, channels: Channels) -> None:
    """It is found again after a lost page, and knows on which version it was written."""
    supervisor = seat("supervisor", "zh")
    page, body = supervisor.page, supervisor.page.locator("#body-zh")
    page.goto("/console/knowledge/card_refund/edit")
    supervisor.streaming()
    body.fill("电卡退费请向网点咨询。")
    version = int(page.locator("#version").input_value())
    channels.send(
        "PATCH", "/api/v1/articles/card_refund", {"version": version, "title": {"zh": "退费", "en": "Refunds"}}
    )
    page.evaluate("() => void (BeforeUnloadEvent.prototype.preventDefault = () => {})")  # as where a browser dies
    page.reload()
    supervisor.streaming()
    expect(page.locator("#draft")).to_be_visible()
    expect(body).to_have_value("电卡退费请向网点咨询。")
    page.click("#edit button.primary")
    expect(page.locator("#knowledge-errors")).to_contain_text("退费", timeout=PATIENCE)
    expect(page.locator("#knowledge-errors [data-version]")).to_have_count(1)
    page.click("#edit button.primary")
    page.wait_for_url("**/console/knowledge/card_refund")
    expect(page.locator("main")).to_contain_text("电卡退费请向网点咨询。")


def test_shortcuts_are_shown_and_held_back_meanwhile(seat: TakeSeat, customer: NewCustomer) -> None:
    waiting, agent = customer(), seat("agent", "zh")
    page, help_of = agent.page, agent.page.locator("#shortcuts")
    expect(agent.item(waiting.id)).to_be_visible()
    page.keyboard.press("?")
    expect(help_of).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(help_of).to_be_hidden()
    assert page.url.endswith("/console")
    page.keyboard.press("n")
    page.wait_for_url("**/console/c/*")
    agent.owns()
    page.keyboard.press("r")
    page.keyboard.press("Escape")
    assert page.evaluate(FOCUSED) == "scroll"
    page.keyboard.press("x")
    expect(page.locator("#close-outcome")).to_be_focused()
