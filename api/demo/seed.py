"""Puts the demo utility into an empty database and keeps its outages in the present."""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.customers.tables import Account
from api.demo import customers, network
from api.demo.outages import OUTAGES, DemoOutage, must_anchor
from api.demo.utility import FACTS, OUTLETS, ROUTING, UNITS
from api.network.store import insert_rows, mark_network, network_origin, write_network
from api.outages.service import count_affected
from api.outages.tables import Outage
from api.outlets.tables import Outlet, UtilityFact
from api.tickets.tables import RoutingRule, Unit

CHINA = ZoneInfo("Asia/Shanghai")


async def seed_demo(session: AsyncSession, now: datetime, zone: ZoneInfo = CHINA) -> bool:
    """Write the demo utility where there is no network yet. False, and nothing written, where there is one."""
    if await network_origin(session) is not None:
        return False
    rows = network.build()
    await insert_rows(session, Unit, UNITS)
    await write_network(session, rows["assets"], rows["places"], rows["service_points"])
    await insert_rows(session, RoutingRule, ROUTING)
    await insert_rows(session, Outlet, OUTLETS)
    await insert_rows(session, UtilityFact, [{"key": key, "value": value} for key, value in FACTS.items()])
    await insert_rows(session, Account, customers.build([row["id"] for row in rows["service_points"]], now))
    await mark_network(session, "demo")
    await refresh_demo(session, now, zone)
    return True


async def refresh_demo(session: AsyncSession, now: datetime, zone: ZoneInfo = CHINA) -> int:
    """Move those demo outages to the present whose times went stale; the number moved.

    Safe to call at any time and as often as wished; it does nothing where the data are not the demo's.
    """
    if await network_origin(session) != "demo":
        return 0
    found = {row.id: row for row in await session.scalars(select(Outage).where(Outage.id.like("out_demo_%")))}
    moved = 0
    for position, outage in enumerate(OUTAGES, start=1):
        row = found.get(outage.id)
        if row is None:
            row = Outage(id=outage.id, created_at=now, affected_count=0)
            row.affected_count = await count_affected(session, outage.utility, outage.asset_id)
            session.add(row)
        elif not must_anchor(outage, row.created_at, now, zone):
            continue
        _anchor(row, outage, position, now, zone)
        moved += 1
    await session.flush()
    return moved


def _anchor(row: Outage, outage: DemoOutage, position: int, now: datetime, zone: ZoneInfo) -> None:
    local = now.astimezone(zone)
    times = outage.anchor(local)
    row.number = f"{times.starts_at.astimezone(zone):%Y%m%d}{position:06d}"
    row.utility, row.kind, row.status, row.asset_id = outage.utility, outage.kind, outage.status, outage.asset_id
    row.cause_zh, row.cause_en = outage.cause_zh, outage.cause_en
    row.starts_at, row.expected_end_at, row.ended_at = times.starts_at, times.expected_end_at, times.ended_at
    row.created_at = row.updated_at = now
