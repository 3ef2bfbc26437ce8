"""`/api/v1/tickets`: file, list, read, change, add to. The bot acts for its own conversation only."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.turns import LiveTurn
from api.customers.service import verified_account_of
from api.db.idempotency import once, require_key
from api.deps import Caller, CurrentCaller, Now, ReadSession, WriteSession
from api.errors import Problem, not_found
from api.paging import Limit, Page
from api.tickets import rules, service
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


async def restrict_for_bot(session: AsyncSession, caller: Caller, new: NewTicket, now: datetime) -> NewTicket:
    """The bot's order: its own conversation, no unit by hand, and an account only where the customer proved it."""
    conversation_id = own(caller, new.conversation_id)
    account = await verified_account_of(session, str(conversation_id), now)
    return new.model_copy(
        update={
            "conversation_id": conversation_id,
            "account_number": account.number if account else None,
            "unit": None,
        }
    )


@router.post("/tickets", status_code=201, response_model=FiledTicket)
async def create(
    request: Request, body: NewTicket, caller: CurrentCaller, _turn: LiveTurn, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """File a ticket. For the bot, an open fault report of the same trouble is given back (`existing`) instead."""

    async def do() -> dict[str, Any]:
        new, found = body, None
        if caller.kind == "bot":
            new = await restrict_for_bot(session, caller, body, now)
            found = await service.open_report(session, new, str(new.conversation_id))
        if found is not None:
            await service.add_to(session, found, new, caller.name, now)
        ticket = found or await service.file_ticket(session, new, caller.name, now)
        filed = FiledTicket.model_validate(ticket).model_copy(update={"existing": found is not None})
        return filed.model_dump(mode="json")

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
    return Page(items=[TicketOut.model_validate(ticket) for ticket in tickets], next=following)


@router.get("/tickets/{number}")
async def read(number: str, caller: CurrentCaller, session: ReadSession) -> TicketWithHistory | JoinedTicket:
    """One ticket; staff get its history too. The bot sees its own; of those it joined, how they stand."""
    ticket = await service.find(session, number)
    if caller.kind == "bot" and ticket.conversation_id != caller.conversation_id:
        if not any(event.by == caller.name for event in await service.callers_of(session, number)):
            raise not_found("ticket")
        return JoinedTicket.model_validate(ticket)
    answer = TicketWithHistory.model_validate(TicketOut.model_validate(ticket).model_dump())
    if caller.kind != "bot":
        answer.events = [EventOut.model_validate(event) for event in await service.history(session, number)]
    return answer


@router.patch("/tickets/{number}")
async def change(
    number: str, body: TicketChange, caller: CurrentCaller, _turn: LiveTurn, session: WriteSession, now: Now
) -> TicketOut:
    """Move a ticket on or correct it. The bot may cancel or correct its own while no crew is on the spot."""
    ticket = await service.find(session, number, conversation_id=own(caller, None), lock=True)
    if caller.kind == "bot":
        if body.model_fields_set - BOT_FIELDS or body.status not in (None, "cancelled"):
            raise Problem(403, "forbidden", "The bot may only cancel a ticket or correct what the customer said.")
        if ticket.status not in rules.BEFORE_ON_SITE:
            raise Problem(409, "too-late", f"This ticket is {ticket.status}; it can no longer be changed here.")
    await service.change_ticket(session, ticket, body, caller.name, now)
    return TicketOut.model_validate(ticket)


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
        foreign = caller.kind == "bot" and ticket.conversation_id != caller.conversation_id
        if foreign and not service.may_join(ticket, body.service_point_id):
            raise not_found("ticket")
        if not foreign and body.service_point_id not in (None, ticket.service_point_id):
            raise invalid("service_point_id", "This ticket is about another service point.")
        kind = "caller" if foreign else body.kind
        await service.add_note(session, ticket, body, caller.name, now, kind)
        answer = NoteOut(number=number, joined=foreign, arrival_due_at=ticket.arrival_due_at)
        return answer.model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)
