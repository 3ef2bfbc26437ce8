"""The two that are compared, each with its own Python, and what is done with their processes."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scripts.evaluation.data import ROOT

TAIL = 12


class Side(NamedTuple):
    """`environment`: the folder of its Python."""

    name: str
    environment: Path

    @property
    def python(self) -> Path:
        return self.environment / "bin" / "python"

    @property
    def rasa(self) -> Path:
        return self.environment / "bin" / "rasa"


OURS = Side("ours", ROOT / ".venv-bot")
STOCK = Side("stock", ROOT / ".venv-stock")


def variables(folder: Path) -> dict[str, str]:
    """The environment of their processes: our components can be imported, nothing is remembered from earlier runs."""
    return os.environ | {
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(ROOT),
        "RASA_CACHE_DIRECTORY": str(folder / "cache"),
        "RASA_MAX_CACHE_SIZE": "0",
        "RASA_TELEMETRY_ENABLED": "false",
        "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TQDM_DISABLE": "1",
    }


def train(side: Side, folder: Path, name: str, *arguments: str) -> tuple[Path, float]:
    """`rasa train <arguments>` in the folder with `<name>.yml` as configuration: the model, and the seconds it took,
    from the start of the process to its end."""
    print(f"bench: training {name} …", flush=True)
    log = folder / f"{name}.log"
    command: list[str | Path] = [side.rasa, "train", *arguments, "--config", f"{name}.yml"]
    command += ["--out", "models", "--fixed-model-name", name]
    began = time.monotonic()
    with log.open("w") as out:
        done = subprocess.run(command, cwd=folder, env=variables(folder), stdout=out, stderr=out, check=False)
    model = folder / "models" / f"{name}.tar.gz"
    if done.returncode or not model.is_file():
        raise SystemExit(f"bench: training {name} failed:\n{tail(log)}")
    return model, time.monotonic() - began


def resident(process: subprocess.Popen[bytes]) -> float:
    """Resident memory in MB."""
    said = subprocess.run(["ps", "-o", "rss=", "-p", str(process.pid)], capture_output=True, text=True, check=True)
    return int(said.stdout) / 1024


@contextmanager
def ending(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The process ends with the block, however that happens."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])
