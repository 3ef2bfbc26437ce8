"""A hundred ways to smuggle a script into a page, and how to tell whether one was run.

`payloads()` gives them by number. A page that ran one has called `alert` (see `WATCH`) or asked a foreign host (see
`Witness`). The file holds markup, event handlers, SVG and MathML, addresses, htmx's and other templates' attributes,
ways out of attributes, comments and raw text, the desk's own scripts turned against its policy, and encodings.
"""

import unicodedata
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Dialog, Page, Request

FILE = Path(__file__).with_name("payloads.txt")
#: Every foreign address in the payloads is one of this host, which does not exist.
FOREIGN = "evil.invalid"
#: For Page.add_init_script: what a payload calls leaves its number behind, in whatever frame it runs.
WATCH = """
(() => {
  const ran = (what) => { (window.top.ranPayloads ||= []).push(String(what)); };
  for (const name of ["alert", "confirm", "prompt", "print"])
    Object.defineProperty(window, name, { value: ran, configurable: false, writable: false });
})();
"""


@cache
def payloads() -> dict[int, str]:
    """Number → text, from 1; each at most 300 characters on one line."""
    lines = FILE.read_text(encoding="utf-8").split("\n")
    kept = [line for line in lines if line.strip() and not line.startswith("# ")]
    return {number: line.replace("@", str(number)) for number, line in enumerate(kept, 1)}


@dataclass
class Witness:
    """Watches one page, from before its first document; `check()` when everything is on it."""

    page: Page
    dialogs: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("dialog", self._on_dialog)
        self.page.on("request", self._on_request)

    def _on_dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        if urlsplit(request.url).hostname == FOREIGN:
            self.foreign.append(request.url)

    def ran(self) -> list[str]:
        """The numbers of payloads that were run, foreign addresses that were asked for, and dialogs."""
        called: list[str] = self.page.evaluate("window.ranPayloads || []")
        return [*called, *self.foreign, *self.dialogs]

    def check(self, *, shown: list[int]) -> None:
        """None was run, and those that should be on the page are, as text."""
        assert self.ran() == []
        text = squeezed(self.page.inner_text("body"))
        missing = [number for number in shown if squeezed(payloads()[number]) not in text]
        assert missing == [], f"not shown as they were written: {missing}"


def squeezed(text: str) -> str:
    """Text without white space, which a page may break and join, and without marks that nobody sees."""
    return "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
