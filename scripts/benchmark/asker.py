"""Run by a side's own Python with a model: reads lines of texts, parses them, writes lines of what it made of them.

In: a JSON list of texts a line. Out: a JSON list of [intent, intent_ranking, milliseconds] a line. It speaks first: an
empty list, when it is ready.
"""

import asyncio
import json
import logging
import os
import sys
import time
from typing import Any


async def serve(model: str) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the libraries print goes to the log

    from rasa.core.agent import Agent
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.ERROR)
    logging.getLogger().setLevel(logging.ERROR)
    agent = Agent.load(model)

    async def ask(text: str) -> list[Any]:
        began = time.perf_counter()
        parsed = await agent.parse_message(text)
        return [parsed["intent"], parsed["intent_ranking"], 1000 * (time.perf_counter() - began)]

    await ask("你好 hello")
    print("[]", file=answers, flush=True)
    for line in sys.stdin.buffer:
        found = [await ask(text) for text in json.loads(line)]
        print(json.dumps(found, default=float), file=answers, flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
