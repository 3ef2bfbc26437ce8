"""The words of notices, from sentences.yml."""

from functools import cache
from pathlib import Path

import yaml


@cache
def _texts() -> dict[str, dict[str, str]]:
    path = Path(__file__).with_name("sentences.yml")
    loaded: dict[str, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def say(key: str, language: str, **values: object) -> str:
    """The sentence `key` in the language (`zh` unless `en`). KeyError for an unknown key."""
    return _texts()[key]["en" if language == "en" else "zh"].format(**values)


def joined(language: str, *sentences: str) -> str:
    """Sentences of one message."""
    return ("" if language != "en" else " ").join(sentence for sentence in sentences if sentence)
