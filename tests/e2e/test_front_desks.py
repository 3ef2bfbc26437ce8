"""Several front desks on one port: all serve, one that dies is replaced while the others go on, figures add up."""

import asyncio
import re
import secrets
import threading
from collections.abc import Iterator

import httpx
import psutil
import pytest

from tests.e2e.desk import PATIENCE, Desk, NewDesk, wait_until
from tests.integration.conftest import database_of, postgres, run_sql

__all__ = ["postgres"]

pytestmark = pytest.mark.xdist_group("supervisor")
FRONTS = ("front desk", "front desk 2")


@pytest.fixture
def database_url(postgres: str) -> Iterator[str]:
    name = f"t_{secrets.token_hex(6)}"
    asyncio.run(run_sql(postgres, f"CREATE DATABASE {name}"))
    yield database_of(postgres, name)
    asyncio.run(run_sql(postgres, f"DROP DATABASE {name} WITH (FORCE)"))


def get(desk: Desk, path: str) -> httpx.Response:
    """By a connection of its own, which either of them may take."""
    return httpx.get(f"{desk.base_url}{path}", headers=desk.service, timeout=30, trust_env=False)


def test_both_serve_and_either_may_die(new_desk: NewDesk, database_url: str) -> None:
    desk = new_desk(MAINSDESK_DATABASE_URL=database_url, MAINSDESK_FRONT_DESKS="2").start()
    assert set(FRONTS) < set(desk.pids)
    public = {
        front: desk.port in {one.laddr.port for one in psutil.Process(desk.pids[front]).net_connections("tcp")}
        for front in FRONTS
    }
    assert public == dict.fromkeys(FRONTS, True)

    with desk.client() as client:
        made = client.post("/web/conversations", json={"language": "en"}).json()
        own = {"Authorization": f"Bearer {made['token']}"}
        path = f"/web/conversations/{made['conversation_id']}/messages"
        client.post(path, json={"client_message_id": "1", "text": "hello"}, headers=own).raise_for_status()
        wait_until(lambda: len(client.get(f"{path}?after=2&wait=5", headers=own).json()["messages"]) > 0)
    turns = re.compile(r'^mainsdesk_turns_total\{outcome="answered"\} (\S+)', re.MULTILINE)
    figures = {tuple(turns.findall(get(desk, "/metrics").text)) for _ in range(20)}
    assert len(figures) == 1, "what one of them has counted is known to the other"
    assert [float(value) for value in figures.pop()] == [1.0]

    for front in FRONTS:
        failed, stop = list[str](), threading.Event()

        def ask(failed: list[str] = failed, stop: threading.Event = stop) -> None:
            while not stop.wait(0.02):
                try:
                    if get(desk, "/healthz").status_code != 200:
                        failed.append("status")
                except httpx.HTTPError as error:
                    failed.append(type(error).__name__)

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            old = desk.kill(front)
            desk.wait_replaced(front, old)
            wait_until(lambda front=front: f"{front}: ready again" in desk.output)  # type: ignore[misc]
        finally:
            stop.set()
            asking.join(PATIENCE)
        assert len(failed) <= 2, failed  # what the killed process had already taken

    processes = desk.processes()
    desk.stop()
    assert not psutil.wait_procs(processes, timeout=20)[1]
