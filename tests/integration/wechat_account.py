"""A follower with a conversation, and the outbox that writes to him."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.channels.wechat.client import WechatClient
from api.channels.wechat.deliver import WechatDeliverer
from api.channels.wechat.tables import Follower
from api.conversations.tables import Conversation
from api.conversations.transcript import Offer, add_message, lock_conversation
from api.db.engine import Database
from api.outbox.worker import Outbox
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.test_wechat_client import Server, with_wechat


class Account:
    """A follower with a conversation, and the outbox that writes to him."""

    def __init__(self, database: Database, clock: Clock, outbox: Outbox, server: Server) -> None:
        self.database, self.clock, self.outbox, self.server = database, clock, outbox, server

    async def open_window(self, allowance: int = 5, **delta: float) -> None:
        async with self.database.write() as session, session.begin():
            follower = await session.get_one(Follower, "o1")
            follower.window_ends_at = self.clock() + timedelta(**(delta or {"hours": 48}))
            follower.allowance, follower.spent = allowance, 0

    async def say(self, text: str, sender: str = "bot", choices: tuple[str, ...] = (), **fields: Any) -> str:
        async with self.database.write() as session, session.begin():
            conversation = await lock_conversation(session, "cv_1")
            assert conversation is not None
            offers = [Offer(label, f"/{label}") for label in choices]
            message = await add_message(session, conversation, sender, text, self.clock(), offers=offers, **fields)
            return message.id

    async def follower(self) -> Follower:
        async with self.database.read() as session:
            return await session.get_one(Follower, "o1")

    @property
    def heard(self) -> list[str]:
        return [message["text"]["content"] for message in self.server.sent]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def outbox(settings: Settings, database: Database, clock: Clock, server: Server) -> AsyncIterator[Outbox]:
    wechat = with_wechat(settings)
    client = WechatClient(wechat, database, clock, httpx.MockTransport(server))
    outbox = Outbox(database, clock, [WechatDeliverer(wechat, database, clock, client)])
    yield outbox
    await outbox.stop()


@pytest.fixture
async def account(database: Database, clock: Clock, outbox: Outbox, server: Server) -> Account:
    async with database.write() as session, session.begin():
        session.add(
            Conversation(id="cv_1", channel="wechat", deliver_to="o1", language="zh", last_seq=0, created_at=clock())
        )
        await session.flush()
        session.add(Follower(open_id="o1", conversation_id="cv_1", created_at=clock()))
    account = Account(database, clock, outbox, server)
    await account.open_window()
    return account
