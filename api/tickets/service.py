"""Filing, finding, changing tickets (C19, B16, D2-D5). Functions take a session and never commit."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, Protocol

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.bell import TICKETS, touch
from api.conversations.tables import Conversation
from api.customers.tables import Account
from api.errors import Problem, not_found
from api.outages.tables import Outage
from api.paging import newest_first
from api.tickets import news, placement, rules
from api.tickets.numbers import new_number
from api.tickets.schemas import Handling, NewNote, NewTicket, TicketChange
from api.tickets.tables import Ticket, TicketEvent

#: Characters of a danger message that go into its ticket; the transcript has the rest.
LONGEST_DANGER = 1_000
log = structlog.get_logger(__name__)

#: What the customer's own words may correct.
CORRECTABLE = ("address", "service_point_id", "contact_name", "contact_phone", "description", "scope")


#: The topic of orders about danger to life; they are never merged with ordinary ones.
HAZARD = "hazard"


async def record(
    session: AsyncSession, number: str, kind: str, by: str, now: datetime, data: dict[str, Any]
) -> TicketEvent:
    """Add a line to a ticket's history."""
    event = TicketEvent(ticket_number=number, kind=kind, by=by, data=data, at=now)
    session.add(event)
    await session.flush()
    await touch(session, TICKETS)
    return event


async def history(session: AsyncSession, number: str) -> Sequence[TicketEvent]:
    query = select(TicketEvent).where(TicketEvent.ticket_number == number).order_by(TicketEvent.id)
    return (await session.scalars(query)).all()


async def free_number(session: AsyncSession) -> str:
    """A number that no ticket has."""
    while True:
        number = new_number(secrets.randbelow)
        if await session.get(Ticket, number) is None:
            return number


async def find(session: AsyncSession, number: str, *, conversation_id: str | None = None, lock: bool = False) -> Ticket:
    """The ticket, locked for a change where the database can; with a conversation: its own only, else 404."""
    ticket = await session.get(Ticket, number, with_for_update=True if lock else None)
    if ticket is None or (conversation_id is not None and ticket.conversation_id != conversation_id):
        raise not_found("ticket")
    return ticket


async def callers_of(session: AsyncSession, number: str) -> Sequence[TicketEvent]:
    """The further callers that were added to a ticket."""
    query = select(TicketEvent).where(TicketEvent.ticket_number == number, TicketEvent.kind == "caller")
    return (await session.scalars(query)).all()


async def list_tickets(
    session: AsyncSession,
    *,
    conversation_id: str | None = None,
    statuses: Sequence[str] = (),
    kind: str | None = None,
    unit: str | None = None,
    since: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[Sequence[Ticket], str | None]:
    """Tickets, newest first, with the cursor of the next page."""
    query = select(Ticket)
    if conversation_id is not None:
        query = query.where(Ticket.conversation_id == conversation_id)
    if statuses:
        query = query.where(Ticket.status.in_(statuses))
    if kind is not None:
        query = query.where(Ticket.kind == kind)
    if unit is not None:
        query = query.where(Ticket.unit == unit)
    if since is not None:
        query = query.where(Ticket.created_at >= since)
    return await newest_first(session, query, Ticket.created_at, Ticket.number, limit, cursor)


async def open_report(session: AsyncSession, new: NewTicket, conversation_id: str) -> Ticket | None:
    """The conversation's own open ticket about the same, so that nothing is filed twice.

    A fault report is the same for the same utility and place; another ticket for the same words, as a customer sends
    them again who could not be told whether they arrived.
    """
    query = select(Ticket).where(
        Ticket.conversation_id == conversation_id,
        Ticket.kind == new.kind,
        Ticket.utility == new.utility,
        Ticket.status.in_(rules.OPEN),
        (Ticket.topic == HAZARD) == (new.topic == HAZARD),
    )
    words = rules.order_text(new.description)
    if new.kind != "fault_report" and words:
        query = query.where(Ticket.topic == new.topic, Ticket.description == words)
    elif new.kind != "fault_report":
        return None
    elif new.service_point_id:
        query = query.where(Ticket.service_point_id == new.service_point_id)
    elif new.address:
        query = query.where(Ticket.address == new.address)
    else:
        return None
    return (await session.scalars(query.order_by(Ticket.created_at).limit(1))).first()


async def customers_open_report(session: AsyncSession, new: NewTicket, account: Account) -> Ticket | None:
    """The verified customer's open fault report of the same utility and place, filed on whatever channel."""
    # Imported here: customers look at tickets too.
    from api.customers.matters import open_tickets

    if new.kind != "fault_report" or new.service_point_id is None:
        return None
    same = (
        ticket
        for ticket in await open_tickets(session, account)
        if ticket.kind == new.kind
        and ticket.utility == new.utility
        and ticket.service_point_id == new.service_point_id
        and (ticket.topic == HAZARD) == (new.topic == HAZARD)
    )
    return next(same, None)


async def add_to(session: AsyncSession, ticket: Ticket, new: NewTicket, by: str, now: datetime) -> None:
    """Keep what a repeated report adds: missing contact data, other words, further steps tried."""
    ticket.contact_name = ticket.contact_name or new.contact_name
    ticket.contact_phone = ticket.contact_phone or new.contact_phone
    words, tried = rules.order_text(new.description), [step.model_dump() for step in new.tried]
    ticket.tried = [*ticket.tried, *(step for step in tried if step not in ticket.tried)]
    ticket.updated_at = now
    await touch(session, TICKETS)
    if words and words != ticket.description:
        await record(session, ticket.number, "note", by, now, {"text": words})


async def file_ticket(session: AsyncSession, new: NewTicket, by: str, now: datetime) -> Ticket:
    """File a work order: place, unit, priority and due times follow from the data. Problem 422 for unknown ids.

    `new` is trusted as to whose account and conversation it names: the router decides that.
    """
    if new.outage_id is not None and await session.get(Outage, new.outage_id) is None:
        raise placement.invalid("outage_id", "There is no such outage.")
    if new.account_number is not None:
        account = await session.get(Account, new.account_number)
        if account is None:
            raise placement.invalid("account_number", "There is no such account.")
        new = new.model_copy(update={"service_point_id": new.service_point_id or account.service_point_id})
    ticket = Ticket(
        **new.model_dump(exclude={"language", "tried", "place_resolved", "unit", "priority", "contact_on_file"}),
        number=await free_number(session),
        status="received",
        priority=new.priority,
        tried=[step.model_dump() for step in new.tried],
        language=new.language or await language_of(session, new.conversation_id),
        created_at=now,
        updated_at=now,
    )
    ticket.description = rules.order_text(new.description)
    await placement.place(session, ticket)
    if new.unit is not None:
        await placement.require_unit(session, new.unit)
        ticket.unit = new.unit
    session.add(ticket)
    await session.flush()
    await record(session, ticket.number, "created", by, now, {"priority": ticket.priority, "unit": ticket.unit})
    await after_placing(session, ticket, now)
    log.info("ticket.filed", number=ticket.number, kind=ticket.kind, priority=ticket.priority, unit=ticket.unit)
    return ticket


async def language_of(session: AsyncSession, conversation_id: str | None) -> str:
    conversation = await session.get(Conversation, conversation_id) if conversation_id else None
    return (conversation.language if conversation else None) or "zh"


async def after_placing(session: AsyncSession, ticket: Ticket, now: datetime) -> None:
    """Several faults below one asset mean an outage there (C4)."""
    # Imported here: outages look at tickets too.
    from api.outages.service import infer_outage

    if ticket.kind == "fault_report" and ticket.service_point_id is not None:
        outage = await infer_outage(session, ticket.service_point_id, ticket.utility, now)
        ticket.outage_id = ticket.outage_id or (outage.id if outage else None)


async def change_ticket(
    session: AsyncSession, ticket: Ticket, change: TicketChange, by: str, now: datetime, zone: tzinfo = UTC
) -> None:
    """Apply a change; the agent who has the customer is told of it, with times in `zone`.

    Problem 409 `status-not-possible` where the order of things forbids it.
    """
    if change.handling is not None:
        check_wording(change.handling)
    wanted = change.model_dump(exclude_unset=True, exclude={"reason", "details", "handling"})
    wanted = {field: value for field, value in wanted.items() if value is not None}
    if "description" in wanted:
        wanted["description"] = rules.order_text(wanted["description"])
    wanted = {field: value for field, value in wanted.items() if value != getattr(ticket, field)}
    status = wanted.get("status")
    if status is not None and not rules.may_change(ticket.kind, ticket.status, status):
        raise Problem(409, "status-not-possible", f"A ticket that is {ticket.status} cannot become {status}.")
    if ticket.status in rules.ENDED and wanted:
        raise Problem(409, "ticket-ended", f"This ticket is {ticket.status}; nothing in it can change.")
    if "outage_id" in wanted and await session.get(Outage, wanted["outage_id"]) is None:
        raise placement.invalid("outage_id", "There is no such outage.")
    if "unit" in wanted:
        await placement.require_unit(session, wanted["unit"])
    old = {field: getattr(ticket, field) for field in wanted}
    for field, value in wanted.items():
        setattr(ticket, field, value)
    if {"service_point_id", "address", "topic", "scope"} & wanted.keys():
        await replace(session, ticket, wanted, now)
    ticket.updated_at = now
    data = {
        "old": old,
        "new": wanted,
        "reason": rules.order_text(change.reason),
        "details": change.details,
        "handling": change.handling and change.handling.model_dump(),
    }
    if kept := {key: value for key, value in data.items() if value}:
        await record(session, ticket.number, "changed", by, now, kept)
        await news.tell_agent(session, ticket, status, change.details, by, now, zone)
    if ticket.status in rules.ENDED:
        await forget_danger(session, ticket)
    if wanted.get("status") == "repaired":
        # Imported here: notices look at tickets.
        from api.notices.service import ticket_mended

        await ticket_mended(session, ticket, now)
    log.info("ticket.changed", number=ticket.number, fields=sorted(wanted), status=ticket.status)


def check_wording(handling: Handling) -> None:
    """Problem 422 `wording` with the words that may not stand in such an order (A8)."""
    words = rules.offending_words(handling.text, confirmed_true=handling.confirmed_true, liable=handling.liable)
    if words:
        raise Problem(422, "wording", f"These words may not stand in this order: {', '.join(words)}.", words=words)


async def replace(session: AsyncSession, ticket: Ticket, wanted: dict[str, Any], now: datetime) -> None:
    """Work out again what follows from a corrected place; what was set by hand in the same change stays."""
    if "service_point_id" in wanted and "address" not in wanted:
        ticket.address = ""
    by_hand = {field: wanted[field] for field in ("unit", "priority") if field in wanted}
    await placement.place(session, ticket)
    for field, value in by_hand.items():
        setattr(ticket, field, value)
    if "service_point_id" in wanted:
        await after_placing(session, ticket, now)


async def forget_danger(session: AsyncSession, ticket: Ticket) -> None:
    """An ended ticket is no longer the one that a conversation's next danger message adds to."""
    conversation = await session.get(Conversation, ticket.conversation_id) if ticket.conversation_id else None
    if conversation is not None and conversation.danger_ticket == ticket.number:
        conversation.danger_ticket = None


def may_join(ticket: Ticket, service_point_id: str | None) -> bool:
    """Whether another customer may be added: an open fault at a known place, the same one where it is named.

    A hazard is no outage: whoever is merely without supply there is not added to it.
    """
    return (
        ticket.kind == "fault_report"
        and ticket.topic != HAZARD
        and ticket.status in rules.OPEN
        and ticket.service_point_id is not None
        and service_point_id in (None, ticket.service_point_id)
    )


async def add_note(session: AsyncSession, ticket: Ticket, note: NewNote, by: str, now: datetime, kind: str) -> None:
    """Take down a note, or a further caller (`kind` = caller) with the contact data that the note brings."""
    tried = [step.model_dump() for step in note.tried]
    data = {
        "text": rules.order_text(note.text),
        "tried": tried,
        "contact_name": note.contact_name,
        "contact_phone": note.contact_phone,
    }
    await record(session, ticket.number, kind, by, now, {key: value for key, value in data.items() if value})
    ticket.updated_at = now


class Danger(Protocol):
    """What a message warned of: its most urgent category, and whose matter it is (power or water)."""

    @property
    def kind(self) -> str: ...

    @property
    def utility(self) -> str: ...


async def file_danger_ticket(
    session: AsyncSession, conversation: Conversation, text: str, danger: Danger, now: datetime
) -> str:
    """File the fault report of a danger message, or add its words to the open one; gives the ticket's number.

    The place is not known yet: whoever talks to the customer next corrects it.
    """
    words = text[:LONGEST_DANGER] or danger.kind
    if conversation.danger_ticket is not None:
        ticket = await session.get(Ticket, conversation.danger_ticket)
        if ticket is not None and ticket.status in rules.OPEN:
            await add_note(session, ticket, NewNote(text=words), "desk", now, "note")
            return ticket.number
    new = NewTicket(
        kind="fault_report",
        utility="water" if danger.utility == "water" else "power",
        topic=HAZARD,
        priority=1,
        description=words,
        language="en" if conversation.language == "en" else "zh",
        conversation_id=conversation.id,
    )
    ticket = await file_ticket(session, new, "desk", now)
    conversation.danger_ticket = ticket.number
    return ticket.number
