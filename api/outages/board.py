"""The board of outages, and who waits for the end of one. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.tables import Conversation
from api.network.tables import Asset, AssetAncestor, ServicePoint
from api.outages import rules
from api.outages.queries import asset_column, shape
from api.outages.schemas import OutageOut
from api.outages.tables import Outage, OutageReport
from api.tickets.tables import Ticket

#: Ended ones stay on the board for a day.
LATELY = timedelta(days=1)
LIVE = timedelta(hours=3)
MOST = 200
PARTS = ("current", "predicted", "planned", "ended")


async def board(session: AsyncSession, now: datetime, utility: str = "") -> Mapping[str, list[OutageOut]]:
    """Outages by part: `current` (supply is off), `predicted`, `planned` (still to come), `ended` (of the last day)."""
    query = select(Outage, Asset).join(Asset, Asset.id == Outage.asset_id)
    lasting = Outage.status.not_in(tuple(rules.ENDED))
    query = query.where(or_(lasting, Outage.ended_at > now - LATELY, Outage.updated_at > now - LATELY))
    if utility:
        query = query.where(Outage.utility == utility)
    parts: dict[str, list[OutageOut]] = {part: [] for part in PARTS}
    for outage, asset in await session.execute(query.order_by(Outage.starts_at.desc(), Outage.id).limit(MOST)):
        parts[part_of(outage, now)].append(shape(outage, asset, now))
    parts["planned"].reverse()
    return parts


def part_of(outage: Outage, now: datetime) -> str:
    """Where an outage stands on the board."""
    if outage.status in rules.ENDED or (outage.ended_at is not None and outage.ended_at <= now):
        return "ended"
    if outage.starts_at > now:
        return "planned"
    return "predicted" if outage.kind == "predicted" else "current"


@dataclass(frozen=True)
class Waiting:
    """Who waits for an outage's end: its tickets, customers added to it, and conversations that go on about it."""

    tickets: Sequence[Ticket]
    reports: Sequence[OutageReport]
    conversations: Sequence[Conversation]


async def waiting_for(session: AsyncSession, outage: Outage, now: datetime) -> Waiting:
    """Conversations count while their customer wrote lately."""
    tickets = select(Ticket).where(Ticket.outage_id == outage.id).order_by(Ticket.priority, Ticket.created_at)
    reports = select(OutageReport).where(OutageReport.outage_id == outage.id).order_by(OutageReport.created_at)
    found = (await session.scalars(tickets.limit(MOST))).all()
    added = (await session.scalars(reports.limit(MOST))).all()
    ids = {ticket.conversation_id for ticket in found} | {report.conversation_id for report in added}
    recent = select(Conversation).where(Conversation.closed_at.is_(None), Conversation.last_message_at > now - LIVE)
    live = (await session.scalars(recent.order_by(Conversation.last_message_at.desc()).limit(MOST * 5))).all()
    below = await _below(session, outage, {point for one in live if (point := _point_of(one))})
    return Waiting(found, added, [one for one in live if one.id in ids or _point_of(one) in below])


def _point_of(conversation: Conversation) -> str:
    """The service point that the bot has understood, '' for none."""
    place = conversation.sheet.get("place")
    return str(place.get("service_point_id") or "") if isinstance(place, dict) else ""


async def _below(session: AsyncSession, outage: Outage, points: set[str]) -> set[str]:
    """Those of these service points that the outage covers."""
    query = (
        select(ServicePoint.id)
        .join(AssetAncestor, AssetAncestor.asset_id == asset_column(outage.utility))
        .where(AssetAncestor.ancestor_id == outage.asset_id, ServicePoint.id.in_(points))
    )
    return set(await session.scalars(query)) if points else set()
