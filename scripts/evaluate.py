"""`make eval`: how well intents are understood.

First the trained model is asked tests/unit/nlu_utterances.txt, which is not among the training examples though written
by the same people; then cross-validation over bot/data/nlu trains the pipeline on all folds but one and asks that one.
Both compare two versions; neither is what customers will see. Rasa's own reports, with every mistake, stay in
$MAINSDESK_HOME/eval.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from mainsdesk.training import ROOT, TrainingFailed, ensure_model

HOME = Path(os.environ.get("MAINSDESK_HOME") or "var").absolute()
UNSEEN = ROOT / "tests" / "unit" / "nlu_utterances.txt"
FOLDS = os.environ.get("FOLDS", "3")


def ask(reports: Path, *arguments: str | Path) -> None:
    """Run `rasa test nlu`. Raises SystemExit with the log's end where it fails."""
    reports.mkdir(parents=True, exist_ok=True)
    log = reports / "rasa.log"
    command = [ROOT / ".venv-bot" / "bin" / "rasa", "test", "nlu", "--domain", "domain.yml", *arguments]
    command += ["--out", reports, "--successes", "--no-plot"]
    environment = os.environ | {
        "RASA_MAX_CACHE_SIZE": "0",
        "RASA_TELEMETRY_ENABLED": "false",
        "PYTHONHASHSEED": "0",
        "TQDM_DISABLE": "1",
    }
    with log.open("w") as out:
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=out, stderr=out, check=False)
    if done.returncode:
        raise SystemExit(f"eval: rasa failed:\n{''.join(log.read_text().splitlines(keepends=True)[-12:])}")


def unseen_as_training_data(target: Path) -> Path:
    """`intent | text` lines as Rasa's YAML."""
    examples: dict[str, str] = {}
    for line in UNSEEN.read_text("utf-8").splitlines():
        intent, bar, text = line.partition(" | ")
        if bar and not line.startswith("#"):
            examples[intent] = f"{examples.get(intent, '')}- {text}\n"
    nlu = [{"intent": intent, "examples": lines} for intent, lines in examples.items()]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(yaml.safe_dump({"version": "3.1", "nlu": nlu}, allow_unicode=True, width=10_000), "utf-8")
    return target


def read(file: Path) -> Any:
    return json.loads(file.read_text("utf-8")) if file.is_file() else []


def share(right: int, wrong: int) -> str:
    asked = right + wrong
    return f"{100 * right / asked:5.1f} % of {asked}" if asked else "none asked"


def is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def summarise(title: str, reports: Path) -> None:
    right, wrong = read(reports / "intent_successes.json"), read(reports / "intent_errors.json")
    intents = read(reports / "intent_report.json")
    print(f"\n{title}\n  understood      {share(len(right), len(wrong))}")
    for language, chinese in (("Chinese", True), ("English", False)):
        counts = [sum(is_chinese(item["text"]) is chinese for item in items) for items in (right, wrong)]
        print(f"  {language}         {share(*counts)}")
    print(f"  macro F1        {100 * intents['macro avg']['f1-score']:5.1f} %")
    print("\n  weakest intents              F1     recall")
    scores = {name: row for name, row in intents.items() if isinstance(row, dict) and " avg" not in name}
    for name, row in sorted(scores.items(), key=lambda item: item[1]["f1-score"])[:8]:
        print(f"  {name:24}{100 * row['f1-score']:5.1f} %    {100 * row['recall']:5.1f} %")
    print("\n  most often taken for another")
    confused = Counter((item["intent"], item["intent_prediction"]["name"]) for item in wrong)
    for (meant, taken), times in confused.most_common(8):
        print(f"  {meant} → {taken or 'nothing'}: {times}")


def main() -> int:
    try:
        model = ensure_model(ROOT, HOME)
    except TrainingFailed as problem:
        print(f"model: {problem}", file=sys.stderr)
        return 1
    unseen, crossed = HOME / "eval" / "unseen", HOME / "eval" / "crossed"
    ask(unseen, "--model", model, "--nlu", unseen_as_training_data(unseen / "asked.yml"))
    summarise(f"unseen utterances ({UNSEEN.relative_to(ROOT)})", unseen)
    print(f"\neval: {FOLDS}-fold cross-validation, a few minutes (log: {crossed / 'rasa.log'}) …", flush=True)
    ask(crossed, "--cross-validation", "--folds", FOLDS, "--config", "config.yml", "--nlu", "bot/data/nlu")
    summarise(f"{FOLDS}-fold cross-validation (bot/data/nlu)", crossed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
