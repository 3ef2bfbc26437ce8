"""Reading outages: of an address, of a place, in lists. Functions take a session and never commit."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from api.errors import not_found
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint
from api.outages import rules
from api.outages.schemas import OpenTicket, OutageOut, PhasedOutage, PointOut, Situation
from api.outages.tables import Outage
from api.outlets.tables import UtilityFact
from api.paging import cursor_of, read_cursor
from api.tickets.rules import ARRIVAL_MINUTES, OPEN
from api.tickets.tables import Ticket


def asset_column(utility: str) -> InstrumentedAttribute[str | None]:
    """The column of a service point that names its leaf asset of a utility."""
    return ServicePoint.power_asset_id if utility == "power" else ServicePoint.water_asset_id


def active(at: datetime, now: datetime) -> ColumnElement[bool]:
    """SQL of `rules.is_active`."""
    going_on = and_(
        Outage.status != "cancelled",
        Outage.starts_at <= at,
        or_(Outage.ended_at.is_(None), Outage.ended_at > at),
    )
    return going_on if at <= now else and_(going_on, Outage.expected_end_at > at)


def active_or_upcoming(at: datetime, now: datetime) -> ColumnElement[bool]:
    upcoming = and_(
        Outage.status != "cancelled",
        Outage.starts_at > at,
        Outage.starts_at <= at + rules.UPCOMING,
        Outage.ended_at.is_(None),
    )
    return or_(active(at, now), upcoming)


def outages_of_points(point_ids: Sequence[str], utility: str | None = None) -> Select[str, Outage, Asset]:
    """(service point id, outage, its asset) above the leaf assets of service points: one indexed join, by id only."""
    utilities = (utility,) if utility else ("power", "water")
    leaves = or_(*(AssetAncestor.asset_id == asset_column(u) for u in utilities))
    return (
        select(ServicePoint.id, Outage, Asset)
        .select_from(ServicePoint)
        .join(AssetAncestor, leaves)
        .join(Outage, Outage.asset_id == AssetAncestor.ancestor_id)
        .join(Asset, Asset.id == Outage.asset_id)
        .where(ServicePoint.id.in_(point_ids))
        .order_by(Outage.starts_at, Outage.id)
    )


def shape(outage: Outage, asset: Asset, now: datetime) -> OutageOut:
    """The JSON of an outage."""
    return OutageOut(
        id=outage.id,
        number=outage.number,
        utility=outage.utility,
        kind=outage.kind,
        cause=outage.cause_zh or outage.cause_en,
        cause_zh=outage.cause_zh,
        cause_en=outage.cause_en,
        status=outage.status,
        starts_at=outage.starts_at,
        expected_end_at=outage.expected_end_at,
        ended_at=outage.ended_at,
        asset_id=outage.asset_id,
        asset_name_zh=asset.name_zh,
        asset_name_en=asset.name_en,
        affected_count=outage.affected_count,
        overdue=rules.is_overdue(outage.expected_end_at, outage.ended_at, now),
    )


def phased(pairs: Iterable[tuple[Outage, Asset]], at: datetime, now: datetime) -> list[PhasedOutage]:
    """Current outages first, each once, told apart from upcoming ones."""
    unique = {outage.id: (outage, asset) for outage, asset in pairs}
    shaped = [
        PhasedOutage(**shape(outage, asset, now).model_dump(), phase=rules.phase(outage.starts_at, at))
        for outage, asset in unique.values()
    ]
    return sorted(shaped, key=lambda o: (o.phase == "upcoming", o.starts_at))


async def of_points(
    session: AsyncSession,
    point_ids: Sequence[str],
    at: datetime,
    now: datetime,
    *,
    utility: str | None = None,
    upcoming: bool = True,
) -> dict[str, list[PhasedOutage]]:
    """Outages at `at` (and, if wished, in the seven days after it) by service point id."""
    when = active_or_upcoming(at, now) if upcoming else active(at, now)
    rows = (await session.execute(outages_of_points(point_ids, utility).where(when))).all()
    return {
        point_id: phased([(outage, asset) for found, outage, asset in rows if found == point_id], at, now)
        for point_id in point_ids
    }


async def situation(
    session: AsyncSession, service_point_id: str, at: datetime, now: datetime, utility: str | None = None
) -> Situation:
    """Everything known of one address; Problem 404 where there is no such service point."""
    point = await session.get(ServicePoint, service_point_id)
    if point is None:
        raise not_found("service point")
    outages = await of_points(session, [point.id], at, now, utility=utility)
    tickets = select(Ticket).where(
        Ticket.service_point_id == point.id, Ticket.kind == "fault_report", Ticket.status.in_(OPEN)
    )
    if utility is not None:
        tickets = tickets.where(Ticket.utility == utility)
    fact = await session.get(UtilityFact, "commitments_minutes")
    minutes = {**ARRIVAL_MINUTES, **(fact.value if fact is not None else {})}
    return Situation(
        service_point=PointOut.model_validate(point),
        outages=outages[point.id],
        open_tickets=[
            OpenTicket.model_validate(ticket) for ticket in await session.scalars(tickets.order_by(Ticket.created_at))
        ],
        arrival_minutes=minutes[point.area_class],
    )


async def of_place(
    session: AsyncSession, place_id: str, at: datetime, now: datetime, utility: str | None = None
) -> tuple[list[PhasedOutage], bool]:
    """Outages that touch any address of a place, and whether a current one covers all of them. Problem 404."""
    if await session.get(Place, place_id) is None:
        raise not_found("place")
    utilities = (utility,) if utility else ("power", "water")
    leaves = or_(*(AssetAncestor.asset_id == asset_column(u) for u in utilities))
    touched = (
        select(Outage.id.label("id"), func.count(ServicePoint.id.distinct()).label("points"))
        .select_from(ServicePoint)
        .join(AssetAncestor, leaves)
        .join(Outage, Outage.asset_id == AssetAncestor.ancestor_id)
        .where(ServicePoint.place_id == place_id, active_or_upcoming(at, now))
        .group_by(Outage.id)
        .subquery()
    )
    query = (
        select(Outage, Asset, touched.c.points)
        .join(touched, touched.c.id == Outage.id)
        .join(Asset, Asset.id == Outage.asset_id)
    )
    rows = (await session.execute(query)).all()
    total = await session.scalar(select(func.count()).where(ServicePoint.place_id == place_id))
    outages = phased([(outage, asset) for outage, asset, _ in rows], at, now)
    whole = {outage.id for outage, _, points in rows if points == total}
    return outages, any(o.phase == "current" and o.id in whole for o in outages)


async def listed(
    session: AsyncSession,
    now: datetime,
    *,
    utility: str | None = None,
    kind: str | None = None,
    active_only: bool | None = None,
    since: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> tuple[list[OutageOut], str | None]:
    """Outages by their start, latest first, with the cursor of the next page. `since` is when they were recorded."""
    query = select(Outage, Asset).join(Asset, Asset.id == Outage.asset_id)
    filters: list[ColumnElement[bool]] = []
    if utility is not None:
        filters.append(Outage.utility == utility)
    if kind is not None:
        filters.append(Outage.kind == kind)
    if active_only is not None:
        filters.append(active(now, now) if active_only else ~active(now, now))
    if since is not None:
        filters.append(Outage.created_at >= since)
    if cursor is not None:
        at, last_id = read_cursor(cursor)
        filters.append(or_(Outage.starts_at < at, and_(Outage.starts_at == at, Outage.id < last_id)))
    query = query.where(*filters).order_by(Outage.starts_at.desc(), Outage.id.desc()).limit(limit + 1)
    rows = (await session.execute(query)).all()
    last = rows[limit - 1][0] if len(rows) > limit else None
    return [shape(o, a, now) for o, a in rows[:limit]], cursor_of(last.starts_at, last.id) if last else None
