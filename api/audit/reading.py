"""Readings of personal data: in the log before the answer is given."""

from collections import OrderedDict
from datetime import datetime, timedelta

from sqlalchemy import select

from api.audit.service import record
from api.audit.tables import AuditEntry
from api.db.engine import Database

READ = "read"
#: Who reads the same again within this time reads on; a page that refreshes itself makes no flood of entries.
WINDOW = timedelta(minutes=5)
#: Readings that one process remembers, to spare the database the question.
REMEMBERED = 10_000


class Readings:
    """Notes readings, each in a short transaction of its own."""

    def __init__(self) -> None:
        self._recent: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    async def note(self, database: Database, by: str, subject: str, now: datetime) -> None:
        """See to it that the log says that `by` read `subject` within the last minutes; raises where it cannot be."""
        key = (by, subject)
        at = self._recent.get(key)
        if at is not None and at <= now < at + WINDOW:
            return
        async with database.write() as session, session.begin():
            query = (
                select(AuditEntry.at)
                .where(AuditEntry.by == by, AuditEntry.subject == subject, AuditEntry.action == READ)
                .order_by(AuditEntry.id.desc())
                .limit(1)
            )
            at = await session.scalar(query)
            if at is None or not at <= now < at + WINDOW:
                record(session, by, READ, subject, now)
                at = now
        self._recent[key] = at
        self._recent.move_to_end(key)
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
