"""`make eval`: how well intents and entities are understood, by five-fold cross-validation over bot/data/nlu.

Each fold trains the pipeline of config.yml on four fifths and is asked the rest. A sentence close to one of the
training set flatters the result: read it as a comparison of two versions, not as what customers will see. Rasa's own
reports, with every mistake, stay in $MAINSDESK_HOME/eval.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPORTS = Path(os.environ.get("MAINSDESK_HOME") or "var").absolute() / "eval"
FOLDS = os.environ.get("FOLDS", "5")


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def cross_validate() -> None:
    """Raises SystemExit with the log's end where Rasa fails."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    log = REPORTS / "rasa.log"
    command = [ROOT / ".venv-bot" / "bin" / "rasa", "test", "nlu", "--cross-validation", "--folds", FOLDS]
    command += ["--config", "config.yml", "--domain", "domain.yml", "--nlu", "bot/data/nlu"]
    command += ["--out", REPORTS, "--successes", "--no-plot"]
    environment = os.environ | {
        "RASA_MAX_CACHE_SIZE": "0",
        "RASA_TELEMETRY_ENABLED": "false",
        "PYTHONHASHSEED": "0",
        "TQDM_DISABLE": "1",
    }
    print(f"eval: {FOLDS}-fold cross-validation, a few minutes (log: {log}) …", flush=True)
    with log.open("w") as out:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, stderr=out, check=False)
    if done.returncode:
        raise SystemExit(f"eval: rasa failed:\n{''.join(log.read_text().splitlines(keepends=True)[-12:])}")


def read(name: str) -> Any:
    file = REPORTS / name
    return json.loads(file.read_text("utf-8")) if file.is_file() else []


def share(right: int, wrong: int) -> str:
    asked = right + wrong
    return f"{100 * right / asked:5.1f} % of {asked}" if asked else "none asked"


def summarise() -> None:
    right, wrong = read("intent_successes.json"), read("intent_errors.json")
    print(f"\nintents           {share(len(right), len(wrong))}")
    for language, chinese in (("Chinese", True), ("English", False)):
        counts = [sum(is_chinese(item["text"]) is chinese for item in items) for items in (right, wrong)]
        print(f"  {language}         {share(*counts)}")
    intents = read("intent_report.json")
    print(f"  macro F1        {100 * intents['macro avg']['f1-score']:5.1f} %")
    for file in sorted(REPORTS.glob("*Extractor_report.json")):
        score = json.loads(file.read_text("utf-8")).get("micro avg", {}).get("f1-score", 0.0)
        print(f"entities          {100 * score:5.1f} % F1, {file.name.removesuffix('_report.json')}")
    scores = [(row["f1-score"], name) for name, row in intents.items() if isinstance(row, dict) and " avg" not in name]
    print("\nweakest intents   F1")
    for score, name in sorted(scores)[:8]:
        print(f"  {name:24}{100 * score:5.1f} %  recall {100 * intents[name]['recall']:5.1f} %")
    print("\nmost often taken for another")
    confused = Counter((item["intent"], item["intent_prediction"]["name"]) for item in wrong)
    for (meant, taken), times in confused.most_common(8):
        print(f"  {meant} → {taken}: {times}")


if __name__ == "__main__":
    if sys.argv[1:] != ["--report-only"]:
        cross_validate()
    summarise()
