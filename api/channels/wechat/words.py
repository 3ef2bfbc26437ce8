"""WeChat's own sentences and limits, from sentences.yml and limits.yml."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parent


@cache
def limits() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DATA / "limits.yml").read_text(encoding="utf-8"))
    return loaded


@cache
def sentences() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = yaml.safe_load((DATA / "sentences.yml").read_text(encoding="utf-8"))
    # Folded lines are joined by a blank, which Chinese does not want after its own punctuation.
    for texts in loaded.values():
        texts["zh"] = texts["zh"].replace("， ", "，").replace("。 ", "。").replace("； ", "；")
    return loaded


def say(key: str, language: str | None, **values: object) -> str:
    """The sentence `key` in the language, in both where none is known. KeyError for an unknown key."""
    texts = sentences()[key]
    chosen = [texts[language]] if language in texts else [texts["zh"], texts["en"]]
    return "\n".join(text.format(**values) for text in chosen)


def mark(kind: str, language: str | None) -> str:
    """What stands in the transcript for a message that is not text."""
    texts = sentences().get(f"mark-{kind}") or sentences()["mark-other"]
    return texts[language if language in texts else "zh"]
