"""What is kept for a while only is gone afterwards, and nothing before."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from sqlalchemy import func, insert, select

from api.channels.voice.tables import Caller, Step
from api.channels.wechat.tables import Received, SeenNonce
from api.db.base import Base, table_of
from api.db.engine import Database
from api.db.idempotency import IdempotencyRecord
from api.retention import forget
from tests.integration.conftest import Clock

DAY, WEEK, YEAR = timedelta(days=1), timedelta(days=7), timedelta(days=365)
ROWS: Sequence[tuple[type[Base], str, timedelta, dict[str, object]]] = (
    (SeenNonce, "at", DAY, {"key": "1:n", "body_hash": ""}),
    (Received, "at", DAY, {"key": "1", "open_id": "o1", "sentence": "", "carried": [], "given": 0}),
    (Step, "at", DAY, {"call_sid": "CA1", "step": "turn:1", "body_hash": "", "twiml": ""}),
    (IdempotencyRecord, "created_at", WEEK, {"scope": "s", "key": "k", "body_hash": "", "answer": {}}),
    (Caller, "at", YEAR, {"number_hash": "h", "language": "zh"}),
)


@pytest.mark.parametrize(("table", "moment", "kept", "row"), ROWS)
async def test_rows_are_forgotten_when_their_time_is_over(
    database: Database, clock: Clock, table: type[Base], moment: str, kept: timedelta, row: dict[str, object]
) -> None:
    async def left() -> int:
        async with database.read() as session:
            return await session.scalar(select(func.count()).select_from(table)) or 0

    async with database.write() as session, session.begin():
        await session.execute(insert(table_of(table)), [{**row, moment: clock()}])
    assert (await forget(database, clock() + kept - timedelta(minutes=1)), await left()) == (0, 1)
    assert (await forget(database, clock() + kept + timedelta(minutes=1)), await left()) == (1, 0)
