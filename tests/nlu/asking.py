"""Asks the trained model, through Rasa's own Python, what it makes of messages."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mainsdesk.training import ROOT, ensure_model

RASA = ROOT / ".venv-bot" / "bin" / "python"


def run_in_rasa(*command: object, **environment: str) -> None:
    """Run a script of this folder to its end."""
    own = {"PYTHONPATH": str(ROOT), "RASA_TELEMETRY_ENABLED": "false", "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run(
        [str(RASA), *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd=ROOT,
        env=os.environ | own,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def parse(messages: Sequence[dict[str, Any]], scratch: Path) -> list[dict[str, Any]]:
    """What the model makes of {"text", "metadata"?} each, as Rasa's parser says it, and its CPU "seconds"."""
    model = ensure_model(ROOT, scratch)
    questions, answers = scratch / "asked.json", scratch / "answers.json"
    questions.write_text(json.dumps(list(messages)), "utf-8")
    run_in_rasa(Path(__file__).with_name("parse.py"), model, questions, answers)
    parsed: list[dict[str, Any]] = json.loads(answers.read_text("utf-8"))
    return parsed
