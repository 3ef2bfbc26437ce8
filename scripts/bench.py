"""`make bench`: the bot's pipeline beside stock Rasa, on the same examples, rules and machine, in one run.

Both train on the same English examples (stock Rasa needs a bot a language) and answer through Rasa's REST channel with
plain utterances, so that what differs is the pipeline and the policies. Measured: training, start, memory, and turns.
"""

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import yaml

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES_PER_INTENT = 15
TURNS = 300
AT_ONCE = 8
START_WITHIN = 180.0

STOCK_CONFIG: dict[str, Any] = {  # what `rasa init` suggests
    "recipe": "default.v1",
    "assistant_id": "stock",
    "language": "en",
    "pipeline": [
        {"name": "WhitespaceTokenizer"},
        {"name": "RegexFeaturizer"},
        {"name": "LexicalSyntacticFeaturizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        {"name": "DIETClassifier", "epochs": 100},
        {"name": "EntitySynonymMapper"},
        {"name": "ResponseSelector", "epochs": 100},
        {"name": "FallbackClassifier", "threshold": 0.3, "ambiguity_threshold": 0.1},
    ],
    "policies": [
        {"name": "MemoizationPolicy"},
        {"name": "RulePolicy"},
        {"name": "UnexpecTEDIntentPolicy", "max_history": 5, "epochs": 100},
        {"name": "TEDPolicy", "max_history": 5, "epochs": 100},
    ],
}


@dataclass(frozen=True)
class Figures:
    """Seconds, MB, milliseconds and turns a second."""

    training: float
    start: float
    memory: float
    p50: float
    p95: float
    rate: float

    LABELS = (
        ("training", "s"),
        ("start to first answer", "s"),
        ("resident memory", "MB"),
        ("turn, median", "ms"),
        ("turn, 95th percentile", "ms"),
        (f"turns a second, {AT_ONCE} at once", "/s"),
    )

    def values(self) -> tuple[float, ...]:
        return (self.training, self.start, self.memory, self.p50, self.p95, self.rate)


def write_project(folder: Path) -> list[str]:
    """Data, domain and both configurations into the folder; returns messages to send."""
    examples: dict[str, list[str]] = {}
    for file in sorted((ROOT / "bot" / "data" / "nlu" / "en").glob("*.yml")):
        for item in yaml.safe_load(file.read_text("utf-8")).get("nlu", []):
            if "intent" in item and isinstance(item.get("examples"), str):
                lines = [line.removeprefix("- ") for line in item["examples"].splitlines() if line.startswith("- ")]
                examples.setdefault(item["intent"], []).extend(lines)
    ours = yaml.safe_load((ROOT / "config.yml").read_text("utf-8"))
    nlu, messages = [], []
    for intent, lines in examples.items():
        nlu.append({"intent": intent, "examples": "".join(f"- {line}\n" for line in lines[:EXAMPLES_PER_INTENT])})
        messages += [plain(line) for line in (lines[EXAMPLES_PER_INTENT:] or lines)[:10]]
    actions = [value for policy in ours.get("policies") or [] for key, value in policy.items() if key.endswith("_name")]
    domain = {
        "version": "3.1",
        "intents": list(examples),
        "actions": sorted(set(actions)),
        "responses": {f"utter_{intent}": [{"text": f"About {intent}"}] for intent in examples},
    }
    rules = [{"rule": name, "steps": [{"intent": name}, {"action": f"utter_{name}"}]} for name in examples]
    stories = [{"story": f"story {one['rule']}", "steps": one["steps"] * 2} for one in rules[:10]]
    for name, content in (
        ("data.yml", {"version": "3.1", "nlu": nlu, "rules": rules, "stories": stories}),
        ("domain.yml", domain),
        ("credentials.yml", {"rest": None}),
        ("endpoints.yml", {}),
        ("ours.yml", ours),
        ("stock.yml", STOCK_CONFIG),
    ):
        (folder / name).write_text(yaml.safe_dump(content, allow_unicode=True, width=10_000), "utf-8")
    return messages


def plain(example: str) -> str:
    """Without Rasa's entity marks: `[word](entity)` or `[word]{…}` -> `word`."""
    return re.sub(r"\[([^\]]+)\](\([^)]*\)|\{[^}]*\})", r"\1", example)


def measure(side: str, rasa: Path, folder: Path, messages: list[str]) -> Figures:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "RASA_MAX_CACHE_SIZE": "0",
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TQDM_DISABLE": "1",
    }
    log = folder / f"{side}.log"
    started = time.monotonic()
    print(f"bench: training {side} …", flush=True)
    train = [rasa, "train", "--force", "--config", folder / f"{side}.yml", "--domain", folder / "domain.yml"]
    train += ["--data", folder / "data.yml", "--out", folder / side, "--fixed-model-name", side]
    with log.open("w") as out:
        done = subprocess.run(train, cwd=ROOT, env=environment, stdout=out, stderr=out, check=False)
    if done.returncode:
        raise SystemExit(f"bench: training {side} failed:\n{''.join(log.read_text().splitlines(keepends=True)[-12:])}")
    training = time.monotonic() - started

    print(f"bench: asking {side} …", flush=True)
    port = free_port()
    serve = [rasa, "run", "-i", "127.0.0.1", "-p", str(port), "--model", folder / side / f"{side}.tar.gz"]
    serve += ["--credentials", folder / "credentials.yml", "--endpoints", folder / "endpoints.yml"]
    started = time.monotonic()
    with log.open("a") as out, ending(subprocess.Popen(serve, cwd=ROOT, env=environment, stdout=out, stderr=out)) as it:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_for_answer(client, it, messages[0], log)
            start = time.monotonic() - started
            for number in range(30):
                turn(client, f"warm-{number}", messages[number % len(messages)])
            one_by_one = [
                turn(client, f"one-{number // 5}", messages[number * 7 % len(messages)]) for number in range(TURNS)
            ]
            began = time.monotonic()
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda n: turn(client, f"many-{n}", messages[n * 7 % len(messages)]), range(TURNS)))
            rate = TURNS / (time.monotonic() - began)
        memory = subprocess.run(["ps", "-o", "rss=", "-p", str(it.pid)], capture_output=True, text=True, check=True)
    p95 = statistics.quantiles(one_by_one, n=20)[-1]
    return Figures(training, start, int(memory.stdout) / 1024, statistics.median(one_by_one), p95, rate)


def turn(client: httpx.Client, sender: str, text: str) -> float:
    """Milliseconds that one message took."""
    began = time.perf_counter()
    client.post("/webhooks/rest/webhook", json={"sender": sender, "message": text}).raise_for_status()
    return (time.perf_counter() - began) * 1000


def wait_for_answer(client: httpx.Client, process: subprocess.Popen[bytes], text: str, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            turn(client, "first", text)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"bench: Rasa did not start:\n{''.join(log.read_text().splitlines(keepends=True)[-12:])}")


@contextmanager
def ending(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="mainsdesk-bench-") as name:
        folder = Path(name)
        messages = write_project(folder)
        ours = measure("ours", ROOT / ".venv-bot" / "bin" / "rasa", folder, messages)
        stock = measure("stock", ROOT / ".venv-stock" / "bin" / "rasa", folder, messages)
    print(f"\n{'':32}{'ours':>10}{'stock':>10}{'gain':>10}")
    for (label, unit), mine, theirs in zip(Figures.LABELS, ours.values(), stock.values(), strict=True):
        gain = mine / theirs if unit == "/s" else theirs / mine
        print(f"{f'{label} ({unit})':32}{mine:10.1f}{theirs:10.1f}{gain:9.1f}×")
    return 0


if __name__ == "__main__":
    sys.exit(main())
