"""`make run`'s supervisor with its real processes: what it starts, what it restarts, and that nothing is left."""

import os
import signal
import stat
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.e2e.desk import PARTS, PATIENCE, Desk, NewDesk, wait_until

pytestmark = pytest.mark.xdist_group("supervisor")


STATUS = (sys.executable, "-m", "mainsdesk", "status")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk on a home that did not exist before."""
    running = Desk(tmp_path_factory.mktemp("first") / "home").start()
    yield running
    running.stop()


def test_first_start_makes_secrets_and_database_and_prints_addresses_and_login(first: Desk) -> None:
    assert stat.S_IMODE((first.home / ".env").stat().st_mode) == 0o600
    for path in ("/", "/console", "/docs"):
        assert f"{first.base_url}{path}\n" in first.output
    assert f"admin / {first.admin_password}\n" in first.output
    with first.client() as client:
        login = client.post(
            "/api/v1/agents/login",
            json={"username": "admin", "password": first.admin_password},
            headers={"Idempotency-Key": "first-login"},
        )
        places = client.get("/api/v1/places", params={"q": "海棠小月5号楼停电了"}, headers=first.service)
    # The password is right, and for the first sign-in only.
    assert (login.status_code, login.json()["type"]) == (403, "password-change-required"), login.text
    assert places.json()["candidates"], "the demo utility is not there"


def test_each_part_knows_only_the_secrets_it_needs(first: Desk) -> None:
    secrets = ("SERVICE_TOKEN", "BOT_TOKEN", "RASA_TOKEN", "AUDIT_KEY", "SECRET_KEY", "ADMIN_PASSWORD")
    known = {}
    for part in ("bot", "actions"):
        environment = set(psutil.Process(first.pids[part]).environ().values())
        known[part] = {name for name in secrets if first.secret(name) in environment}
    assert known == {"bot": {"RASA_TOKEN"}, "actions": {"RASA_TOKEN", "BOT_TOKEN"}}
    everywhere = " ".join(argument for process in first.processes() for argument in process.cmdline())
    assert not [name for name in secrets if first.secret(name) in everywhere]


def test_only_the_front_desk_is_public_and_the_rest_listens_on_the_loopback(first: Desk) -> None:
    listening = {
        connection.laddr
        for process in first.processes()
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {("127.0.0.1", first.port + step) for step in (0, 10_000, 20_000)}


def test_a_second_desk_on_the_same_home_is_refused(first: Desk) -> None:
    before = len(first.output)
    assert first.command().wait(PATIENCE) == 1
    said = first.output[before:]
    assert f"pid {first.supervisor.pid}" in said
    assert "MAINSDESK_HOME" in said
    assert first.is_ready()


@pytest.mark.parametrize("step", [0, 10_000])
def test_a_taken_port_is_named_with_its_holder_and_another_one_is_offered(
    first: Desk, new_desk: NewDesk, step: int
) -> None:
    other = new_desk(MAINSDESK_PORT=str(first.port + step))
    assert other.command().wait(PATIENCE) == 1
    assert f"Port {first.port + step} (front desk) is taken by pid {first.pids['bot' if step else 'front desk']} " in (
        other.output
    )
    assert "MAINSDESK_PORT=" in other.output


def test_status_tells_of_each_part(first: Desk, new_desk: NewDesk) -> None:
    before = len(first.output)
    assert first.command(*STATUS).wait(PATIENCE) == 0
    assert "bot: ready\n" in first.output[before:]
    nobody = new_desk()
    assert nobody.command(*STATUS).wait(PATIENCE) == 1
    assert str(nobody.port) in nobody.output


@pytest.mark.parametrize("part", PARTS)
def test_a_killed_part_is_started_again(first: Desk, part: str) -> None:
    first.wait_ready()
    others = {name: pid for name, pid in first.pids.items() if name != part}
    before = len(first.output)
    old = first.kill(part)
    first.wait_replaced(part, old)
    assert {name: pid for name, pid in first.pids.items() if name != part} == others
    wait_until(lambda: f"{part}: ready again" in first.output[before:])
    assert f"{part}: was killed by SIGKILL; starting it again" in first.output[before:]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_ending_make_run_ends_all_that_it_started(new_desk: NewDesk, number: signal.Signals) -> None:
    desk = new_desk().start("make", "run")
    assert "Console login" not in desk.output, "the login is printed the first time only"
    processes = desk.processes()
    assert len(processes) == 2 + len(PARTS), processes
    os.kill(desk.supervisor.pid, number)
    assert not psutil.wait_procs(processes, timeout=20)[1]
    assert "desk: stopped\n" in desk.output
    assert not (desk.home / "processes.json").exists()


def test_no_orphan_after_the_supervisor_was_killed_and_the_next_start_works(new_desk: NewDesk) -> None:
    desk = new_desk().start()
    processes = desk.processes()
    desk.supervisor.kill()
    assert not psutil.wait_procs(processes, timeout=20)[1]
    desk.stop()
    desk.start()
    os.kill(desk.supervisor.pid, signal.SIGINT)
    assert desk.supervisor.wait(PATIENCE) == 0


def test_a_part_that_cannot_start_ends_the_desk_with_its_reason(new_desk: NewDesk) -> None:
    desk = new_desk(MAINSDESK_DATABASE_URL="postgresql://nobody:hidden@127.0.0.1:1/none")
    assert desk.command().wait(PATIENCE) == 1
    assert "postgresql+asyncpg://nobody:***@127.0.0.1:1/none could not be prepared" in desk.output
    assert "hidden" not in desk.output
    assert str(desk.home / "logs" / "prepare.log") in desk.output
