"""The examples: those that the model is trained on, and those kept from it."""

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[2]
HELD_OUT = ROOT / "tests" / "nlu" / "held_out"
LANGUAGES = {"zh": "Chinese", "en": "English"}
#: Ways of writing that the held-out utterances are tagged with: the names of their files.
KINDS = {
    "plain": "plain",
    "colloquial": "colloquial",
    "typo": "typo",
    "speech": "speech",
    "traditional_or_non_native": "Traditional (zh), non-native (en)",
    "mixed": "both languages mixed",
    "long": "long",
    "terse": "terse",
    "angry": "angry",
    "negated": "negated",
}
FOLDS = 5
_SEED = 3


class Example(NamedTuple):
    """An utterance, what it means, its language, and its kind (empty for training examples)."""

    text: str
    intent: str
    language: str
    kind: str = ""


def training_examples() -> list[Example]:
    """Those of bot/data/nlu, in the order of the files."""
    found = []
    for language in LANGUAGES:
        for file in sorted((ROOT / "bot" / "data" / "nlu" / language).glob("*.yml")):
            for block in yaml.safe_load(file.read_text("utf-8"))["nlu"]:
                lines = (line for line in block.get("examples", "").splitlines() if line.startswith("- "))
                found += [Example(line[2:].strip(), block["intent"], language) for line in lines]
    return found


def held_out() -> list[Example]:
    """Those of tests/nlu/held_out/<language>/<kind>.tsv: `intent`, a tab, `text` a line."""
    return [
        Example(text, intent, language, kind)
        for language in LANGUAGES
        for kind in KINDS
        for intent, text in (
            line.split("\t") for line in (HELD_OUT / language / f"{kind}.tsv").read_text("utf-8").splitlines()
        )
    ]


def folds(items: Sequence[Example]) -> list[list[Example]]:
    """FOLDS parts with a like share of every intent and language."""
    groups: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for item in items:
        groups[item.intent, item.language].append(item)
    dealt = random.Random(_SEED)
    parts: list[list[Example]] = [[] for _ in range(FOLDS)]
    card = 0
    for group in groups.values():
        dealt.shuffle(group)
        for item in group:
            parts[card % FOLDS].append(item)
            card += 1
    return parts
