"""The files that reviewed examples go to: `reviewed/zh.yml` and `en.yml` in the home, in Rasa's format for NLU data.

Several front desks may write them: one at a time (a lock), each change in whole (a rename). The next training takes
what is sound of them (mainsdesk.training); operators may edit them by hand.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from api.learning.masking import bare, example_of

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("zh", "en")
FOLDER = "reviewed"
#: Rasa's own; nobody can be taught it.
FALLBACK = "nlu_fallback"
_INTENT = re.compile(r"^\s*- intent: *(\w+)", re.MULTILINE)
Examples = dict[str, list[str]]


class FileBroken(ValueError):
    """A file of reviewed examples is not Rasa's NLU data; the message names it and what is wrong."""


@cache
def intents(root: Path = ROOT) -> tuple[str, ...]:
    """The intents that the bot knows, in the order of domain.yml."""
    domain = yaml.safe_load((root / "domain.yml").read_text(encoding="utf-8"))
    names = domain.get("intents", []) if isinstance(domain, dict) else []
    return tuple(name for name in names if name != FALLBACK)


def read(file: Path) -> Examples:
    """intent → its examples; {} where there is no file. FileBroken."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise FileBroken(f"{file}: {error}") from error
    try:
        return _examples(yaml.safe_load(text))
    except (yaml.YAMLError, ValueError) as error:
        raise FileBroken(f"{file}: {error}") from error


def _examples(given: Any) -> Examples:
    found: Examples = {}
    blocks = given.get("nlu") if isinstance(given, dict) else None
    if given is not None and not isinstance(blocks, list):
        raise ValueError("it has no list `nlu:`")
    for block in blocks or ():
        if not (isinstance(block, dict) and isinstance(block.get("intent"), str)):
            raise ValueError("each item of `nlu:` needs an `intent:`")
        lines = (line.strip() for line in str(block.get("examples") or "").splitlines())
        found.setdefault(block["intent"], []).extend(line[1:].strip() for line in lines if line.startswith("-"))
    return found


def written(examples: Mapping[str, list[str]]) -> str:
    """The examples as Rasa reads them."""
    lines = ['version: "3.1"', "", "nlu:" if any(examples.values()) else "nlu: []"]
    for intent, texts in sorted(examples.items()):
        if texts:
            lines += [f"- intent: {intent}", "  examples: |", *(f"    - {text}" for text in texts)]
    return "\n".join(lines) + "\n"


def add(home: Path, language: str, intent: str, text: str) -> bool:
    """Append one example; False where it stands there already. Under another intent it stands no more. FileBroken."""
    folder = home / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{language}.yml"
    with _alone(folder / ".lock"):
        examples = read(file)
        if any(bare(one) == bare(text) for one in examples.get(intent, ())):
            return False
        for texts in examples.values():
            texts[:] = [one for one in texts if bare(one) != bare(text)]
        examples.setdefault(intent, []).append(text)
        _replace(file, written(examples))
    return True


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _replace(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    with new.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    new.replace(file)


def taught(root: Path = ROOT) -> dict[str, str]:
    """bare text → intent of every example that the bot is delivered with."""
    found: dict[str, str] = {}
    for file in sorted((root / "bot" / "data" / "nlu").rglob("*.yml")):
        intent = ""
        for line in file.read_text(encoding="utf-8").splitlines():
            if match := _INTENT.match(line):
                intent = match[1]
            elif intent and line.startswith("    - "):
                found[bare(line[6:])] = intent
    return found


@cache
def taught_here() -> dict[str, str]:
    """The same, read once: what is delivered does not change while the desk runs."""
    return taught()


def sound(home: Path, root: Path = ROOT) -> tuple[dict[str, Examples], list[str]]:
    """language → the examples fit for training, and a sentence for each that is left out.

    Left out: a broken file, an unknown intent, markup, what is empty, and what stands elsewhere under another intent.
    """
    fit: dict[str, Examples] = {}
    faults: list[str] = []
    files = [(language, home / FOLDER / f"{language}.yml") for language in LANGUAGES]
    if not any(file.is_file() for _, file in files):
        return {}, []
    known, names = taught(root), intents(root)
    for language, file in files:
        try:
            given = read(file)
        except FileBroken as problem:
            faults.append(str(problem))
            continue
        for intent, texts in given.items():
            for text in texts:
                fault = _fault(text, intent, names, known)
                if fault:
                    faults.append(f"{file}: {fault}")
                elif bare(text) not in known:
                    known[bare(text)] = intent
                    fit.setdefault(language, {}).setdefault(intent, []).append(text)
    return fit, faults


def counted(home: Path) -> dict[str, int]:
    """language → how many reviewed examples the next training finds there. FileBroken."""
    files = {language: home / FOLDER / f"{language}.yml" for language in LANGUAGES}
    return {language: sum(map(len, read(file).values())) for language, file in files.items()}


def _fault(text: str, intent: str, names: tuple[str, ...], known: Mapping[str, str]) -> str:
    if intent not in names:
        return f"there is no intent {intent!r}"
    if not text or example_of(text) != text:
        return f"an example of {intent} is not plain text of at most 300 characters: {text[:40]!r}"
    other = known.get(bare(text), intent)
    return "" if other == intent else f"{text[:40]!r} is an example of {other}, and cannot be one of {intent}, too"
