"""Where a ticket belongs: its service point's area and district, the unit, the priority, the times it is due."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.customers.service import profile_of_point
from api.errors import Problem
from api.network.tables import Place, ServicePoint
from api.outlets.tables import UtilityFact
from api.tickets import rules
from api.tickets.tables import RoutingRule, Ticket, Unit


def invalid(field: str, message: str, where: str = "body") -> Problem:
    """422 for one field, in the form that body validation uses."""
    return Problem(
        422, "invalid", "Some fields are not valid.", errors=[{"field": f"{where}.{field}", "message": message}]
    )


@dataclass(frozen=True)
class Spot:
    """What the network says of a ticket's service point; all empty where the address could not be matched."""

    area_class: str | None = None
    district: str | None = None
    address_zh: str = ""
    address_en: str = ""


async def spot_of(session: AsyncSession, service_point_id: str | None) -> Spot:
    """The spot of a service point; Problem 422 for an id that does not exist."""
    if service_point_id is None:
        return Spot()
    query = select(ServicePoint, Place.district_zh).join(Place).where(ServicePoint.id == service_point_id)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise invalid("service_point_id", "There is no such service point.")
    point, district = row
    return Spot(point.area_class, district or None, point.address_zh, point.address_en)


async def commitments(session: AsyncSession) -> dict[str, int]:
    """Minutes until arrival by area class: the utility's own, else the standard ones (D3)."""
    fact = await session.get(UtilityFact, "commitments_minutes")
    return {**rules.ARRIVAL_MINUTES, **(fact.value if fact is not None else {})}


async def neighbour_for(session: AsyncSession, address: str) -> str | None:
    """The neighbouring unit, where the words name a place outside the area (A3(2))."""
    query = select(Place).where(Place.served_by.is_not(None))
    units = {
        name: place.served_by
        for place in await session.scalars(query)
        for name in (place.name_zh, place.name_en, *place.aliases.split("|"))
    }
    named = rules.name_in(address, units)
    return units[named] if named else None


async def unit_for(session: AsyncSession, ticket: Ticket, spot: Spot) -> str | None:
    """The unit that the routing table names (A3); an address that no service point matched goes by its words."""
    if ticket.service_point_id is None and (neighbour := await neighbour_for(session, ticket.address)):
        return neighbour
    routes = [
        rules.Route(r.id, r.unit_id, r.rank, r.utility, r.kind, r.area_class, r.district, r.topic)
        for r in await session.scalars(select(RoutingRule))
    ]
    district = spot.district or rules.name_in(ticket.address, {r.district for r in routes if r.district})
    return rules.choose_unit(
        routes,
        utility=ticket.utility,
        kind=ticket.kind,
        area_class=spot.area_class,
        district=district,
        topic=ticket.topic,
    )


async def place(session: AsyncSession, ticket: Ticket, *, danger: bool = False) -> None:
    """Fill in what follows from the service point: address, unit, priority (never lowered), due times."""
    spot = await spot_of(session, ticket.service_point_id)
    ticket.place_resolved = ticket.service_point_id is not None
    ticket.address = ticket.address or (spot.address_en if ticket.language == "en" else spot.address_zh)
    ticket.unit = await unit_for(session, ticket, spot)
    computed = rules.priority_of(
        ticket.kind,
        danger=danger,
        scope=ticket.scope,
        profile=await profile_of_point(session, ticket.service_point_id),
    )
    ticket.priority = min(computed, ticket.priority or computed)
    ticket.dispatch_due_at, ticket.arrival_due_at = rules.due_times(
        ticket.kind, ticket.created_at, spot.area_class, await commitments(session)
    )


async def require_unit(session: AsyncSession, unit_id: str) -> None:
    if await session.get(Unit, unit_id) is None:
        raise invalid("unit", "There is no such unit.")
