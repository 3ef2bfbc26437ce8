"""A follower who sends as WeChat does, and a desk whose bot is a small server that speaks its protocol."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from api.agents.tables import Agent
from api.channels.wechat.tables import Follower
from api.conversations.engine import Engine
from api.conversations.tables import Conversation, Message
from api.danger import scan
from api.db.engine import Database
from api.outbox.tables import Delivery
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.stand_in import Answer, Rasa, eventually, said
from tests.simulators.envelope import Envelope, cdata, signature

__all__ = ["Answer", "Clock", "Engine", "Rasa", "eventually", "said"]

TOKEN, KEY, APP_ID = "callback-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx0123456789abcdef"
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"


@pytest.fixture(scope="module", autouse=True)
def words_of_danger() -> None:
    """Loaded before the first customer waits, as a desk does when it starts."""
    scan("")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "wechat_app_id": APP_ID,
            "wechat_app_secret": SecretStr("app-secret"),
            "wechat_token": SecretStr(TOKEN),
            "wechat_aes_key": SecretStr(KEY),
            "wechat_reply_seconds": 1.5,
        }
    )


@dataclass
class Customer:
    """Sends as WeChat does."""

    client: httpx.AsyncClient
    clock: Clock
    open_id: str
    count: int = 0

    envelope = Envelope(APP_ID, TOKEN, KEY)

    def xml(self, kind: str, **fields: str) -> str:
        own = {"ToUserName": "gh_desk", "FromUserName": self.open_id, "CreateTime": str(int(self.clock().timestamp()))}
        own |= {"MsgType": kind} | fields
        return f"<xml>{''.join(f'<{name}>{cdata(value)}</{name}>' for name, value in own.items())}</xml>"

    def request(self, xml: str, nonce: str = "") -> tuple[str, bytes]:
        timestamp, nonce = str(int(self.clock().timestamp())), nonce or secrets.token_hex(6)
        cipher = self.envelope.encrypt(xml)
        query = {
            "signature": signature(TOKEN, timestamp, nonce),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": self.open_id,
            "encrypt_type": "aes",
            "msg_signature": self.envelope.sign(timestamp, nonce, cipher),
        }
        body = f"<xml><ToUserName>{cdata('gh_desk')}</ToUserName><Encrypt>{cdata(cipher)}</Encrypt></xml>"
        return urlencode(query), body.encode()

    async def post(self, query: str, body: bytes) -> httpx.Response:
        return await self.client.post(f"/wechat?{query}", content=body)

    async def deliver(self, xml: str) -> str:
        """The passive reply, '' for none."""
        return self.read(await self.post(*self.request(xml)))

    def read(self, answer: httpx.Response) -> str:
        assert answer.status_code == 200, answer.text
        if answer.text == "success":
            return ""
        reply = self.envelope.open_reply(answer.text)
        assert (reply["ToUserName"], reply["FromUserName"], reply["MsgType"]) == (self.open_id, "gh_desk", "text")
        assert reply["Content"].strip()
        assert len(reply["Content"].encode()) <= 2048
        return reply["Content"]

    def typed(self, words: str) -> str:
        return self.message("text", Content=words)

    def message(self, kind: str, **fields: str) -> str:
        self.count += 1
        return self.xml(kind, MsgId=f"{abs(hash(self.open_id)) % 10**9}{self.count:05}", **fields)

    async def say(self, words: str) -> str:
        return await self.deliver(self.typed(words))

    async def event(self, name: str, key: str = "") -> str:
        return await self.deliver(self.xml("event", Event=name, EventKey=key))


NewFollower = Callable[[], Customer]


@pytest.fixture
def new_follower(client: httpx.AsyncClient, clock: Clock) -> NewFollower:
    return lambda: Customer(client, clock, f"o{secrets.token_hex(13)}")


@pytest.fixture
def follower(new_follower: NewFollower) -> Customer:
    return new_follower()


async def rows(database: Database, cls: type[Any], *where: Any) -> list[Any]:
    async with database.read() as session:
        return list(await session.scalars(select(cls).where(*where).order_by(*cls.__table__.primary_key)))


async def lines(database: Database, follower: Customer) -> list[tuple[str, str]]:
    """Sender and text of all that was said with a follower, in order."""
    async with database.read() as session:
        query = select(Message.sender, Message.text).join(Conversation, Conversation.id == Message.conversation_id)
        query = query.where(Conversation.deliver_to == follower.open_id)
        return [tuple(row) for row in await session.execute(query.order_by(Conversation.created_at, Message.seq))]


async def states(database: Database) -> list[tuple[str, str]]:
    return [(d.state, d.via) for d in await rows(database, Delivery)]


async def the(database: Database, cls: type[Any]) -> Any:
    [row] = await rows(database, cls)
    return row


async def prepare(database: Database, follower: Customer, clock: Clock, **values: Any) -> str:
    """A conversation that the follower has had."""
    now = clock()
    async with database.write() as session, session.begin():
        if values.get("owner") == "agent":
            session.add(
                Agent(
                    id="ag_1", username="li", password_hash="x", role="agent", languages=[], skills=[], created_at=now
                )
            )
            await session.flush()
            values["agent_id"] = "ag_1"
        conversation = Conversation(
            id="cv_1",
            channel="wechat",
            deliver_to=follower.open_id,
            **{"language": "zh", "owner": "bot", "last_seq": 0, "created_at": now, "last_message_at": now, **values},
        )
        session.add(conversation)
        await session.flush()
        session.add(
            Follower(
                open_id=follower.open_id, conversation_id="cv_1", language="zh", allowance=0, spent=0, created_at=now
            )
        )
    return "cv_1"
