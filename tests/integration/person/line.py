"""A caller who can wait in the queue, and the agents' side of his call."""

from typing import Any

import httpx
from sqlalchemy import select

from api.channels.voice.tables import Call
from api.conversations.tables import Conversation
from api.db.engine import Database
from tests.integration.caller import Caller, Heard

Headers = dict[str, str]
HOURS = {"zh": "每天 8:00 至 22:00", "en": "every day from 8:00 to 22:00", "from": "08:00", "to": "22:00"}
PHONE = "02362801234"


class Line(Caller):
    """A caller who can wait in the queue, too."""

    async def enter(self) -> Heard:
        """The first document of the waiting loop of the <Enqueue> that was heard last."""
        self.enqueue = self.heard.root.find("Enqueue")
        assert self.enqueue is not None, self.heard.xml
        self.heard = await self.post(self.enqueue.attrib["waitUrl"])
        return self.heard

    async def round(self, keys: str = "") -> Heard:
        """One more round of waiting, perhaps with a key."""
        self.heard = await self.post(self.heard.gather["action"], **({"Digits": keys} if keys else {}))
        return self.heard

    async def left(self, result: str = "leave") -> "Line":
        """The queue's action, after a <Leave>."""
        await self.go(self.enqueue.attrib["action"], follow=False, QueueResult=result)
        return self

    async def take(self, *keys: str) -> list[Heard]:
        """What the agent's phone hears that the <Dial> heard last rings: the whisper, and after each of these keys."""
        noun = self.heard.root.find("Dial/Number")
        assert noun is not None, self.heard.xml
        agent = Caller(self.client)
        heard = [await agent.post(noun.attrib["url"], ParentCallSid=self.sid)]
        for key in keys:
            heard.append(await agent.post(heard[-1].gather["action"], ParentCallSid=self.sid, Digits=key))
        return heard

    async def over(self, status: str = "completed") -> None:
        await self.post("/voice/status", CallStatus=status)


class Desk:
    """The agents' side of a call."""

    def __init__(self, client: httpx.AsyncClient, database: Database, service: Headers) -> None:
        self.client, self.database, self.service = client, database, service

    async def id_of(self, caller: Caller) -> str:
        async with self.database.read() as session:
            return str(await session.scalar(select(Call.conversation_id).where(Call.sid == caller.sid)))

    async def row(self, caller: Caller) -> Conversation:
        async with self.database.read() as session:
            return await session.get_one(Conversation, await self.id_of(caller))

    async def act(self, caller: Caller, act: str, agent: str | None = "li", **body: Any) -> httpx.Response:
        body |= {"agent": agent} if agent else {}
        url = f"/api/v1/conversations/{await self.id_of(caller)}/{act}"
        answer = await self.client.post(url, json=body, headers=self.service)
        assert answer.is_success, answer.text
        return answer

    async def transcript(self, caller: Caller) -> list[tuple[str, str]]:
        url = f"/api/v1/conversations/{await self.id_of(caller)}/transcript"
        items = (await self.client.get(url, headers=self.service)).json()["items"]
        return [(item["from"], item["text"]) for item in items]

    async def callbacks(self, **params: str) -> list[dict[str, Any]]:
        answer = await self.client.get("/api/v1/callbacks", params=params, headers=self.service)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


async def hand_over(line: Line, desk: Desk, language: str = "1") -> Line:
    """A call whose conversation waits for a person."""
    await line.dial()
    await line.press(language)
    await desk.act(line, "handover", None, reason="wish")
    await line.silence(follow=False)
    return line


def digits_of(text: str) -> str:
    """Numbers as they were said, in figures: 幺 is 1."""
    table = dict(zip("零一二三四五六七八九幺", "01234567891", strict=True))
    return "".join(table.get(c, c) for c in text if c in table or c.isdigit())
