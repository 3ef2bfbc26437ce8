"""`python -m mainsdesk backup`: a home copied while it is written to, and restored."""

import sqlite3
import stat
import threading
from pathlib import Path

import pytest
from pydantic import SecretStr

from api.agents.service import list_agents
from api.audit.service import verify
from api.db.engine import open_database
from api.deps import utc_now
from api.prepare import prepare
from api.settings import Settings, ensure_env_file, load_settings
from mainsdesk.backup import CannotBackUp, back_up
from mainsdesk.cli import main


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A prepared home, and what a running desk leaves in it."""
    folder = tmp_path / "home"
    monkeypatch.setenv("MAINSDESK_HOME", str(folder))
    ensure_env_file(folder)
    await prepare(load_settings(), utc_now())
    (folder / "articles").mkdir()
    (folder / "articles" / "own.yml").write_text("ours")
    (folder / "logs").mkdir()
    (folder / "logs" / "bot.log").write_text("long")
    for name in ("desk.lock", "model.tar.gz", ".model.new"):
        (folder / name).write_text("x")
    return folder


async def test_a_backup_is_a_home_with_all_that_was_committed(home: Path, tmp_path: Path) -> None:
    stop, written = threading.Event(), []

    def keep_writing() -> None:
        with sqlite3.connect(home / "mainsdesk.db", timeout=30) as writer:
            writer.execute("CREATE TABLE load (n INTEGER)")
            for number in range(1_000_000):
                writer.execute("INSERT INTO load VALUES (?)", (number,))
                writer.commit()
                written.append(number)
                if stop.is_set():
                    return

    thread = threading.Thread(target=keep_writing)
    thread.start()
    try:
        while len(written) < 20:
            pass
        before = len(written)
        back_up(load_settings(), tmp_path / "backup")
    finally:
        stop.set()
        thread.join()
    copy = tmp_path / "backup"
    names = {path.name for path in copy.iterdir()}
    assert names == {".env", "mainsdesk.db", "articles"}
    assert (copy / ".env").read_text() == (home / ".env").read_text()
    assert stat.S_IMODE(copy.stat().st_mode) == 0o700
    assert stat.S_IMODE((copy / ".env").stat().st_mode) == stat.S_IMODE((copy / "mainsdesk.db").stat().st_mode) == 0o600
    with sqlite3.connect(copy / "mainsdesk.db") as reader:
        (count,) = reader.execute("SELECT count(*) FROM load").fetchone()
        reader.execute("DROP TABLE load")
    assert count >= before

    restored = tmp_path / "restored"
    copy.rename(restored)
    settings = Settings(_env_file=restored / ".env", home=restored)
    done = await prepare(settings, utc_now())  # what a start does first
    assert (done.demo, done.admin) == (False, False)
    database = open_database(settings.sqlalchemy_url)
    async with database.read() as session:
        assert [agent.username for agent in await list_agents(session)] == ["admin"]
        verdict = await verify(session, settings.audit_key.get_secret_value())
    await database.close()
    assert (verdict.fault, verdict.count) == ("", 1)


def test_a_folder_that_holds_something_is_left_alone(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", str(tmp_path / "one")]) == 0
    assert "backup: " in capsys.readouterr().out
    assert main(["backup", str(tmp_path / "one")]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert main(["backup", str(home / "inside")]) == 1


def test_a_home_without_a_database_has_no_backup(tmp_path: Path) -> None:
    with pytest.raises(CannotBackUp, match="no database"):
        back_up(Settings(home=tmp_path, database_url=""), tmp_path.parent / f"{tmp_path.name}-copy")


def test_of_postgresql_the_command_is_told_without_its_password(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy"
    home.mkdir()
    (home / ".env").write_text("MAINSDESK_PORT=8000\n")
    settings = Settings(home=home, database_url="postgresql://desk:geheim@db/desk", service_token=SecretStr("x"))
    words = back_up(settings, copy)
    assert f"pg_dump -Fc -f {copy / 'desk.dump'} 'postgresql://desk:***@db/desk'" in words
    assert "geheim" not in words
    assert (copy / ".env").exists()
