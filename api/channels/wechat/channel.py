"""WeChat as a channel of the desk."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import APIRouter, FastAPI

from api.channels.base import Channel
from api.channels.wechat import attachments
from api.channels.wechat.attachments import Keeper
from api.channels.wechat.callback import Callback, routes
from api.channels.wechat.deliver import WechatDeliverer
from api.db.engine import Database
from api.settings import Settings


def wechat(settings: Settings, database: Database, clock: Callable[[], datetime]) -> Channel:
    """The channel, its secrets being set."""
    deliverer = WechatDeliverer(settings, database, clock)
    callback = Callback(settings, clock)
    keeper = Keeper(settings.home, deliverer.client, clock)

    @asynccontextmanager
    async def chores(_app: FastAPI) -> AsyncIterator[None]:
        keeping = asyncio.create_task(keeper.run(database))
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await callback.close()

    router = APIRouter(lifespan=chores)
    router.include_router(routes(callback))
    router.include_router(attachments.router)
    return Channel("wechat", router, [deliverer])
