"""`/api/v1/tickets`: file, list, read, change, add to. The bot acts for its own conversation only."""

from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.turns import LiveTurn
from api.customers.matters import customers_ticket
from api.customers.refs import number_for
from api.customers.service import verified_account_of
from api.customers.tables import Account
from api.db.idempotency import once, require_key
from api.deps import Caller, CurrentCaller, Now, ReadSession, SettingsDep, WriteSession
from api.errors import Problem, not_found
from api.paging import Limit, Page
from api.privacy import mask_phone
from api.tickets import rules, service
from api.tickets.filing import file_or_add
from api.tickets.placement import invalid
from api.tickets.rules import Kind, Status
from api.tickets.schemas import (
    EventOut,
    FiledTicket,
    JoinedTicket,
    NewNote,
    NewTicket,
    NoteOut,
    TicketChange,
    TicketOut,
    TicketWithHistory,
)
from api.tickets.tables import Ticket

router = APIRouter(tags=["tickets"])
Key = Annotated[str, Depends(require_key)]

#: What the bot may correct; status only to `cancelled`.
BOT_FIELDS = {"status", "reason", *service.CORRECTABLE}


def own(caller: Caller, conversation_id: str | None) -> str | None:
    """The conversation a caller is held to: the bot's own, whatever it names; 404 where it names another one."""
    if caller.kind != "bot":
        return conversation_id
    if conversation_id not in (None, caller.conversation_id):
        raise not_found("conversation")
    return caller.conversation_id


def restrict_for_bot(caller: Caller, new: NewTicket, account: Account | None) -> NewTicket:
    """The bot's order: its own conversation, no unit by hand, and an account only where the customer proved it."""
    update = {
        "conversation_id": own(caller, new.conversation_id),
        "account_number": account.number if account else None,
        "unit": None,
    }
    return with_contact_on_file(new, account).model_copy(update=update)


Body = TypeVar("Body", NewTicket, NewNote)
Shape = TypeVar("Shape", bound=TicketOut)


def with_contact_on_file(body: Body, account: Account | None) -> Body:
    """Name and phone of the verified account where the bot asks for them and the customer gave no others."""
    if not body.contact_on_file:
        return body
    if account is None:
        raise Problem(403, "not-verified", "The customer has to be verified first.")
    name = body.contact_name or account.holder_name
    return body.model_copy(update={"contact_name": name, "contact_phone": body.contact_phone or account.phone})


async def proved_by(session: AsyncSession, caller: Caller, now: datetime) -> Account | None:
    """The account that the customer of the bot's conversation has proved; None for other callers."""
    return await verified_account_of(session, str(caller.conversation_id), now) if caller.kind == "bot" else None


async def is_own(session: AsyncSession, caller: Caller, ticket: Ticket, now: datetime) -> bool:
    """Whether a ticket is the caller's to see and change: the bot's conversation's, or its verified customer's."""
    if caller.kind != "bot" or ticket.conversation_id == caller.conversation_id:
        return True
    return await customers_ticket(session, ticket, str(caller.conversation_id), now)


def shown(caller: Caller, shape: Shape, given: str | None = None) -> Shape:
    """A ticket as its caller sees it. People read the last four digits of its account, as at the console.

    To the bot the phone of an account's ticket is masked, unless the customer named (`given`) that very number now; of
    a ticket of the same customer's other conversation it sees no words either.
    """
    if caller.kind != "bot":
        number = shape.account_number and number_for(caller, shape.account_number)
        return shape.model_copy(update={"account_number": number})
    if shape.account_number is None and shape.conversation_id == caller.conversation_id:
        return shape
    seen: dict[str, Any] = {}
    if shape.contact_phone != given:
        seen["contact_phone"] = mask_phone(shape.contact_phone)
    if shape.conversation_id != caller.conversation_id:
        seen |= {"conversation_id": None, "description": "", "tried": []}
    return shape.model_copy(update=seen)


@router.post("/tickets", status_code=201, response_model=FiledTicket)
async def create(
    request: Request, body: NewTicket, caller: CurrentCaller, _turn: LiveTurn, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """File a ticket. For the bot, an open fault report of the same trouble is given back (`existing`) instead."""

    async def do() -> dict[str, Any]:
        if caller.kind == "bot":
            account = await proved_by(session, caller, now)
            new = restrict_for_bot(caller, body, account)
            ticket, existing = await file_or_add(session, new, account, caller.name, now)
        else:
            ticket, existing = await service.file_ticket(session, body, caller.name, now), False
        filed = FiledTicket.model_validate(ticket).model_copy(update={"existing": existing})
        return shown(caller, filed, body.contact_phone).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)


@router.get("/tickets")
async def index(
    caller: CurrentCaller,
    session: ReadSession,
    conversation_id: str | None = None,
    status: Annotated[list[Status] | None, Query()] = None,
    kind: Kind | None = None,
    unit: str | None = None,
    since: datetime | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[TicketOut]:
    """Tickets, newest first; `status` may be repeated, `since` is the earliest `created_at`."""
    if since is not None and since.tzinfo is None:
        raise invalid("since", "A time needs its zone, e.g. 2026-03-04T06:00:00Z.", where="query")
    tickets, following = await service.list_tickets(
        session,
        conversation_id=own(caller, conversation_id),
        statuses=status or (),
        kind=kind,
        unit=unit,
        since=since,
        cursor=cursor,
        limit=limit,
    )
    return Page(items=[shown(caller, TicketOut.model_validate(ticket)) for ticket in tickets], next=following)


@router.get("/tickets/{number}")
async def read(number: str, caller: CurrentCaller, session: ReadSession, now: Now) -> TicketWithHistory | JoinedTicket:
    """One ticket; staff get its history too. The bot sees its own; of its customer's others, how they stand."""
    ticket = await service.find(session, number)
    if caller.kind == "bot" and ticket.conversation_id != caller.conversation_id:
        joined = await is_own(session, caller, ticket, now)
        if not joined and not any(event.by == caller.name for event in await service.callers_of(session, number)):
            raise not_found("ticket")
        return JoinedTicket.model_validate(ticket)
    answer = TicketWithHistory.model_validate(shown(caller, TicketOut.model_validate(ticket)).model_dump())
    if caller.kind != "bot":
        answer.events = [EventOut.model_validate(event) for event in await service.history(session, number)]
    return answer


@router.patch("/tickets/{number}")
async def change(
    number: str,
    body: TicketChange,
    caller: CurrentCaller,
    _turn: LiveTurn,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> TicketOut:
    """Move a ticket on or correct it. The bot may cancel or correct its customer's while no crew is on the spot."""
    ticket = await service.find(session, number, lock=True)
    if not await is_own(session, caller, ticket, now):
        raise not_found("ticket")
    if caller.kind == "bot":
        if body.model_fields_set - BOT_FIELDS or body.status not in (None, "cancelled"):
            raise Problem(403, "forbidden", "The bot may only cancel a ticket or correct what the customer said.")
        if ticket.status not in rules.BEFORE_ON_SITE:
            raise Problem(409, "too-late", f"This ticket is {ticket.status}; it can no longer be changed here.")
    await service.change_ticket(session, ticket, body, caller.name, now, settings.zone)
    return shown(caller, TicketOut.model_validate(ticket), body.contact_phone)


@router.post("/tickets/{number}/notes", status_code=201, response_model=NoteOut)
async def add_note(
    request: Request,
    number: str,
    body: NewNote,
    caller: CurrentCaller,
    _turn: LiveTurn,
    key: Key,
    session: WriteSession,
    now: Now,
) -> dict[str, Any]:
    """Add a note. The bot may also join its customer, as a further caller, to another one's open fault report."""

    async def do() -> dict[str, Any]:
        ticket = await service.find(session, number, lock=True)
        foreign = not await is_own(session, caller, ticket, now)
        if foreign and not service.may_join(ticket, body.service_point_id):
            raise not_found("ticket")
        if not foreign and body.service_point_id not in (None, ticket.service_point_id):
            raise invalid("service_point_id", "This ticket is about another service point.")
        kind = "caller" if foreign else body.kind
        note = with_contact_on_file(body, await proved_by(session, caller, now))
        await service.add_note(session, ticket, note, caller.name, now, kind)
        answer = NoteOut(number=number, joined=foreign, arrival_due_at=ticket.arrival_due_at)
        return answer.model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)
