"""What a whole turn costs: plain utterances through Rasa's REST channel, with a rule and a response an intent.

English alone, since stock Rasa needs a bot a language; few examples, since its policies and DIET take long to train.
"""

import socket
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from scripts.benchmark.sides import OURS, STOCK, Side, ending, resident, tail, train, variables
from scripts.benchmark.stock import nlu, of_intents, our_config, stock_config, write
from scripts.evaluation.data import training_examples

LANGUAGE = "en"
EXAMPLES_PER_INTENT = 15
#: Messages an intent that are sent; not those it was trained on, where there are others.
MESSAGES_PER_INTENT = 10
STORIES = 10
WARMING = 30
TURNS = 300
AT_ONCE = 8
START_WITHIN = 180.0


@dataclass(frozen=True)
class Turns:
    """Seconds, MB, milliseconds and turns a second; the last two of AT_ONCE customers at once."""

    training: float
    start: float
    memory: float
    p50: float
    p95: float
    busy_p95: float
    rate: float


def measure(folder: Path) -> dict[str, Turns]:
    """Of each side by its name; trains in the folder."""
    messages = write_project(folder)
    return {side.name: _measure(side, folder, messages) for side in (OURS, STOCK)}


def write_project(folder: Path) -> list[str]:
    """Data, domain and both configurations into the folder; returns messages to send."""
    examples = of_intents([one for one in training_examples() if one.language == LANGUAGE])
    ours = our_config()
    actions = {value for policy in ours["policies"] for key, value in policy.items() if key.endswith("_name")}
    steps = {name: [{"intent": name}, {"action": f"utter_{name}"}] for name in examples}
    rules = [{"rule": name, "steps": taken} for name, taken in steps.items()]
    stories = [{"story": f"story {name}", "steps": taken * 2} for name, taken in list(steps.items())[:STORIES]]
    trained = {intent: texts[:EXAMPLES_PER_INTENT] for intent, texts in examples.items()}
    domain = {
        "version": "3.1",
        "intents": list(examples),
        "actions": sorted(actions),
        "responses": {f"utter_{intent}": [{"text": f"About {intent}"}] for intent in examples},
    }
    write(folder / "data.yml", {"version": "3.1", "nlu": nlu(trained), "rules": rules, "stories": stories})
    write(folder / "domain.yml", domain)
    write(folder / "credentials.yml", {"rest": None})
    write(folder / "endpoints.yml", {})
    write(folder / "ours.yml", ours)
    write(folder / "stock.yml", stock_config(LANGUAGE))
    return [
        text for texts in examples.values() for text in (texts[EXAMPLES_PER_INTENT:] or texts)[:MESSAGES_PER_INTENT]
    ]


def _measure(side: Side, folder: Path, messages: list[str]) -> Turns:
    name = side.name
    model, training = train(side, folder, name, "--force", "--domain", "domain.yml", "--data", "data.yml")
    print(f"bench: asking {name} …", flush=True)
    port = _free_port()
    command: list[str | Path] = [side.rasa, "run", "-i", "127.0.0.1", "-p", str(port), "--model", model]
    command += ["--credentials", "credentials.yml", "--endpoints", "endpoints.yml"]
    log = folder / f"{name}.log"
    began = time.monotonic()
    with (
        log.open("a") as out,
        ending(subprocess.Popen(command, cwd=folder, env=variables(folder), stdout=out, stderr=out)) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        _wait_for_answer(client, process, messages[0], log)
        start = time.monotonic() - began
        for number in range(WARMING):
            _turn(client, f"warm-{number}", messages[number % len(messages)])
        sent = [messages[number * 7 % len(messages)] for number in range(TURNS)]
        alone = [_turn(client, f"one-{number // 5}", text) for number, text in enumerate(sent)]
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            busy = list(pool.map(lambda at: _turn(client, f"many-{at[0]}", at[1]), enumerate(sent)))
        rate = TURNS / (time.monotonic() - began)
        memory = resident(process)
    return Turns(training, start, memory, statistics.median(alone), _p95(alone), _p95(busy), rate)


def _p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def _turn(client: httpx.Client, sender: str, text: str) -> float:
    """Milliseconds that one message took."""
    began = time.perf_counter()
    client.post("/webhooks/rest/webhook", json={"sender": sender, "message": text}).raise_for_status()
    return (time.perf_counter() - began) * 1000


def _wait_for_answer(client: httpx.Client, process: subprocess.Popen[bytes], text: str, log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            _turn(client, "first", text)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"bench: Rasa did not start:\n{tail(log)}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
