"""The log's last entry as the home remembers it: outside the database, so that a cut-off end shows (api.audit.start).

Whoever may write to the database only can cut entries off, and a shorter log is whole in itself.
"""

import os
import re
import tempfile
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.audit.tables import AuditEntry

FILE = "audit-head"
CUT_OFF = "The end of the log was cut off or written anew: it was at entry {id} before (the file {file} says so)."


def remembered(home: Path) -> tuple[int, str] | None:
    """Id and hash of the entry that was the last one; None where nothing is known."""
    try:
        found = re.fullmatch(r"(\d+):([0-9a-f]{64})\s*", (home / FILE).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    return (int(found[1]), found[2]) if found else None


def remember(home: Path, number: int, hashed: str) -> None:
    """Keep the last entry, which nobody but the desk's own user reads."""
    descriptor, name = tempfile.mkstemp(dir=home, prefix=f".{FILE}-")  # mode 600
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{number}:{hashed}\n")
    Path(name).replace(home / FILE)


async def fault_of(session: AsyncSession, home: Path) -> str:
    """What shows that entries are gone that were there; '' where the one that was the last still stands."""
    known = remembered(home)
    if known is None:
        return ""
    hashed = await session.scalar(select(AuditEntry.hash).where(AuditEntry.id == known[0]))
    return "" if hashed == known[1] else CUT_OFF.format(id=known[0], file=home / FILE)


async def note(session: AsyncSession, home: Path) -> str:
    """Remember the last entry, where nothing is wrong with the one remembered; what is wrong else."""
    if fault := await fault_of(session, home):
        return fault
    last = (
        await session.execute(select(AuditEntry.id, AuditEntry.hash).order_by(AuditEntry.id.desc()).limit(1))
    ).first()
    if last is not None:
        remember(home, last.id, last.hash)
    return ""
