"""An agent's page without a browser: it follows the stream's hints and fetches fragments when htmx would."""

import asyncio
import html
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import httpx

LINE = re.compile(r'<li class="line (\w+)[^"]*" id="line-(\d+)">')
ROW = re.compile(r'id="item-([\w-]+)"[^>]*data-seq="(\d+)"')
CURSOR = re.compile(r'name="(after|noted|mark)" value="([^"]*)"')
#: Seconds that htmx waits by the templates' `delay:` before it fetches.
LIST_DELAY, ALARMS_DELAY, PANEL_DELAY = 0.08, 0.1, 1.5
#: Seconds before a stream that ended is opened again.
AGAIN = 0.3


@dataclass
class Terminal:
    """One signed-in agent with the page of one conversation. `lines`: when each was there first, by its number."""

    client: httpx.AsyncClient
    conversation_id: str
    cursor: dict[str, str] = field(default_factory=dict)
    #: What the panel is made from, as the page last had it.
    panel_mark: str = ""
    lines: dict[int, float] = field(default_factory=dict)
    #: As they came, so that none is there twice.
    order: list[int] = field(default_factory=list)
    #: Of each conversation in the agent's lists: when its last line first was that one.
    listed: dict[tuple[str, int], float] = field(default_factory=dict)
    fetched: int = 0
    streams: int = 0

    async def sign_in(self, username: str, password: str) -> None:
        answer = await self.client.post("/console/login", data={"username": username, "password": password})
        assert answer.status_code == 303, answer.text

    async def open(self) -> None:
        """The whole page."""
        self.take(await self.get(f"/console/c/{self.conversation_id}"))

    async def get(self, path: str, **params: str) -> str:
        answer = await self.client.get(path, params=params or None, headers={"HX-Request": "true"})
        answer.raise_for_status()
        self.fetched += 1
        return answer.text

    def take(self, text: str) -> None:
        """What a page or a fragment shows."""
        now = time.time()
        for _, seq in LINE.findall(text):
            self.order.append(int(seq))
            self.lines.setdefault(int(seq), now)
        self.cursor |= {name: html.unescape(value) for name, value in CURSOR.findall(text)}
        for conversation_id, seq in ROW.findall(text):
            self.listed.setdefault((conversation_id, int(seq)), now)

    async def fetch_lines(self) -> None:
        self.take(await self.get(f"/console/_/c/{self.conversation_id}/lines", **self.cursor))

    async def fetch_list(self) -> None:
        self.take(await self.get("/console/_/inbox", c=self.conversation_id))

    async def fetch_strips(self) -> None:
        await self.get("/console/_/mine")

    async def fetch_alarms(self) -> None:
        await self.get("/console/_/alarms")

    async def fetch_panel(self) -> None:
        html = await self.get(f"/console/_/c/{self.conversation_id}/panel", mark=self.panel_mark)
        if found := re.search(r'id="panel-mark" name="mark" value="(\w+)"', html):
            self.panel_mark = found[1]

    @asynccontextmanager
    async def live(self) -> AsyncIterator["Terminal"]:
        """Open the page and follow it for as long as the context lasts."""
        await self.open()
        parts = (
            Part(self.fetch_lines, ("lines",)),
            Part(self.fetch_list, ("queue", "mine", "list"), LIST_DELAY),
            Part(self.fetch_strips, ("mine",)),
            Part(self.fetch_alarms, ("alarms", "mine"), ALARMS_DELAY),
            Part(self.fetch_panel, ("lines",), PANEL_DELAY),
        )
        tasks = [asyncio.create_task(part.keep()) for part in parts]
        tasks.append(asyncio.create_task(self.listen(parts)))
        try:
            yield self
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def listen(self, parts: "tuple[Part, ...]") -> None:
        """Read hints; whenever the stream ends, open another one."""
        while True:
            with suppress(httpx.HTTPError):
                await self._read_stream(parts)
            await asyncio.sleep(AGAIN)

    async def _read_stream(self, parts: "tuple[Part, ...]") -> None:
        params = {"c": self.conversation_id}
        headers = {"Accept": "text/event-stream"}
        path = "/console/_/events"
        async with self.client.stream("GET", path, params=params, headers=headers, timeout=30) as stream:
            stream.raise_for_status()
            self.streams += 1
            async for line in stream.aiter_lines():
                if line.startswith("event: "):
                    for part in parts:
                        part.hint(line.removeprefix("event: ").strip())


@dataclass
class Part:
    """A fragment of the page: fetched after hints of these names, one fetch at a time, the last hint waits for it.

    A delay begins anew with every hint, as htmx's does.
    """

    fetch: Callable[[], Awaitable[None]]
    names: tuple[str, ...]
    delay: float = 0.0
    _due: asyncio.Event = field(default_factory=asyncio.Event)
    _hinted: float = 0.0

    def hint(self, name: str) -> None:
        if name in self.names:
            self._hinted = time.monotonic()
            self._due.set()

    async def keep(self) -> None:
        while True:
            await self._due.wait()
            while (left := self._hinted + self.delay - time.monotonic()) > 0:  # noqa: ASYNC110 more hints move it
                await asyncio.sleep(left)
            self._due.clear()
            try:
                await self.fetch()
            except httpx.HTTPError:
                await asyncio.sleep(AGAIN)  # as console.js does
                self._due.set()
