"""SQLite in one visit to its thread a statement.

SQLAlchemy's adapter of aiosqlite goes there four times (cursor, execute, fetch, close), and again for the BEGIN; each
way costs more than the statement itself.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
    SQLiteDialect_aiosqlite,
)
from sqlalchemy.util import EMPTY_DICT
from sqlalchemy.util.concurrency import await_

#: Name of the dialect in a URL: sqlite+desk:///…
DRIVER = "desk"


@dataclass(slots=True)
class _Done:
    """What is left of a cursor that was closed in its thread."""

    description: Any = None
    rowcount: int = -1
    lastrowid: int | None = None
    arraysize: int = 1


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """Executes, fetches all and closes at once."""

    __slots__ = ()
    _awaitable_cursor_close = False  # nothing is open between statements

    def __init__(self, adapt_connection: "_Connection") -> None:
        self._adapt_connection = adapt_connection
        self._connection = adapt_connection._connection
        self._soft_closed_memoized = EMPTY_DICT
        self._rows = deque()
        self._cursor: Any = _Done()

    def execute(self, operation: Any, parameters: Any = None) -> Any:
        return self._visit("execute", operation, () if parameters is None else parameters)

    def executemany(self, operation: Any, seq_of_parameters: Any) -> Any:
        return self._visit("executemany", operation, seq_of_parameters)

    def close(self) -> None:
        self._rows.clear()

    def _visit(self, how: str, operation: str, parameters: Any) -> None:
        adapted: Any = self._adapt_connection
        begin, adapted.to_begin = adapted.to_begin, ""
        adapted.begun = adapted.begun or bool(begin)

        def work(raw: Any) -> tuple[_Done, list[Any]]:
            if begin:
                raw.execute(begin)
            cursor = raw.cursor()
            try:
                getattr(cursor, how)(operation, parameters)
                rows = cursor.fetchall() if cursor.description else []
                return _Done(cursor.description, cursor.rowcount, cursor.lastrowid), rows
            finally:
                cursor.close()

        self._cursor, rows = adapted.visit(work)
        self._rows = deque(rows)


class _Connection(AsyncAdapt_aiosqlite_connection):
    """Sends the BEGIN along with the first statement of its transaction."""

    __slots__ = ("begun", "to_begin")

    _cursor_cls: Any = _Cursor

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self.to_begin, self.begun = "", False

    def begin(self, statement: str) -> None:
        """Have the next statement preceded by this one; '' for none, each statement being its own transaction."""
        self.to_begin = statement

    def visit(self, work: Callable[[Any], Any]) -> Any:
        """Run `work` on the sqlite3 connection, in its thread."""
        try:
            return await_(self._connection._execute(work, self._connection._conn))
        except Exception as error:  # noqa: BLE001 (the handler raises it again, by SQLAlchemy's names)
            self._handle_exception(error)

    def cursor(self, server_side: bool = False) -> Any:
        if server_side and self.to_begin:
            self.execute("SELECT 1")
        return super().cursor(server_side)

    def commit(self) -> None:
        if self.begun:
            super().commit()  # if this fails, there is still something to roll back
        self.begun, self.to_begin = False, ""

    def rollback(self) -> None:
        if self.begun:
            super().rollback()
        self.begun, self.to_begin = False, ""


class _Module(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arg: Any, **kw: Any) -> _Connection:
        return _Connection(self, super().connect(*arg, **kw)._connection)


class Dialect(SQLiteDialect_aiosqlite):
    """`sqlite+desk://`."""

    driver = DRIVER
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> _Module:
        return _Module(__import__("aiosqlite"), __import__("sqlite3"))


registry.register(f"sqlite.{DRIVER}", __name__, "Dialect")
