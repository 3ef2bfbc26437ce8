"""Many customers at once, each as patient as the chat page: what was not answered by the desk is sent again."""

import asyncio
import re
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from api.demo.network import build
from tests.e2e.desk import Desk

#: Seconds for a part to be started again and for everything that waited to be answered; generous.
PATIENCE = 150.0
#: "报修已登记，工单号 1234 5678 9012", "Your report is filed, number …", "已把您加到工单 …".
CONFIRMED = re.compile(r"(?:工单号?|编号|number|ticket|order)\s*((?:\d[\s,]*){12})", re.IGNORECASE)
CLAIMS = re.compile(r"(?<!是否)已经?登记|工单号|is (?:already )?filed|added to order", re.IGNORECASE)
HONEST = re.compile(r"对不起|sorry", re.IGNORECASE)
PERSON = re.compile(r"人工|person|agent", re.IGNORECASE)
RETRY = re.compile(r"再试一次|Try again")

Message = dict[str, Any]


def addresses(language: str = "zh") -> list[str]:
    """Buildings of the demo utility's estates that no outage touches; as far apart as can be, next ones from others."""
    demo = build()
    on_a_section = {asset["id"] for asset in demo["assets"] if str(asset["parent_id"]).startswith("sec_")}
    quiet = [
        point
        for point in demo["service_points"]
        if point["power_asset_id"] not in on_a_section
        and point["address_zh"].endswith("栋")
        and not point["place_id"].startswith(("pl_xuefu", "pl_hetai", "pl_nanhu"))  # others' examples
    ]
    quiet.sort(key=lambda point: (-int(point["number"]), point["id"]))
    return [point[f"address_{language}"] for point in quiet]


@dataclass
class Caller:
    """One customer of a crowd. `lines` is the whole conversation as the page would show it, by seq."""

    client: httpx.AsyncClient
    language: str = "zh"
    id: str = ""
    token: str = ""
    lines: dict[int, Message] = field(default_factory=dict)
    #: seq of each accepted message.
    accepted: list[int] = field(default_factory=list)
    busy: bool = False

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def path(self) -> str:
        return f"/web/conversations/{self.id}/messages"

    async def begin(self) -> "Caller":
        answer = await self.client.post("/web/conversations", json={"language": self.language})
        answer.raise_for_status()
        self.id, self.token = answer.json()["conversation_id"], answer.json()["token"]
        await self.look()
        return self

    async def post(self, **content: str) -> int:
        """Send until it is accepted, always with the same id; the message's seq."""
        body = {"client_message_id": str(uuid.uuid4()), **content}
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                answer = await self.client.post(self.path, json=body, headers=self.headers)
            except httpx.TransportError:
                await asyncio.sleep(0.2)  # nobody is there: the page waits too
                continue
            if answer.status_code >= 500:
                await asyncio.sleep(0.2)
                continue
            assert answer.status_code == 202, answer.text
            self.accepted.append(answer.json()["seq"])
            return self.accepted[-1]
        raise AssertionError("never accepted")

    async def look(self, wait: float = 0) -> bool:
        """Fetch what is new; False where nobody is there."""
        after = max(self.lines, default=0)
        try:
            answer = await self.client.get(self.path, params={"after": after, "wait": wait}, headers=self.headers)
        except httpx.TransportError:
            return False
        if answer.status_code >= 500:
            return False
        assert answer.status_code == 200, answer.text
        page = answer.json()
        for line in page["messages"]:
            assert line["seq"] > max(self.lines, default=0), "seq does not grow"
            self.lines[line["seq"]] = line
        self.busy = bool(page["busy"])
        return True

    async def answered(self) -> list[Message]:
        """Wait until nothing is under way any more; what was said since the last accepted message."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            there = await self.look(wait=1)
            if there and self.lines and not self.busy and self.accepted[-1] in self.lines:
                return self.answer_to(self.accepted[-1])
            if not there:
                await asyncio.sleep(0.2)
        raise AssertionError(f"still busy after {PATIENCE:.0f} s: {self.transcript()}")

    async def say(self, text: str) -> list[Message]:
        await self.post(text=text)
        return await self.answered()

    async def choose(self, label: re.Pattern[str]) -> list[Message]:
        """Take the newest choice that is labelled so."""
        offered = [c for seq in sorted(self.lines) for c in self.lines[seq]["choices"] if label.search(c["label"])]
        assert offered, f"no choice {label.pattern} in {self.transcript()}"
        await self.post(choice=offered[-1]["token"])
        return await self.answered()

    def answer_to(self, seq: int) -> list[Message]:
        """What stands between one accepted message and the next."""
        following = min((later for later in self.accepted if later > seq), default=max(self.lines) + 1)
        return [self.lines[n] for n in sorted(self.lines) if seq < n < following]

    def transcript(self) -> str:
        return "\n".join(f"{n} {line['from']}: {line['text']}" for n, line in sorted(self.lines.items()))


def failed(said: Sequence[Message]) -> bool:
    """Whether the desk said honestly that it did not work: ways on, one of them to a person."""
    return any(RETRY.search(choice["label"]) for line in said for choice in line["choices"])


def words(said: Sequence[Message]) -> str:
    return "\n".join(line["text"] for line in said)


def numbers_in(text: str) -> list[str]:
    """Ticket numbers that a text names."""
    return ["".join(filter(str.isdigit, found)) for found in CONFIRMED.findall(text)]


def said_twice(said: Sequence[Message]) -> list[str]:
    """Texts that one answer holds more than once."""
    return [text for text, times in Counter(line["text"] for line in said).items() if times > 1]


async def all_of(callers: Sequence[Caller], act: Callable[[Caller], Awaitable[Any]]) -> list[Any]:
    """Have all do the same at once."""
    return list(await asyncio.gather(*(act(caller) for caller in callers)))


async def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Look again and again until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not so within {seconds:.0f} s"
        await asyncio.sleep(0.01)


async def tickets_of(desk: Desk, client: httpx.AsyncClient, caller: Caller) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/tickets", params={"conversation_id": caller.id}, headers=desk.service)
    answer.raise_for_status()
    return list(answer.json()["items"])


def crowd_client(desk: Desk) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=desk.base_url,
        timeout=40,
        trust_env=False,
        limits=httpx.Limits(max_connections=120, max_keepalive_connections=0),
    )
