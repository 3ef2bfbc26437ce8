"""To whom bulletins are told: once, before the bot's answer, and never while an agent speaks. On both databases."""

import asyncio
import sqlite3
from dataclasses import replace
from datetime import datetime

import asyncpg
import httpx
import pytest
from sqlalchemy import event, select

from api.bulletins import board as known
from api.bulletins.telling import keep_telling, tell_live
from api.conversations import queue
from api.conversations.bell import BULLETINS, CHANNEL, hear_other_processes
from api.conversations.rasa import Said
from api.conversations.tables import Conversation, Message
from api.db.engine import Database
from api.outbox.tables import Delivery
from tests.integration.bulletin_board import Board, at, lay_network, rfc
from tests.integration.conftest import START, Clock
from tests.integration.stand_in import eventually
from tests.integration.test_agents import created, token
from tests.integration.test_web_channel import Chat, open_chat

ANSWER = ("bot", "the answer")


@pytest.fixture
async def board(client: httpx.AsyncClient, database: Database, clock: Clock, service: dict[str, str]) -> Board:
    await lay_network(database)
    return Board(client, database, clock, service)


@pytest.fixture
async def chat(client: httpx.AsyncClient) -> Chat:
    return await open_chat(client, "en")


async def texts(chat: Chat) -> list[str]:
    return [message["text"] for message in (await chat.news())["messages"]]


def note(word: str) -> tuple[str, str]:
    return "system", f"Please note: {word} is coming."


async def test_what_is_for_everybody_comes_with_the_first_answer_and_once(
    board: Board, client: httpx.AsyncClient
) -> None:
    await board.publish("Wind")
    zh, en = await open_chat(client, "zh"), await open_chat(client, "en")
    assert await board.turn(en) == [note("Wind"), ANSWER]
    assert await board.turn(zh, text="你好") == [("system", "请注意：Wind来了。"), ANSWER]
    assert await board.turn(en) == [ANSWER]
    await board.publish("Rain")
    assert await board.turn(en) == [note("Rain"), ANSWER]
    assert await board.turn(en) == [ANSWER]


async def test_an_area_hears_of_it_as_soon_as_the_place_is_known(board: Board, client: httpx.AsyncClient) -> None:
    await board.publish("Works", asset_id="line_a")
    here, there = await open_chat(client), await open_chat(client)
    assert await board.turn(here) == [ANSWER]
    assert await board.turn(here, at("sp_he_2")) == [note("Works"), ANSWER]
    assert await board.turn(here, at("sp_he_2")) == [ANSWER]
    assert await board.turn(there, at("sp_wan_1")) == [ANSWER]
    # The customer asks for another place.
    assert await board.turn(there, at("", "he")) == [note("Works"), ANSWER]


async def test_a_place_known_from_before_counts(board: Board, chat: Chat) -> None:
    await board.turn(chat, at("sp_he_1"))
    await board.publish("Works", place_id="he")
    assert await board.turn(chat, None) == [note("Works"), ANSWER]


@pytest.mark.parametrize("sheet", [{}, {"place": None}, {"place": "he"}, {"place": {"service_point_id": 7}}, at("x")])
async def test_a_sheet_that_names_no_place_tells_nothing(board: Board, chat: Chat, sheet: dict[str, object]) -> None:
    await board.publish("Works", place_id="he")
    assert await board.turn(chat, sheet) == [ANSWER]


async def test_three_at_a_time(board: Board, chat: Chat, clock: Clock) -> None:
    for word in ("A", "B", "C", "D"):
        await board.publish(word)
        clock.advance(minutes=1)
    assert await board.turn(chat) == [note("D"), note("C"), note("B"), ANSWER]
    assert await board.turn(chat) == [note("A"), ANSWER]


async def test_what_is_over_or_withdrawn_is_not_told(board: Board, chat: Chat, clock: Clock) -> None:
    await board.publish("Old", ends_at=rfc(clock.now.replace(hour=7)))
    await board.withdraw(await board.publish("Gone"))
    await board.publish("Later", starts_at=rfc(START.replace(hour=8)), ends_at=rfc(START.replace(hour=9)))
    clock.advance(hours=1, minutes=30)
    assert await board.turn(chat) == [ANSWER]


async def test_danger_and_silent_turns_bring_no_news(board: Board, chat: Chat, database: Database) -> None:
    await board.publish("Wind")
    claim = await board.accept(chat)
    danger = replace(claim, payload={**claim.payload, "danger": {"kind": "fire"}})
    await queue.finish(database, danger, (Said("the answer", ()),), board.clock())
    assert await board.turn(chat, at(journey="hazard")) == [ANSWER]
    silent = await board.accept(chat)
    await queue.finish(database, silent, (), board.clock())
    assert await board.told(chat) == set()
    assert await board.turn(chat, at(journey="outage")) == [note("Wind"), ANSWER]


async def test_a_turn_that_was_lost_told_nothing(board: Board, chat: Chat, database: Database) -> None:
    await board.publish("Wind")
    lost = await board.accept(chat)
    assert not await queue.finish(database, replace(lost, fence=lost.fence + 1), (Said("x", ()),), board.clock())
    assert await board.told(chat) == set()
    assert await queue.fail(database, lost, board.clock())
    sorry = (await chat.news())["messages"][-2:]
    assert [line["from"] for line in sorry] == ["system", "bot"]
    assert "Wind" in sorry[0]["text"]
    assert await board.turn(chat) == [ANSWER]


async def test_an_agent_s_conversation_hears_it_afterwards(
    board: Board, chat: Chat, client: httpx.AsyncClient, database: Database, service: dict[str, str]
) -> None:
    await created(client, service)
    lin = await token(client)
    await board.turn(chat, at("sp_he_1"))
    under_way = await board.accept(chat)
    assert (await client.post(f"/api/v1/conversations/{chat.id}/claim", json={}, headers=lin)).status_code == 200
    await board.publish("Wind")
    await board.publish("Works", place_id="he")
    before = await texts(chat)
    assert not await queue.finish(database, under_way, (Said("x", ()),), board.clock(), sheet=at("sp_he_1"))
    assert await tell_live(database, board.clock()) == 0
    assert await texts(chat) == before
    assert (await client.post(f"/api/v1/conversations/{chat.id}/release", json={}, headers=lin)).status_code == 200
    assert await board.turn(chat, at("sp_he_1")) == [note("Wind"), note("Works"), ANSWER]


async def test_who_talks_to_us_from_there_hears_it_at_once(
    board: Board, client: httpx.AsyncClient, database: Database, clock: Clock
) -> None:
    names = ("bot", "waiting", "agent", "voice", "calling", "elsewhere", "unknown", "closed", "danger", "asleep")
    chats = {name: await open_chat(client) for name in names}
    known = at("sp_he_1")
    await board.remember(chats["asleep"], known)
    clock.advance(minutes=31)
    for name, chat in chats.items():
        if name != "asleep":
            await board.turn(chat, at("sp_wan_1") if name == "elsewhere" else {} if name == "unknown" else known)
    await board.remember(chats["waiting"], None, owner="waiting", waiting_since=clock())
    await board.remember(chats["agent"], None, owner="agent")
    await board.remember(chats["voice"], None, channel="voice")
    await board.remember(chats["calling"], None, channel="voice", owner="waiting", waiting_since=clock())
    await board.remember(chats["closed"], None, closed_at=clock())
    await board.remember(chats["danger"], at("sp_he_1", journey="hazard"))
    await board.publish("Everybody")
    assert await tell_live(database, clock()) == 0
    await board.publish("Works", asset_id="line_a")
    later = await board.publish("Later", place_id="he", starts_at=rfc(START.replace(hour=7)))
    assert await tell_live(database, clock()) == 3
    assert await tell_live(database, clock()) == 0
    heard = {name for name, chat in chats.items() if note("Works")[1] in await texts(chat)}
    assert heard == {"bot", "waiting", "calling"}
    assert await board.turn(chats["bot"], known) == [note("Everybody"), ANSWER]
    clock.advance(minutes=29)
    assert await tell_live(database, clock()) == 3
    assert later in await board.told(chats["bot"])


async def test_the_chore_and_a_turn_at_once_tell_it_once(board: Board, chat: Chat, database: Database) -> None:
    await board.turn(chat, at("sp_he_1"))
    for number in range(5):
        word = f"Works {number}"
        claim = await board.accept(chat)
        await board.publish(word, place_id="he")
        await asyncio.gather(
            tell_live(database, board.clock()),
            queue.finish(database, claim, (Said("the answer", ()),), board.clock(), sheet=at("sp_he_1")),
            tell_live(database, board.clock()),
        )
        assert (await texts(chat)).count(note(word)[1]) == 1


async def test_followers_are_pushed_it_before_the_answer(board: Board, chat: Chat, database: Database) -> None:
    await board.remember(chat, None, channel="wechat", deliver_to="o6_follower")
    await board.publish("Wind")
    await board.turn(chat)
    async with database.read() as session:
        query = select(Delivery).join(Message, Message.id == Delivery.message_id).order_by(Delivery.id)
        assert [d.body["text"] for d in await session.scalars(query)] == [note("Wind")[1], "the answer"]


async def test_the_chore_tells_when_the_bell_rings(board: Board, chat: Chat, database: Database) -> None:
    await board.turn(chat, at("sp_he_1"))
    chore = asyncio.create_task(keep_telling(database, board.clock))
    try:
        await asyncio.sleep(0)
        await board.publish("Works", place_id="he")

        async def told() -> bool:
            return note("Works")[1] in await texts(chat)

        await eventually(told)
    finally:
        chore.cancel()


async def test_what_another_front_desk_publishes_is_told(
    board: Board, chat: Chat, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By LISTEN and NOTIFY where there are several processes on one database; else what is known expires."""
    if database.is_sqlite:
        monkeypatch.setattr(known, "EXPIRY", -1.0)
    async with hear_other_processes(database):
        assert await board.turn(chat) == [ANSWER]  # now this process knows that there are none
        row = ("bl_x", "大风", "Wind is coming.", START, START.replace(hour=7), "service", START)
        insert = "INSERT INTO bulletins (id, text_zh, text_en, starts_at, ends_at, created_by, created_at) VALUES"
        if database.is_sqlite:
            with sqlite3.connect(database_url.partition("///")[2]) as writer:
                naive = [at.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(at, datetime) else at for at in row]
                writer.execute(f"{insert} (?, ?, ?, ?, ?, ?, ?)", naive)
            writer.close()
        else:
            listens = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
            other = await asyncpg.connect(database_url.replace("postgresql+asyncpg", "postgresql"))

            async def heard() -> bool:
                return bool(await other.fetchval(listens))

            await eventually(heard)
            await other.execute(f"{insert} ($1, $2, $3, $4, $5, $6, $7)", *row)
            await other.execute(f"NOTIFY {CHANNEL}, '{BULLETINS}'")
            await other.close()

        async def told() -> bool:
            return note("Wind") in await board.turn(chat)

        await eventually(told)


async def test_without_bulletins_a_turn_costs_no_statement_more(board: Board, chat: Chat, database: Database) -> None:
    statements: list[str] = []

    @event.listens_for(database.engine.sync_engine, "before_cursor_execute")
    def count(_c: object, _u: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    await board.turn(chat, at("sp_he_1"))
    claim = await board.accept(chat)
    statements.clear()
    await queue.finish(database, claim, (Said("the answer", ()),), board.clock(), sheet=at("sp_he_1"))
    assert not [s for s in statements if "bulletins" in s or "service_points" in s], statements
    async with database.read() as session:
        assert (await session.get_one(Conversation, chat.id)).owner == "bot"
