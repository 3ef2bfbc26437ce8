"""Set-up: what it would install, from where, and when it believes to be done."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; .*)? \\$", re.MULTILINE)


@pytest.fixture
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mainsdesk_setup", ROOT / "scripts" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pins(name: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / "requirements" / name).read_text()))


@pytest.mark.parametrize("name", ["bot.txt", "desk.txt", "test.txt", "stock.txt", "tools.txt"])
def test_every_requirement_is_pinned_with_a_hash_and_names_no_host(name: str) -> None:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    requirements = [line for line in lines if not line.startswith(("    ", "#"))]
    assert len(requirements) == len(pins(name)) > 0
    assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?", line) for line in lines if line[0] == " ")


def test_the_tests_run_on_exactly_the_delivered_desk() -> None:
    assert pins("desk.txt").items() <= pins("test.txt").items()


def test_the_bot_has_rasa_but_no_tensorflow_and_the_desk_has_neither() -> None:
    assert pins("bot.txt")["rasa"] == "3.6.21"
    assert not [name for name in pins("bot.txt") if name.startswith(("tensorflow", "keras"))]
    assert "rasa" not in pins("desk.txt")


def executable(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def test_an_interpreter_that_does_not_run_is_passed_over(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    executable(tmp_path / "shims" / "python3.10", "exit 127")
    pyenv = executable(tmp_path / "pyenv/versions/3.10.13/bin/python3.10", "echo 3.10")
    monkeypatch.setenv("PATH", f"{tmp_path}/shims")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert setup.find_python("3.10", Path("uv-is-not-asked")) == pyenv


def test_without_any_interpreter_it_says_what_to_install(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    uv = executable(tmp_path / "uv", "exit 2")
    with pytest.raises(setup.SetupError, match=r"apt-get install python3\.10 python3\.10-venv"):
        setup.find_python("3.10", uv)


def test_an_environment_is_ready_only_in_its_place_and_for_its_requirements(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "REQUIREMENTS", tmp_path / "requirements")
    (tmp_path / "requirements").mkdir()
    for name in ("desk.txt", "test.txt"):
        (tmp_path / "requirements" / name).write_text(name)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    made = setup.Environment("made", version, "test.txt", ["desk.txt"])
    assert not made.is_ready()
    python = tmp_path / "made" / "bin" / "python"
    script = f'[ "$1" = pip ] || {{ mkdir -p {python.parent}; ln -s {sys.executable} {python}; }}'
    uv = executable(tmp_path / "uv", f"{script}; exit $(cat {tmp_path}/code)")  # `uv venv …`, then `uv pip sync …`
    monkeypatch.setattr(setup, "LOG", tmp_path / "log")
    (tmp_path / "code").write_text("0")
    made.make(uv)
    assert made.is_ready()
    desk = setup.Environment("made", version, "desk.txt")
    assert desk.is_ready()

    (tmp_path / "made").rename(tmp_path / "moved")
    assert not setup.Environment("moved", version, "test.txt").is_ready()
    (tmp_path / "moved").rename(tmp_path / "made")
    (tmp_path / "requirements" / "test.txt").write_text("changed")
    assert not made.is_ready()
    assert desk.is_ready()

    (tmp_path / "code").write_text("1")
    with pytest.raises(setup.SetupError):
        made.make(uv)
    assert not desk.is_ready()  # whatever half of it is there


def test_a_failing_command_shows_the_log(setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "LOG", tmp_path / "log")
    with pytest.raises(setup.SetupError) as failure:
        setup.run([executable(tmp_path / "uv", "echo no route; exit 2"), "pip", "sync", "a", "b"])
    assert str(failure.value).splitlines() == [
        "`uv pip sync a …` failed:",
        f"$ {tmp_path}/uv pip sync a b",
        "no route",
        f"All of it: {tmp_path}/log",
    ]
