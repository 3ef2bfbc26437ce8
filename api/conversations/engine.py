"""The turn engine: tasks in every front desk that work off the queue of turns. The queue is the database."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime

import httpx
import structlog

from api.conversations import bell as bells
from api.conversations import queue
from api.conversations.bell import bell, wait_for_ring
from api.conversations.metrics import RETRIES, TURN_SECONDS, TURNS
from api.conversations.rasa import Answered, Failed, Unreachable, ask
from api.db.engine import Database
from api.settings import Settings

log = structlog.get_logger(__name__)

#: Seconds between looks at the queue when nobody rings: due retries, expired leases, other machines' messages.
POLL = 0.25
#: Seconds between looks for customers who have waited too long.
WATCH = 0.5
#: Seconds by which a lease outlasts the longest turn.
LEASE_MARGIN = 2.5


class Engine:
    """Works on up to `settings.turn_workers` conversations at a time."""

    def __init__(self, settings: Settings, database: Database, clock: Callable[[], datetime]) -> None:
        self.name = f"desk-{secrets.token_hex(6)}"
        self._settings, self._database, self._clock = settings, database, clock
        self._lease = settings.turn_seconds + LEASE_MARGIN
        self._running: set[asyncio.Task[None]] = set()
        self._loops: list[asyncio.Task[None]] = []
        self._client = httpx.AsyncClient(
            base_url=settings.rasa_url,
            headers={"Authorization": f"Bearer {settings.rasa_token.get_secret_value()}"},
            timeout=settings.turn_seconds,
            # Rasa closes what was idle for 5 s.
            limits=httpx.Limits(max_keepalive_connections=settings.turn_workers, keepalive_expiry=4),
            trust_env=False,
        )

    def start(self) -> None:
        self._loops = [asyncio.create_task(self._dispatch()), asyncio.create_task(self._watch())]

    async def stop(self) -> None:
        """Stop at once; what was running is queued again and Rasa recognises it by its message id."""
        tasks = [*self._loops, *self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()
        await queue.give_back(self._database, self.name, self._clock())

    async def crash(self) -> None:
        """End as a killed process would: nothing is given back (for tests of the lease)."""
        tasks = [*self._loops, *self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _dispatch(self) -> None:
        with bell.listen(bells.TURNS) as rung:
            while True:
                rung.clear()
                try:
                    await self._claim_all()
                except Exception:
                    log.exception("engine.claim_failed")
                    await asyncio.sleep(1)
                await wait_for_ring(rung, POLL)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH)
            try:
                await queue.tell_delays(self._database, self._clock())
            except Exception:
                log.exception("engine.watch_failed")

    async def _claim_all(self) -> None:
        free = self._settings.turn_workers - len(self._running)
        if free <= 0:
            return
        for claim in await queue.claim(self._database, self.name, self._clock(), self._lease, free):
            task = asyncio.create_task(self._run(claim))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        bell.ring(bells.TURNS)  # a place is free

    async def _run(self, claim: queue.Claim) -> None:
        try:
            outcome = await ask(self._client, claim.request, self._settings.turn_seconds)
            match outcome:
                case Unreachable(lost=lost):
                    RETRIES.inc()
                    if not await queue.put_back(self._database, claim, self._clock(), lost=lost):
                        await self._fail(claim, "lost")
                case Failed(why=why):
                    await self._fail(claim, why)
                case Answered(messages=messages, understood=understood, sheet=sheet):
                    spoke = await queue.finish(
                        self._database, claim, messages, self._clock(), understood=understood, sheet=sheet
                    )
                    self._count(claim, "answered" if spoke else "dropped")
        except Exception:
            # The lease will run out and the turn is tried again.
            log.exception("engine.turn_broken", conversation=claim.conversation_id, message=claim.message_id)

    async def _fail(self, claim: queue.Claim, why: str) -> None:
        log.warning("engine.turn_failed", conversation=claim.conversation_id, message=claim.message_id, why=why)
        spoke = await queue.fail(self._database, claim, self._clock())
        self._count(claim, "failed" if spoke else "dropped")

    def _count(self, claim: queue.Claim, outcome: str) -> None:
        TURNS.labels(outcome).inc()
        TURN_SECONDS.observe(max((self._clock() - claim.accepted_at).total_seconds(), 0))
