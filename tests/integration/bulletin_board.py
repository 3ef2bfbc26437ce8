"""A small network with bulletins on it, and turns of the bot that know where the customer is."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import select

from api.bulletins.tables import BulletinTold
from api.conversations import queue
from api.conversations.rasa import Said
from api.conversations.tables import Conversation
from api.conversations.transcript import lock_conversation
from api.db.engine import Database
from api.network.store import write_network
from tests.integration.conftest import Clock
from tests.integration.test_web_channel import Chat

URL = "/api/v1/bulletins"
#: Texts by a word that tells one from another.
Sent = dict[str, Any]


async def lay_network(database: Database) -> None:
    """Two estates: `he` (sp_he_1, sp_he_2) below tr_he, line_a, valve_w; `wan` (sp_wan_1) below line_b, valve_v."""

    def asset(id: str, utility: str, parent: str | None) -> dict[str, Any]:
        return {
            "id": id, "utility": utility, "kind": "x", "name_zh": f"{id}设备", "name_en": id, "voltage_kv": None,
            "parent_id": parent,
        }  # fmt: skip

    def place(id: str) -> dict[str, Any]:
        return {"id": id, "kind": "estate", "name_zh": f"{id}花园", "name_en": f"{id} Garden", "area_class": "urban"}

    def point(id: str, place_id: str, power: str, water: str) -> dict[str, Any]:
        return {
            "id": id, "place_id": place_id, "number": id[-1], "address_zh": id, "address_en": id,
            "area_class": "urban", "power_asset_id": power, "water_asset_id": water,
        }  # fmt: skip

    assets = [
        asset("line_a", "power", None), asset("line_b", "power", None), asset("tr_he", "power", "line_a"),
        asset("zone_1", "water", None), asset("valve_w", "water", "zone_1"), asset("valve_v", "water", "zone_1"),
    ]  # fmt: skip
    points = [
        point("sp_he_1", "he", "tr_he", "valve_w"), point("sp_he_2", "he", "tr_he", "valve_w"),
        point("sp_wan_1", "wan", "line_b", "valve_v"),
    ]  # fmt: skip
    async with database.write() as session, session.begin():
        await write_network(session, assets, [place("he"), place("wan")], points)


def at(point: str = "", place: str = "", **more: Any) -> dict[str, Any]:
    """The sheet of a bot that knows the customer to be there."""
    return {"place": {"service_point_id": point, "place_id": place}, **more}


@dataclass
class Board:
    """The supervisor's side, and the bot's."""

    client: httpx.AsyncClient
    database: Database
    clock: Clock
    service: dict[str, str]
    sent: int = field(default=0)

    async def post(self, word: str = "大风", **more: Any) -> httpx.Response:
        """Publish one for two hours: its texts are `<word>来了` and `<word> is coming`."""
        body: Sent = {
            "text_zh": f"{word}来了。", "text_en": f"{word} is coming.",
            "ends_at": rfc(self.clock() + timedelta(hours=2)), **more,
        }  # fmt: skip
        return await self.client.post(URL, json=body, headers=self.service)

    async def publish(self, word: str = "大风", **more: Any) -> str:
        answer = await self.post(word, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def withdraw(self, id: str) -> httpx.Response:
        return await self.client.post(f"{URL}/{id}/withdraw", headers=self.service)

    async def accept(self, chat: Chat, text: str = "hello") -> queue.Claim:
        """A customer's message, and its turn in the hands of a worker."""
        self.sent += 1
        assert (await chat.send(f"m{self.sent}", text)).status_code == 202
        (claim,) = await queue.claim(self.database, "test", self.clock(), 60)
        return claim

    async def turn(self, chat: Chat, sheet: Sent | None = None, text: str = "hello") -> list[tuple[str, str]]:
        """What a customer gets for a message, (from, text) each, when the bot answers 'the answer'."""
        claim = await self.accept(chat, text)
        before = (await chat.news())["messages"][-1]["seq"]
        await queue.finish(self.database, claim, (Said("the answer", ()),), self.clock(), sheet=sheet)
        await self.remember(chat, sheet)
        return [(m["from"], m["text"]) for m in (await chat.news(before))["messages"]]

    async def remember(self, chat: Chat, sheet: Sent | None, **fields: Any) -> None:
        """Have the conversation as the bot's earlier turn, or an agent, would have left it."""
        async with self.database.write() as session, session.begin():
            conversation = await lock_conversation(session, chat.id)
            assert conversation is not None
            conversation.sheet = conversation.sheet if sheet is None else sheet
            for name, value in fields.items():
                setattr(conversation, name, value)

    async def told(self, chat: Chat) -> set[str]:
        async with self.database.read() as session:
            query = select(BulletinTold.bulletin_id).where(BulletinTold.conversation_id == chat.id)
            return set(await session.scalars(query))

    async def owner(self, chat: Chat) -> str:
        async with self.database.read() as session:
            return str(await session.scalar(select(Conversation.owner).where(Conversation.id == chat.id)))


def rfc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
