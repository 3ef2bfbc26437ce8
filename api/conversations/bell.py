"""Wakes whoever waits for news of a conversation: at once within this process, by LISTEN/NOTIFY from others.

A bell is a hint and holds no state: whoever waits reads the database, and reads it now and then unrung, too.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import structlog
from sqlalchemy import Text, bindparam, event, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from api.db.engine import Database

log = structlog.get_logger()
CHANNEL = "mainsdesk_conversation"
#: Rung when there may be a turn to work on.
TURNS = "*"
#: Rung when the list of those who wait for a person has changed, or somebody's presence.
QUEUE = "queue"
#: Rung when danger was spoken of, and when a bulletin changed.
ALARMS, BULLETINS = "alarms", "bulletins"
#: Rung when a ticket or an outage changed.
TICKETS = "tickets"
_TOUCHED = "touched_conversations"
_NOTIFY = select(func.pg_notify(CHANNEL, func.unnest(bindparam("keys", type_=ARRAY(Text)))))
#: Seconds between looks whether the connection that listens still stands, and before another one is tried.
ALIVE_EVERY, AGAIN_AFTER = 15.0, 1.0


def agent_key(agent_id: str) -> str:
    """Rung when something of an agent's own has changed: a conversation of his, a mention, a call."""
    return f"agent:{agent_id}"


def list_key(agent_id: str) -> str:
    """Rung when a line came or went in one of an agent's conversations: his list looks different, nothing else does."""
    return f"list:{agent_id}"


class _Joined(asyncio.Event):
    """Sets another event, too, that it shares with others."""

    def __init__(self, shared: asyncio.Event) -> None:
        super().__init__()
        self._shared = shared

    def set(self) -> None:
        super().set()
        self._shared.set()


class Rings(dict[str, asyncio.Event]):
    """Events by key; `any` is set along with each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.any = asyncio.Event()

    async def first(self, seconds: float, but: Collection[str] = ()) -> None:
        """Return when any is set, of those that are not in `but`, or after `seconds`."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                while not any(event.is_set() for key, event in self.items() if key not in but):
                    self.any.clear()
                    await self.any.wait()
        except TimeoutError:
            pass


class Bell:
    """Asyncio events by conversation id, or one of the keys above."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    @contextmanager
    def listen_to(self, keys: Iterable[str]) -> "Iterator[Rings]":
        """The events of several keys; wait for the first of them with `first`."""
        with ExitStack() as stack:
            rings = Rings()
            for key in keys:
                rings[key] = stack.enter_context(self.listen(key, _Joined(rings.any)))
            yield rings

    @contextmanager
    def listen(self, key: str, rung: asyncio.Event | None = None) -> Iterator[asyncio.Event]:
        """An event that is set by every ring from now on; clear it before reading, then wait."""
        rung = rung or asyncio.Event()
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

    def ring_all(self) -> None:
        """Ring for every key: whoever listens looks afresh."""
        for key in tuple(self._waiting):
            self.ring(key)


bell = Bell()


async def wait_for_ring(rung: asyncio.Event, seconds: float) -> None:
    """Return when rung, or after `seconds`."""
    try:
        async with asyncio.timeout(max(seconds, 0)):
            await rung.wait()
    except TimeoutError:
        pass


async def touch(session: AsyncSession, key: str) -> None:
    """Ring for this conversation, or another key, when the session's transaction has ended."""
    mark(session.sync_session, key)


def mark(session: Session | None, key: str) -> None:
    """The same where there is only the session beneath; nothing for an object that is in none."""
    if session is not None:
        session.info.setdefault(_TOUCHED, set()).add(key)


@event.listens_for(Session, "before_commit")
def _tell_other_processes(session: Session) -> None:
    """PostgreSQL passes them on with the commit, and only then."""
    touched = session.info.get(_TOUCHED)
    if touched and not session.in_nested_transaction() and session.get_bind().dialect.name == "postgresql":
        session.execute(_NOTIFY, {"keys": list(touched)})


@event.listens_for(Session, "after_transaction_end")
def _ring_after_commit(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        for key in session.info.pop(_TOUCHED, ()):
            bell.ring(key)


@asynccontextmanager
async def hear_other_processes(database: Database, here: Bell = bell) -> AsyncIterator[None]:
    """On PostgreSQL, pass on the rings of other processes while the context lasts; otherwise nothing to do.

    Whenever the connection comes up, everything rings once: nobody tells what was rung while nobody listened.
    """
    if database.is_sqlite:
        yield
        return
    listener = asyncio.create_task(_listen(database, here))
    try:
        yield
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def _listen(database: Database, here: Bell) -> None:
    while True:
        try:
            await _listen_once(database, here)
        except Exception as error:  # noqa: BLE001 whatever it is, this process must not stay deaf
            log.warning("bell.listen_failed", error=type(error).__name__)
        await asyncio.sleep(AGAIN_AFTER)


async def _listen_once(database: Database, here: Bell) -> None:
    """Pass on rings until the connection is lost."""
    async with database.engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        if raw is None:
            raise ConnectionError("no connection")
        closed = asyncio.Event()
        raw.add_termination_listener(lambda _connection: closed.set())
        await raw.add_listener(CHANNEL, lambda _c, _pid, _channel, payload: here.ring(payload))
        here.ring_all()
        try:
            while not closed.is_set():
                await wait_for_ring(closed, ALIVE_EVERY)
                if not closed.is_set():
                    await raw.execute("SELECT 1", timeout=AGAIN_AFTER * 5)
        finally:
            await connection.invalidate()
