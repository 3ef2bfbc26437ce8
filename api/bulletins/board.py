"""The bulletins of now and later, as every process knows them without asking the database at each turn."""

import time
import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.bulletins.rules import Announced
from api.bulletins.tables import Bulletin
from api.conversations.bell import BULLETINS, bell
from api.db.base import table_of

#: Seconds after which the database is asked again, should a ring ever be lost.
EXPIRY = 10.0
_b = table_of(Bulletin).c
_COMING = select(_b.id, _b.asset_id, _b.place_id, _b.text_zh, _b.text_en, _b.starts_at, _b.ends_at).where(
    _b.withdrawn_at.is_(None), _b.ends_at > bindparam("now", type_=_b.ends_at.type)
)
#: By database of this process: when it was read (monotonic), and what was read.
_known: weakref.WeakKeyDictionary[Any, tuple[float, Sequence[Announced]]] = weakref.WeakKeyDictionary()
# Rung by this process's changes and, through PostgreSQL, by those of others; open as long as the process is.
_listening = ExitStack()
_rung = _listening.enter_context(bell.listen(BULLETINS))


async def board(session: AsyncSession, now: datetime) -> Sequence[Announced]:
    """All that is not withdrawn and not over; in force is what `rules.to_tell` finds in it."""
    if _rung.is_set():
        _rung.clear()
        _known.clear()
    pool = session.get_bind().engine.pool
    known = _known.get(pool)
    if known is None or time.monotonic() - known[0] > EXPIRY:
        known = (time.monotonic(), [Announced(*row) for row in await session.execute(_COMING, {"now": now})])
        _known[pool] = known
    return known[1]
