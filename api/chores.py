"""The front desk's background work: done now and then for as long as the app is up, whatever fails in between."""

from collections.abc import Awaitable, Callable

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.conversations.bell import bell, wait_for_ring

log = structlog.get_logger(__name__)

#: What a database raises that is away. What fails while a connection is made comes from asyncpg as it is.
AWAY = (SQLAlchemyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


async def again_and_again(name: str, do: Callable[[], Awaitable[object]], seconds: float, key: str = "") -> None:
    """Do it at once, when `key` rings, and every so many seconds, until cancelled; what fails is tried again."""
    with bell.listen(key or f"chore:{name}") as rung:
        while True:
            rung.clear()
            try:
                await do()
            except AWAY as error:
                log.warning("chore.put_off", chore=name, reason=type(error).__name__)
            except Exception:
                log.exception("chore.failed", chore=name)
            await wait_for_ring(rung, seconds)
