"""Two front desks on one PostgreSQL: what a customer writes at one is seen by the agent at the other, once."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import httpx
import pytest
from sqlalchemy.engine import make_url

from mainsdesk.tether import tied
from tests.e2e.console.seat import PASSWORD
from tests.e2e.console.terminal import Terminal
from tests.e2e.desk import ROOT, free_port, wait_until
from tests.integration.conftest import database_of, postgres, run_sql

__all__ = ["postgres"]

pytestmark = pytest.mark.xdist_group("two desks")

LINES = 500
WRITERS = 10
#: After a while the last thing that such a connection was asked is whether it still stands.
LISTENERS = (
    "select pid from pg_stat_activity where datname = current_database() and state = 'idle'"
    " and (query like 'LISTEN%' or query = 'SELECT 1')"
)


@pytest.fixture(scope="module")
def database_url(postgres: str) -> Iterator[str]:
    name = f"t_{secrets.token_hex(6)}"
    asyncio.run(run_sql(postgres, f"CREATE DATABASE {name} TEMPLATE template"))
    yield database_of(postgres, name)
    asyncio.run(run_sql(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="module")
def desks(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The addresses of two front desks, and headers of the service token that both know."""
    home, secret = tmp_path_factory.mktemp("two"), {}
    with ExitStack() as running:
        urls = []
        for number in (1, 2):
            own = {name: value for name, value in os.environ.items() if not name.startswith("MAINSDESK_")}
            port, folder = free_port(), home / f"desk{number}"
            folder.mkdir()
            if secret:
                (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in secret.items()))
            own |= {"MAINSDESK_HOME": str(folder), "MAINSDESK_PORT": str(port), "MAINSDESK_DATABASE_URL": database_url}
            if not secret:
                program = "from api.settings import *; ensure_env_file(home_folder())"
                subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=own, check=True)
                lines = (folder / ".env").read_text().split()
                secret = dict(line.split("=", 1) for line in lines if "=" in line)
            urls.append(start(running, folder, port, own))
        yield urls[0], urls[1], {"Authorization": f"Bearer {secret['MAINSDESK_SERVICE_TOKEN']}"}


def start(running: ExitStack, folder: Path, port: int, environment: dict[str, str]) -> str:
    out = running.enter_context((folder / "output.txt").open("wb"))
    command = tied(sys.executable, "-m", "api.serve")
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def end() -> None:
        process.send_signal(signal.SIGTERM)
        process.wait(60)

    running.callback(end)
    url = f"http://127.0.0.1:{port}"

    def healthy() -> bool:
        assert process.poll() is None, (folder / "output.txt").read_text()
        try:
            return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    wait_until(healthy)
    return url


@pytest.fixture
async def at(desks: tuple[str, str, dict[str, str]]) -> AsyncIterator[list[httpx.AsyncClient]]:
    """A client of each desk."""
    clients = [httpx.AsyncClient(base_url=url, timeout=30, trust_env=False) for url in desks[:2]]
    yield clients
    for client in clients:
        await client.aclose()


async def kill_listeners(database_url: str, stop: asyncio.Event) -> int:
    """End the connections on which the desks listen to each other, again and again; how many."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection, killed = await asyncpg.connect(url), 0
    try:
        while not stop.is_set():
            for row in await connection.fetch(LISTENERS):
                killed += await connection.fetchval("select pg_terminate_backend($1)", row["pid"])
            try:
                await asyncio.wait_for(stop.wait(), 1.0)
            except TimeoutError:
                continue
    finally:
        await connection.close()
    return killed


@pytest.mark.parametrize("disturbed", [False, True], ids=["quiet", "listeners killed"])
async def test_no_line_is_lost_or_doubled(
    desks: tuple[str, str, dict[str, str]], at: list[httpx.AsyncClient], database_url: str, disturbed: bool
) -> None:
    here, there = at
    service, username = desks[2], f"agent-{uuid.uuid4().hex[:8]}"

    async def send(path: str, **body: object) -> None:
        headers = service | {"Idempotency-Key": uuid.uuid4().hex}
        (await here.post(f"/api/v1{path}", json=body, headers=headers)).raise_for_status()

    await send(
        "/agents", username=username, password=PASSWORD, role="agent", languages=["zh", "en"], skills=[], capacity=50
    )
    customers = []
    for _ in range(WRITERS):
        made = (await here.post("/web/conversations", json={"language": "en"})).json()
        await send(f"/conversations/{made['conversation_id']}/claim", agent=username)
        customers.append(made)

    async def write(made: dict[str, str]) -> list[int]:
        accepted = []
        for number in range(LINES // WRITERS):
            while True:
                answer = await here.post(
                    f"/web/conversations/{made['conversation_id']}/messages",
                    json={"client_message_id": uuid.uuid4().hex, "text": f"line {number}"},
                    headers={"Authorization": f"Bearer {made['token']}"},
                )
                if answer.status_code == 202:
                    break
                assert answer.status_code in (429, 503), answer.text
                await asyncio.sleep(float(answer.headers.get("retry-after", "1")))
            accepted.append(answer.json()["seq"])
        return accepted

    first = Terminal(there, customers[0]["conversation_id"])
    await first.sign_in(username, PASSWORD)
    terminals = [first, *(Terminal(there, made["conversation_id"]) for made in customers[1:])]
    async with asyncio.TaskGroup() as tasks, AsyncStack(terminals):
        stop = asyncio.Event()
        killer = tasks.create_task(kill_listeners(database_url, stop)) if disturbed else None
        written = await asyncio.gather(*(write(made) for made in customers))
        stop.set()
        async with asyncio.timeout(60):
            while any(set(seqs) - set(one.lines) for one, seqs in zip(terminals, written, strict=True)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert killer is None or await killer > 0
    assert sum(len(seqs) for seqs in written) == LINES
    for one in terminals:
        assert one.order == sorted(set(one.order)), "a line stands there twice, or not in its place"


class AsyncStack:
    """All terminals live."""

    def __init__(self, terminals: list[Terminal]) -> None:
        self.open = [one.live() for one in terminals]

    async def __aenter__(self) -> None:
        for one in self.open:
            await one.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        for one in self.open:
            await one.__aexit__(None, None, None)
