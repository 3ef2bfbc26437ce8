"""A ticket in an agent's words: what runs, what can be done next, and what was done by whom."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.console.pages import say_or, word
from api.console.sheet import Step, steps_of
from api.notices.tables import Notice
from api.outages.tables import Outage
from api.tickets import news, rules, service
from api.tickets.due import Due, due_of
from api.tickets.tables import Ticket, TicketEvent, Unit

#: The order in which statuses are offered: onwards first, then ways out.
ORDER = (
    *("dispatched", "accepted", "on_site", "repaired", "customer_informed", "followed_up", "closed"),
    *("transferred", "returned", "cancelled"),
)
WAYS_OUT = frozenset({"transferred", "returned", "cancelled"})
#: Fields whose values are codes of `words/tickets.yml`.
_CODES = {"status": "status", "kind": "kind", "topic": "topic", "scope": "scope", "priority": "priority"}
_LABELS = {
    **{
        name: f"tickets.{name}" for name in (*_CODES, "unit", "address", "contact_name", "contact_phone", "description")
    },
    **{name: f"tickets.{name}" for name in ("eta", "expected", "arrived_at", "completed_at", "contacted_at", "crew")},
    **{name: f"tickets.{name}" for name in ("device", "cause", "work", "verifier", "assessment", "reason", "handler")},
    **{name: f"tickets.{name}" for name in ("confirmed_true", "liable", "satisfied", "tried")},
    "outage_id": "tickets.outage",
    "text": "tickets.note_text",
}


def next_of(ticket: Ticket) -> list[str]:
    """The statuses that a ticket may take now, in the order in which they are offered."""
    return [status for status in ORDER if rules.may_change(ticket.kind, ticket.status, status)]


@dataclass(frozen=True)
class Line:
    """One line of a history, its parts as (label, words)."""

    at: datetime
    kind: str
    by: str
    parts: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class View:
    """A ticket with everything that its page shows."""

    ticket: Ticket
    unit: Unit | None
    outage: Outage | None
    due: Due | None
    to_tell: str
    times: Mapping[str, datetime]
    notified: bool
    steps: Sequence[Step]
    history: Sequence[Line]

    @property
    def next(self) -> list[str]:
        return next_of(self.ticket)

    @property
    def ended(self) -> bool:
        return self.ticket.status in rules.ENDED


async def view_of(session: AsyncSession, number: str, language: str, zone: ZoneInfo, now: datetime) -> View:
    """Problem 404 for an unknown number."""
    ticket = await service.find(session, number)
    events = await service.history(session, number)
    sent = select(Notice.id).where(Notice.ticket_number == number, Notice.state == "sent").limit(1)
    return View(
        ticket=ticket,
        unit=await session.get(Unit, ticket.unit) if ticket.unit else None,
        outage=await session.get(Outage, ticket.outage_id) if ticket.outage_id else None,
        due=due_of(ticket.status, ticket.dispatch_due_at, ticket.arrival_due_at, now),
        to_tell=news.untold((event.kind, event.data) for event in events),
        times=news.times_of(events),
        notified=await session.scalar(sent) is not None,
        steps=steps_of(ticket.tried, language),
        history=await _lines(session, events, language, zone),
    )


async def _lines(session: AsyncSession, events: Sequence[TicketEvent], language: str, zone: ZoneInfo) -> list[Line]:
    """The latest first."""
    ids = {event.by.removeprefix("agent:") for event in events if event.by.startswith("agent:")}
    agents = {
        agent.id: agent.name or agent.username
        for agent in await session.scalars(select(Agent).where(Agent.id.in_(ids)))
    }
    units = {
        unit.id: unit.name_en if language == "en" else unit.name_zh for unit in await session.scalars(select(Unit))
    }

    def who(by: str) -> str:
        kind, _, name = by.partition(":")
        return agents.get(name, name) if kind == "agent" else say_or(f"tickets.by_{kind}", by, language)

    def value(name: str, given: Any) -> str:
        if isinstance(given, bool):
            return word(f"tickets.{'yes' if given else 'no'}", language)
        if name in _CODES:
            return say_or(f"tickets.{_CODES[name]}_{given}", str(given), language)
        if name == "unit":
            return units.get(str(given), str(given or "")) or word("tickets.empty", language)
        if moment := news.moment_of(str(given)):
            return f"{moment.astimezone(zone):%m-%d %H:%M}"
        if isinstance(given, list):
            return "; ".join(f"{step.asked}: {step.answer}" for step in steps_of(given, language))
        return str(given) if given not in (None, "") else word("tickets.empty", language)

    def label(name: str) -> str:
        return word(_LABELS[name], language) if name in _LABELS else name

    def parts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
        old, found = data.get("old") or {}, []
        for name, given in (data.get("new") or {}).items():
            if name != "service_point_id":
                before = value(name, old.get(name))
                found.append((label(name), word("tickets.arrow", language, old=before, new=value(name, given))))
        plain = {name: given for name, given in data.items() if name not in ("old", "new", "details", "handling")}
        for told in (plain, data.get("details") or {}, data.get("handling") or {}):
            found += [(label(name), value(name, given)) for name, given in told.items() if given not in (None, "", [])]
        return found

    return [Line(event.at, event.kind, who(event.by), parts(event.data)) for event in reversed(events)]
