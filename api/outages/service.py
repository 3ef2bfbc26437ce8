"""Recording outages, their course, and the customers added to them. Functions take a session and never commit."""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.bell import TICKETS, touch
from api.db.base import new_id
from api.errors import Problem, not_found
from api.network.tables import Asset, AssetAncestor, ServicePoint
from api.outages import rules
from api.outages.queries import active, asset_column
from api.outages.schemas import NewOutage, NewReport, OutageChange
from api.outages.tables import Outage, OutageReport
from api.tickets.rules import OPEN
from api.tickets.tables import Ticket

log = structlog.get_logger(__name__)
PREDICTED_CAUSE_ZH = "同一台变压器下有多户报停电，原因正在核实"
PREDICTED_CAUSE_EN = "several reports below one transformer; the cause is being checked"
PREDICTED_CAUSE_WATER_ZH = "同一供水段有多户报停水，原因正在核实"
PREDICTED_CAUSE_WATER_EN = "several reports on one stretch of main; the cause is being checked"


def invalid(field: str, message: str) -> Problem:
    """422 for one field of the body, in the form that body validation uses."""
    return Problem(
        422, "invalid", "Some fields are not valid.", errors=[{"field": f"body.{field}", "message": message}]
    )


async def count_affected(session: AsyncSession, utility: str, asset_id: str) -> int:
    """Supply addresses below an asset."""
    query = (
        select(func.count())
        .select_from(AssetAncestor)
        .join(ServicePoint, asset_column(utility) == AssetAncestor.asset_id)
        .where(AssetAncestor.ancestor_id == asset_id)
    )
    return await session.scalar(query) or 0


async def find(session: AsyncSession, outage_id: str, *, lock: bool = False) -> Outage:
    """The outage with this id, locked for a change where the database can; Problem 404."""
    outage = await session.get(Outage, outage_id, with_for_update=True if lock else None)
    if outage is None:
        raise not_found("outage")
    return outage


async def free_number(session: AsyncSession, local: datetime) -> str:
    """An outage number that none has: the local day and six digits (A6)."""
    while True:
        number = f"{local:%Y%m%d}{secrets.randbelow(1_000_000):06d}"
        if await session.scalar(select(Outage.id).where(Outage.number == number)) is None:
            return number


async def create(session: AsyncSession, new: NewOutage, now: datetime, zone: ZoneInfo) -> Outage:
    """Record an outage. Problem 422 for an unknown asset, another utility's asset, or times that cannot stand (C4)."""
    asset = await session.get(Asset, new.asset_id)
    if asset is None:
        raise invalid("asset_id", "There is no such asset.")
    if new.utility not in (None, asset.utility):
        raise invalid("utility", f"This asset belongs to the {asset.utility} network.")
    if new.starts_at is None and new.kind == "planned":
        raise invalid("starts_at", "A planned outage needs its start.")
    starts_at = new.starts_at or now
    status = new.status or rules.FIRST_STATUS[new.kind]
    ended_at = None
    if status in rules.ENDED:
        ended_at = max(starts_at, min(now, new.expected_end_at or now))
    if wrong := rules.complaint_about(new.kind, starts_at, new.expected_end_at, ended_at):
        raise invalid(*wrong)
    outage = Outage(
        id=new_id("out"),
        number=await free_number(session, now.astimezone(zone)),
        utility=asset.utility,
        kind=new.kind,
        status=status,
        cause_zh=new.cause_zh or new.cause,
        cause_en=new.cause_en,
        asset_id=asset.id,
        starts_at=starts_at,
        expected_end_at=new.expected_end_at,
        ended_at=ended_at,
        affected_count=await count_affected(session, asset.utility, asset.id),
        created_at=now,
        updated_at=now,
    )
    session.add(outage)
    await session.flush()
    await touch(session, TICKETS)
    log.info("outage.recorded", number=outage.number, kind=outage.kind, affected=outage.affected_count)
    return outage


async def change(session: AsyncSession, outage: Outage, wanted: OutageChange, now: datetime) -> None:
    """Apply a change. Problem 409 where the order of statuses forbids it, 422 for times that cannot stand."""
    fields = {name: value for name, value in wanted.model_dump(exclude_unset=True).items() if value is not None}
    if "cause" in fields:
        fields.setdefault("cause_zh", fields.pop("cause"))
    old_status, old_expected = outage.status, outage.expected_end_at
    status = fields.get("status", outage.status)
    if not rules.may_become(outage.status, status):
        raise Problem(409, "status-not-possible", f"An outage that is {outage.status} cannot become {status}.")
    for name, value in fields.items():
        setattr(outage, name, value)
    if status in rules.ENDED and outage.ended_at is None:
        outage.ended_at = max(now, outage.starts_at) if status == "restored" else now
    ended_at = None if status == "cancelled" else outage.ended_at
    if wrong := rules.complaint_about(outage.kind, outage.starts_at, outage.expected_end_at, ended_at):
        raise invalid(*wrong)
    outage.updated_at = now
    await session.flush()
    # Imported here: notices look at outages.
    from api.notices.service import outage_changed

    await outage_changed(session, outage, old_status, old_expected, now)
    await touch(session, TICKETS)
    log.info("outage.changed", number=outage.number, status=outage.status, fields=sorted(fields))


async def add_report(
    session: AsyncSession, outage: Outage, new: NewReport, conversation_id: str, now: datetime
) -> OutageReport:
    """Add a customer to a known outage (C7); again from the same conversation and address: the same report, updated."""
    if new.service_point_id is not None and await session.get(ServicePoint, new.service_point_id) is None:
        raise invalid("service_point_id", "There is no such service point.")
    report = None
    if conversation_id:
        query = select(OutageReport).where(
            OutageReport.outage_id == outage.id,
            OutageReport.conversation_id == conversation_id,
            OutageReport.service_point_id == new.service_point_id,
        )
        report = (await session.scalars(query.limit(1))).first()
    if report is None:
        report = OutageReport(
            id=new_id("rep"),
            outage_id=outage.id,
            conversation_id=conversation_id,
            service_point_id=new.service_point_id,
            contact_name="",
            contact_phone="",
            note="",
            created_at=now,
        )
        session.add(report)
    report.contact_name = new.contact_name or report.contact_name
    report.contact_phone = new.contact_phone or report.contact_phone
    report.note = new.note or report.note
    await session.flush()
    await touch(session, TICKETS)
    return report


async def infer_outage(session: AsyncSession, service_point_id: str, utility: str, now: datetime) -> Outage | None:
    """Record a predicted outage where enough fault reports stand open below one leaf asset (C4).

    Nothing (None) where an outage above that address is known already or the reports are too few.
    Reports of one conversation count once, and so do reports of one address without a conversation.
    """
    point = await session.get(ServicePoint, service_point_id)
    asset_id = point and (point.power_asset_id if utility == "power" else point.water_asset_id)
    if not asset_id or await known_above(session, asset_id, now):
        return None
    caller = func.coalesce(Ticket.conversation_id, Ticket.service_point_id)
    query = (
        select(func.count(caller.distinct()), func.min(Ticket.created_at))
        .join(ServicePoint, ServicePoint.id == Ticket.service_point_id)
        .where(
            asset_column(utility) == asset_id,
            Ticket.utility == utility,
            Ticket.kind == "fault_report",
            Ticket.scope.in_(rules.SCOPES_THAT_COUNT),
            Ticket.status.in_(OPEN),
            Ticket.created_at > now - rules.REPORTS_WITHIN,
        )
    )
    reports, first_at = (await session.execute(query)).one()
    if not rules.means_outage(reports):
        return None
    power = utility == "power"
    outage = Outage(
        id=new_id("out"),
        number=await free_number(session, now),
        utility=utility,
        kind="predicted",
        status="reported",
        cause_zh=PREDICTED_CAUSE_ZH if power else PREDICTED_CAUSE_WATER_ZH,
        cause_en=PREDICTED_CAUSE_EN if power else PREDICTED_CAUSE_WATER_EN,
        asset_id=asset_id,
        starts_at=first_at,
        affected_count=await count_affected(session, utility, asset_id),
        created_at=now,
        updated_at=now,
    )
    session.add(outage)
    await session.flush()
    await touch(session, TICKETS)
    log.info("outage.inferred", number=outage.number, reports=reports, affected=outage.affected_count)
    return outage


async def known_above(session: AsyncSession, asset_id: str, now: datetime) -> bool:
    """Whether an outage that is going on covers this asset."""
    query = (
        select(Outage.id)
        .join(AssetAncestor, AssetAncestor.ancestor_id == Outage.asset_id)
        .where(AssetAncestor.asset_id == asset_id, active(now, now))
    )
    return await session.scalar(query.limit(1)) is not None
