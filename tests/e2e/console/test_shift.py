"""A shift at the console: customers on every channel are taken, answered, noted about, filed for and handed back."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.dialogue.talks import CallTalk, WechatTalk
from tests.dialogue.vendors import Channels
from tests.e2e.console.conftest import TakeSeat
from tests.e2e.console.seat import PASSWORD, Seat
from tests.e2e.desk import wait_until
from tests.e2e.page import PATIENCE, ChatPage

pytestmark = pytest.mark.xdist_group("console")

OpenChat = Callable[[str], ChatPage]
SAID: dict[str, dict[str, str]] = {
    "zh": {
        "person": "转人工",
        "reply": "您好，我是值班坐席小李，请讲。",
        "more": "我家电表箱有响声",
        "note": "客户说电表箱有响声，先查线路。",
        "summary": "师傅今晚八点前上门，请先不要合闸。",
        "asked": "刚才同事怎么说的",
        "address": "海棠晓月3栋",
    },
    "en": {
        "person": "I want to talk to a human",
        "reply": "Good morning, this is Li. How can I help?",
        "more": "There is a noise in my meter box",
        "note": "A noise in the meter box: check the line first.",
        "summary": "A crew comes before eight tonight; leave the switch off.",
        "asked": "What did your colleague say?",
        "address": "Building 3, Haitang Xiaoyue",
    },
}


def shown(tab: ChatPage) -> str:
    return "\n".join(message["text"] for message in tab.messages)


@pytest.mark.parametrize("language", SAID)
def test_a_customer_of_the_chat_page(channels: Channels, seat: TakeSeat, open_chat: OpenChat, language: str) -> None:
    """Claimed from the inbox, answered, noted about, filed for, handed back; in both languages."""
    said, agent, tab = SAID[language], seat("agent", language), open_chat(language)
    tab.say(said["person"], ".")
    conversation = tab.conversation["id"]
    expect(agent.item(conversation)).to_be_visible(timeout=PATIENCE)
    agent.claim(conversation)
    agent.reply(said["reply"])
    expect(tab.page.locator(".message[data-from=agent] .text").filter(has_text=said["reply"])).to_have_count(1)
    tab.type(said["more"])
    agent.sees("customer", said["more"])

    agent.note(said["note"])
    agent.page.click("#open-picker")
    expect(agent.page.locator("#picks .pick").first).to_be_visible()
    expect(agent.page.locator("#picker-q")).to_be_focused()
    agent.page.keyboard.press("Enter")
    expect(agent.page.locator("#reply-text")).not_to_have_value("")
    canned = agent.page.locator("#reply-text").input_value()
    assert ("请" in canned or "您" in canned) if language == "zh" else not re.search("[一-鿿]", canned)
    agent.page.fill("#reply-text", re.sub(r"\{[^}]*\}", "Li", canned))
    agent.page.click("#send")
    expect(tab.page.locator(".message[data-from=agent]")).to_have_count(2, timeout=PATIENCE)

    number = file_ticket(agent, said["address"])
    (ticket,) = channels.tickets(conversation)
    assert ticket["number"] == number
    assert ticket["service_point_id"] == "sp_haitang_xiaoyue_3"
    expect(agent.page.locator("#reply-text")).to_have_value(re.compile(" ".join(re.findall("....", number))))
    agent.page.click("#send")
    expect(tab.page.locator(".message[data-from=agent]")).to_have_count(3, timeout=PATIENCE)

    agent.hand_back(said["summary"])
    expect(tab.page.get_by_test_id("owner")).to_have_attribute("data-owner", "bot", timeout=PATIENCE)
    tab.say(said["asked"], re.escape(said["summary"]))
    assert said["note"] not in shown(tab)
    tab.page.reload()
    expect(tab.page.locator(".message")).not_to_have_count(0)
    assert said["note"] not in shown(tab)


def file_ticket(agent: Seat, address: str) -> str:
    """By the panel's form; what the customer should be told is put into the reply. The ticket's number."""
    page = agent.page
    page.click("#panel [hx-get$='/ticket-form']")
    expect(page.locator("#file-kind")).to_be_visible()
    page.select_option("#file-kind", "fault_report")
    page.select_option("#file-utility", "power")
    page.fill("#place-file", address)
    page.locator("#places-file label").filter(has_text=re.compile("海棠|Haitang")).first.click()
    page.fill("#file-name", "王芳")
    page.fill("#file-phone", "13900004321")
    page.fill("#file-description", "客户反映电表箱有异常响声，家中停电。")
    page.click("form[id^=file-] button.primary")
    tell = page.locator("#panel [hx-get*='/reply?what=']")
    expect(tell).to_be_visible(timeout=PATIENCE)
    number = re.search(r"/tickets/(\d{12})/reply", tell.get_attribute("hx-get") or "")
    assert number
    tell.click()
    return number[1]


def test_a_follower_on_wechat(channels: Channels, seat: TakeSeat) -> None:
    agent, follower = seat(), WechatTalk(channels)
    follower.take({"say": "转人工", "expect": ["等|接通|人工"]})
    agent.claim(follower.conversation_id)
    agent.reply("您好，请问有什么可以帮您？")
    wait_until(lambda: "请问有什么可以帮您" in "".join(got.text for got in follower.follower.read))
    follower.follower.send("我想问下水费")
    agent.sees("customer", "我想问下水费")
    agent.note("这句话客户看不到")
    agent.reply("这个月水费 42.50 元。")
    wait_until(lambda: "42.50" in "".join(got.text for got in follower.follower.read))
    agent.close_conversation()
    assert "看不到" not in "".join(got.text for got in follower.follower.read)
    follower.end()


def test_a_caller_hears_what_is_typed(channels: Channels, seat: TakeSeat) -> None:
    agent, caller = seat("agent", "en"), CallTalk(channels, "+8613900008801")
    caller.take({"call": True})
    caller.take({"press": "1"})
    caller.take({"press": "0"})
    conversation = caller.conversation_id
    agent.claim(conversation)
    expect(agent.page.get_by_text(agent.t("conversation.read_out"))).to_be_visible()
    agent.reply("您好，我是小李，请讲。")
    heard = caller.take({"wait": 2}) + caller.take({"say": "我的电表一直在转"})
    assert "我是小李" in heard
    agent.sees("customer", "我的电表一直在转")
    agent.reply("明天上午给您校表。")
    assert "校表" in caller.take({"silence": True})
    agent.hand_back("已约明天上午校表。")
    assert re.search("自动助手|还有什么", caller.take({"silence": True}))
    caller.take({"hang_up": True})


def test_the_first_admin_takes_a_password_of_his_own_and_adds_an_agent(
    channels: Channels, browser: Browser, seat: TakeSeat
) -> None:
    admin = Seat(browser, channels.desk.base_url, "admin", "en")
    admin.sign_in(channels.desk.admin_password)
    for field in ("password", "again"):
        admin.page.fill(f"form[action='/console/login/password'] [name={field}]", "my own long password")
    admin.page.click("form[action='/console/login/password'] button.primary")
    admin.at_inbox()
    admin.page.goto("/console/admin")
    name = f"new-{time.monotonic_ns():x}"
    form = admin.page.locator("form").filter(has=admin.page.locator("[name=username]"))
    fold = admin.page.locator("details").filter(has=form)
    if fold.count() and fold.get_attribute("open") is None:
        fold.locator("summary").first.click()
    form.locator("[name=username]").fill(name)
    form.locator("button").last.click()
    once = admin.page.locator("code").first
    expect(once).to_be_visible()
    password = once.inner_text().strip()
    admin.check()
    admin.close()

    fresh = Seat(browser, channels.desk.base_url, name, "en").sign_in(password)
    for field in ("password", "again"):
        fresh.page.fill(f"form[action='/console/login/password'] [name={field}]", PASSWORD)
    fresh.page.click("form[action='/console/login/password'] button.primary")
    fresh.at_inbox()
    fresh.present("busy")
    fresh.check()
    fresh.close()
