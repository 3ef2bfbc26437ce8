"""The trained model: one file in `models/`, named after the content of everything it was trained from.

`python -m mainsdesk.training` (as `make train`) brings it up to date and prints one line.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from api.learning.reviewed import Examples, sound, written
from bot.actions.guides import GuideError, load_guides
from mainsdesk.tether import tied

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("config.yml", "domain.yml", "requirements/bot.txt", "bot/data", "bot/nlu")
KEPT = 2
TAIL = 15


def _check_guides(root: Path) -> None:
    """Refuse to train with a guide that must not be used: it would only fail a customer later."""
    try:
        load_guides(root / "bot" / "data" / "guides")
    except GuideError as error:
        raise TrainingFailed(f"the troubleshooting guides are not sound:\n{error}") from error


class TrainingFailed(RuntimeError):
    """Rasa made no model; the message holds its last useful lines and the log's path."""


def ensure_model(root: Path, home: Path) -> Path:
    """The model of the sources as they are now, trained if there is none yet.

    root: the checkout, with `.venv-bot` set up; home: the state folder, whose `logs/train.log` takes Rasa's output, and
    whose `reviewed/` holds what supervisors made of misunderstood wordings: what is not sound there is left out.
    Of several callers one trains and the others wait for it. Raises TrainingFailed.
    """
    models = root / "models"
    models.mkdir(exist_ok=True)
    reviewed, faults = sound(home, root)
    for fault in faults:
        print(f"model: left out: {fault}", flush=True)
    model = models / f"{fingerprint(root, reviewed)}.tar.gz"
    if not model.is_file():
        _check_guides(root)
        with _lock(models / ".lock"):
            if not model.is_file():
                _train(root, home, model, reviewed)
    os.utime(model)  # in use: the last to be pruned
    return model


def fingerprint(root: Path, reviewed: Mapping[str, Examples] | None = None) -> str:
    """16 hex digits over names and content of SOURCES; compiled Python, hidden files and prose do not count.

    reviewed: language → examples to learn beside them.
    """
    files = sorted(
        file
        for source in SOURCES
        for file in ((root / source).rglob("*") if (root / source).is_dir() else [root / source])
        if file.is_file() and _counts(file.relative_to(root))
    )
    content = hashlib.sha256()
    for file in files:
        body = file.read_bytes()
        content.update(f"{file.relative_to(root)}\0{len(body)}\0".encode())
        content.update(body)
    for language, examples in sorted((reviewed or {}).items()):
        content.update(f"reviewed/{language}\0{written(examples)}".encode())
    return content.hexdigest()[:16]


def _counts(file: Path) -> bool:
    return file.suffix not in (".pyc", ".md") and not any(part.startswith((".", "__pycache__")) for part in file.parts)


def _train(root: Path, home: Path, model: Path, reviewed: Mapping[str, Examples]) -> None:
    log = home / "logs" / "train.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"model: training {model.stem.removesuffix('.tar')} …", flush=True)
    started = time.monotonic()
    for abandoned in model.parent.glob(".training-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".training-", dir=model.parent, ignore_cleanup_errors=True) as scratch:
        command: list[str | Path] = [root / ".venv-bot" / "bin" / "rasa", "train", "--force", "--out", scratch]
        command += ["--fixed-model-name", "model", "--config", "config.yml", "--domain", "domain.yml"]
        # `make lint` validates the data; here it would take as long as training.
        command += ["--data", "bot/data", *_written(reviewed, Path(scratch) / "reviewed"), "--skip-validation"]
        # Rasa's cache knows a component by its class alone, not by the code and files that the class uses: no cache.
        environment = {
            "RASA_CACHE_DIRECTORY": str(Path(scratch) / "cache"),
            "RASA_MAX_CACHE_SIZE": "0",
            "RASA_TELEMETRY_ENABLED": "false",
            "PYTHONHASHSEED": "0",
            "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
            "TQDM_DISABLE": "1",
        }
        code = _run(command, root, log, environment)
        trained = Path(scratch) / "model.tar.gz"
        if code or not trained.is_file():
            raise TrainingFailed(f"training failed:\n{_useful_tail(log)}\nAll of it: {log}")
        trained.replace(model)
    print(f"model: trained in {time.monotonic() - started:.0f} s", flush=True)
    newest_first = sorted(model.parent.glob("*.tar.gz"), key=lambda file: file.stat().st_mtime, reverse=True)
    for old in newest_first[KEPT:]:
        old.unlink(missing_ok=True)


def _written(reviewed: Mapping[str, Examples], folder: Path) -> list[Path]:
    """The folder with these examples as NLU data; none where there are none."""
    if not reviewed:
        return []
    folder.mkdir()
    for language, examples in reviewed.items():
        (folder / f"{language}.yml").write_text(written(examples), encoding="utf-8")
    return [folder]


def _run(command: list[str | Path], root: Path, log: Path, environment: dict[str, str]) -> int:
    """The exit code; however this ends, the process has ended too."""
    # A signal may come while Popen is still at work, before anybody holds the process: the tie covers that moment.
    with log.open("w") as out, _terminable():
        process = subprocess.Popen(
            tied(*command), cwd=root, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=os.environ | environment
        )
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                process.kill()  # all it has is in the scratch folder
                process.wait()


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM, where nobody handles it, unwind the stack as Ctrl-C does."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    try:
        handled = signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL
        if not handled:
            signal.signal(signal.SIGTERM, leave)
    except ValueError:  # not the main thread: signals are another's business
        handled = True
    try:
        yield
    finally:
        if not handled:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def _lock(file: Path) -> Iterator[None]:
    """Held until the block or the process ends, however that happens."""
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("model: another training is under way, waiting for it …", flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _useful_tail(log: Path) -> str:
    noise = ("Warning: ", "warnings.warn(", "- Starting to train", "- Finished training", "declare_namespace")
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join([line for line in lines if line.strip() and not any(part in line for part in noise)][-TAIL:])


def main() -> int:
    """Exit code 0 with a model at hand, 1 without."""
    try:
        model = ensure_model(ROOT, Path(os.environ.get("MAINSDESK_HOME") or "var").absolute())
    except TrainingFailed as problem:
        print(f"model: {problem}", file=sys.stderr)
        return 1
    print(f"model: {model.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
