"""Run by Rasa's Python: what the model named in argv makes of [{"text", "metadata"}], standard input to output."""

import asyncio
import json
import sys
import time
from typing import Any

from rasa.core.agent import Agent
from rasa.core.channels.channel import UserMessage


async def parse(model: str, asked: list[dict[str, Any]]) -> list[dict[str, Any]]:
    processor = Agent.load(model).processor
    assert processor is not None
    answers = []
    for message in [{"text": "warm up 一下"}, *asked]:
        started = time.process_time()
        parsed = await processor.parse_message(UserMessage(message["text"], metadata=message.get("metadata")))
        answers.append({**parsed, "seconds": time.process_time() - started})
    return answers[1:]


if __name__ == "__main__":
    print("\n" + json.dumps(asyncio.run(parse(sys.argv[1], json.load(sys.stdin)))))
