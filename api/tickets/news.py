"""What dispatch did reaches the agents, who tell the customers (C19, D3-D5). Functions never commit."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations.bell import TICKETS, agent_key, touch
from api.conversations.notes import add_note
from api.conversations.tables import Conversation, Mention
from api.tickets.tables import Ticket, TicketEvent

#: Statuses whose coming the customer is told of (D4, D5).
TELLING = ("on_site", "repaired")
#: The history's line that a customer was told.
TOLD = "told"
#: Times that a change may bring: the crew's arrival (D3), supply back (D4). Their values are RFC 3339 times.
TIMES = {"expected": "when", "eta": "eta"}
#: How far back the list of those to be told looks, and how many tickets it reads.
LOOK_BACK, MOST = timedelta(days=7), 300


def untold(events: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """What a ticket's customer has not been told yet: on_site, repaired, expected (another time), or ''.

    `events` are (kind, data) of its history, in order.
    """
    pending = ""
    for kind, data in events:
        if kind == TOLD:
            pending = ""
        if kind != "changed":
            continue
        status = data.get("new", {}).get("status")
        if status is not None:
            pending = status if status in TELLING else "" if status not in ("dispatched", "accepted") else pending
        if status not in TELLING and pending != "repaired" and TIMES.keys() & data.get("details", {}).keys():
            pending = pending or "expected"
    return pending


@dataclass(frozen=True)
class ToTell:
    """A ticket whose customer is to be told `what`, since when, and the times that were named last."""

    ticket: Ticket
    what: str
    since: datetime
    times: Mapping[str, datetime]


async def to_tell(session: AsyncSession, now: datetime) -> list[ToTell]:
    """Customers whom nobody has told yet what dispatch did; who has waited longest first."""
    query = (
        select(Ticket)
        .where(
            Ticket.status.in_(("dispatched", "accepted", *TELLING)),
            Ticket.updated_at > now - LOOK_BACK,
        )
        .order_by(Ticket.updated_at.desc(), Ticket.number)
        .limit(MOST)
    )
    tickets = {ticket.number: ticket for ticket in await session.scalars(query)}
    lines = select(TicketEvent).where(
        TicketEvent.ticket_number.in_(list(tickets)), TicketEvent.kind.in_(("changed", TOLD))
    )
    histories: dict[str, list[TicketEvent]] = {}
    for event in await session.scalars(lines.order_by(TicketEvent.id)):
        histories.setdefault(event.ticket_number, []).append(event)
    found = [
        ToTell(tickets[number], what, events[-1].at, times_of(events))
        for number, events in histories.items()
        if (what := untold((event.kind, event.data) for event in events))
    ]
    return sorted(found, key=lambda one: one.since)


def times_of(events: Iterable[TicketEvent]) -> dict[str, datetime]:
    """The times that were named last, by `TIMES`."""
    named: dict[str, datetime] = {}
    for event in events:
        details = event.data.get("details", {})
        named |= {name: moment for name in TIMES if (moment := moment_of(details.get(name, "")))}
    return named


@cache
def _sentences() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("news.yml").read_text(encoding="utf-8"))
    return loaded


def grouped(number: str) -> str:
    """A ticket's number as it is read: in groups of four."""
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def sentence(number: str, what: str, details: Mapping[str, str], language: str, zone: tzinfo) -> str:
    """The news in words."""
    words, said = _sentences(), []
    for name, key in TIMES.items():
        if moment := moment_of(details.get(name, "")):
            said.append(words[key][language].format(time=f"{moment.astimezone(zone):%H:%M}"))
    return words[what][language].format(number=grouped(number), expected="".join(said)).strip()


def moment_of(text: str) -> datetime | None:
    """An RFC 3339 time with its zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


async def tell_agent(
    session: AsyncSession,
    ticket: Ticket,
    status: str | None,
    details: Mapping[str, str],
    by: str,
    now: datetime,
    zone: tzinfo = UTC,
) -> None:
    """Tell the agent who has the ticket's customer, by a note that names him, unless he did it himself."""
    known = _sentences()
    what = status if status in known else "expected" if TIMES.keys() & details.keys() else ""
    if not what or ticket.conversation_id is None:
        return
    conversation = await session.get(Conversation, ticket.conversation_id)
    if conversation is None or conversation.owner != "agent" or conversation.agent_id is None:
        return
    agent = await session.get(Agent, conversation.agent_id)
    if agent is None or by == f"agent:{agent.id}":
        return
    text = sentence(ticket.number, what, details, agent.language, zone)
    note = await add_note(session, conversation, None, "note", text, now)
    session.add(Mention(note_id=note.id, agent_id=agent.id))
    await touch(session, agent_key(agent.id))


async def told(session: AsyncSession, ticket: Ticket, by: str, now: datetime) -> None:
    """Note that the customer was told of what came last."""
    session.add(TicketEvent(ticket_number=ticket.number, kind=TOLD, by=by, data={"status": ticket.status}, at=now))
    ticket.updated_at = now
    await session.flush()
    await touch(session, TICKETS)
