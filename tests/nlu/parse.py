"""Run by Rasa's Python, `nlu_parse.py MODEL ASKED ANSWERS`: what the model makes of ASKED, a list of messages."""

import asyncio
import json
import sys
import time
from pathlib import Path
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
    model, asked, answers = sys.argv[1:]
    Path(answers).write_text(json.dumps(asyncio.run(parse(model, json.loads(Path(asked).read_text("utf-8"))))), "utf-8")
