"""Sends what the outbox holds."""

from collections.abc import Callable, Sequence
from datetime import datetime

from api.channels.base import Deliverer
from api.db.engine import Database


class Outbox:
    """The worker of one front desk."""

    def __init__(self, database: Database, clock: Callable[[], datetime], deliverers: Sequence[Deliverer]) -> None:
        self._database, self._clock, self._deliverers = database, clock, deliverers

    def start(self) -> None:
        """Begin to send."""

    async def stop(self) -> None:
        """Stop at once."""
