"""Wrong tries: counted per subject, locking it for a while. Used for accounts, tickets and agents' sign-ins."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.customers import rules
from api.customers.tables import VerificationTry
from api.db.base import new_id
from api.errors import Problem
from api.privacy import keyed_hash


def subject(secret: str, kind: str, value: str) -> str:
    """The name under which tries against something are counted; it does not tell what that is."""
    return f"{kind}:{keyed_hash(secret, kind, rules.plain(value))}"


#: What is not one person's: wrong tries that are allowed, by kind of subject.
ALLOWED = {"source": rules.SOURCE_TRIES, "desk-source": rules.DESK_SOURCE_TRIES}


def _allowed(subject_name: str) -> int:
    return ALLOWED.get(subject_name.partition(":")[0], rules.TRIES)


async def take_turns(session: AsyncSession, subjects: Sequence[str]) -> None:
    """Let no two transactions count tries of the same subject at once (SQLite has one writer anyway)."""
    if session.get_bind().dialect.name == "postgresql":
        for name in sorted(subjects):
            await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


async def locked(
    session: AsyncSession, subjects: Sequence[str], now: datetime, lock: timedelta = rules.LOCK
) -> datetime | None:
    """When the last lock of these subjects ends; None if none is locked. The same work for every subject."""
    query = (
        select(VerificationTry.subject, VerificationTry.at)
        .where(VerificationTry.subject.in_(subjects), VerificationTry.at > now - rules.WINDOW - lock)
        .order_by(VerificationTry.at)
    )
    times: dict[str, list[datetime]] = {name: [] for name in subjects}
    for name, at in await session.execute(query):
        times[name].append(at)
    ends = [
        end
        for name, tries in times.items()
        if (end := rules.locked_until(tries, now, allowed=_allowed(name), lock=lock))
    ]
    return max(ends, default=None)


async def count(session: AsyncSession, subjects: Sequence[str], now: datetime) -> None:
    """Count one wrong try against each subject; tries that no lock depends on any more are dropped."""
    await session.execute(delete(VerificationTry).where(VerificationTry.at <= now - rules.WINDOW - rules.LOCK))
    session.add_all(VerificationTry(id=new_id("vt"), subject=name, at=now) for name in subjects)
    await session.flush()


def locked_problem(until: datetime, now: datetime) -> Problem:
    """429 `locked`, the same whatever it was that is locked."""
    seconds = max(math.ceil((until - now).total_seconds()), 1)
    return Problem(
        429,
        "locked",
        "There were too many wrong tries. Please try again later.",
        headers={"Retry-After": str(seconds)},
        until=until.isoformat().replace("+00:00", "Z"),
    )
