"""While an agent owns a conversation the bot is silent: typed commands, turns in flight, restarts, a lost database."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.engine import make_url

from api.conversations.engine import Engine
from api.db.engine import Database
from api.main import lifespan
from api.settings import Settings
from tests.integration.conftest import Clock, run_sql
from tests.integration.queues.conftest import said
from tests.integration.stand_in import Rasa, Server, eventually
from tests.integration.stand_in import said as answer
from tests.integration.test_ownership import Desk
from tests.integration.test_web_channel import Chat, open_chat

TYPED = ("hello", "/restart", "/session_start", '/inform{"language":"zh"}', "/resume_bot", "人工", "back to the bot")


@pytest.fixture
def settings(settings: Settings, server: Server) -> Settings:
    return settings.model_copy(update={"port": server.port - 10_000, "turn_seconds": 4.0})


def of_bot(lines: list[tuple[str, str]]) -> list[str]:
    return [text for who, text in lines if who == "bot"]


async def proves_alive(client: httpx.AsyncClient, rasa: Rasa) -> None:
    """Another customer is answered now: the bot works, and had its chance to talk."""
    other = await open_chat(client)
    assert (await other.send("1", "another customer")).status_code == 202

    async def answered() -> bool:
        return of_bot(await said(other)) == ["echo another customer"]

    await eventually(answered)


async def test_typed_commands(desk: Desk, chat: Chat, engine: Engine, rasa: Rasa, client: httpx.AsyncClient) -> None:
    await desk.act(chat, "claim")
    for n, words in enumerate(TYPED):
        assert (await chat.send(str(n), words)).status_code == 202
    await proves_alive(client, rasa)
    assert of_bot(await said(chat)) == []
    assert {body["message"] for body in rasa.asked} == {"another customer"}, "Rasa hears nothing of it"


async def test_a_turn_in_flight(desk: Desk, chat: Chat, engine: Engine, rasa: Rasa, client: httpx.AsyncClient) -> None:
    """The agent claims while Rasa thinks; its answer comes after that."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_body: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        await go_on.wait()
        return answer("too late")

    rasa.script["help"] = slowly
    await chat.send("1", "help")
    await asked.wait()
    await chat.send("2", "more")
    assert (await desk.act(chat, "claim")).status_code == 200
    go_on.set()
    await proves_alive(client, rasa)
    lines = await said(chat)
    assert of_bot(lines) == []
    assert [who for who, _ in lines] == ["customer", "customer", "system"]
    assert "more" not in {body["message"] for body in rasa.asked}


async def test_restarts(
    desk: Desk,
    chat: Chat,
    settings: Settings,
    database: Database,
    clock: Clock,
    rasa: Rasa,
    server: Server,
    client: httpx.AsyncClient,
) -> None:
    """The desk is killed in the middle of a turn, Rasa goes away and comes back, and an agent claims in between."""
    asked = asyncio.Event()

    async def never(_body: dict[str, Any]) -> dict[str, Any]:
        asked.set()
        await asyncio.sleep(3600)
        return answer("never")

    rasa.script["help"] = never
    first = Engine(settings, database, clock)
    first.start()
    await chat.send("1", "help")
    await asked.wait()
    await first.crash()
    await server.stop()
    assert (await desk.act(chat, "claim")).status_code == 200
    await chat.send("2", "/restart")
    clock.advance(seconds=30)  # the lease of the lost turn is over
    second = Engine(settings, database, clock)
    second.start()
    rasa.script.clear()
    await server.start()
    await chat.send("3", "hello?")
    await proves_alive(client, rasa)
    await second.stop()
    third = Engine(settings, database, clock)
    third.start()
    await proves_alive(client, rasa)
    await third.stop()
    assert of_bot(await said(chat)) == []
    assert (await desk.act(chat, "reply", text="It is me.")).status_code == 201


@asynccontextmanager
async def no_database(database_url: str, database: Database) -> AsyncIterator[None]:
    """PostgreSQL refuses everybody and throws out who is there; SQLite is held by another program."""
    url = make_url(database_url)
    if database.is_sqlite:
        holder = sqlite3.connect(url.database or "", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        return
    server = url.set(drivername="postgresql", database="postgres").render_as_string(hide_password=False)
    throw_out = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{url.database}'"
    await run_sql(server, f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false", throw_out)
    try:
        yield
    finally:
        await run_sql(server, f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")


async def test_the_database_away_for_a_while(
    desk: Desk, chat: Chat, app: FastAPI, database_url: str, database: Database, rasa: Rasa, client: httpx.AsyncClient
) -> None:
    """The whole desk runs, with its chores. Nothing is acknowledged meanwhile; the page sends it again."""

    async def send(n: int, words: str) -> bool:
        try:
            return (await chat.send(str(n), words)).status_code == 202
        except Exception:  # noqa: BLE001 whatever the driver makes of it
            return False

    async with lifespan(app):
        await proves_alive(client, rasa)
        assert (await desk.act(chat, "claim")).status_code == 200
        async with no_database(database_url, database):
            tries = [asyncio.create_task(send(n, words)) for n, words in enumerate(TYPED)]
            done, _ = await asyncio.wait(tries, timeout=1)
            assert not any(each.result() for each in done)
        await asyncio.gather(*tries)
        for n, words in enumerate(TYPED):
            await eventually(partial(send, n, words))
        await proves_alive(client, rasa)
        lines = await said(chat)
    assert of_bot(lines) == []
    assert sorted(text for who, text in lines if who == "customer") == sorted(TYPED)
