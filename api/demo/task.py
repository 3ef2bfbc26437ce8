"""The front desk's background task that keeps the demo's outages in the present."""

from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from api.chores import again_and_again
from api.db.engine import Database
from api.demo.seed import refresh_demo
from api.deps import Clock
from api.network.store import network_origin

#: Seconds between looks; nothing moves while it is still true.
PERIOD = 600.0
log = structlog.get_logger(__name__)


async def keep_demo_fresh(database: Database, clock: Clock, zone: ZoneInfo) -> None:
    """Refresh the demo every `PERIOD` until cancelled."""
    await again_and_again("demo", lambda: refresh_once(database, clock(), zone), PERIOD)


async def refresh_once(database: Database, now: datetime, zone: ZoneInfo) -> int:
    """Move stale demo outages to the present; the number moved. A desk without the demo takes no write lock for it."""
    async with database.read() as session:
        if await network_origin(session) != "demo":
            return 0
    async with database.write() as session, session.begin():
        moved = await refresh_demo(session, now, zone)
    if moved:
        log.info("demo.refreshed", outages=moved)
    return moved
