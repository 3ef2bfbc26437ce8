"""While the desk runs: whether it signs the log with the key so far, and whether the log's end is still there."""

import structlog

from api.audit import head
from api.audit.service import key_fits
from api.chores import again_and_again
from api.db.engine import Database
from api.settings import Settings

log = structlog.get_logger(__name__)

#: Seconds between two looks at the log's end.
EVERY = 600.0


async def watch_the_log(database: Database, settings: Settings) -> None:
    """Look at the log now and every ten minutes."""

    async def do() -> None:
        await look_at_the_log(database, settings)

    await again_and_again("audit", do, EVERY)


async def look_at_the_log(database: Database, settings: Settings) -> None:
    """Log an error where the last entry does not hold (another desk on this database has another key, or worse) or
    where entries are gone; else remember the last one in the home."""
    async with database.read() as session:
        if not await key_fits(session, settings.audit_key.get_secret_value()):
            advice = "all desks of one database need the same MAINSDESK_AUDIT_KEY"
            log.error("audit.last_entry_does_not_hold", advice=advice)
        elif fault := await head.note(session, settings.home):
            log.error("audit.entries_are_gone", detail=fault)
