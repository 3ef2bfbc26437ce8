"""What Rasa remembers of a conversation: its slots and its last few turns, in one row.

Rasa's own SQL store keeps one row an event for ever and reads them all again with every message. Here the journeys'
memory is in slots and the policies are rules, so that nothing looks further back than the turn before.
"""

import json
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sqlalchemy.exc import SQLAlchemyError

DAY = 86_400.0
#: Seconds between looks for conversations that nobody will take up again.
SWEEP = 3_600.0
_READ = sa.text("SELECT events FROM conversations WHERE sender_id = :sender")
_WRITE = sa.text(
    "INSERT INTO conversations (sender_id, saved_at, events) VALUES (:sender, :now, :events)"
    " ON CONFLICT (sender_id) DO UPDATE SET saved_at = excluded.saved_at, events = excluded.events"
)
_SWEEP = sa.text("DELETE FROM conversations WHERE saved_at < :before")
_KEYS = sa.text("SELECT sender_id FROM conversations")

_tables = sa.MetaData()
sa.Table(
    "conversations",
    _tables,
    sa.Column("sender_id", sa.String(255), primary_key=True),
    sa.Column("saved_at", sa.Float, nullable=False, index=True),
    sa.Column("events", sa.Text, nullable=False),
)


#: The slot of what the bot waits for.
QUESTION = "question"
#: Takes the tracker that is saved within this context, so that who asked for the turn need not read it again.
SAVED: ContextVar[list[DialogueStateTracker] | None] = ContextVar("saved", default=None)


class HistoryBroken(BaseException):
    """The store cannot be read or written. Not an Exception: Rasa would go on without what it should remember."""


class BoundedTrackerStore(TrackerStore):
    """Keeps slots and the last `turns` turns of conversations that were spoken to in the last `days` days.

    `url` is an SQLAlchemy URL of SQLite or PostgreSQL.
    """

    def __init__(
        self,
        domain: Domain | None,
        host: str,
        event_broker: EventBroker | None = None,
        turns: int = 1,
        days: float = 30,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        self._turns, self._days = turns, days
        self._swept = 0.0
        sqlite = host.startswith("sqlite")
        # By itself, SQLAlchemy 1.4 opens an SQLite file anew for each statement.
        kept = {"poolclass": sa.pool.QueuePool, "connect_args": {"check_same_thread": False}} if sqlite else {}
        self._engine = sa.create_engine(
            host, isolation_level="AUTOCOMMIT", hide_parameters=True, pool_pre_ping=not sqlite, **kept
        )
        if sqlite:
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
        _tables.create_all(self._engine)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Raises HistoryBroken."""
        await self.stream_events(tracker)
        now = time.time()
        events = json.dumps([event.as_dict() for event in bounded(tracker, self._turns)])
        try:
            with self._engine.connect() as connection:
                connection.execute(_WRITE, {"sender": tracker.sender_id, "now": now, "events": events})
                if now - self._swept > SWEEP:
                    connection.execute(_SWEEP, {"before": now - self._days * DAY})
                    self._swept = now
        except SQLAlchemyError as error:
            raise HistoryBroken(type(error).__name__) from error
        if (saved := SAVED.get()) is not None:
            saved.append(tracker)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """Raises HistoryBroken."""
        try:
            with self._engine.connect() as connection:
                events = connection.execute(_READ, {"sender": sender_id}).scalar()
        except SQLAlchemyError as error:
            raise HistoryBroken(type(error).__name__) from error
        return DialogueStateTracker.from_dict(sender_id, json.loads(events), self.domain.slots) if events else None

    async def keys(self) -> Iterable[str]:
        """Sender ids of all conversations that are kept."""
        with self._engine.connect() as connection:
            return list(connection.execute(_KEYS).scalars())


def bounded(tracker: DialogueStateTracker, turns: int) -> list[Event]:
    """Events that make a tracker with the same slots and the same last `turns` turns."""
    events = list(tracker.events)
    begins = [position for position, event in enumerate(events) if isinstance(event, UserUttered)][-turns:]
    if len(begins) < turns or not any(isinstance(event, UserUttered) for event in events[: begins[0]]):
        return events
    last = events[begins[0] :]
    then = last[0].timestamp
    remembered = [
        SlotSet(slot.name, slot.value, timestamp=then)
        for slot in tracker.slots.values()
        if slot.value != slot.initial_value
    ]
    if any(_sets_question(event) for event in last):
        # What was asked before these turns tells what their first message was a reply to (bot.understanding).
        asked = (event.value for event in reversed(events[: begins[0]]) if _sets_question(event))
        remembered.append(SlotSet(QUESTION, next(asked, None), timestamp=then))
    return [SessionStarted(then), *remembered, ActionExecuted(ACTION_LISTEN_NAME, timestamp=then), *last]


def _sets_question(event: Event) -> bool:
    return isinstance(event, SlotSet) and event.key == QUESTION


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # NORMAL in WAL: a killed process loses nothing; a power cut may lose the last turns of what is remembered here, and
    # nothing of what was filed. The event loop would wait for the disk with FULL.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")
