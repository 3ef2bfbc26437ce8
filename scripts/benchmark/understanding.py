"""How well and how fast each side understands the held-out utterances.

Stock Rasa needs a model a language; ours is one for both. The sides answer by turns, so that what else the machine does
weighs on both alike.
"""

import json
import statistics
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.benchmark.sides import OURS, STOCK, Side, ending, resident, tail, train, variables
from scripts.benchmark.stock import each, nlu, of_intents, our_config, stock_config, write
from scripts.evaluation.answers import Answer, answer
from scripts.evaluation.data import LANGUAGES, ROOT, Example, held_out, training_examples

#: Utterances that a side is asked before the other's turn.
CHUNK = 25


@dataclass
class Model:
    """A trained model and what it made of the utterances: `times` in ms a language, memory in MB, training in s."""

    training: float
    times: dict[str, float]
    memory: float
    answers: list[Answer]


@dataclass(frozen=True)
class Understanding:
    """`stock`: a model a language; `examples`: how many each language was trained on."""

    share: int
    examples: dict[str, int]
    ours: Model
    stock: dict[str, Model]


class Asker:
    """A process that has loaded a model."""

    def __init__(self, side: Side, model: Path, name: str, stack: ExitStack) -> None:
        print(f"bench: loading {name} …", flush=True)
        self._log = model.parent / f"{name}.asker.log"
        command: list[str | Path] = [side.python, "-m", "scripts.benchmark.asker", model]
        out = stack.enter_context(self._log.open("w"))
        self.process = stack.enter_context(
            ending(
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=variables(model.parent),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=out,
                )
            )
        )
        self._read()

    def ask(self, utterances: list[Example]) -> tuple[list[Answer], list[float]]:
        """What it answers, and the milliseconds that each took."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps([one.text for one in utterances]).encode() + b"\n")
        self.process.stdin.flush()
        found = self._read()
        parsed = [{"intent": intent, "intent_ranking": ranking} for intent, ranking, _ in found]
        return [answer(one, of) for one, of in zip(utterances, parsed, strict=True)], [took for *_, took in found]

    def _read(self) -> list[Any]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"bench: a model gave no answer:\n{tail(self._log)}")
        said: list[Any] = json.loads(line)
        return said


def measure(folder: Path, share: int) -> Understanding:
    """Trains ours and stock Rasa's in the folder on each share-th example, and asks them."""
    examples = each(training_examples(), share)
    of_language = {language: [one for one in examples if one.language == language] for language in LANGUAGES}
    ours, our_file = _trained(OURS, folder, "ours", our_config(), examples)
    stock, files = {}, {}
    for language, mine in of_language.items():
        stock[language], files[language] = _trained(STOCK, folder, f"stock-{language}", stock_config(language), mine)
    utterances = held_out()
    with ExitStack() as stack:
        asker = Asker(OURS, our_file, "ours", stack)
        for language in LANGUAGES:
            with ExitStack() as inner:
                other = Asker(STOCK, files[language], f"stock-{language}", inner)
                asked = [one for one in utterances if one.language == language]
                _by_turns(language, asked, [(ours, asker), (stock[language], other)])
                stock[language].memory = resident(other.process)
        ours.memory = resident(asker.process)
    return Understanding(share, {language: len(mine) for language, mine in of_language.items()}, ours, stock)


def _trained(
    side: Side, folder: Path, name: str, config: dict[str, Any], examples: list[Example]
) -> tuple[Model, Path]:
    write(folder / f"{name}.yml", config)
    write(folder / f"{name}-nlu.yml", {"version": "3.1", "nlu": nlu(of_intents(examples))})
    file, seconds = train(side, folder, name, "nlu", "--nlu", f"{name}-nlu.yml")
    return Model(seconds, {}, 0.0, []), file


def _by_turns(language: str, utterances: list[Example], sides: list[tuple[Model, Asker]]) -> None:
    print(f"bench: asking in {LANGUAGES[language]} …", flush=True)
    times: list[list[float]] = [[] for _ in sides]  # a list a side
    for start in range(0, len(utterances), CHUNK):
        for (model, asker), spent in zip(sides, times, strict=True):
            answers, took = asker.ask(utterances[start : start + CHUNK])
            model.answers += answers
            spent.extend(took)
    for (model, _), taken in zip(sides, times, strict=True):
        model.times[language] = statistics.median(taken)
