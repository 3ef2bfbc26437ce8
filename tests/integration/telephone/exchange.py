"""What happens on the telephone in a test: simulated calls run in threads while the desk answers them here."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI
from sqlalchemy import select

from api.channels.voice.control import follow
from api.channels.voice.tables import Call
from api.conversations.tables import Callback, Conversation, Message
from api.db.engine import Database
from api.outbox.worker import Outbox
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.simulators.caller import Caller
from tests.simulators.leg import Said
from tests.simulators.twilio import Placed, TwilioAccount, TwilioServer

#: How Twilio dials the agents of these tests.
MEI, SIP = "+862362801234", "sip:lan@pbx.example.com:5061;transport=tls"


class Exchange:
    """The telephone network, and the desk behind it."""

    def __init__(
        self,
        app: FastAPI,
        settings: Settings,
        database: Database,
        clock: Clock,
        twilio: TwilioServer,
        outbox: Outbox,
    ) -> None:
        self.app, self.settings, self.database = app, settings, database
        self.clock, self.twilio, self.outbox = clock, twilio, outbox

    async def do(self, act: Callable[..., list[Said] | None], *what: Any) -> str:
        """Let a caller do something; all that he hears then."""
        return " ".join(said.text for said in await asyncio.to_thread(act, *what) or [])

    async def webhook(self, url: str, **fields: str) -> str:
        """A webhook of Twilio's that comes out of turn; the document."""
        fields = {"AccountSid": self.twilio.account.sid, **fields}
        return (await asyncio.to_thread(self.twilio.webhooks.send, url, fields)).text

    async def forge(self, target: str, **fields: str) -> int:
        """The status of the answer to a webhook that somebody else has signed."""
        signature = TwilioAccount(self.settings.public_url, "").sign(self.settings.public_url + target, fields)
        headers = {"X-Twilio-Signature": signature}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://desk") as client:
            return (await client.post(target, data=fields, headers=headers)).status_code

    async def replay(self, act: Callable[[], list[str]]) -> list[str]:
        return await asyncio.to_thread(act)

    async def waiting_caller(self, number: str = "+8613800138000", language: str = "1") -> tuple[Caller, str]:
        """A caller in the queue, and his conversation."""
        caller = Caller(self.twilio, number)
        await self.do(caller.call)
        await self.do(caller.press, language)
        conversation_id = (await self.call(caller)).conversation_id
        headers = {"Authorization": "Bearer service-token", "Idempotency-Key": f"handover {caller.sid}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://desk") as client:
            url = f"/api/v1/conversations/{conversation_id}/handover"
            answer = await client.post(url, json={"reason": "wish"}, headers=headers)
        assert answer.is_success, answer.text
        await self.do(caller.silence)
        return caller, conversation_id

    async def call(self, caller: Caller) -> Call:
        async with self.database.read() as session:
            return await session.get_one(Call, caller.sid)

    async def conversation(self, conversation_id: str) -> Conversation:
        async with self.database.read() as session:
            return await session.get_one(Conversation, conversation_id)

    async def callback(self) -> Callback:
        async with self.database.read() as session:
            return (await session.scalars(select(Callback))).one()

    async def due(self, callback_id: str, at: datetime) -> None:
        async with self.database.write() as session, session.begin():
            (await session.get_one(Callback, callback_id)).due_at = at

    async def said_by_bot(self, conversation_id: str) -> int:
        """How many lines the bot has said."""
        async with self.database.read() as session:
            query = select(Message).where(Message.conversation_id == conversation_id, Message.sender == "bot")
            return len((await session.scalars(query)).all())

    async def place_calls(self) -> list[Placed]:
        """Let the outbox make the calls that are due; all that it ever made."""
        await self.outbox.work_off()
        return self.twilio.calls

    async def follow(self) -> int:
        """What the desk does by itself every few seconds."""
        return await follow(self.database, self.settings, self.clock())
