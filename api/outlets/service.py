"""Outlets near an address (B2, B4) and the utility's facts."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import not_found
from api.network.tables import Place, ServicePoint
from api.outlets import rules
from api.outlets.schemas import OutletOut
from api.outlets.tables import Outlet, UtilityFact


async def nearest(
    session: AsyncSession, at: datetime, zone: ZoneInfo, *, near: str | None, utility: str | None, limit: int
) -> list[OutletOut]:
    """Outlets of a utility: at the same place, then in the district, then any; open ones and machines first.

    `near` is a service point or place id; Problem 404 for an unknown one. They are tens at most, so all are read.
    """
    place = await _place(session, near) if near else None
    query = select(Outlet)
    if utility is not None:
        query = query.where(Outlet.utility.in_([utility, "both"]))
    local = at.astimezone(zone)

    def order(outlet: Outlet) -> tuple[int, bool, bool, str]:
        here = (place.id, place.district_zh) if place else (None, None)
        far = rules.distance(outlet.place_id, outlet.district_zh, *here)
        return far, not rules.is_open(outlet.hours, local), not outlet.round_the_clock, outlet.id

    return [
        OutletOut(
            id=outlet.id,
            utility=outlet.utility,
            kind=outlet.kind,
            name_zh=outlet.name_zh,
            name_en=outlet.name_en,
            address_zh=outlet.address_zh,
            address_en=outlet.address_en,
            round_the_clock=outlet.round_the_clock,
            hours=outlet.hours,
            open_now=rules.is_open(outlet.hours, local),
        )
        for outlet in sorted(await session.scalars(query), key=order)[:limit]
    ]


async def _place(session: AsyncSession, near: str) -> Place:
    point = await session.get(ServicePoint, near)
    place = await session.get(Place, point.place_id if point else near)
    if place is None:
        raise not_found("place")
    return place


async def facts(session: AsyncSession) -> dict[str, Any]:
    """All facts by key; `commitments` are the minutes to arrival by area class (D3)."""
    found = {fact.key: fact.value for fact in await session.scalars(select(UtilityFact))}
    return found | {"commitments": found.get("commitments_minutes", {})}
