"""Keeps one part of the desk running: starts it, watches it, starts it again."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from mainsdesk.logs import rotate, useful_tail
from mainsdesk.parts import ROOT, Part
from mainsdesk.tether import tied

#: Seconds a part may take to answer for the first time.
START_SECONDS = 120.0
#: A working part is asked every CHECK_SECONDS; the third question without an answer in so long means that it hangs.
CHECK_SECONDS = 5.0
MISSES = 3
#: Seconds between looks at whether the process is there.
LOOK_SECONDS = 0.1
BACK_OFF = (0.5, 1.0, 2.0, 4.0, 5.0)
#: Starts in a row, none of which got as far as an answer, after which it is no use.
FRUITLESS = 5
#: Seconds until a part without which the desk still does something is tried again after that.
LONG_PAUSE = 60.0


class PartFailed(RuntimeError):
    """A part is not there; the message says which, why, and where its log is."""


class Keeper:
    """One part, its process, its log and its temporary files below `home`. `changed` is called after each start."""

    def __init__(self, part: Part, home: Path, tell: Callable[[str], None], changed: Callable[[], None]) -> None:
        self.part, self.log = part, home / "logs" / f"{part.log_name}.log"
        self._scratch = home / "tmp" / part.log_name
        self._tell, self._changed = tell, changed
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.AsyncClient(timeout=CHECK_SECONDS, trust_env=False)
        self._log_start = 0
        self._started = 0.0
        self._gone: deque[float] = deque(maxlen=len(BACK_OFF))

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start the process; a reason why it cannot start ends up in its log."""
        rotate(self.log)
        self._started = time.monotonic()
        shutil.rmtree(self._scratch, ignore_errors=True)  # what a killed process left, such as Rasa's unpacked model
        self._scratch.mkdir(mode=0o700, parents=True)
        environment = self.part.environment | {"TMPDIR": str(self._scratch)}
        self._process = spawn(self.part.command, environment, self.log, sockets=self.part.sockets)
        self._log_start = self.log.stat().st_size
        self._changed()

    async def until_ready(self) -> float:
        """Seconds from its start until the part answered; PartFailed where it ends before, or takes too long."""
        while time.monotonic() - self._started < START_SECONDS:
            if self.pid is None:
                raise PartFailed(self._report(self._how_it_ended()))
            if await self._answers():
                return time.monotonic() - self._started
            await asyncio.sleep(LOOK_SECONDS)
        raise PartFailed(self._report(f"did not answer within {START_SECONDS:.0f} s"))

    async def keep(self) -> None:
        """Go on for ever. PartFailed once an essential part cannot be started any more."""
        while True:
            why = await self._until_gone()
            self._tell(f"{self.part.name}: {why}; starting it again (log: {self.log})")
            await self._start_again()

    async def _until_gone(self) -> str:
        misses, next_check = 0, 0.0
        while self.pid is not None:
            if time.monotonic() >= next_check:
                misses = 0 if await self._answers() else misses + 1
                next_check = time.monotonic() + CHECK_SECONDS
                rotate(self.log)
            if misses >= MISSES:
                await self.end(seconds=0)
                return f"did not answer {MISSES} times in a row"
            await asyncio.sleep(LOOK_SECONDS)
        return self._how_it_ended()

    async def _start_again(self) -> None:
        fruitless = 0
        while True:
            await asyncio.sleep(self._pause())
            self.start()
            try:
                seconds = await self.until_ready()
            except PartFailed as failure:
                fruitless += 1
                await self.end(seconds=0)
                if fruitless % FRUITLESS:
                    continue
                if self.part.essential:
                    raise
                self._tell(f"{failure}\n{self.part.name}: the rest goes on; next try in {LONG_PAUSE:.0f} s")
                await asyncio.sleep(LONG_PAUSE)
            else:
                self._tell(f"{self.part.name}: ready again after {seconds:.1f} s")
                return

    def _pause(self) -> float:
        """Longer each time the part went away within the last minute."""
        now = time.monotonic()
        self._gone.append(now)
        return BACK_OFF[sum(now - gone < 60 for gone in self._gone) - 1]

    async def _answers(self) -> bool:
        try:
            return (await self._client.get(self.part.health)).status_code == 200
        except httpx.HTTPError:
            return False

    def _how_it_ended(self) -> str:
        code = self._process.returncode if self._process else None
        if code is None:
            return "is not running"
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"

    def _report(self, why: str) -> str:
        tail = useful_tail(self.log, self._log_start)
        return f"{self.part.name}: {why}{f':{os.linesep}{tail}' if tail else '.'}\nAll of it: {self.log}"

    def signal(self, number: signal.Signals) -> None:
        """To the process and what it started."""
        if self._process and self.pid is not None:
            send(self._process, number)

    async def end(self, seconds: float) -> None:
        """End the process: SIGTERM, and SIGKILL after `seconds`."""
        if seconds:
            self.signal(signal.SIGTERM)
        until = time.monotonic() + seconds
        while self.pid is not None:
            if time.monotonic() >= until:
                self.signal(signal.SIGKILL)
            await asyncio.sleep(LOOK_SECONDS / 4)

    async def close(self) -> None:
        await self._client.aclose()


def spawn(
    command: tuple[str, ...],
    environment: dict[str, str],
    log: Path,
    stdout: int | None = None,
    sockets: Sequence[socket.socket] = (),
) -> subprocess.Popen[bytes]:
    """A process in the checkout, in a group of its own, tied to this one's life, its output appended to a log.

    `sockets` are open in it under the same numbers.
    """
    with log.open("ab") as out:
        return subprocess.Popen(
            tied(*command),
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out if stdout is None else stdout,
            stderr=out,
            process_group=0,
            pass_fds=[one.fileno() for one in sockets],
        )


def send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """A signal to the group of a process that `spawn` started."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        process.send_signal(number)  # before it has a group of its own
