"""A small HTTP server that speaks the protocol of Rasa's channel, in Rasa's place."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Answer = dict[str, Any] | Response


class Rasa:
    """Answers as the test says: with an echo, unless `script` holds something else for the message's text."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.script: dict[str, Callable[[dict[str, Any]], Awaitable[Answer]]] = {}
        self.active: Counter[str] = Counter()
        self.overlaps = 0

    async def handle(self, request: Request) -> Response:
        assert request.headers["Authorization"] == "Bearer rasa-token"
        body = await request.json()
        self.asked.append(body)
        self.active[body["sender"]] += 1
        self.overlaps += self.active[body["sender"]] > 1
        try:
            scripted = self.script.get(body["message"])
            answer = await scripted(body) if scripted else said(f"echo {body['message']}")
        finally:
            self.active[body["sender"]] -= 1
        return answer if isinstance(answer, Response) else JSONResponse(answer)

    def always(self, text: str, answer: Answer) -> None:
        async def give(_body: dict[str, Any]) -> Answer:
            return answer

        self.script[text] = give


def said(*texts: str, **more: Any) -> dict[str, Any]:
    return {"messages": [{"text": t, "choices": []} for t in texts], "silent": False, "failed": False, **more}


def free_port() -> int:
    """A port for Rasa that is also ten thousand above a possible public one."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
            if port > 12_000:
                return port


class Server:
    """Serves `rasa` on a port of the loopback; can go away and come back."""

    def __init__(self, rasa: Rasa) -> None:
        self.rasa, self.port = rasa, free_port()
        self._server: uvicorn.Server | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        app = Starlette(routes=[Route("/webhooks/desk/webhook", self.rasa.handle, methods=["POST"])])
        config = uvicorn.Config(app, port=self.port, log_level="error", lifespan="off", timeout_graceful_shutdown=0)
        self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(self._server._serve())
        await eventually(self._is_up)

    async def _is_up(self) -> bool:
        return self._server is not None and self._server.started

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = True
            await self._task
            self._server = None


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while not await check():  # noqa: ASYNC110 nothing rings for what is checked here
            await asyncio.sleep(0.01)
