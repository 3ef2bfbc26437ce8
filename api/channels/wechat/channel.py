"""WeChat as a channel of the desk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

import structlog
from fastapi import APIRouter, FastAPI

from api.channels.base import Channel
from api.channels.wechat import attachments
from api.channels.wechat.attachments import Keeper
from api.channels.wechat.callback import Callback, forget, routes
from api.channels.wechat.deliver import WechatDeliverer
from api.db.engine import Database
from api.settings import Settings

log = structlog.get_logger(__name__)

#: Seconds between the times when old callbacks are forgotten.
FORGET_EVERY = 3600.0


def wechat(settings: Settings, database: Database, clock: Callable[[], datetime]) -> Channel:
    """The channel, its secrets being set."""
    deliverer = WechatDeliverer(settings, database, clock)
    callback = Callback(settings, clock)
    keeper = Keeper(settings.home, deliverer.client, clock)

    @asynccontextmanager
    async def chores(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(keeper.run(database)), asyncio.create_task(_keep_forgetting(database, clock))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await callback.close()

    router = APIRouter(lifespan=chores)
    router.include_router(routes(callback))
    router.include_router(attachments.router)
    return Channel("wechat", router, [deliverer])


async def _keep_forgetting(database: Database, clock: Callable[[], datetime]) -> None:
    while True:
        try:
            await forget(database, clock())
        except Exception:
            log.exception("wechat.forget_failed")
        await asyncio.sleep(FORGET_EVERY)
