"""SQLite for asyncio with one hop to the connection's thread a statement, where aiosqlite's cursor takes four.

The hops, and not SQLite, are what a small statement costs.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiosqlite
from sqlalchemy import URL


class _Cursor:
    """What SQLAlchemy's adapter asks of a cursor; all rows are fetched with the statement."""

    description: Any = None
    rowcount = -1
    lastrowid: int | None = None
    arraysize = 1

    def __init__(self, connection: "_Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Any = ()) -> Self:
        await self._connection.run(lambda raw: self._keep(raw.execute(sql, parameters)))
        return self

    async def executemany(self, sql: str, parameters: Any) -> Self:
        await self._connection.run(lambda raw: self._keep(raw.executemany(sql, parameters)))
        return self

    def _keep(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = cursor.fetchall() if cursor.description else []
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        self._rows = []


class _Connection(aiosqlite.Connection):
    def cursor(self) -> Any:
        return _Cursor(self)

    async def run(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do this in the connection's thread."""
        await self._execute(work, self._conn)  # type: ignore[no-untyped-call]


def connector(url: URL) -> Callable[[], Awaitable[aiosqlite.Connection]]:
    """An `async_creator` for SQLAlchemy: opens the database file of the URL."""
    path = url.database or ":memory:"

    async def connect() -> aiosqlite.Connection:
        # No isolation level: transactions are begun and ended by SQLAlchemy alone.
        connection = _Connection(
            lambda: sqlite3.connect(path, isolation_level=None, check_same_thread=False), iter_chunk_size=64
        )
        connection._thread.daemon = True  # as SQLAlchemy has it: a forgotten connection must not keep the process up
        return await connection

    return connect
