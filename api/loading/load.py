"""Loads a utility's own data in one transaction: all of a folder, or nothing of it."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from api.bulletins.tables import Bulletin
from api.conversations.tables import Conversation
from api.customers.tables import Account, ContactRecord
from api.db.base import Base
from api.db.engine import Database
from api.loading.files import Fault, Folder, check_folder, read_folder
from api.loading.rows import FILES, NEEDED
from api.network.rules import ancestors
from api.network.store import BATCH, insert_rows, mark_network, network_origin
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint
from api.outages.service import count_affected
from api.outages.tables import Outage, OutageReport
from api.outlets.tables import Outlet, UtilityFact
from api.tickets.tables import RoutingRule, Ticket, Unit

#: What the demo utility consists of, rows that refer to others first.
DEMO_TABLES: tuple[type[Base], ...] = (
    Bulletin,
    OutageReport,
    ContactRecord,
    Outage,
    Account,
    Outlet,
    ServicePoint,
    AssetAncestor,
    Place,
    RoutingRule,
    Asset,
    Unit,
    UtilityFact,
)
#: Columns that no file has and that follow from those it has.
DERIVED = frozenset({"affected_count", "updated_at", "round_the_clock"})
IN_USE = (
    "This desk shows the demo utility and holds conversations or tickets about it. Demo and loaded data never mix: "
    "load into a desk of its own, by setting MAINSDESK_HOME (and MAINSDESK_DATABASE_URL, if you use it) to a new one."
)
CONTRADICTION = (
    "The files contradict what this desk holds already: a building number of a place, or an outage number, that "
    "another id has. Nothing was loaded."
)


@dataclass
class Report:
    """How a load went: rows per file where it worked, else the faults, or why the desk refused."""

    rows: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    refused: str = ""

    @property
    def ok(self) -> bool:
        return not self.faults and not self.refused

    def __str__(self) -> str:
        if self.refused:
            return self.refused
        if self.faults:
            lines = [str(fault) for fault in sorted(self.faults)]
            return "\n".join([*lines, f"{len(lines)} faults; nothing was loaded."])
        return "Loaded " + ", ".join(f"{count} {name}" for name, count in self.rows.items()) + "."


async def load_folder(database: Database, folder: Path, now: datetime, zone: ZoneInfo) -> Report:
    """Load a folder of CSV files (docs/loading.md) in one transaction.

    An unused demo utility is replaced as a whole. Into a desk with loaded data, rows with a known id are updated in the
    columns that the file has, and the others added; nothing is deleted, since tickets may refer to it.
    """
    read = read_folder(folder, zone)
    try:
        return await _load(database, read, now)
    except IntegrityError:
        return Report(refused=CONTRADICTION)


async def _load(database: Database, read: Folder, now: datetime) -> Report:
    async with database.write() as session, session.begin():
        origin = await network_origin(session)
        if origin == "demo" and await _in_use(session):
            return Report(refused=IN_USE)
        if origin != "loaded":
            read.faults += [Fault(f"{n}.csv", 0, "", "this file is needed") for n in NEEDED if n not in read.rows]
            check_folder(read, {}, {})
        else:
            check_folder(read, await _stored_ids(session), await _parents(session))
        if read.faults:
            return Report(faults=read.faults)
        if origin == "demo":
            for table in DEMO_TABLES:
                await session.execute(delete(table))
        await _write(session, read, now)
        await mark_network(session, "loaded")
    return Report(rows={name: len(rows) for name, rows in read.rows.items()})


async def _in_use(session: AsyncSession) -> bool:
    for table in (Ticket, Conversation):
        if await session.scalar(select(func.count()).select_from(table)):
            return True
    return False


async def _stored_ids(session: AsyncSession) -> dict[str, set[str]]:
    referred = {target for model in FILES.values() for target in model.references.values()}
    columns = {name: FILES[name].table.__table__.c.id for name in referred}
    return {name: set(await session.scalars(select(column))) for name, column in columns.items()}


async def _parents(session: AsyncSession) -> dict[str, str | None]:
    return dict((await session.execute(select(Asset.id, Asset.parent_id))).all())


async def _write(session: AsyncSession, read: Folder, now: datetime) -> None:
    for name, model in FILES.items():
        rows = [row.values() for _, row in read.of(name, model)]
        if name == "assets":
            rows = _parents_first(rows)
        if name == "outages":
            rows = [
                row
                | {
                    "affected_count": await count_affected(session, row["utility"], row["asset_id"]),
                    "created_at": now,
                    "updated_at": now,
                }
                for row in rows
            ]
        await _upsert(session, model.table, rows, read.columns.get(name, frozenset()) | DERIVED)
        if name == "assets" and rows:
            await _close_tree(session)


def _parents_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = {row["id"] for row in rows}
    parents = {row["id"]: row["parent_id"] if row["parent_id"] in ids else None for row in rows}
    depth = {asset: above for asset, _, above in ancestors(parents)}
    return sorted(rows, key=lambda row: depth[row["id"]])


async def _close_tree(session: AsyncSession) -> None:
    await session.execute(delete(AssetAncestor))
    triples = ancestors(await _parents(session))
    rows = [{"asset_id": asset, "ancestor_id": above, "depth": depth} for asset, above, depth in triples]
    await insert_rows(session, AssetAncestor, rows)


async def _upsert(
    session: AsyncSession, table: type[Base], rows: Sequence[Mapping[str, Any]], columns: Set[str]
) -> None:
    """Insert rows of equal keys; where the primary key is known, update those of `columns` that the rows have."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    key = [column.name for column in table.__table__.primary_key]
    for start in range(0, len(rows), BATCH):
        statement = dialect.insert(table)
        changed = {name: statement.excluded[name] for name in rows[0] if name in columns and name not in key}
        statement = (
            statement.on_conflict_do_update(index_elements=key, set_=changed)
            if changed
            else statement.on_conflict_do_nothing(index_elements=key)
        )
        await session.execute(statement, [dict(row) for row in rows[start : start + BATCH]])
