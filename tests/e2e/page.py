"""The chat page in a real browser, as a customer uses it: typing, clicking choices, reading."""

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
#: Milliseconds; generous, as a test machine may be doing much else.
PATIENCE = 60_000
expect.set_options(timeout=PATIENCE)
#: Counts what a strict content policy stopped, from before the page's own scripts run.
WATCH_POLICY = """
window.policyViolations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.policyViolations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""
ANSWERED = """
(pattern) => {
  const messages = [...document.querySelectorAll(".message")];
  const mine = messages.map((m) => m.dataset.from).lastIndexOf("customer");
  const said = messages.slice(mine + 1).map((m) => m.querySelector(".text").textContent).join("\\n");
  return document.querySelector("[data-testid=typing]").hidden && new RegExp(pattern, "i").test(said);
}
"""


@contextmanager
def a_browser() -> Iterator[Browser]:
    """The machine's own Chromium, with a profile that did not exist before."""
    executable = next(filter(None, map(shutil.which, BROWSERS)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        yield browser
        browser.close()


class ChatPage:
    """One customer's browser tab. `dialogs`, `errors`: what must never be."""

    def __init__(self, browser: Browser, base_url: str, language: str, width: int = 1100, height: int = 900) -> None:
        self.context = browser.new_context(
            base_url=base_url,
            locale=LOCALES[language],
            timezone_id="Asia/Shanghai",
            viewport={"width": width, "height": height},
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.dialogs: list[str] = []
        self.errors: list[str] = []
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.add_init_script(WATCH_POLICY)
        self.page.goto("/")

    def close(self) -> None:
        self.context.close()

    def start_with(self, starter: str, answer: str) -> None:
        """Click one of the offers of the empty page and wait for an answer that matches."""
        self.page.click(f"[data-starter={starter}]")
        self.wait_for(answer)

    def say(self, text: str, answer: str) -> None:
        self.type(text)
        self.wait_for(answer)

    def type(self, text: str) -> None:
        """Type and send, without waiting for the answer."""
        self.page.get_by_test_id("chat-input").press_sequentially(text)
        self.page.get_by_test_id("chat-send").click()

    def choose(self, label: str, answer: str) -> None:
        self.page.locator("[data-choice]:enabled").filter(has_text=re.compile(label)).first.click()
        self.wait_for(answer)

    def wait_for(self, answer: str) -> None:
        """Wait until what stands under the last own message matches and nothing more is under way."""
        mine = self.page.locator(".message[data-from=customer]").last
        expect(mine).to_have_attribute("data-seq", re.compile(r"\d"), timeout=PATIENCE)
        try:
            self.page.wait_for_function(ANSWERED, arg=answer)
        except PlaywrightTimeout as late:
            said = "\n".join(f"{message['from']}: {message['text']}" for message in self.messages)
            raise AssertionError(f"no answer like {answer!r}:\n{said}") from late

    @property
    def messages(self) -> list[dict[str, Any]]:
        """{"seq", "from", "text"} of each message as it is shown, in order."""
        return self.page.eval_on_selector_all(
            ".message",
            "all => all.map(m => ({seq: Number(m.dataset.seq), from: m.dataset.from,"
            " text: m.querySelector('.text').textContent}))",
        )

    @property
    def conversation(self) -> dict[str, str]:
        """{"id", "token"} as the browser keeps them."""
        kept: dict[str, str] = json.loads(self.page.evaluate("localStorage.getItem('mainsdesk.conversation')"))
        return kept

    @property
    def policy_violations(self) -> list[str]:
        return list(self.page.evaluate("window.policyViolations"))
