"""Writes docs/operations/access.md from api/access.yml."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from api.access import ROLES, Row, matrix

PAGE = ROOT / "docs" / "operations" / "access.md"
HEAD = """# Who may do what

Every endpoint of the desk and who may call it. The page is made from `api/access.yml` by `scripts/access_page.py`; the
desk enforces the same file before every request, refuses what it does not name, and does not start when a route has no
row. `tests/integration/access` tries every cell.

- **service**: the holder of `MAINSDESK_SERVICE_TOKEN`. **bot**: the assistant, from this machine only, for the one
  conversation that it speaks in. **agent**, **supervisor**, **dispatcher**, **admin**: a person by his role; at the API
  by his token, at the console by his cookie, and neither stands for the other.
- ● may; · may not. "Everybody" needs no token; "the customer" is who began that web chat; "the vendor" signs what it
  sends.
- Within a role finer rules hold: only a conversation's own agent replies, agents open [the conversations that their
  work brings them](security.md#roles), a call-back's number is whole only for who may call it, the bot sees its own
  customer's tickets.
- ◉ in the last column: the answer holds personal data, and the reading stands in the [audit log](audit.md) before it is
  given. ◆: the act stands there.
"""
UNSIGNED = {"public": "everybody", "customer": "the customer", "vendor": "the vendor"}
PARTS = {
    "/": "Pages and health",
    "/web": "Web chat",
    "/wechat": "WeChat",
    "/voice": "Telephone",
    "/api/v1": "API",
    "/console": "Console",
}


def part_of(row: Row) -> str:
    """The heading below which a row stands."""
    longest_first = sorted(PARTS, key=len, reverse=True)
    return next(PARTS[start] for start in longest_first if start == "/" or f"{row.path}/".startswith(f"{start}/"))


def line(row: Row) -> str:
    """A row of the table."""
    open_to = " ".join(UNSIGNED[name] for name in UNSIGNED if name in row.who)
    cells = [open_to] + [" "] * (len(ROLES) - 1) if open_to else ["●" if role in row.who else "·" for role in ROLES]
    marks = ("◉" if row.reads else "") + ("◆" if row.does else "")
    return " | ".join([f"| `{row.method} {row.path}`", *cells, row.what, f"{marks} |"])


def page(rows: Iterable[Row]) -> Iterator[str]:
    """The whole page, line by line."""
    yield HEAD
    rows = list(rows)
    for heading in PARTS.values():
        yield f"## {heading}\n"
        yield " | ".join(["| endpoint", *ROLES, "what", "log |"])
        yield "| --- " * (len(ROLES) + 3) + "|"
        yield from (line(row) for row in rows if part_of(row) == heading)
        yield ""


def text() -> str:
    """The page as it should be."""
    return "\n".join(page(matrix()))


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
