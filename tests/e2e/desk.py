"""Whole desks for tests: the real supervisor with its real processes, on free ports, each in a home of its own.

`desk` is one desk per test process, for everything that leaves it in order; `new_desk` makes more, for the rest.
"""

import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from mainsdesk.tether import tied
from mainsdesk.training import ensure_model

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("front desk", "bot", "actions")
#: Seconds; generous, as a test machine may be doing much else.
PATIENCE = 120.0


class Desk:
    """A desk under test. `base_url`, `service_token` and `home` are known before it runs."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.home, self.port = home, free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.environment = environment
        self._supervisor: subprocess.Popen[bytes] | None = None

    @property
    def service_token(self) -> str:
        return self.secret("SERVICE_TOKEN")

    @property
    def admin_password(self) -> str:
        return self.secret("ADMIN_PASSWORD")

    def secret(self, name: str) -> str:
        """A value of the home's `.env`, e.g. `secret("BOT_TOKEN")`."""
        lines = (self.home / ".env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)[f"MAINSDESK_{name}"]

    @property
    def service(self) -> dict[str, str]:
        """Headers of the service token."""
        return {"Authorization": f"Bearer {self.service_token}"}

    def command(self, *command: str | Path) -> subprocess.Popen[bytes]:
        """`python -m mainsdesk run` for this home, or another command; its output goes to `output`.

        Its life ends with the test's, whatever happens.
        """
        own = {name: value for name, value in os.environ.items() if not name.startswith("MAINSDESK_")}
        own |= {"MAINSDESK_HOME": str(self.home), "MAINSDESK_PORT": str(self.port), **self.environment}
        self.home.mkdir(parents=True, exist_ok=True)
        command = command or (sys.executable, "-m", "mainsdesk", "run")
        with (self.home / "output.txt").open("ab") as out:
            return subprocess.Popen(tied(*command), cwd=ROOT, env=own, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    @property
    def output(self) -> str:
        """All that the supervisor has printed so far."""
        path = self.home / "output.txt"
        return path.read_text() if path.exists() else ""

    def start(self, *command: str | Path) -> "Desk":
        """Start it, by `make run` if that is the command, and wait until it is ready."""
        before = len(self.output)
        self._supervisor = self.command(*command)
        wait_until(lambda: "\ndesk: ready in " in self.output[before:] or self.supervisor.poll() is not None)
        assert self.supervisor.poll() is None, self.output[before:]
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it as an operator would; the supervisor's exit status. Nothing to do where it does not run."""
        if self._supervisor is None:
            return 0
        if self._supervisor.poll() is None:
            self._supervisor.send_signal(number)
        code = self._supervisor.wait(PATIENCE)
        self._supervisor = None
        return code

    def restart(self) -> None:
        """Stop and start it on the same home and port."""
        self.stop()
        self.start()

    @property
    def supervisor(self) -> "subprocess.Popen[bytes]":
        assert self._supervisor is not None, "the desk is not running"
        return self._supervisor

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of "front desk", "bot", "actions" and "supervisor"."""
        found: dict[str, int] = json.loads((self.home / "processes.json").read_text())
        return found

    def processes(self) -> list[psutil.Process]:
        """The process that `start` started and everything below it."""
        top = psutil.Process(self.supervisor.pid)
        return [top, *top.children(recursive=True)]

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a part; the id that the process had."""
        pid = self.pids[part]
        os.kill(pid, number)
        return pid

    def wait_replaced(self, part: str, old: int) -> None:
        """Wait until another process has taken over a part and the whole desk is ready again."""
        wait_until(lambda: self.pids[part] not in (old, None))
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until /readyz says so."""
        wait_until(self.is_ready)

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=10, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def client(self) -> httpx.Client:
        """A client of this desk; close it, or use it in a `with`."""
        return httpx.Client(base_url=self.base_url, timeout=30, trust_env=False)


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    """Look again and again until it is so; fails the test after `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            pytest.fail(f"not so within {seconds:.0f} s")
        time.sleep(0.05)


def free_port() -> int:
    """A public port whose two loopback ports are free too, below those that the kernel hands to clients."""
    for port in random.sample(range(10_100, 12_700), 200):
        try:
            for taken in (port, port + 10_000, port + 20_000):
                socket.create_server(("127.0.0.1", taken)).close()
        except OSError:
            continue
        return port
    pytest.fail("no free ports")


@pytest.fixture(scope="session")
def prepared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with secrets, model and the seeded demo utility, made once for all test processes: copy it."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "prepared-home"
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            new = home.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir()
            ensure_model(ROOT, new)
            program = "from api.settings import *; ensure_env_file(home_folder()); from api.prepare import main; main()"
            subprocess.run(
                [sys.executable, "-c", program], cwd=ROOT, env=os.environ | {"MAINSDESK_HOME": str(new)}, check=True
            )
            new.replace(home)
    return home


NewDesk = Callable[..., Desk]


@pytest.fixture
def new_desk(prepared_home: Path, tmp_path: Path) -> Iterator[NewDesk]:
    """`new_desk()`: a desk that is not started yet; `empty=True` for one without state; more are its environment."""
    made: list[Desk] = []

    def make(*, empty: bool = False, **environment: str) -> Desk:
        home = tmp_path / f"home{len(made)}"
        if not empty:
            shutil.copytree(prepared_home, home)
        made.append(Desk(home, **environment))
        return made[-1]

    yield make
    for desk in made:
        desk.stop()


@pytest.fixture(scope="session")
def desk(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """One running desk for all tests of this test process. A test that kills a part waits until it is back."""
    home = tmp_path_factory.mktemp("desk") / "home"
    shutil.copytree(prepared_home, home)
    running = Desk(home).start()
    yield running
    running.stop()
