"""A deliverer that does as the test says in the vendor's place, and what is in the outbox."""

import asyncio
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from api.channels.base import Outcome, Rate, Sent
from api.db.engine import Database
from api.outbox.tables import Delivery
from tests.integration.conftest import Clock


class Vendor:
    """Keeps what it is sent, and answers with what `script` holds next for a recipient, else with Sent."""

    def __init__(self, name: str = "wechat", joins: int = 1, rate: Rate | None = None) -> None:
        self.name, self.joins, self.rate = name, joins, rate or Rate(1000, 8)
        self.calls: list[tuple[str, list[str]]] = []
        self.script: dict[str, list[Outcome | Exception]] = {}
        self.under_way: dict[str, int] = {}
        self.most_at_once = 0
        self.overlaps = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False

    async def deliver(self, deliveries: Sequence[Delivery]) -> Outcome:
        to = deliveries[0].recipient
        self.overlaps += self.under_way.get(to, 0)
        self.under_way[to] = self.under_way.get(to, 0) + 1
        self.most_at_once = max(self.most_at_once, sum(self.under_way.values()))
        self.calls.append((to, [delivery.body["text"] for delivery in deliveries]))
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            answer = self.script[to].pop(0) if self.script.get(to) else Sent(f"id-{deliveries[0].id}", "service")
        finally:
            self.under_way[to] -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True


async def put(database: Database, clock: Clock, *texts: str, to: str = "o1", **fields: Any) -> list[int]:
    """Queue deliveries and give their ids."""
    async with database.write() as session, session.begin():
        rows = [
            Delivery(
                **{
                    "channel": "wechat",
                    "recipient": to,
                    "body": {"text": text},
                    "not_before": clock(),
                    "created_at": clock(),
                    "updated_at": clock(),
                    **fields,
                }
            )
            for text in texts
        ]
        for row in rows:
            session.add(row)
            await session.flush()
        return [row.id for row in rows]


async def all_of(database: Database) -> list[Delivery]:
    async with database.read() as session:
        return list(await session.scalars(select(Delivery).order_by(Delivery.id)))


async def states(database: Database) -> list[str]:
    return [delivery.state for delivery in await all_of(database)]
