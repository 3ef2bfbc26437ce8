"""Several at one desk: who claims first, who is silent, who was cut off, who is told of danger, who went for lunch."""

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from tests.dialogue.customer import Customer
from tests.dialogue.vendors import Channels
from tests.e2e.console.conftest import TakeSeat
from tests.e2e.console.seat import Seat
from tests.e2e.page import PATIENCE

pytestmark = pytest.mark.xdist_group("console")

NewCustomer = Callable[..., Customer]


def turn_back(channels: Channels, statement: str, *values: str) -> None:
    """Change times in the desk's database: what else takes minutes to come about."""
    with closing(sqlite3.connect(channels.desk.home / "mainsdesk.db", timeout=30)) as database, database:
        database.execute(statement, values)


def click_at_once(seats: list[Seat], selector: str) -> None:
    """All click the same moment, by the clock that their pages share."""
    moment = time.time() * 1000 + 1500
    click = "([selector, at]) => { setTimeout(() => document.querySelector(selector).click(), at - Date.now()); }"
    for seat in seats:
        seat.page.evaluate(click, [selector, moment])


def test_one_of_two_claims_wins(seat: TakeSeat, customer: NewCustomer) -> None:
    seats = [seat("agent", "zh"), seat("agent", "en")]
    waiting = customer()  # somebody is there, so that no call-back is promised, which any agent could open
    for one in seats:
        expect(one.item(waiting.id).locator(".claim")).to_be_visible()
    click_at_once(seats, f"#claim-{waiting.id}")
    told = "#notices .notice.bad"
    until = time.monotonic() + 30
    while not (lost := [one for one in seats if one.page.locator(told).count()]):
        assert time.monotonic() < until, "nobody was told"
        seats[0].page.wait_for_timeout(50)
    (loser,) = lost
    (winner,) = [one for one in seats if one is not loser]
    winner.page.wait_for_url(f"**/console/c/{waiting.id}")
    winner.owns()
    loser.notice("problems.already-claimed")
    expect(loser.item(waiting.id)).to_have_count(0)
    assert loser.page.url.endswith("/console")
    loser.page.goto(f"/console/c/{waiting.id}")
    expect(loser.page.locator("#main")).to_contain_text(loser.t("problems.not-readable"))
    expect(loser.page.locator("#lines")).to_have_count(0)


def test_a_silent_agent_is_reminded_and_then_relieved(
    channels: Channels, seat: TakeSeat, customer: NewCustomer
) -> None:
    waiting, silent = customer("en"), seat("agent", "en")
    silent.claim(waiting.id)
    waiting.send("Are you there?")
    silent.sees("customer", "Are you there?")
    colleague = seat("agent", "zh")
    where = f"where id = '{waiting.id}'"
    turn_back(channels, f"update conversations set unanswered_since = datetime('now', '-130 seconds') {where}")
    expect(silent.page.locator(f"#late-{waiting.id}")).to_be_visible(timeout=PATIENCE)
    turn_back(
        channels,
        f"update conversations set unanswered_since = datetime('now', '-400 seconds'),"
        f" reminded_at = datetime('now', '-300 seconds') {where}",
    )
    expect(silent.page.locator("#reply-text")).to_be_disabled(timeout=PATIENCE)
    expect(silent.page.locator("#barred")).to_contain_text(colleague.username)
    expect(silent.page.locator(f"#late-{waiting.id}")).to_have_count(0)
    expect(colleague.item(waiting.id)).to_be_visible(timeout=PATIENCE)
    colleague.open(waiting.id)
    colleague.owns()
    expect(colleague.page.locator("#lines .note")).to_contain_text(silent.username)
    colleague.reply("I am here, please go on.")
    said = [message["text"] for message in waiting.hear()]
    assert any("passed on to another colleague" in text for text in said)
    assert said[-1] == "I am here, please go on."
    assert not any(silent.username in text for text in said)


def test_nothing_is_lost_or_doubled_when_the_network_drops(seat: TakeSeat, customer: NewCustomer) -> None:
    waiting, agent = customer(), seat("agent", "zh")
    agent.claim(waiting.id)
    agent.context.set_offline(True)
    lines = [f"断网时的第{n}条" for n in range(1, 6)]
    for text in lines[:3]:
        waiting.send(text)
    expect(agent.page.locator("#connection")).to_be_visible(timeout=PATIENCE)
    agent.page.fill("#reply-text", "断网时写的回复")
    agent.page.click("#send")
    expect(agent.page.locator("#reply-text")).to_have_value("断网时写的回复")
    agent.context.set_offline(False)
    for text in lines[3:]:
        waiting.send(text)
    for text in lines:
        agent.sees("customer", text)
    expect(agent.page.locator("#connection")).to_be_hidden(timeout=PATIENCE)
    agent.page.click("#send")
    agent.sees("agent", "断网时写的回复")
    assert once_each(agent)
    assert [message["text"] for message in waiting.hear()].count("断网时写的回复") == 1


def test_nothing_is_lost_or_doubled_when_the_desk_restarts(
    channels: Channels, seat: TakeSeat, customer: NewCustomer
) -> None:
    waiting, agent = customer("en"), seat("agent", "en")
    agent.claim(waiting.id)
    waiting.send("before")
    agent.sees("customer", "before")
    old = channels.desk.kill("front desk")
    agent.page.fill("#reply-text", "written while it was away")
    agent.page.click("#send")
    channels.desk.wait_replaced("front desk", old)
    waiting.send("after")
    agent.sees("customer", "after")
    expect(agent.page.locator("#connection")).to_be_hidden(timeout=PATIENCE)
    if agent.page.locator("#reply-text").input_value():
        agent.page.click("#send")
    agent.sees("agent", "written while it was away")
    assert once_each(agent)
    heard = [message["text"] for message in waiting.hear()]
    assert heard.count("written while it was away") == 1


def once_each(agent: Seat) -> bool:
    """Every line stands there once, in the order of the transcript."""
    ids = [int(line["id"].removeprefix("line-")) for line in agent.lines if line["id"].startswith("line-")]
    return ids == sorted(set(ids))


def test_danger_shows_at_once_wherever_the_agents_are(seat: TakeSeat, customer: NewCustomer) -> None:
    waiting, agent, supervisor = customer(), seat("agent", "zh"), seat("supervisor", "en")
    agent.claim(waiting.id)
    supervisor.page.goto("/console/tickets")
    agent.page.goto("/console")
    waiting.send("配电箱着火了，还在冒烟")
    for one in (agent, supervisor):
        strip = one.page.locator("#alarms .strip").filter(has=one.page.locator(f"a[href$='/{waiting.id}']"))
        expect(strip).to_have_count(1, timeout=PATIENCE)
        expect(strip).to_contain_text(re.compile("危险|Danger"))
    agent.page.locator(f"#alarms a[href$='/{waiting.id}']").click()
    agent.page.wait_for_url(f"**/console/c/{waiting.id}")
    expect(agent.page.locator("#head .badge.bad")).to_be_visible()
    agent.page.locator("#alarms button").first.click()
    for one in (agent, supervisor):
        expect(one.page.locator(f"#alarms a[href$='/{waiting.id}']")).to_have_count(0, timeout=PATIENCE)


def test_who_went_away_is_signed_out(channels: Channels, seat: TakeSeat, customer: NewCustomer) -> None:
    """The page goes by itself, and shows no customer's words any more."""
    waiting, agent = customer(), seat("agent", "zh")
    agent.claim(waiting.id)
    waiting.send("我的户号是 5200105479")
    agent.sees("customer", "5200105479")
    turn_back(
        channels,
        "update agent_sessions set acted_at = datetime('now', '-31 minutes')"
        " where console and agent_id = (select id from agents where username = ?)",
        agent.username,
    )
    agent.page.wait_for_url("**/console/login*")
    assert "5200105479" not in agent.page.inner_text("body")
    agent.sign_in().at_inbox()
    expect(agent.item(waiting.id)).to_be_visible()


def tab_to(page: Page, selector: str, key: str = "Tab") -> None:
    """Press Tab until it has the focus, as nobody presses it for ever."""
    for _ in range(80):
        if page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{selector} is not reached by {key}")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_all_without_a_mouse(seat: TakeSeat, customer: NewCustomer, language: str) -> None:
    waiting, agent = customer(language), seat("agent", language)
    page, keys = agent.page, agent.page.keyboard
    expect(agent.item(waiting.id)).to_be_visible()
    keys.press("j")
    assert page.evaluate("document.activeElement.classList.contains('item')")
    tab_to(page, f"#claim-{waiting.id}")
    keys.press("Enter")
    page.wait_for_url(f"**/console/c/{waiting.id}")
    agent.owns()
    keys.press("r")
    expect(page.locator("#reply-text")).to_be_focused()
    keys.type("你好，n j c ?" if language == "zh" else "Hello, n j c ?")
    keys.press("Control+Enter")
    agent.sees("agent", "n j c ?")
    expect(page.locator("#reply-text")).to_be_focused()
    keys.press("/")
    expect(page.locator("#picker-q")).to_be_focused()
    expect(page.locator("#picks .pick").first).to_be_visible()
    keys.press("Escape")
    expect(page.locator("#reply-text")).to_be_focused()

    tab_to(page, "#tab-reply", "Shift+Tab")
    keys.press("ArrowRight")
    tab_to(page, "#note-text")
    keys.type("only for us")
    keys.press("Control+Enter")
    expect(page.locator("#lines .note .text").filter(has_text="only for us")).to_have_count(1)

    tab_to(page, "details[name=act]:nth-of-type(3) > summary", "Shift+Tab")
    keys.press("Enter")
    tab_to(page, "#close-outcome")
    keys.press("ArrowDown")
    tab_to(page, "form[hx-post$='/close'] button")
    keys.press("Enter")
    agent.done("closed")
    said = [message["text"] for message in waiting.hear()]
    assert any("n j c ?" in text for text in said)
    assert not any("only for us" in text for text in said)
