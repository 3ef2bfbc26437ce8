"""`mainsdesk.training` with a stand-in for the `rasa` command, which is the vendor's edge."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from api.learning.reviewed import add
from mainsdesk.training import TrainingFailed, ensure_model, fingerprint

RASA = """#!/bin/sh
echo run >> {root}/runs
while [ $# -gt 0 ]; do
    case "$1" in --out) out="$2";; --fixed-model-name) name="$2";; esac
    shift
done
{behaviour}
"""
TRAINS = 'cat bot/data/nlu.yml > "$out/$name.tar.gz"'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for file in ("config.yml", "domain.yml", "requirements/bot.txt", "bot/data/nlu.yml", "bot/nlu/tokenizer.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(f"{file}\n")
    rasa_does(tmp_path, TRAINS)
    return tmp_path


def rasa_does(root: Path, behaviour: str) -> None:
    command = root / ".venv-bot" / "bin" / "rasa"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(RASA.format(root=root, behaviour=behaviour))
    command.chmod(0o755)


def runs(root: Path) -> int:
    log = root / "runs"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_trains_once_and_names_the_model_after_its_sources(root: Path) -> None:
    model = ensure_model(root, root / "var")
    assert model == root / "models" / f"{fingerprint(root)}.tar.gz"
    assert model.read_text() == "bot/data/nlu.yml\n"
    assert ensure_model(root, root / "var") == model
    assert runs(root) == 1


@pytest.mark.parametrize("changed", ["config.yml", "domain.yml", "requirements/bot.txt", "bot/data/new/x.yml"])
def test_any_source_that_changes_trains_again(root: Path, changed: str) -> None:
    first = ensure_model(root, root / "var")
    (root / changed).parent.mkdir(exist_ok=True)
    (root / changed).write_text("other")
    assert ensure_model(root, root / "var") != first
    assert runs(root) == 2


def test_compiled_python_and_hidden_files_do_not_count(root: Path) -> None:
    before = fingerprint(root)
    (root / "bot/nlu/__pycache__").mkdir()
    (root / "bot/nlu/__pycache__/tokenizer.cpython-310.pyc").write_bytes(b"x")
    (root / "bot/data/.nlu.yml.swp").write_bytes(b"x")
    assert fingerprint(root) == before
    (root / "bot/nlu/tokenizer.py").rename(root / "bot/nlu/other.py")
    assert fingerprint(root) != before


def test_two_models_are_kept_the_one_in_use_among_them(root: Path) -> None:
    made = []
    for version in ("a", "b", "c"):
        (root / "bot/data/nlu.yml").write_text(version)
        made.append(ensure_model(root, root / "var"))
        os.utime(made[-1], (len(made), len(made)))  # older than anything to come
    assert [model.exists() for model in made] == [False, True, True]
    assert not list((root / "models").glob(".training-*"))


def test_of_several_callers_one_trains(root: Path) -> None:
    rasa_does(root, f"sleep 0.3; {TRAINS}")
    with ThreadPoolExecutor(4) as pool:
        models = list(pool.map(lambda _: ensure_model(root, root / "var"), range(4)))
    assert len(set(models)) == 1
    assert runs(root) == 1


def test_reviewed_examples_are_learnt_and_unsound_ones_left_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rasa_does(root, 'cat "$reviewed/zh.yml" > "$out/$name.tar.gz"')
    script = (root / ".venv-bot" / "bin" / "rasa").read_text().replace("--out)", '*/reviewed) reviewed="$1";; --out)')
    (root / ".venv-bot" / "bin" / "rasa").write_text(script)
    (root / "domain.yml").write_text("intents: [report_outage]\n")
    plain = fingerprint(root)
    add(root / "var", "zh", "report_outage", "全屋黑了")
    model = ensure_model(root, root / "var")
    assert model.stem != f"{plain}.tar"
    assert "    - 全屋黑了" in model.read_text(encoding="utf-8")
    add(root / "var", "zh", "sing", "唱歌")
    (root / "var" / "reviewed" / "en.yml").write_text("nlu: [", encoding="utf-8")
    assert ensure_model(root, root / "var") == model, "what is left out does not count"
    assert runs(root) == 1
    said = capsys.readouterr().out
    assert "left out: " in said
    assert "no intent 'sing'" in said
    assert "en.yml" in said


@pytest.mark.parametrize("ending", ["exit 1", "exit 0"])
def test_a_failure_shows_the_useful_lines_and_leaves_no_model(root: Path, ending: str) -> None:
    rasa_does(root, f'echo "UserWarning: noise"; echo; echo "YamlException: line 3 is wrong" >&2; {ending}')
    with pytest.raises(TrainingFailed) as failure:
        ensure_model(root, root / "var")
    log = root / "var" / "logs" / "train.log"
    assert str(failure.value) == f"training failed:\nYamlException: line 3 is wrong\nAll of it: {log}"
    assert [file.name for file in (root / "models").iterdir()] == [".lock"]


def test_without_the_bot_environment_it_says_so(root: Path) -> None:
    (root / ".venv-bot" / "bin" / "rasa").unlink()
    with pytest.raises(TrainingFailed, match="has set-up run"):
        ensure_model(root, root / "var")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_a_signal_ends_the_training_too(root: Path, number: signal.Signals, code: int) -> None:
    os.mkfifo(root / "pid")
    rasa_does(root, f"echo $$ > {root}/pid; exec sleep 60")
    program = "import pathlib, sys, mainsdesk.training as t; t.ensure_model(*map(pathlib.Path, sys.argv[1:]))"
    command = [sys.executable, "-c", program, root, root / "var"]
    caller = subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)
    trainer = int((root / "pid").read_text())
    caller.send_signal(number)
    assert caller.wait(timeout=30) == code
    # Whoever inherits it may not have buried it yet.
    if psutil.pid_exists(trainer):
        ended = psutil.Process(trainer)
        assert ended.status() == psutil.STATUS_ZOMBIE or ended.wait(timeout=10) is None
    assert number == signal.SIGKILL or not list((root / "models").glob(".training-*"))
