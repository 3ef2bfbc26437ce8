"""An agent at the console in a real browser, with what he does there."""

import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from api.console.pages import word
from tests.e2e.page import LOCALES, PATIENCE, WATCH_POLICY

PASSWORD = "a long enough password"
#: What the browser and htmx say of a connection that is gone, which a test takes away on purpose, and of refusals.
NETWORK = re.compile(
    r"net::ERR_|Failed to load resource|EventSource|Failed to fetch|^htmx:(sendError|sendAbort|afterRequest|sseError)"
    r"|Response Status Error Code (4\d\d|503) |^\[object Event\]$"
)


@dataclass
class Seat:
    """One agent's browser. `errors`: what must never be; `check()` at the end."""

    browser: Browser
    base_url: str
    username: str
    language: str = "zh"
    width: int = 1440
    height: int = 900

    def __post_init__(self) -> None:
        self.context = self.browser.new_context(
            base_url=self.base_url,
            locale=LOCALES[self.language],
            timezone_id="Asia/Shanghai",
            viewport={"width": self.width, "height": self.height},
        )
        self.errors: list[str] = []
        self.page = self.new_page()

    def new_page(self) -> Page:
        """One more tab of the same sign-in."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.set_default_navigation_timeout(PATIENCE)
        page.on("dialog", lambda dialog: (self.errors.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: self.errors.append(f"error: {error}"))
        page.on("console", lambda message: self._on_console(message.type, message.text))
        page.on("response", lambda answer: self._on_answer(answer.status, answer.url))
        page.add_init_script(WATCH_POLICY)
        return page

    def _on_console(self, kind: str, text: str) -> None:
        if kind == "error" and not NETWORK.search(text):
            self.errors.append(f"console: {text}")

    def _on_answer(self, status: int, url: str) -> None:
        if status >= 500 and status != 503:
            self.errors.append(f"{status} {url}")

    def check(self) -> None:
        """No dialog, no error of a script or of the desk, nothing that the content policy had to stop."""
        problems = [*self.errors, *self.page.evaluate("() => window.policyViolations || []")]
        assert problems == [], f"{self.username}: {problems}"

    def close(self) -> None:
        self.context.close()

    def t(self, key: str, **values: object) -> str:
        """The console's word in this agent's language."""
        return word(key, self.language, **values)

    # signing in

    def sign_in(self, password: str = PASSWORD) -> "Seat":
        """By name and password; the page that follows is the inbox or another step."""
        self.page.goto(f"/console/login?lang={self.language}")
        self.page.fill("[name=username]", self.username)
        self.page.fill("[name=password]", password)
        self.page.click("form[action='/console/login'] button.primary")
        return self

    def at_inbox(self) -> "Seat":
        expect(self.page.locator("#inbox")).to_be_visible(timeout=PATIENCE)
        self.streaming()
        return self

    def present(self, how: str = "available") -> None:
        """Set the presence in the bar."""
        chosen = self.page.locator("select[name=presence]")
        if chosen.input_value() == how:
            return
        with self.page.expect_response(lambda answer: answer.url.endswith("/console/presence")) as answered:
            chosen.select_option(how)
        assert answered.value.ok

    def streaming(self) -> None:
        """Wait until the page's scripts run and its stream of hints is open."""
        self.page.wait_for_function("() => window.htmx && document.readyState === 'complete'")
        expect(self.page.locator("#connection")).to_be_hidden(timeout=PATIENCE)

    # conversations

    def item(self, conversation_id: str, within: str = "#inbox") -> Locator:
        return self.page.locator(f"{within} [data-conversation='{conversation_id}']")

    def claim(self, conversation_id: str) -> None:
        """From the list of those who wait."""
        self.page.click(f"#claim-{conversation_id}")
        self.page.wait_for_url(f"**/console/c/{conversation_id}")
        self.owns()

    def open(self, conversation_id: str) -> None:
        self.page.goto(f"/console/c/{conversation_id}")
        expect(self.page.locator("#lines")).to_be_visible()

    def owns(self) -> None:
        expect(self.page.locator("#reply-text")).to_be_enabled(timeout=PATIENCE)

    def reply(self, text: str) -> None:
        """Write and send, and see it in the transcript."""
        self.page.fill("#reply-text", text)
        self.page.click("#send")
        self.sees("agent", text)
        expect(self.page.locator("#reply-text")).to_have_value("", timeout=PATIENCE)

    def note(self, text: str) -> None:
        self.page.click("#tab-note")
        self.page.fill("#note-text", text)
        self.page.click("#save-note")
        expect(self.page.locator("#lines .note .text").filter(has_text=text)).to_have_count(1, timeout=PATIENCE)
        self.page.click("#tab-reply")

    def sees(self, sender: str, text: str, times: int = 1) -> None:
        """A line of `sender` (customer, bot, agent, system) with that text stands in the transcript."""
        found = self.page.locator(f"#lines > .line.{sender} .text").filter(has_text=text)
        expect(found).to_have_count(times, timeout=PATIENCE)

    def act(self, name: str) -> Locator:
        """Open one of the acts above the transcript (release, transfer, close, more); its form."""
        fold = self.page.locator("#acts > details").filter(has=self.page.locator(f"form[hx-post$='/{name}']"))
        if fold.get_attribute("open") is None:
            fold.locator("summary").click()
        return fold.locator(f"form[hx-post$='/{name}']")

    def hand_back(self, summary: str) -> None:
        form = self.act("release")
        form.locator("#release-summary").fill(summary)
        form.locator("button.primary").click()
        self.done("handed_back")

    def close_conversation(self, outcome: str = "solved") -> None:
        form = self.act("close")
        form.locator("#close-outcome").select_option(outcome)
        form.locator("button.primary").click()
        self.done("closed")

    def done(self, what: str) -> None:
        """Back in the inbox, which says what happened."""
        self.page.wait_for_url(f"**/console?done={what}")
        expect(self.page.get_by_text(self.t(f"inbox.done_{what}"))).to_be_visible()

    def notice(self, key: str) -> None:
        """A notice in words."""
        expect(self.page.locator("#notices").get_by_text(self.t(key)).first).to_be_visible(timeout=PATIENCE)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """{"id", "class", "text"} of what the transcript shows, in order."""
        return self.page.eval_on_selector_all(
            "#lines > li",
            "all => all.map(m => ({id: m.id, class: m.className, text: m.querySelector('.text').textContent}))",
        )
