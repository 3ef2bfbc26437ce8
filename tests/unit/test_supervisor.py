"""What surrounds the processes of a desk: its settings file, ports, logs, model, and what it tells."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.settings import GENERATED, Settings, ensure_env_file, load_settings
from mainsdesk import cli, ports
from mainsdesk.logs import rotate, useful_tail
from mainsdesk.parts import actions, bot, front_desks
from mainsdesk.supervisor import greeting


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on, with free loopback ports."""
    for port in range(12_701, 12_900):
        try:
            server = socket.create_server(("127.0.0.1", port))
        except OSError:
            continue
        with server:
            yield port
        return
    pytest.fail("no free port")


def settings(tmp_path: Path, port: int = 8000, **more: str | int) -> Settings:
    secrets = {name: SecretStr(f"{name}-secret") for name in ("service_token", "bot_token", "rasa_token")}
    return Settings(home=tmp_path, port=port, admin_password=SecretStr("admin-secret"), **secrets, **more)


def test_settings_file_is_made_once_with_random_secrets_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    assert ensure_env_file(home)
    first = (home / ".env").read_text()
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600
    values = [line.split("=")[1] for line in first.splitlines()]
    assert len(set(values)) == len(values) == len(GENERATED)
    assert min(map(len, values)) >= 32
    assert not ensure_env_file(home)
    assert (home / ".env").read_text() == first


def test_secrets_that_an_operators_file_lacks_are_added_and_the_rest_is_kept(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("MAINSDESK_PORT=8010\nMAINSDESK_RASA_TOKEN=\nMAINSDESK_BOT_TOKEN=mine")
    file.chmod(0o644)
    assert ensure_env_file(tmp_path)
    lines = file.read_text().splitlines()
    assert lines[:3] == ["MAINSDESK_PORT=8010", "MAINSDESK_RASA_TOKEN=", "MAINSDESK_BOT_TOKEN=mine"]
    names = {line.split("=")[0] for line in lines[3:]}
    assert names == {f"MAINSDESK_{name}" for name in GENERATED} - {"MAINSDESK_BOT_TOKEN"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_settings_of_a_home_given_by_a_relative_path_and_an_empty_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MAINSDESK_HOME", "desk")
    monkeypatch.setenv("MAINSDESK_BOT_TOKEN", "")
    ensure_env_file(tmp_path / "desk")
    configured = load_settings()
    assert configured.home == tmp_path / "desk"
    assert len(configured.bot_token.get_secret_value()) >= 32


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", [("127.0.0.1", 8000)]),
        ("0.0.0.0", [("0.0.0.0", 8000)]),
        ("192.0.2.7", [("192.0.2.7", 8000), ("127.0.0.1", 8000)]),
        ("::", [("::", 8000), ("127.0.0.1", 8000)]),
    ],
)
def test_the_parts_find_the_front_desk_on_the_loopback_whatever_its_host(
    tmp_path: Path, host: str, expected: list[tuple[str, int]]
) -> None:
    assert settings(tmp_path, host=host).listen_addresses == expected


@pytest.mark.parametrize(("step", "part"), [(0, "front desk"), (1, "bot, which follows from MAINSDESK_PORT=")])
def test_a_taken_port_is_named_with_its_holder(tmp_path: Path, taken: int, step: int, part: str) -> None:
    with pytest.raises(ports.PortTaken) as refused:
        ports.check_ports(settings(tmp_path, taken - 10_000 * step), patience=0)
    said = str(refused.value)
    assert said.startswith(f"Port {taken} ({part}")
    assert f"is taken by pid {os.getpid()} (" in said
    assert "Choose another: MAINSDESK_PORT=" in said


def test_a_host_of_another_machine_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ports.PortTaken, match="MAINSDESK_HOST must be an address of this machine"):
        ports.check_ports(settings(tmp_path, 12_903, host="192.0.2.7"), patience=0)


def test_a_log_is_moved_aside_only_when_it_is_too_large_and_stays_open(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    with log.open("ab", buffering=0) as open_log:
        open_log.write(b"12345")
        assert not rotate(log, max_size=5)
        open_log.write(b"6")
        assert rotate(log, max_size=5)
        open_log.write(b"new")
    assert log.read_bytes() == b"new"
    assert (tmp_path / "part.log.1").read_bytes() == b"123456"
    assert not rotate(tmp_path / "none.log")


def test_the_tail_of_a_log_leaves_out_what_came_before_and_what_helps_nobody(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("the start before\n")
    start = log.stat().st_size
    with log.open("a") as file:
        file.write("x.py:1: DeprecationWarning: old\n\n" + "".join(f"line {n}\n" for n in range(20)))
    assert useful_tail(log, start).splitlines() == [f"line {n}" for n in range(5, 20)]
    assert useful_tail(log, start=10**6).splitlines()[-1] == "line 19", "the log was rotated meanwhile"
    assert useful_tail(tmp_path / "none.log") == ""


def test_rasa_and_actions_get_no_secret_but_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAINSDESK_TWILIO_ACCOUNT_SID", "AC1")
    monkeypatch.setenv("MAINSDESK_TWILIO_AUTH_TOKEN", "twilio-secret")
    monkeypatch.setenv("MAINSDESK_PUBLIC_URL", "https://desk.example.com")
    configured = settings(tmp_path)
    known = {
        part.name: {value for value in part.environment.values() if value.endswith("-secret")}
        for part in (bot(configured, tmp_path / "model.tar.gz"), actions(configured))
    }
    assert known == {"bot": {"rasa_token-secret"}, "actions": {"rasa_token-secret", "bot_token-secret"}}


def test_login_is_shown_the_first_time_and_an_operators_own_password_never(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAINSDESK_ADMIN_PASSWORD", raising=False)
    configured = settings(tmp_path, 8010, public_url="https://desk.example/")
    assert "admin / admin-secret\n" in greeting(configured, first_time=True)
    assert "https://desk.example/console\n" in greeting(configured, first_time=True)
    assert "admin-secret" not in greeting(configured, first_time=False)
    monkeypatch.setenv("MAINSDESK_ADMIN_PASSWORD", "admin-secret")
    assert "admin / the one in MAINSDESK_ADMIN_PASSWORD" in greeting(configured, first_time=True)
    assert "admin-secret" not in greeting(configured, first_time=True)


def test_address_for_a_browser_of_this_machine(tmp_path: Path) -> None:
    assert "http://127.0.0.1:8000/docs" in greeting(settings(tmp_path, host="0.0.0.0"), first_time=False)
    assert "http://[::1]:8000/docs" in greeting(settings(tmp_path, host="::1"), first_time=False)


def test_the_home_keeps_its_model_when_training_prunes_it(tmp_path: Path) -> None:
    trained = tmp_path / "abc.tar.gz"
    trained.write_text("one")
    home = tmp_path / "home"
    home.mkdir()
    own = cli.keep_model(trained, home)
    trained.unlink()
    assert own.read_text() == "one"
    trained.write_text("two")
    assert cli.keep_model(trained, home).read_text() == "two"


@pytest.mark.parametrize(("name", "value"), [("PORT", "eighty"), ("PORT", "70000"), ("TIMEZONE", "Asia/Shanghia")])
def test_a_wrong_setting_is_named_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv("MAINSDESK_HOME", str(tmp_path))
    monkeypatch.setenv(f"MAINSDESK_{name}", value)
    assert cli.main(["run"]) == 1
    assert f"MAINSDESK_{name}: " in capsys.readouterr().err


def test_several_front_desks_need_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAINSDESK_HOME", str(tmp_path))
    monkeypatch.setenv("MAINSDESK_FRONT_DESKS", "2")
    monkeypatch.delenv("MAINSDESK_DATABASE_URL", raising=False)
    assert cli.main(["run"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("MAINSDESK_FRONT_DESKS is 2, and more than one front desk needs PostgreSQL")
    assert "MAINSDESK_DATABASE_URL" in said


def test_one_front_desk_opens_its_own_socket_and_several_share_those_of_the_supervisor(tmp_path: Path) -> None:
    (alone,) = front_desks(settings(tmp_path))
    assert (alone.name, alone.sockets, alone.command[-1]) == ("front desk", (), "api.serve")
    with socket.create_server(("127.0.0.1", 0)) as some:
        free = some.getsockname()[1]
    several = front_desks(settings(tmp_path, free, front_desks=3, database_url="postgresql://u@h/d"))
    try:
        assert [part.name for part in several] == ["front desk", "front desk 2", "front desk 3"]
        assert [part.log_name for part in several] == ["front-desk", "front-desk-2", "front-desk-3"]
        (public,) = {part.sockets[0] for part in several}
        own = [part.sockets[1] for part in several]
        assert [part.health for part in several] == [f"http://127.0.0.1:{one.getsockname()[1]}/healthz" for one in own]
        for part, mine in zip(several, own, strict=True):
            assert part.command[-2:] == (str(public.fileno()), str(mine.fileno()))
            assert Path(part.environment["PROMETHEUS_MULTIPROC_DIR"]).is_dir()
    finally:
        for one in {one for part in several for one in part.sockets}:
            one.close()


def test_a_home_that_cannot_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MAINSDESK_HOME", str(tmp_path / "file"))
    assert cli.main(["run"]) == 1
    assert "Set MAINSDESK_HOME" in capsys.readouterr().err


def test_load_makes_the_tables_of_a_new_home_and_seeds_no_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAINSDESK_HOME", str(tmp_path))
    for name in ("DATABASE_URL", "PORT"):
        monkeypatch.delenv(f"MAINSDESK_{name}", raising=False)
    example = Path(cli.ROOT) / "docs" / "examples" / "utility"
    assert cli.main(["load", str(example)]) == 0, capsys.readouterr().err
    assert (tmp_path / "mainsdesk.db").exists()
    assert "Loaded " in capsys.readouterr().out


def test_the_start_says_in_one_line_which_channels_are_off_and_what_they_need(tmp_path: Path) -> None:
    lines = greeting(settings(tmp_path), first_time=False).splitlines()
    (line,) = [line for line in lines if line.startswith("  Channels")]
    assert "WeChat off (needs MAINSDESK_WECHAT_APP_ID, " in line
    assert "the telephone off (needs MAINSDESK_TWILIO_ACCOUNT_SID, " in line
