"""Keeping one part running, on small real processes: death, hanging, giving up, ties to the parent."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from mainsdesk import keeper as keeping
from mainsdesk import tether
from mainsdesk.keeper import Keeper, PartFailed
from mainsdesk.parts import Part

#: Answers every request with 200; told to, it stops answering and stays.
SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
NewKeeper = Callable[..., Keeper]


@pytest.fixture
def told() -> list[str]:
    """What the keeper has said."""
    return []


@pytest.fixture
async def new_keeper(tmp_path: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[NewKeeper]:
    """`new_keeper(program)`: a keeper of `python -c program PORT`, with all its patience cut short."""
    monkeypatch.setattr(keeping, "CHECK_SECONDS", 0.2)
    monkeypatch.setattr(keeping, "BACK_OFF", (0.01,) * 5)
    monkeypatch.setattr(keeping, "LONG_PAUSE", 0.01)
    (tmp_path / "logs").mkdir()
    made: list[Keeper] = []

    def make(program: str = SERVER, *, essential: bool = False) -> Keeper:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = (sys.executable, "-c", program, str(port))
        part = Part("part", "part", command, dict(os.environ), f"http://127.0.0.1:{port}/", essential)
        made.append(Keeper(part, tmp_path, told.append, lambda: None))
        return made[-1]

    yield make
    for keeper in made:
        await keeper.end(seconds=0)
        await keeper.close()


async def kept_until(keeper: Keeper, condition: Callable[[], bool]) -> None:
    """Keep a part until something is so."""
    task = asyncio.create_task(keeper.keep())
    try:
        async with asyncio.timeout(60):
            while not condition():
                await asyncio.wait({task}, timeout=0.02)
                if task.done():
                    task.result()
    finally:
        task.cancel()


async def replaced(keeper: Keeper, told: list[str], harm: Callable[[int], Awaitable[None] | None]) -> None:
    """Start, do harm, and wait until another process answers."""
    keeper.start()
    await keeper.until_ready()
    old = keeper.pid
    assert old is not None
    harm(old)
    await kept_until(keeper, lambda: any("ready again" in line for line in told))
    assert keeper.pid not in (None, old)
    assert not psutil.pid_exists(old)


async def test_a_part_that_dies_is_started_again(new_keeper: NewKeeper, told: list[str]) -> None:
    keeper = new_keeper()
    await replaced(keeper, told, lambda pid: os.kill(pid, signal.SIGKILL))
    assert told[0] == f"part: was killed by SIGKILL; starting it again (log: {keeper.log})"
    assert len(told) == 2


async def test_temporary_files_of_a_killed_process_are_gone(
    new_keeper: NewKeeper, told: list[str], tmp_path: Path
) -> None:
    keeper = new_keeper("import tempfile; tempfile.mkdtemp()\n" + SERVER)
    await replaced(keeper, told, lambda pid: os.kill(pid, signal.SIGKILL))
    assert len(list((tmp_path / "tmp" / "part").iterdir())) == 1


async def test_a_part_that_hangs_is_replaced(new_keeper: NewKeeper, told: list[str]) -> None:
    await replaced(new_keeper(), told, lambda pid: os.kill(pid, signal.SIGSTOP))
    assert told[0].startswith("part: did not answer 3 times in a row; starting it again")


async def test_a_start_that_fails_names_status_last_lines_and_log(new_keeper: NewKeeper) -> None:
    keeper = new_keeper("import sys; print('old.py:1: UserWarning: noise'); sys.exit('no such thing')")
    keeper.start()
    with pytest.raises(PartFailed) as failure:
        await keeper.until_ready()
    assert str(failure.value) == f"part: ended with exit status 1:\nno such thing\nAll of it: {keeper.log}"


async def test_a_part_that_never_answers_is_given_up(new_keeper: NewKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "START_SECONDS", 0.3)
    keeper = new_keeper("import time; time.sleep(600)")
    keeper.start()
    with pytest.raises(PartFailed, match="did not answer within"):
        await keeper.until_ready()


async def test_an_essential_part_is_given_up_after_five_fruitless_starts(
    new_keeper: NewKeeper, told: list[str], tmp_path: Path
) -> None:
    keeper = new_keeper("print('started')", essential=True)
    keeper.start()
    with pytest.raises(PartFailed, match="ended with exit status 0"):
        await kept_until(keeper, lambda: False)
    assert keeper.log.read_text().count("started") == 1 + keeping.FRUITLESS
    assert len(told) == 1


async def test_another_part_is_tried_for_ever_and_the_reason_told_once_in_a_while(
    new_keeper: NewKeeper, told: list[str]
) -> None:
    keeper = new_keeper("import sys; sys.exit('broken')")
    keeper.start()
    await kept_until(keeper, lambda: sum("next try" in line for line in told) >= 2)
    assert keeper.log.read_text().count("broken") >= 2 * keeping.FRUITLESS
    assert "broken" in told[1]


async def test_a_part_that_ignores_sigterm_is_killed_with_what_it_started(new_keeper: NewKeeper) -> None:
    start_another = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    keeper = new_keeper(start_another + "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SERVER)
    keeper.start()
    await keeper.until_ready()
    assert keeper.pid is not None
    processes = [psutil.Process(keeper.pid), *psutil.Process(keeper.pid).children()]
    assert len(processes) == 2
    await keeper.end(seconds=0.2)
    assert not psutil.wait_procs(processes, timeout=10)[1]


def test_a_tied_process_ends_when_its_parent_is_killed() -> None:
    parent = (
        "import subprocess, sys\n"
        f"sys.path.insert(0, {str(keeping.ROOT)!r})\n"
        "from mainsdesk.tether import tied\n"
        "child = subprocess.Popen(tied('sleep', 600))\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = psutil.Process(int(process.stdout.readline()))
        while child.name() != "sleep":  # becomes it only once it is tied
            assert child.is_running()
        process.kill()
    assert not psutil.wait_procs([child], timeout=10)[1]


def test_a_tied_process_does_not_outlive_a_parent_that_is_gone_already() -> None:
    nobody = subprocess.Popen(["true"])
    nobody.wait()
    tied = subprocess.run(
        [sys.executable, tether.__file__, str(nobody.pid), "echo", "here"], check=False, capture_output=True
    )
    assert (tied.returncode, tied.stdout) == (1, b"")


def test_a_missing_program_is_named() -> None:
    ended = subprocess.run(tether.tied("/no/such/program"), check=False, capture_output=True, text=True)
    assert ended.stderr == "/no/such/program could not start: No such file or directory; has set-up run?\n"
