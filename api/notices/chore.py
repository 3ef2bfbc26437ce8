"""The front desk's background task that sends notices when they are due."""

import structlog
from sqlalchemy import select

from api.chores import again_and_again
from api.db.engine import Database
from api.deps import Clock
from api.notices.service import NOTICES, send
from api.notices.tables import Notice
from api.settings import Settings

#: Seconds between looks when nobody rings: other processes' notices, the end of rest hours.
PERIOD = 5.0
AT_ONCE = 100
log = structlog.get_logger(__name__)


async def keep_notices_going(settings: Settings, database: Database, clock: Clock) -> None:
    """Send what is due until cancelled."""

    async def send_all() -> None:
        while await send_due(settings, database, clock) == AT_ONCE:
            pass

    await again_and_again("notices", send_all, PERIOD, NOTICES)


async def send_due(settings: Settings, database: Database, clock: Clock) -> int:
    """Look after the notices that are due, oldest first, each in a transaction of its own; how many went well."""
    due = select(Notice.id).where(Notice.state == "pending", Notice.due_at <= clock())
    async with database.glance.connect() as connection:
        ids = (await connection.scalars(due.order_by(Notice.due_at, Notice.id).limit(AT_ONCE))).all()
    done = 0
    for notice_id in ids:
        try:
            async with database.write() as session, session.begin():
                query = select(Notice).where(Notice.id == notice_id, Notice.state == "pending")
                notice = await session.scalar(query.with_for_update(skip_locked=True))
                if notice is not None:
                    await send(session, settings, notice, clock())
            done += 1
        except Exception:
            log.exception("notices.one_failed", notice=notice_id)  # the others are not to wait for it
    return done
