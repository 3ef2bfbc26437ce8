"""What a verified customer has going on, whichever channel it was said on: open tickets, and what is off there (C9).

A conversation is not an identity: everything here follows from the verified account, nothing from who seems to write.
Functions take a session and never commit.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.customers import rules
from api.customers.schemas import Matters, OwnTicket
from api.customers.service import verified_account_of
from api.customers.tables import Account
from api.outages.queries import of_points
from api.tickets.rules import OPEN
from api.tickets.tables import Ticket, TicketEvent

#: So many are told; a customer with more has an account manager.
MOST_TICKETS = 5


def belongs(ticket: Ticket, account: Account) -> bool:
    """Whether a ticket is this customer's: filed for the account, or about its address with the phone on file.

    The address alone tells nothing, a service point being a whole building; nor does the phone, which anybody may name.
    """
    here = ticket.service_point_id == account.service_point_id
    return ticket.account_number == account.number or (here and rules.is_phone(ticket.contact_phone, account.phone))


async def open_tickets(session: AsyncSession, account: Account) -> Sequence[Ticket]:
    """The customer's own open tickets, newest first."""
    query = (
        select(Ticket)
        .where(
            or_(Ticket.account_number == account.number, Ticket.service_point_id == account.service_point_id),
            Ticket.status.in_(OPEN),
        )
        .order_by(Ticket.created_at.desc(), Ticket.number.desc())
    )
    return [ticket for ticket in await session.scalars(query) if belongs(ticket, account)]


async def joined_tickets(session: AsyncSession, account: Account) -> Sequence[Ticket]:
    """Other callers' open tickets about the account's address that the phone on file was added to, newest first."""
    query = (
        select(Ticket, TicketEvent.data)
        .join(TicketEvent, TicketEvent.ticket_number == Ticket.number)
        .where(
            Ticket.service_point_id == account.service_point_id,
            Ticket.status.in_(OPEN),
            TicketEvent.kind == "caller",
        )
        .order_by(Ticket.created_at.desc(), Ticket.number.desc())
    )
    found = {
        ticket.number: ticket
        for ticket, data in await session.execute(query)
        if rules.is_phone(str(data.get("contact_phone", "")), account.phone) and not belongs(ticket, account)
    }
    return list(found.values())


async def matters_of(session: AsyncSession, account: Account, now: datetime) -> Matters:
    """The customer's open tickets and the outages of the account's address."""
    own = [OwnTicket.model_validate(ticket) for ticket in await open_tickets(session, account)]
    joined = [
        OwnTicket.model_validate(ticket).model_copy(update={"joined": True})
        for ticket in await joined_tickets(session, account)
    ]
    point = account.service_point_id
    outages = await of_points(session, [point], now, now, upcoming=False)
    return Matters(service_point_id=point, tickets=[*own, *joined][:MOST_TICKETS], outages=outages[point])


async def customers_ticket(session: AsyncSession, ticket: Ticket, conversation_id: str, now: datetime) -> bool:
    """Whether the customer verified in a conversation may act on a ticket that was filed in another one."""
    account = await verified_account_of(session, conversation_id, now)
    return account is not None and belongs(ticket, account)
