"""Engine and sessions for SQLite (WAL) and PostgreSQL."""

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from api.db.sqlite import DRIVER

#: How long a SQLite writer waits for another one, ms.
SQLITE_BUSY_MS = 5_000
#: Seconds unused after which a connection to PostgreSQL is asked whether it still stands, before it is used again.
#: Asking costs three round trips, more than most of what connections are used for.
IDLE = 1.0


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
    write therefore says so when it begins (BEGIN IMMEDIATE). On PostgreSQL, where every statement of a transaction
    sees what is committed by then anyhow (READ COMMITTED), `read` has no transaction: it may not lock anything.
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
    # The one used last knows most statements already.
    options: dict[str, Any] = {"pool_size": pool_size, "max_overflow": 0, "pool_use_lifo": True}
    # Parameters are customers' words and numbers: no error may carry them into a log.
    driven = make_url(url).set(drivername=f"sqlite+{DRIVER}") if sqlite else url
    engine = create_async_engine(driven, hide_parameters=True, **options)
    glance = engine.execution_options(**{"sqlite_begin": ""} if sqlite else {"isolation_level": "AUTOCOMMIT"})
    if sqlite:
        _prepare_sqlite(engine)
    else:
        _ask_the_idle(engine)
    return Database(
        engine=engine,
        glance=glance,
        read=async_sessionmaker(engine if sqlite else glance, expire_on_commit=False),
        write=_writers(engine) if sqlite else async_sessionmaker(engine, expire_on_commit=False),
    )


def _writers(engine: AsyncEngine) -> async_sessionmaker[Any]:
    immediate = engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
    return async_sessionmaker(immediate, class_=OneWriter, expire_on_commit=False, turn=asyncio.Lock())


def _ask_the_idle(engine: AsyncEngine) -> None:
    """What the pool's own `pool_pre_ping` does, for connections that were not used a moment ago."""

    @event.listens_for(engine.sync_engine, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def ask(connection: Any, record: Any, _proxy: Any) -> None:
        if time.monotonic() - record.info.get("used", time.monotonic()) < IDLE:
            return
        dialect: Any = engine.dialect
        try:
            dialect.do_ping(connection)
        except dialect.dbapi.Error as error:
            raise InvalidatePoolError from error


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
