"""GET and POST /wechat: WeChat's check of the address, and its callbacks, each answered within three seconds.

An act is committed first; then the bot's answer is awaited for a while and goes as the callback's own reply. What
is not ready by then the outbox sends. Where the database stalls, the answer is 503 and WeChat calls again; the
transaction goes on by itself, and the second call finds what it did.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import ClientDisconnect

from api.channels.wechat import passive
from api.channels.wechat.envelope import Envelope, Opened, garbled
from api.channels.wechat.intake import Taken, take
from api.channels.wechat.normalise import Act, NotAnAct, act_of
from api.channels.wechat.replies import ACKNOWLEDGED, text_xml
from api.channels.wechat.words import limits
from api.db.engine import Database
from api.errors import Problem
from api.settings import Settings

log = structlog.get_logger(__name__)

#: Seconds between the tries of a transaction that the database failed.
PAUSES = (0.2, 1.0, 3.0, 6.0)
#: Seconds that transactions which nobody waits for get when the desk stops.
LAST_SECONDS = 5.0
T = TypeVar("T")


def busy() -> Problem:
    return Problem(503, "busy", "Please try again.", headers={"Retry-After": "5"})


class Late(Exception):
    """It is not done in time, and goes on by itself."""


class Callback:
    """Answers the callbacks of one account."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self._settings, self._clock = settings, clock
        self._envelope = Envelope(
            settings.wechat_token.get_secret_value(),
            settings.wechat_aes_key.get_secret_value(),
            settings.wechat_app_id,
            plain=settings.wechat_plain,
        )
        self._running: set[asyncio.Task[Any]] = set()
        self._left: set[asyncio.Task[Any]] = set()

    def echo(self, query: str) -> str:
        return self._envelope.echo(query, self._clock())

    async def answer(self, database: Database, query: str, body: bytes, started: float) -> Response:
        """The answer to a callback that arrived at the loop's time `started`. Problem 400, 403 or 503."""
        opened = self._envelope.open(query, body, self._clock())
        try:
            act = act_of(opened.fields)
        except NotAnAct:
            raise garbled("fields") from None
        if act.kind == "ignored":
            return PlainTextResponse(ACKNOWLEDGED)
        limit = limits()["callback"]
        if len(self._left) >= limit["left_behind"] or len(self._running) >= limit["at_once"]:
            raise busy()
        loop = asyncio.get_running_loop()
        try:
            taken = await self._within(started + limit["commit_seconds"], self._take(database, act, opened))
            text = taken.reply
            if text is None:
                answer_by = started + min(self._settings.wechat_reply_seconds, limit["commit_seconds"])
                answered = await self._within(
                    started + limit["commit_seconds"],
                    passive.until_answered(database, taken, answer_by - loop.time()),
                    optional=True,
                )
                text = await self._reply(database, taken, started + limit["answer_seconds"] if answered else 0)
        except Late:
            raise busy() from None
        if not text:
            return PlainTextResponse(ACKNOWLEDGED)
        xml = text_xml(act.open_id, act.account, text, self._clock())
        if opened.encrypted:
            xml = self._envelope.seal(xml, opened.nonce, self._clock())
        return Response(xml, media_type="application/xml")

    async def _take(self, database: Database, act: Act, opened: Opened) -> Taken:
        async def once() -> Taken:
            async with database.write() as session, session.begin():
                return await take(session, self._settings, act, opened, self._clock())

        return await _until_done(once)

    async def _reply(self, database: Database, taken: Taken, until: float) -> str:
        """The passive reply; '' where it is not there by the loop's time `until`, and is the outbox's then: the act is
        committed, and WeChat need not call again."""
        abandoned = until <= asyncio.get_running_loop().time()

        async def once() -> str:
            async with database.write() as session, session.begin():
                return await passive.reply_of(session, taken, self._clock(), late=abandoned)

        async def reply() -> str:
            text = await _until_done(once)
            if text and abandoned:
                await _until_done(lambda: passive.take_back(database, taken.key, self._clock()))
            return text

        try:
            return str(await self._within(until, reply(), left=False))
        except Late:
            abandoned = True
            return ""

    async def _within(
        self, until: float, work: Coroutine[Any, Any, T], *, optional: bool = False, left: bool = True
    ) -> T | Any:
        """Its result; Late at the loop's time `until`, when it goes on by itself, and where it failed: nothing is known
        of it then. `optional`: None instead of Late. `left`: it counts among those that were left behind."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        loop = asyncio.get_running_loop()
        await asyncio.wait({task}, timeout=max(until - loop.time(), 0))
        if not task.done():  # never cancelled: its transaction is under way
            if left:
                self._left.add(task)
            if optional:
                return None
            raise Late
        try:
            return task.result()
        except Problem:
            raise
        except Exception as error:
            if optional:
                return None
            raise Late from error

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._left.discard(task)
        if task.cancelled() or task.exception() is None or isinstance(task.exception(), Problem):
            return
        log.error("wechat.callback_failed", error=type(task.exception()).__name__)

    async def close(self) -> None:
        """Let what runs end."""
        if self._running:
            await asyncio.wait(set(self._running), timeout=LAST_SECONDS)


async def _until_done(once: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do a transaction, again if the database failed it."""
    for pause in PAUSES:
        try:
            return await once()
        except (DBAPIError, PoolTimeout, OSError) as error:
            log.warning("wechat.database_failed", error=type(error).__name__)
        await asyncio.sleep(pause)
    return await once()


async def _body(request: Request) -> bytes:
    """The body; Problem 413 beyond the limit."""
    most = limits()["callback"]["body_bytes"]
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise Problem(413, "body-too-large", "The request is too large.", headers={"Connection": "close"})
    except ClientDisconnect:
        raise garbled("it was cut off") from None
    return bytes(body)


def _query(request: Request) -> str:
    try:
        return bytes(request.scope["query_string"]).decode("ascii")
    except UnicodeDecodeError:
        raise garbled("query") from None


def routes(callback: Callback) -> APIRouter:
    router = APIRouter(tags=["WeChat"])

    @router.get("/wechat", response_class=PlainTextResponse)
    async def check(request: Request) -> PlainTextResponse:
        """WeChat's check that the address is ours."""
        return PlainTextResponse(callback.echo(_query(request)))

    @router.post("/wechat", response_class=Response)
    async def receive(request: Request) -> Response:
        """A message or an event of a follower."""
        started = asyncio.get_running_loop().time()
        return await callback.answer(request.app.state.database, _query(request), await _body(request), started)

    return router
