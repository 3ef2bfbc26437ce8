"""The bar's entries: who sees which, and which one the present page belongs to."""

from typing import NamedTuple

DESK = ("agent", "supervisor", "admin")
ALL = ("agent", "supervisor", "dispatcher", "admin")
ABOVE = ("supervisor", "admin")


class Entry(NamedTuple):
    key: str
    href: str
    current: bool


#: Key, roles, and the paths below which a page belongs to it; the first is where it leads.
_ENTRIES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("inbox", DESK, ("/console", "/console/c/")),
    ("calls", DESK, ("/console/calls",)),
    ("tickets", ALL, ("/console/tickets",)),
    ("outages", ALL, ("/console/outages",)),
    ("knowledge", ALL, ("/console/knowledge", "/console/replies")),
    ("bulletins", ALL, ("/console/bulletins",)),
    (
        "supervisor",
        ABOVE,
        ("/console/supervisor", "/console/quality", "/console/misunderstood", "/console/surveys", "/console/audit"),
    ),
    ("admin", ("admin",), ("/console/admin",)),
)


def entries(role: str, path: str) -> list[Entry]:
    """What an agent of this role has in the bar on the page at `path`."""
    return [
        Entry(key, paths[0], path == paths[0] or any(path.startswith(below) for below in paths if below != "/console"))
        for key, roles, paths in _ENTRIES
        if role in roles
    ]
