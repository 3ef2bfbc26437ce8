"""Danger on the telephone."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.channels.voice import steps
from api.channels.voice.speech import digits
from api.conversations.engine import Engine
from api.db.engine import Database
from api.tickets.tables import Ticket
from tests.integration.caller import Caller
from tests.integration.calls.talk import bot, on_duty, owner
from tests.integration.conftest import Clock
from tests.integration.stand_in import Rasa


async def test_danger_is_answered_first_and_filed(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    rasa.always("电线掉下来了在冒火花", bot("请问在哪里？", expects="place"))
    await zh.say("电线掉下来了在冒火花", confidence="0.1", follow=False)
    assert zh.heard.verbs[0] == "Say"
    assert "Record" not in zh.heard.xml
    async with database.read() as session:
        number = await session.scalar(select(Ticket.number))
    assert number is not None
    assert zh.heard.redirect
    await zh.go(zh.heard.redirect)
    assert digits(number, "zh") in zh.said
    assert "请问在哪里" in zh.said


async def test_the_ticket_of_a_danger_is_named_once(zh: Caller, rasa: Rasa, database: Database) -> None:
    async def name_it(_body: dict[str, Any]) -> dict[str, Any]:
        async with database.read() as session:
            return bot(f"工单号{await session.scalar(select(Ticket.number))}。请问在哪里？", expects="place")

    rasa.script["电线掉下来了在冒火花"] = name_it
    await zh.say("电线掉下来了在冒火花")
    assert zh.said.count("工单号") == 1


async def test_a_crowd_of_calls_and_a_bot_that_hangs(
    client: httpx.AsyncClient, rasa: Rasa, engine: Engine, unhurried: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each webhook within 3 s, with everything as it is set, and what ten at once take that wait for nothing."""

    async def hang(_body: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(10)
        return bot("好的。")

    rasa.script["停电"] = hang
    monkeypatch.setattr(steps, "DEADLINE", unhurried)
    callers = [Caller(client, f"+86138001380{n}") for n in range(10, 20)]
    await asyncio.gather(*(caller.dial() for caller in callers))
    began = time.monotonic()
    await asyncio.gather(*(caller.press("1") for caller in callers))
    overhead = time.monotonic() - began
    took: list[float] = []

    async def ask(caller: Caller) -> None:
        target, answer = caller.action, {"SpeechResult": "停电", "Confidence": "0.9"}
        for _ in range(2):
            began = time.monotonic()
            heard = await caller.post(target, **answer)
            took.append(time.monotonic() - began)
            target, answer = heard.redirect or heard.gather["action"], {}

    await asyncio.gather(*(ask(caller) for caller in callers))
    assert max(took) < 3 + overhead


async def test_danger_goes_to_a_person_on_duty(zh: Caller, database: Database, clock: Clock) -> None:
    await on_duty(database, clock)
    await zh.say("电线掉下来了在冒火花", follow=False)
    assert zh.heard.verbs[0] == "Say"
    assert await owner(database, zh) == "waiting"
    assert "Enqueue" in zh.heard.xml
