"""Who else reports trouble on the same piece of the network (C4, D6). Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.network.tables import Asset, AssetAncestor, ServicePoint
from api.outages.queries import asset_column
from api.outages.tables import Outage, OutageReport
from api.tickets.rules import OPEN
from api.tickets.tables import Ticket

#: A whole substation or waterworks says nothing about a street.
TOO_WIDE = ("substation", "plant")
LOOK_BACK = timedelta(hours=24)
NAMED = 5


@dataclass(frozen=True)
class Level:
    """A piece of the network above an address, with how many others report trouble below it."""

    asset: Asset
    tickets: int
    reports: int

    @property
    def total(self) -> int:
        return self.tickets + self.reports


@dataclass(frozen=True)
class Neighbours:
    """`levels`, nearest first, those with anybody; the nearest of the others' tickets."""

    levels: Sequence[Level]
    nearest: Sequence[Ticket]


async def neighbours_of(
    session: AsyncSession, point: ServicePoint, utility: str, conversation_id: str, now: datetime
) -> Neighbours:
    """Open fault tickets and reports to known outages of the last day, other than this conversation's own."""
    leaf = point.power_asset_id if utility == "power" else point.water_asset_id
    if leaf is None:
        return Neighbours([], [])
    above = (
        select(Asset)
        .join(AssetAncestor, AssetAncestor.ancestor_id == Asset.id)
        .where(AssetAncestor.asset_id == leaf, Asset.kind.not_in(TOO_WIDE))
        .order_by(AssetAncestor.depth)
    )
    assets = (await session.scalars(above)).all()
    ids = [asset.id for asset in assets]
    below = AssetAncestor.asset_id == asset_column(utility)
    others = (
        Ticket.utility == utility,
        Ticket.kind == "fault_report",
        Ticket.status.in_(OPEN),
        Ticket.conversation_id.is_distinct_from(conversation_id),
    )
    tickets = (
        select(AssetAncestor.ancestor_id, func.count())
        .select_from(Ticket)
        .join(ServicePoint, ServicePoint.id == Ticket.service_point_id)
        .join(AssetAncestor, below)
        .where(AssetAncestor.ancestor_id.in_(ids), *others)
    )
    reports = (
        select(AssetAncestor.ancestor_id, func.count())
        .select_from(OutageReport)
        .join(Outage, Outage.id == OutageReport.outage_id)
        .join(ServicePoint, ServicePoint.id == OutageReport.service_point_id)
        .join(AssetAncestor, below)
        .where(
            AssetAncestor.ancestor_id.in_(ids),
            Outage.utility == utility,
            OutageReport.created_at > now - LOOK_BACK,
            OutageReport.conversation_id != conversation_id,
        )
    )
    by_ticket = {row[0]: row[1] for row in await session.execute(tickets.group_by(AssetAncestor.ancestor_id))}
    by_report = {row[0]: row[1] for row in await session.execute(reports.group_by(AssetAncestor.ancestor_id))}
    levels = [Level(asset, by_ticket.get(asset.id, 0), by_report.get(asset.id, 0)) for asset in assets]
    levels = [level for level in levels if level.total]
    if not by_ticket:
        return Neighbours(levels, [])
    widest = next(asset.id for asset in reversed(assets) if asset.id in by_ticket)
    named = (
        select(Ticket)
        .join(ServicePoint, ServicePoint.id == Ticket.service_point_id)
        .join(AssetAncestor, below)
        .where(AssetAncestor.ancestor_id == widest, *others)
        .order_by(
            (asset_column(utility) == leaf).desc(),
            (ServicePoint.place_id == point.place_id).desc(),
            Ticket.created_at.desc(),
        )
        .limit(NAMED)
    )
    return Neighbours(levels, (await session.scalars(named)).all())
