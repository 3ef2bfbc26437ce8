"""Writing the audit log, and reading it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import event, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

from api.audit.rules import Chain, Details, Entry, hash_of, plain
from api.audit.tables import AuditEntry
from api.paging import newest_first
from api.privacy import keyed_hash, mask_number

#: Held by a transaction on PostgreSQL from the moment it appends to the log until it ends: one writer at a time.
ADVISORY_LOCK = 955_980_002
#: Entries that one look at the log fetches.
PORTION = 2_000
LONGEST_NAME, LONGEST_SUBJECT, LONGEST_DETAIL = 60, 120, 200
_NOTED, _MARKS = "audit_noted", "audit_marks"


class Signing:
    """The key of this process's log; set once, when the app is made."""

    key = ""


@dataclass(frozen=True)
class Noted:
    """An entry that is written when its session's transaction commits."""

    by: str
    action: str
    subject: str
    at: datetime
    details: Details


def sign_with(key: str) -> None:
    """Use this secret from now on."""
    Signing.key = key


def reference(kind: str, value: str) -> str:
    """A subject that names somebody's number without telling it: `account:****5678:3fa9…`; the same one every time."""
    shown = mask_number(value)[-8:] if kind == "account" else ""
    return ":".join(filter(None, (kind, shown, keyed_hash(Signing.key, kind, value)[:16])))


def record(
    session: AsyncSession, by: str, action: str, subject: str, now: datetime, **details: str | int | bool | None
) -> None:
    """Note an act of `by` (Caller.name) on `subject`; the entry stands in the log if this transaction commits.

    It is written at the very end of the transaction, so that the log is locked for a moment only and never before
    something else. The session must be a writing one. `details` hold nothing personal and no secret.
    """
    cut = {
        plain(name, LONGEST_NAME): plain(value, LONGEST_DETAIL) if isinstance(value, str) else value
        for name, value in details.items()
    }
    noted = Noted(plain(by, LONGEST_NAME), plain(action, LONGEST_NAME), plain(subject, LONGEST_SUBJECT), now, cut)
    session.sync_session.info.setdefault(_NOTED, []).append(noted)


@event.listens_for(Session, "before_commit")
def _append(session: Session) -> None:
    """Write what this transaction noted; a failure fails the transaction."""
    if session.in_nested_transaction() or not session.info.get(_NOTED):
        return
    if not Signing.key:
        raise RuntimeError("MAINSDESK_AUDIT_KEY is not set: the audit log cannot be written.")
    session.flush()  # whatever else waits for a lock does so now
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
    last = session.execute(select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1)).first()
    number, previous = (last.id, last.hash) if last else (0, "")
    rows = []
    for noted in session.info.pop(_NOTED):
        number += 1
        entry = Entry(number, noted.at, noted.by, noted.action, noted.subject, noted.details)
        previous = hash_of(Signing.key, entry, previous)
        rows.append({**vars(entry), "hash": previous})
    session.execute(insert(AuditEntry), rows)


def forget(session: AsyncSession) -> None:
    """Drop what was noted so far: nothing was done after all."""
    session.sync_session.info.pop(_NOTED, None)


@event.listens_for(Session, "after_transaction_create")
def _mark(session: Session, transaction: SessionTransaction) -> None:
    if transaction.nested:
        session.info.setdefault(_MARKS, {})[transaction] = len(session.info.get(_NOTED, ()))


@event.listens_for(Session, "after_soft_rollback")
def _undo(session: Session, transaction: SessionTransaction) -> None:
    """What was noted since a savepoint goes with what was done since."""
    if transaction.nested and (noted := session.info.get(_NOTED)):
        del noted[session.info[_MARKS][transaction] :]


@event.listens_for(Session, "after_transaction_end")
def _end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_NOTED, None)
        session.info.pop(_MARKS, None)


async def listed(
    session: AsyncSession,
    *,
    by: str | None = None,
    subject: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    limit: int,
    cursor: str | None = None,
) -> tuple[Sequence[AuditEntry], str | None]:
    """Entries, newest first; an `account:<number>` or `search:<words>` in clear is found by its reference."""
    query = select(AuditEntry)
    if by is not None:
        query = query.where(AuditEntry.by == by)
    if subject is not None:
        kind, _, value = subject.partition(":")
        wanted = [subject]
        if kind in ("account", "search"):
            wanted.append(reference(kind, value))
        query = query.where(AuditEntry.subject.in_(wanted))
    if action is not None:
        query = query.where(AuditEntry.action == action)
    if since is not None:
        query = query.where(AuditEntry.at >= since)
    return await newest_first(session, query, AuditEntry.at, AuditEntry.id, limit, cursor)


async def key_fits(session: AsyncSession, key: str) -> bool:
    """Whether the last entry was signed with this key and follows the one before; True for an empty log."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(2)
    rows = list(await session.scalars(query))
    if not rows or (len(rows) == 1 and rows[0].id > 1):  # nothing to judge by
        return True
    last, previous = rows[0], rows[1].hash if len(rows) > 1 else ""
    entry = Entry(last.id, last.at, last.by, last.action, last.subject, last.details)
    return Chain(key, last.id - 1, previous).follow(entry, last.hash) is None


@dataclass(frozen=True)
class Verdict:
    """What a check of the log found: entries that hold, the last one's id and hash, what is wrong ('' for nothing)."""

    count: int
    last_id: int
    last_hash: str
    fault: str = ""


async def verify(session: AsyncSession, key: str, *, expect: str = "", after: int = 0, previous: str = "") -> Verdict:
    """Follow the whole log.

    `expect`: a hash that was noted earlier and must be among the entries' (shows a cut-off end). `after`, `previous`:
    id and hash of the last entry that was removed by a documented procedure.
    """
    chain, seen, last = Chain(key, after, previous), not expect or expect == previous, None
    columns = (getattr(AuditEntry, name) for name in ("id", "at", "by", "action", "subject", "details", "hash"))
    query = select(*columns).order_by(AuditEntry.id).limit(PORTION)
    while True:
        rows = (await session.execute(query if last is None else query.where(AuditEntry.id > last))).all()
        for row in rows:
            fault = chain.follow(Entry(*row[:6]), row.hash)
            if fault:
                return Verdict(chain.count, chain.last_id, chain.last_hash, fault)
            seen = seen or row.hash == expect
            last = row.id
        if len(rows) < PORTION:
            break
    fault = "" if seen else "No entry has the expected hash: the end of the log was cut off or written anew."
    return Verdict(chain.count, chain.last_id, chain.last_hash, fault)
