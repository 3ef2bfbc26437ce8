"""Runs a desk: prepares the database, starts the parts, keeps them running until told to stop."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

import httpx

from api.settings import CHANNELS, PREFIX, Settings
from mainsdesk import parts
from mainsdesk.keeper import START_SECONDS, Keeper, PartFailed, send, spawn
from mainsdesk.logs import rotate, useful_tail

#: Seconds between SIGTERM and SIGKILL.
STOP_SECONDS = 5.0


class StartFailed(RuntimeError):
    """The desk did not come up; the message says why."""


def say(text: str) -> None:
    """A line for whoever watches; nobody need be."""
    try:
        print(text, flush=True)
    except OSError:  # the reading end of a pipe is gone
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115


class Desk:
    """The parts on one home. `model`: the trained model's file."""

    def __init__(self, settings: Settings, model: Path) -> None:
        self._settings = settings
        self._logs = settings.home / "logs"
        self._logs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._bot, self._actions, *self._fronts = self._keepers = tuple(
            Keeper(part, settings.home, say, self._note_processes)
            for part in (parts.bot(settings, model), parts.actions(settings), *parts.front_desks(settings))
        )
        self._preparing: subprocess.Popen[bytes] | None = None

    async def start(self) -> dict[str, bool]:
        """Bring everything up; what was new in the database. Raises StartFailed, PartFailed."""
        say("bot, actions: starting")
        self._bot.start()
        self._actions.start()
        new = await self._prepare()  # the bot takes longer
        say(f"database: ready{' (with the demo utility)' if new['demo'] else ''}; front desk: starting")
        for front in self._fronts:
            front.start()
        await all_or_failure(self._started(keeper) for keeper in self._keepers)
        await self._until_it_says_so()
        return new

    async def _started(self, keeper: Keeper) -> None:
        seconds = await keeper.until_ready()
        say(f"{keeper.part.name}: ready ({seconds:.1f} s)")

    async def _prepare(self) -> dict[str, bool]:
        log = self._logs / "prepare.log"
        rotate(log)
        command = (sys.executable, "-m", "api.prepare")
        self._preparing = process = spawn(command, parts.own_environment(self._settings), log, stdout=subprocess.PIPE)
        start = log.stat().st_size
        said, _ = await asyncio.to_thread(process.communicate)
        if process.returncode:
            raise StartFailed(f"database: {useful_tail(log, start)}\nAll of it: {log}")
        done: dict[str, bool] = json.loads(said.splitlines()[-1])  # before it stand the log's events
        return done

    async def _until_it_says_so(self) -> None:
        """Wait for /readyz, which asks all parts as the front desk sees them."""
        until = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(timeout=START_SECONDS, trust_env=False) as client:
            while time.monotonic() < until:
                try:
                    answer = await client.get(f"{self._settings.api_url}/readyz")
                    said = answer.text
                except httpx.HTTPError as problem:
                    said = type(problem).__name__
                else:
                    if answer.status_code == 200:
                        return
                await asyncio.sleep(0.1)
        raise StartFailed(f"The front desk does not find its parts ready: {said}\nLog: {self._fronts[0].log}")

    async def keep(self) -> None:
        """Until cancelled. Raises PartFailed once there is no point in going on."""
        await all_or_failure(keeper.keep() for keeper in self._keepers)

    async def stop(self) -> None:
        """End all: the front desks first, so that turns under way can end, then what they need for them."""
        until = time.monotonic() + STOP_SECONDS
        if self._preparing and self._preparing.poll() is None:
            send(self._preparing, signal.SIGTERM)
            self._preparing.wait(STOP_SECONDS)
        await asyncio.gather(*(front.end(STOP_SECONDS - 2) for front in self._fronts))
        left = max(until - time.monotonic(), 0.5)
        await asyncio.gather(*(keeper.end(left) for keeper in self._keepers))
        await asyncio.gather(*(keeper.close() for keeper in self._keepers))
        self._processes.unlink(missing_ok=True)

    def kill(self) -> None:
        """End all at once."""
        for keeper in self._keepers:
            keeper.signal(signal.SIGKILL)

    @property
    def _processes(self) -> Path:
        return self._settings.home / "processes.json"

    def _note_processes(self) -> None:
        """For `status` and for whoever operates the desk: which process is which."""
        pids = {keeper.part.name: keeper.pid for keeper in self._keepers}
        new = self._processes.with_suffix(".new")
        new.write_text(json.dumps({"supervisor": os.getpid(), **pids}) + "\n")
        new.replace(self._processes)


async def all_or_failure(awaitables: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all at once; the first failure cancels the others and is raised."""
    tasks = [asyncio.create_task(awaitable) for awaitable in awaitables]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def run(settings: Settings, model: Path) -> int:
    """Run a desk until SIGINT, SIGTERM or SIGHUP; a second signal kills. The exit status: 0, or 1 after a failure."""
    began = time.monotonic()
    desk = Desk(settings, model)

    async def work() -> None:
        new = await desk.start()
        say(f"desk: ready in {time.monotonic() - began:.1f} s\n{greeting(settings, new['admin'])}")
        await desk.keep()

    working = asyncio.create_task(work())
    signals = 0

    def on_signal() -> None:
        nonlocal signals
        signals += 1
        if signals == 1:
            say("desk: stopping")
            working.cancel()
        else:
            desk.kill()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # as it is under nohup
            loop.add_signal_handler(number, on_signal)
    try:
        await working
    except asyncio.CancelledError:
        return 0
    except (StartFailed, PartFailed) as failure:
        print(failure, file=sys.stderr)
        return 1
    finally:
        await desk.stop()
        say("desk: stopped")
    return 0


def greeting(settings: Settings, first_time: bool) -> str:
    """Where everything is; the first time with the console's login."""
    base = settings.public_url.rstrip("/") or local_url(settings)
    lines = [
        "",
        f"  Chat       {base}/",
        f"  Console    {base}/console",
        f"  API docs   {base}/docs",
        f"  Channels   {channels(settings)}",
    ]
    if first_time:
        own = "MAINSDESK_ADMIN_PASSWORD" in os.environ
        password = "the one in MAINSDESK_ADMIN_PASSWORD" if own else settings.admin_password.get_secret_value()
        lines += ["", f"  Console login: admin / {password}"]
        lines += [] if own else [f"  (shown this once; it is in {settings.home / '.env'})"]
    lines += ["", f"  Logs are in {settings.home / 'logs'}; Ctrl-C ends the desk.", ""]
    return "\n".join(lines)


def channels(settings: Settings) -> str:
    """Which channels are on, and what the others lack, in one line."""
    on = {"WeChat": settings.wechat_on, "the telephone": settings.voice_on}
    said = [
        f"{name} on"
        if on[name]
        else f"{name} off (needs {', '.join(f'{PREFIX}{needed.upper()}' for needed in CHANNELS[name])})"
        for name in CHANNELS
    ]
    return "; ".join(["web chat on", *said])


def local_url(settings: Settings) -> str:
    """Where a browser of this machine finds the front desk."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
