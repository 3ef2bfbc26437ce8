"""`make eval`: how well intents are understood, by cross-validation, written to docs/evaluation.md.

Both languages are learnt together, as in the real model, and counted apart; the thresholds are those of config.yml.
Each example is asked of a model that has not seen it. The examples are many and odd ways of saying something, seldom
alike: what customers mostly say is understood better, as the utterances at the end show.

Run by Rasa's Python (.venv-bot).
"""

import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bot.nlu.model import IntentModel

FOLDS = 5
SEED = 3
LANGUAGES = {"zh": "Chinese", "en": "English"}
OUT_OF_SCOPE = "out_of_scope"
REPORT = ROOT / "docs" / "evaluation.md"
UTTERANCES = ROOT / "tests" / "unit" / "nlu_utterances.txt"


class Example(NamedTuple):
    text: str
    intent: str
    language: str


class Answer(NamedTuple):
    example: Example
    intent: str
    accepted: bool


def examples() -> list[Example]:
    """The training examples, in the order of the files."""
    found = []
    for language in LANGUAGES:
        for file in sorted((ROOT / "bot" / "data" / "nlu" / language).glob("*.yml")):
            for block in yaml.safe_load(file.read_text("utf-8"))["nlu"]:
                lines = (line for line in block.get("examples", "").splitlines() if line.startswith("- "))
                found += [Example(line[2:].strip(), block["intent"], language) for line in lines]
    return found


def thresholds() -> tuple[float, float]:
    """Least confidence and least lead over the second of config.yml's fallback."""
    pipeline = yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))["pipeline"]
    fallback = next(component for component in pipeline if "FallbackClassifier" in component["name"])
    return fallback["threshold"], fallback["ambiguity_threshold"]


def folds(items: Sequence[Example]) -> list[list[Example]]:
    """FOLDS parts with a like share of every intent and language."""
    groups: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for item in items:
        groups[item.intent, item.language].append(item)
    dealt = random.Random(SEED)
    parts: list[list[Example]] = [[] for _ in range(FOLDS)]
    card = 0
    for group in groups.values():
        dealt.shuffle(group)
        for item in group:
            parts[card % FOLDS].append(item)
            card += 1
    return parts


def ask(model: IntentModel, items: Iterable[Example], least: float, lead: float) -> list[Answer]:
    answers = []
    for item in items:
        confidences = model.confidences(item.text)
        first, second = (*sorted(confidences, reverse=True), 0.0)[:2]
        intent = model.intents[int(confidences.argmax())]
        answers.append(Answer(item, intent, bool(first >= least and first - second >= lead)))
    return answers


def percent(hits: Iterable[bool]) -> str:
    marks = list(hits)
    return f"{100 * sum(marks) / len(marks):.1f} %" if marks else "–"


def summary(answers: Sequence[Answer]) -> list[str]:
    lines = [
        "",
        "| | examples | right | of those in scope: right · not sure · wrong | out of scope: refused or not sure |",
    ]
    lines.append("| --- | --- | --- | --- | --- |")
    for language, name in LANGUAGES.items():
        mine = [a for a in answers if a.example.language == language]
        ours = [a for a in mine if a.example.intent != OUT_OF_SCOPE]
        others = [a for a in mine if a.example.intent == OUT_OF_SCOPE]
        right = percent(a.intent == a.example.intent and a.accepted for a in ours)
        unsure = percent(not a.accepted for a in ours)
        wrong = percent(a.intent != a.example.intent and a.accepted for a in ours)
        refused = percent(a.intent == OUT_OF_SCOPE or not a.accepted for a in others)
        overall = percent(a.intent == a.example.intent for a in mine)
        lines.append(f"| {name} | {len(mine)} | {overall} | {right} · {unsure} · {wrong} | {refused} |")
    return lines


def by_intent(answers: Sequence[Answer]) -> list[str]:
    lines = ["", "## Each intent", "", "Precision · recall · F1, in percent, and the number of examples.", ""]
    lines += [f"| intent | {' | '.join(LANGUAGES.values())} |", "| --- | --- | --- |"]
    for intent in sorted({a.example.intent for a in answers}):
        cells = []
        for language in LANGUAGES:
            mine = [a for a in answers if a.example.language == language]
            hit = sum(a.intent == a.example.intent == intent for a in mine)
            said = sum(a.intent == intent for a in mine)
            meant = sum(a.example.intent == intent for a in mine)
            figures = 100 * hit / max(1, said), 100 * hit / max(1, meant), 200 * hit / max(1, said + meant)
            cells.append(f"{' · '.join(f'{figure:.0f}' for figure in figures)} ({meant})")
        lines.append(f"| {intent} | {' | '.join(cells)} |")
    return lines


def confusions(answers: Sequence[Answer], most: int = 15) -> list[str]:
    lines = ["", "## Taken for another", ""]
    for language, name in LANGUAGES.items():
        wrong = Counter(
            (a.example.intent, a.intent)
            for a in answers
            if a.example.language == language and a.intent != a.example.intent
        )
        pairs = "; ".join(f"{meant} → {taken} {times}" for (meant, taken), times in wrong.most_common(most))
        lines += [f"{name}: {pairs}.", ""]
    return lines


def regression(model: IntentModel, least: float, lead: float) -> list[str]:
    """The tests' own utterances, asked of a model of all examples."""
    rows = [line.partition("|") for line in UTTERANCES.read_text("utf-8").splitlines() if line and line[0] != "#"]
    fresh = [Example(text.strip(), intent.strip(), "") for intent, _, text in rows]
    answers = ask(model, fresh, least, lead)
    right = percent(a.intent == a.example.intent for a in answers)
    lines = ["## Utterances that no example holds", "", f"{len(fresh)} of them, kept in the tests: {right} right."]
    lines[-1] += " Some of them were at hand while the pipeline was tuned."
    wrong = [a for a in answers if a.intent != a.example.intent]
    return [*lines, "", *(f"- {a.example.text} — meant {a.example.intent}, taken for {a.intent}" for a in wrong)]


def main() -> None:
    least, lead = thresholds()
    everything = examples()
    parts = folds(everything)
    answers: list[Answer] = []
    for number, held_out in enumerate(parts):
        learnt = [item for other, part in enumerate(parts) if other != number for item in part]
        model = IntentModel.fit([item.text for item in learnt], [item.intent for item in learnt])
        answers += ask(model, held_out, least, lead)
        print(f"eval: fold {number + 1} of {FOLDS}", flush=True)
    started = time.perf_counter()
    model = IntentModel.fit([item.text for item in everything], [item.intent for item in everything])
    trained = time.perf_counter() - started
    sample = everything[:: max(1, len(everything) // 500)]
    started = time.perf_counter()
    for item in sample:
        model.confidences(item.text)
    asked = 1000 * (time.perf_counter() - started) / len(sample)

    lines = ["# How well the bot understands", "", (__doc__ or "").split("\n\n")[1].replace("\n", " ").strip(), ""]
    lines += [f"`make eval` writes this file. {FOLDS} folds; least confidence {least}, least lead {lead}; "]
    lines[-1] += f"{len(everything)} examples learnt in {trained:.0f} s; {asked:.1f} ms a message."
    lines += [*summary(answers), *by_intent(answers), *confusions(answers), *regression(model, least, lead)]
    REPORT.write_text("\n".join(lines).rstrip() + "\n", "utf-8")
    print("\n".join(summary(answers)[1:]))
    print(f"eval: written to {REPORT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
