"""A worker of the outbox that runs while the test does."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.db.engine import Database
from api.outbox.worker import Outbox
from tests.integration.conftest import Clock
from tests.integration.outbox.vendor import Vendor


@pytest.fixture
async def started(database: Database, clock: Clock) -> AsyncIterator[Any]:
    """`started(vendor, …)`: a worker that runs until the test ends."""
    running: list[Outbox] = []

    def start(*vendors: Vendor, on: Database = database) -> Outbox:
        outbox = Outbox(on, clock, vendors)
        outbox.start()
        running.append(outbox)
        return outbox

    yield start
    for outbox in running:
        await outbox.stop()
