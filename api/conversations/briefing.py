"""What an agent tells the bot on handing a conversation back: checked and completed before it is kept.

The bot gets it with the customer's next message (queue.Claim.request) and takes it for known.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.tables import Conversation
from api.customers.matters import customers_ticket
from api.errors import Problem
from api.network.tables import Place, ServicePoint
from api.outages.tables import Outage
from api.phones import normal_phone
from api.tickets.tables import Ticket

LONGEST_SUMMARY = 1000
#: What the bot is told where the colleague noted nothing: only that there was one.
NOTHING_NOTED: dict[str, Any] = {"summary": "", "slots": {}}
#: What a briefing may name; anything else is left out.
SLOTS = ("service_point_id", "ticket", "outage_id", "contact_phone")


async def complete_briefing(
    session: AsyncSession, conversation: Conversation, summary: str, slots: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """{"summary", "slots"} for Conversation.briefing; {} where there is nothing to tell.

    The address of a service point is added. Problem 422 for a point, outage or phone number that there is not, and for
    a ticket that is neither this conversation's nor its verified customer's: the bot may not read it.
    """
    told: dict[str, Any] = {}
    given = {name: str(slots[name]).strip() for name in SLOTS if slots.get(name)}
    if point_id := given.get("service_point_id"):
        point = await session.get(ServicePoint, point_id)
        if point is None:
            raise Problem(422, "unknown-service-point", "There is no such service point.")
        place = await session.get(Place, point.place_id)
        told |= {"service_point_id": point.id, "place_id": point.place_id, "area_class": point.area_class}
        told |= {"address_zh": point.address_zh, "address_en": point.address_en}
        told["name"] = place.name_zh if place else point.address_zh
    if number := given.get("ticket"):
        ticket = await session.get(Ticket, number.replace(" ", ""))
        own = ticket is not None and (
            ticket.conversation_id == conversation.id or await customers_ticket(session, ticket, conversation.id, now)
        )
        if ticket is None or not own:
            raise Problem(422, "foreign-ticket", "This ticket was not filed in this conversation.")
        told["ticket"] = ticket.number
    if outage_id := given.get("outage_id"):
        if await session.get(Outage, outage_id) is None:
            raise Problem(422, "unknown-outage", "There is no such outage.")
        told["outage_id"] = outage_id
    if phone := given.get("contact_phone"):
        try:
            told["contact_phone"] = normal_phone(phone)
        except ValueError as error:
            raise Problem(422, "invalid-phone", str(error)) from error
    summary = " ".join(summary.split())[:LONGEST_SUMMARY]
    return {"summary": summary, "slots": told} if summary or told else {}
