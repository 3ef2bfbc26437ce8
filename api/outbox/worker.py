"""Sends what the outbox holds: one worker in every front desk. The queue is the database."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import structlog

from api.channels.base import Deliverer, Outcome, Retry, Sent, Unknown
from api.conversations.bell import bell, wait_for_ring
from api.db.engine import Database
from api.outbox import claims
from api.outbox.metrics import DELIVERIES, DELIVERY_SECONDS
from api.outbox.queue import OUTBOX

log = structlog.get_logger(__name__)

#: Seconds between looks when nobody rings and nothing is due: other machines' deliveries, expired leases.
POLL = 1.0
#: Seconds that one vendor call may take, whatever its deliverer does.
CALL_SECONDS = 30.0
#: A delivery whose worker has died blocks its recipient for so long.
LEASE_SECONDS = CALL_SECONDS + 10.0
#: How often the end of a call is tried to be written down, while the database does not answer.
WRITES = 5
#: Seconds that calls under way get when the desk stops.
STOP_SECONDS = 3.0


#: After so many calls in a row that could not be made the vendor is away, and is tried by one call at a time.
AWAY = 5
#: By how much fewer calls a second, then.
SLOWER = 20


class _Call:
    """A claim on its way; `called`: the vendor may have it."""

    def __init__(self, claim: claims.Claim) -> None:
        self.claim = claim
        self.called = False


class _Lane:
    """The calls of one deliverer, as fast and as many at once as it allows."""

    def __init__(self, deliverer: Deliverer) -> None:
        self.deliverer = deliverer
        self.running: dict[asyncio.Task[None], _Call] = {}
        self._next_at = 0.0
        self._missed = 0

    @property
    def free(self) -> int:
        return (1 if self._away else self.deliverer.rate.at_once) - len(self.running)

    @property
    def _away(self) -> bool:
        return self._missed >= AWAY

    def note(self, outcome: Outcome) -> None:
        """Slow down while the vendor is not reached: every try costs the database, too. Who names a time is there."""
        self._missed = self._missed + 1 if isinstance(outcome, Retry) and outcome.after is None else 0

    async def wait_turn(self) -> None:
        """Wait until the next call may be made."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next_at)
        self._next_at = at + (SLOWER if self._away else 1) / self.deliverer.rate.per_second
        if at > now:
            await asyncio.sleep(at - now)


class Outbox:
    """The worker of one front desk."""

    def __init__(self, database: Database, clock: Callable[[], datetime], deliverers: Sequence[Deliverer]) -> None:
        self._database, self._clock = database, clock
        self._lanes = {deliverer.name: _Lane(deliverer) for deliverer in deliverers}
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin to send; without a deliverer there is nothing to do."""
        if self._lanes:
            self._loop = asyncio.create_task(self._dispatch())

    async def stop(self) -> None:
        """Stop taking deliveries; calls under way get a few seconds, and are `unknown` if they have not ended then."""
        self._stopping = True
        bell.ring(OUTBOX)
        if self._loop is not None:  # not cancelled at once: what it has just claimed would belong to nobody
            await asyncio.wait([self._loop], timeout=STOP_SECONDS)
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        running = {task: call for lane in self._lanes.values() for task, call in lane.running.items()}
        for task, call in running.items():
            if not call.called:
                task.cancel()
        if running:
            _, late = await asyncio.wait(running, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        for lane in self._lanes.values():
            await lane.deliverer.close()

    async def crash(self) -> None:
        """End as a killed process would: nothing is written down (for tests of the lease)."""
        tasks = [task for lane in self._lanes.values() for task in lane.running]
        if self._loop is not None:
            tasks.append(self._loop)
        for lane in self._lanes.values():
            for call in lane.running.values():
                call.claim = claims.Claim(())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def work_off(self) -> int:
        """Send what is due now and wait for it; how many calls that took (for tests, and without `start`)."""
        calls = 0
        while started := await self._claim_all():
            calls += len(started)
            await asyncio.gather(*started)
        return calls

    async def _dispatch(self) -> None:
        with bell.listen(OUTBOX) as rung:
            while not self._stopping:
                rung.clear()
                seconds = POLL
                try:
                    seconds = await self._round()
                except Exception:
                    log.exception("outbox.round_failed")
                await wait_for_ring(rung, seconds)

    async def _round(self) -> float:
        """Take what is due; the seconds until the next look."""
        free = [name for name, lane in self._lanes.items() if lane.free > 0]
        now = self._clock()
        seen = await claims.look(self._database, free, now)
        if seen.lost:
            await self._give_up_lost(now)
        if seen.claimable:
            await self._claim_all()
        if seen.next_due is None:
            return POLL
        return min(max((seen.next_due - now).total_seconds(), 0.01), POLL)

    async def _give_up_lost(self, now: datetime) -> None:
        lost = await claims.give_up_lost(self._database, now)
        log.warning("outbox.lost", deliveries=lost)

    async def _claim_all(self) -> list[asyncio.Task[None]]:
        started = []
        for name, lane in self._lanes.items():
            if lane.free <= 0:
                continue
            joins = lane.deliverer.joins
            for claim in await claims.claim(self._database, name, joins, self._clock(), LEASE_SECONDS, lane.free):
                call = _Call(claim)
                task = asyncio.create_task(self._run(lane, call))
                lane.running[task] = call
                task.add_done_callback(partial(self._ended, lane))
                started.append(task)
        return started

    def _ended(self, lane: _Lane, task: asyncio.Task[None]) -> None:
        lane.running.pop(task, None)
        bell.ring(OUTBOX)  # a place is free, and perhaps the recipient's next delivery

    async def _run(self, lane: _Lane, call: _Call) -> None:
        try:
            await lane.wait_turn()
            call.called = True
            outcome = await self._deliver(lane.deliverer, call.claim)
            lane.note(outcome)
        except asyncio.CancelledError:
            await asyncio.shield(self._interrupted(call))
            raise
        for _ in range(WRITES):
            try:
                await self._write(call.claim, outcome)
                break
            except Exception:
                # What cannot be written down at last is `unknown` when the lease has run out.
                log.exception("outbox.unwritten", channel=call.claim.channel, deliveries=call.claim.ids)
                await asyncio.sleep(1)

    async def _deliver(self, deliverer: Deliverer, claim: claims.Claim) -> Outcome:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await deliverer.deliver(claim.deliveries)
        except TimeoutError:
            return Unknown("the call took too long")
        except Exception as error:  # a fault of ours: nobody can say how far it came
            log.exception("outbox.broken", channel=claim.channel, deliveries=claim.ids)
            return Unknown(f"broken: {type(error).__name__}")

    async def _interrupted(self, call: _Call) -> None:
        """The desk stops: what the vendor may have is unknown, the rest is queued again."""
        if not call.claim.deliveries:
            return
        if call.called:
            await self._write(call.claim, Unknown("the desk stopped during the call"))
        else:
            await claims.put_back(self._database, call.claim, self._clock())

    async def _write(self, claim: claims.Claim, outcome: Outcome) -> None:
        now = self._clock()
        states = await claims.finish(self._database, claim, outcome, now, may_text="sms" in self._lanes)
        result = states[0] if states else "lost"
        DELIVERIES.labels(claim.channel, "retry" if result == "queued" else result).inc()
        if isinstance(outcome, Sent):
            due = min(delivery.not_before for delivery in claim.deliveries)
            DELIVERY_SECONDS.labels(claim.channel).observe(max((now - due).total_seconds(), 0))
        else:
            log.warning("outbox.not_sent", channel=claim.channel, deliveries=claim.ids, state=result, why=outcome.why)
