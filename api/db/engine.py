"""Engine and sessions for SQLite (WAL) and PostgreSQL."""

import asyncio
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from api.db.sqlite import DRIVER

#: How long a SQLite writer waits for another one, ms.
SQLITE_BUSY_MS = 5_000


class OneWriter(AsyncSession):
    """A session that waits its turn among this process's writers, in order.

    SQLite lets one writer in at a time and makes the others sleep and try again, which leaves it idle between them.
    """

    def __init__(self, *args: Any, turn: asyncio.Lock, **options: Any) -> None:
        super().__init__(*args, **options)
        self._turn = turn

    async def __aenter__(self) -> Self:
        await self._turn.acquire()
        return self

    async def __aexit__(self, *error: Any) -> None:
        try:
            await super().__aexit__(*error)
        finally:
            self._turn.release()


@dataclass(frozen=True)
class Database:
    """One engine and its two kinds of session: `read` takes no write lock, `write` takes it at once.

    `glance` is for connections that read one thing: each of their statements is a transaction of its own.
    SQLite refuses to turn a reader into a writer while another one writes; a transaction that is going to
    write therefore says so when it begins (BEGIN IMMEDIATE). PostgreSQL treats both alike.
    """

    engine: AsyncEngine
    glance: AsyncEngine
    read: async_sessionmaker[AsyncSession]
    write: async_sessionmaker[AsyncSession]

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    async def close(self) -> None:
        await self.engine.dispose()


def open_database(url: str, pool_size: int = 20) -> Database:
    """Open the database behind an async SQLAlchemy URL."""
    sqlite = url.startswith("sqlite")
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_pre_ping": not sqlite}
    # Parameters are customers' words and numbers: no error may carry them into a log.
    driven = make_url(url).set(drivername=f"sqlite+{DRIVER}") if sqlite else url
    engine = create_async_engine(driven, hide_parameters=True, **options)
    if sqlite:
        _prepare_sqlite(engine)
    return Database(
        engine=engine,
        glance=engine.execution_options(**{"sqlite_begin": ""} if sqlite else {"isolation_level": "AUTOCOMMIT"}),
        read=async_sessionmaker(engine, expire_on_commit=False),
        write=_writers(engine) if sqlite else async_sessionmaker(engine, expire_on_commit=False),
    )


def _writers(engine: AsyncEngine) -> async_sessionmaker[Any]:
    immediate = engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
    return async_sessionmaker(immediate, class_=OneWriter, expire_on_commit=False, turn=asyncio.Lock())


def _prepare_sqlite(engine: AsyncEngine) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        # The driver's own implicit BEGIN would come too late for BEGIN IMMEDIATE.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={SQLITE_BUSY_MS}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        driven: Any = connection.connection.dbapi_connection
        driven.begin(connection.get_execution_options().get("sqlite_begin", "BEGIN"))
