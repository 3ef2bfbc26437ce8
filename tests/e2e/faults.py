"""Faults between the parts: a proxy that misbehaves on the way to the API, and a desk whose parts can be held down."""

import asyncio
import os
import subprocess
from collections import Counter
from pathlib import Path

import httpx

from api.settings import Settings
from mainsdesk import parts
from mainsdesk.cli import keep_model
from mainsdesk.tether import tied
from mainsdesk.training import ensure_model
from tests.e2e.desk import PATIENCE, ROOT, Desk, wait_until

#: What may go wrong before the API has heard of the call …
BEFORE = ("refused", "error 500", "hang", "garbage", "not JSON's object", "wrong shape", "cut short", "slow")
#: … and after it has done what it was asked to.
AFTER = ("done, then cut short", "done, then garbage", "done, then hang", "done, then closed")
FAULTS = BEFORE + AFTER
SLOW_SECONDS = 2.0
#: Longer than anybody waits.
FOREVER = 60.0


class FaultyProxy:
    """Passes the action server's calls to the front desk, except for those of a conversation that has a fault set."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._faults: dict[str, str] = {}
        self.injected: Counter[str] = Counter()
        self.everything: str | None = None
        self._server: asyncio.Server | None = None
        self._client = httpx.AsyncClient(timeout=30, trust_env=False)
        self._busy: set[asyncio.Task[None]] = set()

    async def start(self, port: int = 0) -> int:
        """The port it listens on."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Nobody listens any more: connections are refused."""
        if self._server is not None:
            self._server.close()
            for task in list(self._busy):
                task.cancel()
            await asyncio.gather(*self._busy, return_exceptions=True)
            self._server = None

    async def close(self) -> None:
        await self.stop()
        await self._client.aclose()

    def break_for(self, conversation_id: str, fault: str) -> None:
        """Every call of this conversation suffers `fault` from now on."""
        self._faults[conversation_id] = fault

    def heal(self, conversation_id: str) -> None:
        self._faults.pop(conversation_id, None)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            await self._one(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the caller gave up, or the test is over
        finally:
            self._busy.discard(task)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        fault = self._faults.get(headers.get("x-conversation-id", ""))
        if fault:
            self.injected[fault] += 1

        async def passed_on() -> tuple[int, bytes]:
            kept = {n: v for n, v in headers.items() if n not in ("host", "content-length", "connection")}
            answer = await self._client.request(method, self._target + path, headers=kept, content=body)
            return answer.status_code, answer.content

        match fault:
            case None:
                await send(writer, *await passed_on())
            case "refused":
                writer.transport.abort()
            case "error 500":
                await send(writer, 500, b'{"type":"about:blank","title":"broken","status":500}')
            case "hang":
                await asyncio.sleep(FOREVER)
            case "garbage":
                await send(writer, 200, os.urandom(200))
            case "not JSON's object":
                await send(writer, 200, b'["number", "1234 5678 9012"]')
            case "wrong shape":
                await send(writer, 201, b'{"ticket": {"id": 7}, "ok": true, "candidates": "none"}')
            case "cut short":
                await send(writer, 200, b'{"number": "123456789012", "sta', promised=4000)
            case "slow":
                await asyncio.sleep(SLOW_SECONDS)
                await send(writer, *await passed_on())
            case "done, then cut short":
                status, content = await passed_on()
                await send(writer, status, content[: len(content) // 2], promised=len(content))
            case "done, then garbage":
                await passed_on()
                await send(writer, 201, b"<html>Bad gateway</html>")
            case "done, then hang":
                await passed_on()
                await asyncio.sleep(FOREVER)
            case "done, then closed":
                await passed_on()
                writer.transport.abort()


async def send(writer: asyncio.StreamWriter, status: int, body: bytes, promised: int | None = None) -> None:
    length = len(body) if promised is None else promised
    head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n"
    writer.write(head.encode() + b"\r\n" + body)
    await writer.drain()


class LooseDesk(Desk):
    """A desk without a supervisor: each part is started and stopped by the test; `api_url` is what the actions call."""

    def __init__(self, home: Path, api_url: str = "") -> None:
        super().__init__(home)
        settings = Settings(_env_file=home / ".env", home=home, port=self.port, host="127.0.0.1", database_url="")
        model = keep_model(ensure_model(ROOT, home), home)
        self._parts = {
            part.name: part
            for part in (*parts.front_desks(settings), parts.bot(settings, model), parts.actions(settings))
        }
        own = {
            "front desk": {"MAINSDESK_PORT": str(self.port)},
            "actions": {"MAINSDESK_API_URL": api_url or self.base_url},
        }
        self._own = {name: part.environment | own.get(name, {}) for name, part in self._parts.items()}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def up(self, *names: str) -> "LooseDesk":
        """Start parts (all, if none is named) and wait until each answers."""
        names = names or tuple(self._parts)
        (self.home / "logs").mkdir(exist_ok=True)
        for name in names:
            command = tied(*self._parts[name].command)
            with (self.home / "logs" / f"{self._parts[name].log_name}.log").open("ab") as out:
                self._processes[name] = subprocess.Popen(
                    command, cwd=ROOT, env=self._own[name], stdin=subprocess.DEVNULL, stdout=out, stderr=out
                )
        for name in names:
            wait_until(lambda name=name: self._answers(name), PATIENCE)  # type: ignore[misc]
        return self

    def down(self, name: str) -> None:
        """Kill a part; it stays down."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def stop(self, *_: object) -> int:
        for name in list(self._processes):
            self.down(name)
        return 0

    def _answers(self, name: str) -> bool:
        assert self._processes[name].poll() is None, f"{name} ended: see {self.home / 'logs'}"
        try:
            return httpx.get(self._parts[name].health, timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False
