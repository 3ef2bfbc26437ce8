"""At the start: whether this desk signs the log with the key that it was signed with so far."""

import structlog

from api.audit.service import key_fits
from api.db.engine import Database
from api.settings import Settings

log = structlog.get_logger(__name__)


async def warn_of_another_key(database: Database, settings: Settings) -> None:
    """Log an error where the last entry does not hold: another desk on this database has another key, or worse."""
    try:
        async with database.read() as session:
            fits = await key_fits(session, settings.audit_key.get_secret_value())
    except Exception as error:
        log.exception("audit.not_checked", reason=type(error).__name__)
        return
    if not fits:
        log.error(
            "audit.last_entry_does_not_hold", advice="all desks of one database need the same MAINSDESK_AUDIT_KEY"
        )
