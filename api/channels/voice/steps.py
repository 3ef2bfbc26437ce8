"""Each webhook of a call is a step: done once, answered alike however often it is sent, and answered in time.

A step whose work takes too long (a stalled database) is answered with an apology and a <Redirect> that needs no
database, while the work goes on; `sorry` in that address tells that what the step has to say was not heard yet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.tables import Call, Step
from api.conversations.tables import Conversation
from api.conversations.transcript import lock_conversation
from api.db.engine import Database

log = structlog.get_logger(__name__)

#: Seconds after which a webhook is answered without its work; Twilio gives 15, a caller's patience less.
DEADLINE = 2.5
#: Seconds for which work that met a stalled database is tried again.
PATIENCE = 60.0

#: What runs now, by (database, call, step): who asks for the same step meanwhile gets the same answer.
_running: dict[tuple[int, str, str], asyncio.Task[str]] = {}

T = TypeVar("T")
Make = Callable[[AsyncSession], Awaitable[str]]


async def in_time(
    database: Database, call_sid: str, step: str, work: Callable[[], Coroutine[Any, Any, str]], late: str
) -> str:
    """The TwiML of `work`, or `late` if it is not there within DEADLINE; the work then goes on.

    The same step of the same call, asked for while it runs, is not begun again. Raises what the work raises in time.
    """
    key = (id(database), call_sid, step)
    task = _running.get(key)
    if task is None:
        task = asyncio.create_task(work())
        _running[key] = task
        task.add_done_callback(lambda done: _ended(key, done))
    done, _ = await asyncio.wait({task}, timeout=DEADLINE)
    if done:
        return task.result()
    log.warning("voice.late", step=step)
    return late


def running(database: Database, call_sid: str, step: str) -> bool:
    """Whether this process is at this step."""
    return (id(database), call_sid, step) in _running


def _ended(key: tuple[int, str, str], task: asyncio.Task[str]) -> None:
    _running.pop(key, None)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("voice.step_broken", step=key[2], error=type(error).__name__)


async def known(database: Database, call_sid: str, step: str) -> str | None:
    """The TwiML that this step was given; '' where it was begun and has none yet, None where it is new."""
    async with database.read() as session:
        return await session.scalar(select(Step.twiml).where(Step.call_sid == call_sid, Step.step == step))


async def once(database: Database, call_sid: str, step: str, body_hash: str, now: datetime, make: Make) -> str:
    """The TwiML of a step: the one it was given, or what `make` gives, kept in the same transaction.

    `make` gets the session of a write transaction; call `locked_call` in it first. What a database refuses for now is
    tried again for PATIENCE seconds.
    """
    if earlier := await known(database, call_sid, step):
        return earlier

    async def run() -> str:
        async with database.write() as session, session.begin():
            await locked_call(session, call_sid)
            row = await session.get(Step, (call_sid, step), populate_existing=True)
            if row is not None and row.twiml:
                return row.twiml
            twiml = await make(session)
            if row is None:
                session.add(Step(call_sid=call_sid, step=step, body_hash=body_hash, twiml=twiml, at=now))
            else:
                row.twiml = twiml
            return twiml

    return await patiently(run)


async def patiently(run: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction; again, while the database refuses it for reasons that pass (locks, lost connections, a twin
    that was faster)."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while True:
        try:
            return await run()
        except DBAPIError:
            if loop.time() >= until:
                raise
            await asyncio.sleep(0.1)


async def locked_call(session: AsyncSession, call_sid: str) -> tuple[Call, Conversation] | None:
    """A call and its conversation, which is locked and so guards both; None for an unknown call."""
    conversation_id = await session.scalar(select(Call.conversation_id).where(Call.sid == call_sid))
    if conversation_id is None:
        return None
    conversation = await lock_conversation(session, conversation_id)
    call = await session.get(Call, call_sid, populate_existing=True)
    return (call, conversation) if call is not None and conversation is not None else None
