"""Writes a whole network: used by the demo utility and by the loader, which must not differ in how."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.base import Base
from api.network.rules import ancestors
from api.network.tables import Asset, AssetAncestor, NetworkState, Place, ServicePoint

Row = Mapping[str, Any]
#: Rows of one INSERT; PostgreSQL takes 32,767 parameters in a statement.
BATCH = 1_000


async def insert_rows(session: AsyncSession, table: type[Base], rows: Sequence[Row]) -> None:
    """Bulk insert; every row must have the same keys."""
    for start in range(0, len(rows), BATCH):
        await session.execute(insert(table), [dict(row) for row in rows[start : start + BATCH]])


async def write_network(
    session: AsyncSession, assets: Sequence[Row], places: Sequence[Row], points: Sequence[Row]
) -> None:
    """Insert a network into empty tables; assets may stand in any order. Raises TreeError where they form no tree."""
    closure = ancestors({row["id"]: row["parent_id"] for row in assets})
    depth = {asset: above for asset, _, above in closure}  # the last row of each asset names its root
    await insert_rows(session, Asset, sorted(assets, key=lambda row: depth[row["id"]]))
    await insert_rows(
        session,
        AssetAncestor,
        [{"asset_id": asset, "ancestor_id": above, "depth": steps} for asset, above, steps in closure],
    )
    await insert_rows(session, Place, places)
    await insert_rows(session, ServicePoint, points)


async def mark_network(session: AsyncSession, origin: str) -> None:
    """Record whose network this is (`demo` or `loaded`) and outdate every process's index of names."""
    version = time.time_ns() // 1_000_000
    state = await session.get(NetworkState, 1)
    if state is None:
        session.add(NetworkState(id=1, version=version, origin=origin))
    else:
        state.version, state.origin = max(version, state.version + 1), origin
    await session.flush()


async def network_origin(session: AsyncSession) -> str | None:
    """`demo`, `loaded`, or None where no network was written yet."""
    state = await session.get(NetworkState, 1)
    return state.origin if state else None


def tables(*classes: type[Base]) -> list[Table]:
    """The tables of ORM classes, children first."""
    wanted = {cls.__table__ for cls in classes}
    return [table for table in reversed(Base.metadata.sorted_tables) if table in wanted]
