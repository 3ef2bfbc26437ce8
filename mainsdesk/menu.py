"""`mainsdesk menu publish | show`: the menu of the WeChat account."""

import asyncio
import json
import logging

from api.channels.wechat.client import WechatClient
from api.channels.wechat.errors import AnswerLost, NotReached, WechatError
from api.channels.wechat.menu import as_sent
from api.db.engine import open_database
from api.deps import utc_now
from api.logs import configure_logging
from api.settings import Settings


def menu_command(settings: Settings, act: str) -> tuple[int, str]:
    """Send the menu to WeChat, or get the one that it has: the exit status, and what to print."""
    configure_logging(logging.ERROR)  # no library may write a URL, which holds the access token
    try:
        return 0, asyncio.run(_ask(settings, act))
    except WechatError as refused:
        return 1, f"WeChat refused: {refused}"
    except NotReached as problem:
        return 1, f"WeChat was not reached: {problem}"
    except AnswerLost as lost:
        return 1, f"WeChat gave no answer that can be read ({lost}); `mainsdesk menu show` tells what it has."


async def _ask(settings: Settings, act: str) -> str:
    database = open_database(settings.sqlalchemy_url)
    client = WechatClient(settings, database, utc_now)
    try:
        answer = await (client.create_menu(as_sent()) if act == "publish" else client.menu())
    finally:
        await client.close()
        await database.close()
    return json.dumps(answer, ensure_ascii=False, indent=2)
