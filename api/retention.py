"""What is kept for a while only: rows that recognise repetitions, and preferences."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import InstrumentedAttribute

from api.channels.voice.tables import Caller, Step
from api.channels.wechat.tables import Received, SeenNonce
from api.chores import again_and_again
from api.db.engine import Database
from api.db.idempotency import IdempotencyRecord
from api.deps import Clock

#: Until when a row is kept, counted from the moment in its column. Vendors repeat within minutes, clients within days.
KEPT: tuple[tuple[InstrumentedAttribute[datetime], timedelta], ...] = (
    (SeenNonce.at, timedelta(days=1)),
    (Received.at, timedelta(days=1)),
    (Step.at, timedelta(days=1)),
    (IdempotencyRecord.created_at, timedelta(days=7)),
    (Caller.at, timedelta(days=365)),
)
#: Seconds between looks.
PERIOD = 3600.0


async def forget(database: Database, now: datetime) -> int:
    """Delete what is older than it may get; how many rows."""
    gone = 0
    for moment, kept in KEPT:
        old = delete(moment.class_).where(moment < now - kept).execution_options(synchronize_session=False)
        async with database.write() as session, session.begin():
            result: Any = await session.execute(old)
            gone += result.rowcount
    return gone


async def keep_forgetting(database: Database, clock: Clock) -> None:
    """The front desk's background task for it, until cancelled."""
    await again_and_again("retention", lambda: forget(database, clock()), PERIOD)
