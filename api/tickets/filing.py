"""Filing without doing it twice: an open order of the same trouble is added to. Functions never commit."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.customers.tables import Account
from api.tickets import service
from api.tickets.schemas import NewTicket
from api.tickets.tables import Ticket


async def file_or_add(
    session: AsyncSession, new: NewTicket, account: Account | None, by: str, now: datetime
) -> tuple[Ticket, bool]:
    """The ticket, and whether it was there before: the conversation's open one, or its verified customer's."""
    found = await service.open_report(session, new, new.conversation_id) if new.conversation_id else None
    if found is None and account is not None:
        found = await service.customers_open_report(session, new, account)
    if found is None:
        return await service.file_ticket(session, new, by, now), False
    await service.add_to(session, found, new, by, now)
    return found, True
