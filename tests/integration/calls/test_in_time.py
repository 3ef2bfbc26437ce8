"""Every step once, and every answer in time, whatever stalls."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

from api.channels.voice import prompts, steps, turns
from api.channels.voice.tables import Call, Step
from api.conversations.engine import Engine
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.tickets.tables import Ticket
from tests.integration.caller import Caller
from tests.integration.calls.talk import ZH, bot, customer_lines, owner, stall
from tests.integration.stand_in import Rasa, Server


async def test_a_replayed_step_does_nothing_and_gives_the_same(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    action = zh.action
    heard = [(await zh.post(action, SpeechResult="停电", Confidence="0.9")).xml for _ in range(3)]
    heard += [
        one.xml
        for one in await asyncio.gather(*(zh.post(action, SpeechResult="停电", Confidence="0.9") for _ in range(5)))
    ]
    assert len(set(heard)) == 1
    assert await customer_lines(database, zh) == ["停电"]
    assert len(rasa.asked) == 1
    first = {(await zh.post("/voice/incoming")).xml for _ in range(3)}
    assert len(first) == 1
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Conversation)) == 1


async def test_copies_at_once_make_one_turn(
    zh: Caller,
    rasa: Rasa,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As if they came to different processes: none knows of the others' work."""
    monkeypatch.setattr(steps, "_running", Forgetful())
    action = zh.action
    heard = await asyncio.gather(*(zh.post(action, SpeechResult="停电", Confidence="0.9") for _ in range(4)))
    assert len({one.xml for one in heard}) == 1
    assert await customer_lines(database, zh) == ["停电"]
    assert len(rasa.asked) == 1


class Forgetful(dict[Any, Any]):
    def get(self, key: Any, default: Any = None) -> Any:
        return default


async def test_two_calls_from_one_number_do_not_mix(
    client: httpx.AsyncClient,
    rasa: Rasa,
    engine: Engine,
    database: Database,
) -> None:
    one, two = Caller(client), Caller(client)
    await asyncio.gather(one.dial(), two.dial())
    await asyncio.gather(one.press("1"), two.press("2"))
    await asyncio.gather(one.say("停电"), two.say("my power is off"))
    assert "echo停电" in one.said
    assert "echo my power is off" in two.said
    assert await customer_lines(database, one) == ["停电"]
    assert await customer_lines(database, two) == ["my power is off"]


async def test_a_slow_bot_is_held_for(
    zh: Caller,
    rasa: Rasa,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "BOT_SECONDS", 0.2)
    answer = asyncio.Event()

    async def late(_body: dict[str, Any]) -> dict[str, Any]:
        await answer.wait()
        return bot("请问地址是？", expects="place")

    rasa.script["停电"] = late
    action = zh.action
    await zh.go(action, follow=False, SpeechResult="停电", Confidence="0.9")
    assert "请稍等" in zh.said
    held = zh.heard
    assert held.redirect.startswith("/voice/turn?step=2")
    assert "wait=1" in held.redirect
    again = await zh.post(held.redirect)
    assert "wait=2" in again.redirect
    answer.set()
    await zh.go(again.redirect)
    assert "请问地址是" in zh.said
    assert (await zh.post(action, SpeechResult="停电", Confidence="0.9")).xml == held.xml
    assert (await zh.post(held.redirect)).xml == again.xml


async def test_a_person_is_offered_while_the_bot_is_away(
    zh: Caller,
    server: Server,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "BOT_SECONDS", 0.05)
    await server.stop()
    await zh.say("停电")
    assert zh.heard.gather["input"] == "dtmf"
    assert "转人工请按零" in zh.said
    await zh.press("0")
    assert await owner(database, zh) == "waiting"


async def test_a_stalled_database_gets_an_apology_and_nothing_is_lost(
    zh: Caller,
    rasa: Rasa,
    database: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(steps, "DEADLINE", 0.4)
    rasa.always("停电", bot("请问地址是？", expects="place"))
    action = zh.action
    let_go = await stall(database, database_url, zh.sid)
    began = time.monotonic()
    await zh.go(action, follow=False, SpeechResult="停电", Confidence="0.9")
    assert time.monotonic() - began < 1.5
    assert "请您不要挂机" in zh.said
    assert zh.heard.voices == {ZH}
    assert "sorry=1" in zh.heard.redirect
    await zh.go(zh.heard.redirect, follow=False)
    assert "sorry=2" in zh.heard.redirect
    await let_go()
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    await zh.go(zh.heard.redirect)
    assert "请问地址是" in zh.said
    assert await customer_lines(database, zh) == ["停电"]
    assert len(rasa.asked) == 1


async def test_danger_is_answered_without_a_database(
    zh: Caller, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "DEADLINE", 0.4)
    action = zh.action
    let_go = await stall(database, database_url, zh.sid)
    await zh.go(action, follow=False, SpeechResult="着火了，电线在冒烟", Confidence="0.9")
    assert zh.said.strip().startswith("请马上离开")
    assert "在安全的地方的话" in zh.said
    assert zh.heard.redirect
    await let_go()
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    await zh.go(zh.heard.redirect)
    async with database.read() as session:
        assert (await session.scalars(select(Ticket))).one().priority == 1


async def test_what_never_reached_the_database_is_asked_for_again(
    zh: Caller,
    rasa: Rasa,
    database: Database,
) -> None:
    """The process that had the words is gone: another one gets the redirect of the apology."""
    step = zh.action
    await zh.go(f"{step}&sorry=1")
    assert "再说一遍" in zh.said
    assert "有什么可以帮您" in zh.said
    assert zh.action == step
    await zh.say("停电")
    assert "echo停电" in zh.said
    assert await customer_lines(database, zh) == ["停电"]


async def test_a_stalled_database_at_the_first_ring(
    client: httpx.AsyncClient, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "DEADLINE", 0.3)
    caller = Caller(client)
    async with database.write() as session, session.begin():
        lock = "UPDATE voice_calls SET slow = slow" if database.is_sqlite else "LOCK TABLE voice_calls"
        await session.execute(text(lock))
        await caller.dial(follow=False)
        assert "不要挂机" in caller.said
        assert "stay on the line" in caller.said
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    await caller.go(caller.heard.redirect)
    assert "自动助手" in caller.said
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Call)) == 1


async def test_what_is_broken_ends_with_an_apology(zh: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("no words")

    monkeypatch.setattr(prompts, "ask", broken)
    await zh.silence()
    assert "请您不要挂机" in zh.said
    assert zh.heard.verbs[-1] == "Hangup"


async def test_steps_are_kept_by_call(zh: Caller, database: Database) -> None:
    async with database.read() as session:
        kept = (await session.scalars(select(Step.step).where(Step.call_sid == zh.sid))).all()
    assert sorted(kept) == ["incoming", "turn:1"]
