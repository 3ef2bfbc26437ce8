"""The customers and the agents of the console's benchmark, in a process of their own.

In: a JSON object, a `Plan`. Out, when it is over: {"posted", "shown", "listed"} as [conversation, line, Unix time]
each, "taken" as seconds until a message was accepted, "fetched" and "streams" as counts.
"""

import asyncio
import json
import random
import re
import sys
import time
import uuid
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.e2e.console.terminal import Terminal

CSRF = re.compile(r'"X-CSRF-Token": "(\w+)"')
#: Conversation, line, Unix time.
Seen = tuple[str, int, float]
#: Agents that sign in at once.
AT_ONCE = 5


@dataclass(frozen=True)
class Plan:
    """`agents`: user names; `conversations`: of each agent, [id, token] each, the first of them open at the console."""

    url: str
    password: str
    agents: list[str]
    conversations: list[list[tuple[str, str]]]
    #: Seconds of the measurement, after as many as everything needs to be open, and between a customer's messages.
    seconds: float
    customer_every: float
    agent_every: float
    #: An agent's whose page is open in a browser, not here.
    browser: str = ""


async def customer(
    client: httpx.AsyncClient, plan: Plan, id: str, token: str, posted: list[Seen], taken: list[float]
) -> None:
    """Writes now and then; when each message was accepted."""
    headers = {"Authorization": f"Bearer {token}"}
    number = 0
    while True:
        await asyncio.sleep(random.uniform(0.4, 1.6) * plan.customer_every)
        number += 1
        body = {"client_message_id": uuid.uuid4().hex, "text": f"Is anybody there? {number}"}
        began = time.monotonic()
        answer = await client.post(f"/web/conversations/{id}/messages", json=body, headers=headers)
        if answer.status_code == 202:
            taken.append(time.monotonic() - began)
            posted.append((id, answer.json()["seq"], time.time()))


async def waiting(client: httpx.AsyncClient, id: str, token: str) -> None:
    """A customer's page, which waits for news."""
    after, headers = 0, {"Authorization": f"Bearer {token}"}
    while True:
        answer = await client.get(f"/web/conversations/{id}/messages?after={after}&wait=25", headers=headers)
        if answer.status_code == 200:
            after = max([after, *(line["seq"] for line in answer.json()["messages"])])


async def answering(terminal: Terminal, csrf: str, plan: Plan) -> None:
    """An agent writes to the customer whose page is open."""
    while True:
        await asyncio.sleep(random.uniform(0.4, 1.6) * plan.agent_every)
        form = {"text": "One moment, please.", "nonce": f"nc_{uuid.uuid4().hex[:24]}"}
        headers = {"X-CSRF-Token": csrf, "HX-Request": "true"}
        await terminal.client.post(f"/console/c/{terminal.conversation_id}/reply", data=form, headers=headers)


async def run(plan: Plan) -> dict[str, object]:
    posted: list[Seen] = []
    taken: list[float] = []
    terminals: list[Terminal] = []
    async with AsyncExitStack() as stack:

        def browser() -> Awaitable[httpx.AsyncClient]:
            client = httpx.AsyncClient(base_url=plan.url, timeout=60, trust_env=False)
            return stack.enter_async_context(client)

        gate, csrf = asyncio.Semaphore(AT_ONCE), {}

        async def sit_down(username: str, conversation: str) -> None:
            terminal = Terminal(await browser(), conversation)
            async with gate:
                await terminal.sign_in(username, plan.password)
                found = CSRF.search(await terminal.get(f"/console/c/{conversation}"))
                csrf[conversation] = found[1] if found else ""
                await stack.enter_async_context(terminal.live())
            terminals.append(terminal)

        seats = zip(plan.agents, plan.conversations, strict=True)
        await asyncio.gather(*(sit_down(name, own[0][0]) for name, own in seats if name != plan.browser))
        acts = [answering(one, csrf[one.conversation_id], plan) for one in terminals]
        for one, token in (each for own in plan.conversations for each in own):
            page = await browser()
            acts += [customer(page, plan, one, token, posted, taken), waiting(page, one, token)]
        tasks = [asyncio.create_task(act) for act in acts]
        print("running", flush=True)
        await asyncio.sleep(plan.seconds)
        for task in tasks:
            task.cancel()
        for done in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(done, asyncio.CancelledError):
                print(f"bench: {done!r}", file=sys.stderr)
        print("over", flush=True)
        await asyncio.sleep(3)  # what was posted last is yet to come
    shown = [(one.conversation_id, seq, at) for one in terminals for seq, at in one.lines.items()]
    listed = [(*key, at) for one in terminals for key, at in one.listed.items()]
    fetched, streams = sum(one.fetched for one in terminals), sum(one.streams for one in terminals)
    return {"posted": posted, "shown": shown, "listed": listed, "taken": taken, "fetched": fetched, "streams": streams}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Plan(**json.loads(sys.stdin.readline()))))), flush=True)
