"""Every page of the console and its main states, looked at by axe: light and dark, in both languages."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dialogue.customer import Customer
from tests.dialogue.vendors import Channels
from tests.e2e.console.conftest import new_agent, put_down
from tests.e2e.console.seat import Seat

pytestmark = pytest.mark.xdist_group("console")

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN = """
async (rules) => {
  const found = await axe.run(document, { resultTypes: ["violations"], ...rules });
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact)).flatMap((one) =>
    one.nodes.map((node) => `${one.id}: ${node.target.join(" ")} ${node.any.map((why) => why.message).join("; ")}`));
}
"""
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
LANGUAGES = ("zh", "en")


def findings(page: Page) -> list[str]:
    """Serious and critical findings in both colour schemes, each once."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(RUN, {})
    page.emulate_media(color_scheme="dark")
    found += [f"dark {one}" for one in page.evaluate(RUN, COLOURS)]
    page.emulate_media(color_scheme="light")
    return found


class Inspector:
    """Opens states of pages and gathers what axe finds."""

    def __init__(self, seat: Seat) -> None:
        self.seat, self.page, self.found = seat, seat.page, dict[str, list[str]]()

    def open(self, path: str, settled: str = "#main") -> None:
        self.page.goto(path)
        self.seat.streaming()
        expect(self.page.locator(settled).first).to_be_attached(timeout=30_000)

    def look(self, state: str) -> None:
        if found := findings(self.page):
            self.found[state] = found

    def page_of(self, path: str, settled: str = "#main") -> None:
        """A page with all its folds open."""
        self.open(path, settled)
        self.page.evaluate("document.querySelectorAll('main details:not([name])').forEach((one) => one.open = true)")
        self.look(path)


@pytest.fixture(scope="module")
def scene(channels: Channels) -> dict[str, str]:
    """Something of everything: who waits, danger, a ticket, an outage, a bulletin."""
    made = {}
    waiting = Customer(channels.client, "zh")
    waiting.send("转人工")
    made["waiting"] = waiting.id
    danger = Customer(channels.client, "en")
    danger.send("There is a fire at the transformer box")
    made["danger"] = danger.id
    ours = Customer(channels.client, "zh")
    ours.send("海棠晓月3栋，我家没电了，邻居家有电")
    ours.send("转人工")
    made["ours"] = ours.id
    body: dict[str, Any] = {
        "kind": "fault_report",
        "utility": "power",
        "service_point_id": "sp_haitang_xiaoyue_3",
        "contact_name": "王芳",
        "contact_phone": "13800138000",
        "description": "家中停电，邻居家有电。",
        "conversation_id": ours.id,
    }
    made["ticket"] = channels.send("POST", "/api/v1/tickets", body)["number"]
    asset = channels.get("/api/v1/places", q="海棠晓月3栋")["candidates"][0]["chain"]["power"][0]["id"]
    now = datetime.now(UTC)
    body = {
        "utility": "power",
        "kind": "fault",
        "asset_id": asset,
        "starts_at": now.isoformat(),
        "expected_end_at": (now + timedelta(hours=2)).isoformat(),
        "cause": "设备故障",
    }
    made["outage"] = channels.send("POST", "/api/v1/outages", body)["id"]
    body = {"text_zh": "今晚检修", "text_en": "Works tonight", "ends_at": (now + timedelta(hours=1)).isoformat()}
    made["bulletin"] = channels.send("POST", "/api/v1/bulletins", body)["id"]
    return made


@pytest.fixture(params=LANGUAGES, scope="module")
def admin(request: pytest.FixtureRequest, channels: Channels, browser: Browser) -> Iterator[Seat]:
    language = request.param
    one = Seat(browser, channels.desk.base_url, new_agent(channels, "admin", language=language), language)
    one.sign_in().at_inbox()
    yield one
    put_down(channels, one)
    one.close()


@pytest.fixture
def inspector(admin: Seat) -> Iterator[Inspector]:
    one = Inspector(admin)
    yield one
    assert one.found == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_signing_in(channels: Channels, browser: Browser, language: str) -> None:
    seat = Seat(browser, channels.desk.base_url, "nobody", language)
    found = {}
    seat.page.goto(f"/console/login?lang={language}")
    found["login"] = findings(seat.page)
    seat.sign_in("not the password")
    expect(seat.page.locator(".notice.bad")).to_be_visible()
    found["refused"] = findings(seat.page)
    seat.username = new_agent(channels, must_change_password=True, language=language)
    seat.sign_in()
    expect(seat.page.locator("[name=again]")).to_be_visible()
    found["first password"] = findings(seat.page)
    seat.close()
    assert found == {"login": [], "refused": [], "first password": []}


PAGES = (
    "/console",
    "/console/tickets",
    "/console/outages",
    "/console/knowledge",
    "/console/bulletins",
    "/console/calls",
    "/console/supervisor",
    "/console/quality",
    "/console/quality/mine",
    "/console/surveys",
    "/console/misunderstood",
    "/console/audit",
    "/console/admin",
    "/console/account",
    "/console/account/second-factor",
    "/console/nothing-is-here",
)


@pytest.mark.parametrize("path", PAGES)
def test_pages(inspector: Inspector, scene: dict[str, str], path: str) -> None:
    inspector.page_of(path)


def test_one_of_each(inspector: Inspector, scene: dict[str, str]) -> None:
    inspector.page_of(f"/console/tickets/{scene['ticket']}")
    inspector.page_of(f"/console/outages/{scene['outage']}")
    inspector.page_of(f"/console/admin/agents/{inspector.seat.username}")
    inspector.open("/console/knowledge")
    article = inspector.page.locator("a[href^='/console/knowledge/']").first
    inspector.page_of(article.get_attribute("href") or "")


def test_a_conversation(channels: Channels, inspector: Inspector, scene: dict[str, str]) -> None:
    page, ours = inspector.page, scene["ours"]
    panel = "#panel .panel-body"
    inspector.open(f"/console/c/{scene['danger']}", panel)
    inspector.look("danger, not ours")
    channels.send("POST", f"/api/v1/conversations/{ours}/claim", {"agent": inspector.seat.username})
    inspector.open(f"/console/c/{ours}", panel)
    inspector.look("ours")
    page.click("#tab-note")
    page.fill("#note-text", "先查线路")
    page.click("#save-note")
    expect(page.locator("#lines .note").first).to_be_visible()
    inspector.look("a note")
    page.click("#tab-reply")
    page.click("#open-picker")
    expect(page.locator("#picks .pick").first).to_be_visible()
    inspector.look("canned replies")
    page.click("#close-picker")
    for number in range(page.locator("#acts > details").count()):
        page.locator("#acts > details > summary").nth(number).click()
        inspector.look(f"act {number}")
    page.click("#panel [hx-get$='/ticket-form']")
    expect(page.locator("#file-kind")).to_be_visible()
    page.fill("#file-description", "")
    page.click("form[id^=file-] button.primary")
    expect(page.locator("#file-errors > *").first).to_be_visible()
    inspector.look("a ticket's form with what is wrong")
    page.click("#panel [hx-get$='/find-account']")
    expect(page.locator("#sought")).to_be_visible()
    inspector.look("finding an account")
    channels.send("POST", f"/api/v1/conversations/{ours}/release", {"agent": inspector.seat.username})


def test_at_arms_length(inspector: Inspector, scene: dict[str, str]) -> None:
    """Nothing is cut off on a narrow window."""
    page = inspector.page
    page.set_viewport_size({"width": 390, "height": 800})
    wide: dict[str, int] = {}
    for path in (*PAGES, f"/console/c/{scene['ours']}", f"/console/tickets/{scene['ticket']}"):
        inspector.open(path)
        over = int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
        if over > 0:
            wide[path] = over
    page.set_viewport_size({"width": 1440, "height": 900})
    assert wide == {}
