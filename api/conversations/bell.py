"""Wakes whoever waits for news of a conversation: at once within this process, by LISTEN/NOTIFY from others.

A bell is a hint and holds no state: whoever waits reads the database, and reads it now and then unrung, too.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog
from sqlalchemy import event, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from api.db.engine import Database

log = structlog.get_logger()
CHANNEL = "mainsdesk_conversation"
#: Rung when there may be a turn to work on.
TURNS = "*"
_TOUCHED = "touched_conversations"


class Bell:
    """Asyncio events by conversation id, or `TURNS`."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def listen(self, key: str) -> Iterator[asyncio.Event]:
        """An event that is set by every ring from now on; clear it before reading, then wait."""
        rung = asyncio.Event()
        self._waiting[key].add(rung)
        try:
            yield rung
        finally:
            self._waiting[key].discard(rung)
            if not self._waiting[key]:
                del self._waiting[key]

    def ring(self, key: str) -> None:
        for rung in tuple(self._waiting.get(key, ())):
            rung.set()


bell = Bell()


async def wait_for_ring(rung: asyncio.Event, seconds: float) -> None:
    """Return when rung, or after `seconds`."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await rung.wait()
    except TimeoutError:
        pass


async def touch(session: AsyncSession, key: str) -> None:
    """Ring for this conversation (or `TURNS`) when the session's transaction has ended."""
    touched: set[str] = session.sync_session.info.setdefault(_TOUCHED, set())
    if key not in touched:
        touched.add(key)
        if session.get_bind().dialect.name == "postgresql":
            await session.execute(select(func.pg_notify(CHANNEL, key)))


@event.listens_for(Session, "after_transaction_end")
def _ring_after_commit(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for key in session.info.pop(_TOUCHED, ()):
            bell.ring(key)


@asynccontextmanager
async def hear_other_processes(database: Database) -> AsyncIterator[None]:
    """On PostgreSQL, pass on the rings of other processes while the context lasts; otherwise nothing to do."""
    if database.is_sqlite:
        yield
        return
    listener = asyncio.create_task(_listen(database))
    try:
        yield
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def _listen(database: Database) -> None:
    while True:
        try:
            async with database.engine.connect() as connection:
                raw = (await connection.get_raw_connection()).driver_connection
                if raw is None:
                    raise ConnectionError("no connection")
                closed = asyncio.Event()
                raw.add_termination_listener(lambda _connection: closed.set())  # noqa: B023
                await raw.add_listener(CHANNEL, lambda _c, _pid, _channel, payload: bell.ring(payload))
                try:
                    await closed.wait()
                finally:
                    await connection.invalidate()
        except (SQLAlchemyError, OSError) as error:
            log.warning("bell.listen_failed", error=type(error).__name__)
        await asyncio.sleep(1)
