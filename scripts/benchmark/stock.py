"""What is trained: stock Rasa's configuration as it comes, ours, and the examples that both get."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from scripts.benchmark.sides import STOCK
from scripts.evaluation.data import ROOT, Example

#: The project that `rasa init` makes trains with this file, which is English; Chinese needs a tokenizer.
DEFAULTS = "lib/python*/site-packages/rasa/engine/recipes/config_files/default_config.yml"
TOKENIZERS = {"zh": "JiebaTokenizer", "en": "WhitespaceTokenizer"}


def stock_config(language: str) -> dict[str, Any]:
    """The pipeline and the policies of `rasa init`, with the language's tokenizer."""
    config: dict[str, Any] = yaml.safe_load(next(STOCK.environment.glob(DEFAULTS)).read_text("utf-8"))
    tokenizer, *others = config["pipeline"]
    if tokenizer["name"] not in TOKENIZERS.values():
        raise SystemExit(f"bench: stock Rasa begins with {tokenizer['name']}, which is no tokenizer known here")
    pipeline = [{"name": TOKENIZERS[language]}, *others]
    return config | {"assistant_id": "stock", "language": language, "pipeline": pipeline}


def our_config() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))
    return config


def each(examples: Sequence[Example], share: int) -> list[Example]:
    """Each share-th example of every intent and language, the first among them."""
    seen: Counter[tuple[str, str]] = Counter()
    taken = []
    for example in examples:
        key = example.language, example.intent
        if seen[key] % share == 0:
            taken.append(example)
        seen[key] += 1
    return taken


def of_intents(examples: Sequence[Example]) -> dict[str, list[str]]:
    """Their texts by intent."""
    found: dict[str, list[str]] = {}
    for example in examples:
        found.setdefault(example.intent, []).append(example.text)
    return found


def nlu(examples: dict[str, list[str]]) -> list[dict[str, str]]:
    """As Rasa's training data have them."""
    return [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)} for intent, texts in examples.items()
    ]


def write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(content, allow_unicode=True, width=10_000), "utf-8")
