"""The turn engine against a small HTTP server that speaks the protocol of Rasa's channel."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.responses import JSONResponse, Response

from api.conversations import queue
from api.conversations.engine import Engine
from api.conversations.rasa import Said
from api.conversations.tables import Conversation, Turn
from api.conversations.transcript import lock_conversation
from api.db.engine import Database
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.stand_in import Answer, Rasa, Server, eventually, said
from tests.integration.test_web_channel import Chat, open_chat


@pytest.fixture
async def chat(client: httpx.AsyncClient) -> Chat:
    return await open_chat(client)


async def idle(chat: Chat, after: int = 0) -> list[dict[str, Any]]:
    """The messages after `after`, once the bot has nothing more to do."""

    async def done() -> bool:
        return not (await chat.news(after))["busy"]

    await eventually(done)
    messages: list[dict[str, Any]] = (await chat.news(after))["messages"]
    return messages


async def turn_of(database: Database, chat: Chat) -> Turn:
    """The conversation's newest turn."""
    async with database.read() as session:
        query = select(Turn).where(Turn.conversation_id == chat.id).order_by(Turn.seq.desc()).limit(1)
        return (await session.scalars(query)).one()


async def test_a_message_is_answered(engine: Engine, rasa: Rasa, chat: Chat) -> None:
    rasa.always(
        "hello", {**said("Hello."), "messages": [{"text": "Yes?", "choices": [{"label": "A", "payload": "/a"}]}]}
    )
    await chat.send("1", "hello")
    answer = (await idle(chat, 2))[0]
    assert (answer["from"], answer["text"]) == ("bot", "Yes?")
    assert [c["label"] for c in answer["choices"]] == ["A"]
    await chat.send("2", choice=answer["choices"][0]["token"])
    assert (await idle(chat, 4))[0]["text"] == "echo /a"
    first, second = rasa.asked
    message_id = first["message_id"]
    assert first == {
        "sender": f"{chat.id}.1",
        "message_id": message_id,
        "message": "hello",
        "metadata": {
            "conversation_id": chat.id,
            "message_id": message_id,
            "fence": 1,
            "language": "en",
            "channel": "web",
            "choice": False,
            "danger": None,
        },
    }
    assert second["metadata"]["choice"] is True


async def test_turns_of_a_conversation_never_overlap(
    desk_settings: Settings, database: Database, clock: Clock, rasa: Rasa, client: httpx.AsyncClient
) -> None:
    """Two front desks on one database: every message is answered once, one at a time, in order."""
    engines = [Engine(desk_settings.model_copy(update={"turn_workers": 4}), database, clock) for _ in range(2)]
    chats = [await open_chat(client) for _ in range(5)]

    async def slowly(body: dict[str, Any]) -> Answer:
        await asyncio.sleep(0.005)
        return said(f"echo {body['message']}")

    for n in range(6):
        rasa.script[f"message {n}"] = slowly
    for engine in engines:
        engine.start()
    await asyncio.gather(*(chat.send(str(n), f"message {n}") for chat in chats for n in range(6)))
    for chat in chats:
        lines = await idle(chat, 1)
        typed = [line["text"] for line in lines if line["from"] == "customer"]
        assert [line["text"] for line in lines if line["from"] == "bot"] == [f"echo {text}" for text in typed]
        assert len(typed) == 6
    assert rasa.overlaps == 0
    assert len(rasa.asked) == len({body["message_id"] for body in rasa.asked}) == 30
    for engine in engines:
        await engine.stop()


async def test_a_crashed_desk_s_turn_is_taken_over(
    desk_settings: Settings, database: Database, clock: Clock, rasa: Rasa, chat: Chat
) -> None:
    reached, never = asyncio.Event(), asyncio.Event()

    async def hang_once(body: dict[str, Any]) -> Answer:
        if not reached.is_set():
            reached.set()
            await never.wait()
        return said("answered")

    rasa.script["hello"] = hang_once
    first = Engine(desk_settings.model_copy(update={"turn_seconds": 60.0}), database, clock)
    first.start()
    await chat.send("1", "hello")
    await reached.wait()
    await first.crash()
    never.set()
    second = Engine(desk_settings, database, clock)
    second.start()
    assert await queue.claim(database, "third", clock(), 6) == [], "its lease has not run out yet"
    clock.advance(seconds=63)
    assert [m["text"] for m in await idle(chat, 2)] == ["answered"]
    assert [(b["message_id"], b["metadata"]["fence"]) for b in rasa.asked] == [
        (rasa.asked[0]["message_id"], 1),
        (rasa.asked[0]["message_id"], 2),
    ]
    await second.stop()


async def test_a_desk_that_stops_gives_its_turn_back(
    desk_settings: Settings, database: Database, clock: Clock, rasa: Rasa, chat: Chat
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_body: dict[str, Any]) -> Answer:
        reached.set()
        await go_on.wait()
        return said("answered")

    rasa.script["hello"] = slow
    first, second = (Engine(desk_settings.model_copy(update={"turn_seconds": 60.0}), database, clock) for _ in range(2))
    first.start()
    await chat.send("1", "hello")
    await reached.wait()
    await first.stop()
    go_on.set()
    second.start()
    assert [m["text"] for m in await idle(chat, 2)] == ["answered"]
    await second.stop()


async def test_who_lost_a_turn_can_neither_finish_it_nor_write(
    database: Database, clock: Clock, client: httpx.AsyncClient, chat: Chat
) -> None:
    await chat.send("1", "hello")
    (old,) = await queue.claim(database, "one", clock(), 6)
    assert await queue.claim(database, "two", clock(), 6) == []
    clock.advance(seconds=7)
    (new,) = await queue.claim(database, "two", clock(), 6)
    assert (old.message_id, old.fence + 1) == (new.message_id, new.fence)
    assert not await queue.finish(database, old, (Said("from the dead", ()),), clock())
    assert await queue.put_back(database, old, clock(), lost=True)

    async def hand_over(fence: int) -> httpx.Response:
        headers = {
            "Authorization": "Bearer bot-token",
            "X-Conversation-Id": chat.id,
            "X-Message-Id": old.message_id,
            "X-Turn-Fence": str(fence),
            "Idempotency-Key": f"{old.message_id}:{fence}",
        }
        return await client.post(
            f"/api/v1/conversations/{chat.id}/contact-records", json={"kind": "x"}, headers=headers
        )

    refused = await hand_over(old.fence)
    assert (refused.status_code, refused.json()["type"]) == (409, "turn-given-up")
    assert (await hand_over(new.fence)).status_code == 201
    assert await queue.finish(database, new, (Said("alive", ()),), clock())
    assert (await hand_over(new.fence)).status_code == 409, "the turn is over"
    assert [m["text"] for m in (await chat.news(2))["messages"]] == ["alive"]


async def test_while_rasa_is_away_the_customer_is_told_once_and_answered_later(
    engine: Engine, server: Server, rasa: Rasa, chat: Chat, clock: Clock, database: Database
) -> None:
    await server.stop()
    await chat.send("1", "hello")
    await chat.send("2", "still there?")

    def tried(times: int) -> Callable[[], Awaitable[bool]]:
        async def check() -> bool:
            async with database.read() as session:
                turn = (await session.scalars(select(Turn).where(Turn.seq == 2))).one()
            return turn.state == "queued" and turn.attempts == times

        return check

    for attempt, pause in enumerate([0.5, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0], 1):
        await eventually(tried(attempt))
        told = [m for m in (await chat.news(3))["messages"] if m["from"] == "system"]
        assert len(told) == (1 if attempt >= 4 else 0), attempt
        clock.advance(seconds=pause)
    assert "kept" in told[0]["text"]
    assert (await chat.news())["busy"] is True
    await server.start()
    lines = await idle(chat, 4)
    assert [(m["from"], m["text"]) for m in lines] == [("bot", "echo hello"), ("bot", "echo still there?")]


async def test_a_customer_in_a_crowd_is_told_of_the_delay(
    desk_settings: Settings, database: Database, clock: Clock, rasa: Rasa, client: httpx.AsyncClient
) -> None:
    go_on = asyncio.Event()

    async def wait(body: dict[str, Any]) -> Answer:
        await go_on.wait()
        return said("done")

    rasa.script["hello"] = wait
    engine = Engine(desk_settings.model_copy(update={"turn_seconds": 60.0, "turn_workers": 1}), database, clock)
    engine.start()
    first, second = [await open_chat(client) for _ in range(2)]
    await first.send("1", "hello")

    async def asked() -> bool:
        return len(rasa.asked) == 1

    await eventually(asked)
    await second.send("1", "hello")
    clock.advance(seconds=2)
    await queue.tell_delays(database, clock())
    assert (await second.news(2))["messages"] == []
    clock.advance(seconds=2)
    (told,) = (await second.news(2, wait=5))["messages"]
    assert told["from"] == "system"
    await queue.tell_delays(database, clock())
    go_on.set()
    assert [m["text"] for m in await idle(second, 3)] == ["done"]
    assert [m["text"] for m in await idle(first, 2)] == ["done"]
    await engine.stop()


FAILURES: dict[str, Any] = {
    "failed": said(failed=True),
    "words and failed": said("All done!", failed=True),
    "empty": said(),
    "not json": Response("<html>", 200),
    "other json": JSONResponse([{"text": "hi"}]),
    "no text": JSONResponse({"messages": [{"text": "", "choices": []}]}),
    "status 500": Response("oops", 500),
    "status 401": Response("", 401),
}


@pytest.mark.parametrize("kind", [*FAILURES, "slow"])
async def test_a_failure_is_told_honestly(engine: Engine, rasa: Rasa, chat: Chat, kind: str) -> None:
    async def slow(_body: dict[str, Any]) -> Answer:
        await asyncio.sleep(5)
        return said("too late")

    if kind == "slow":
        rasa.script["file a report"] = slow
    else:
        rasa.always("file a report", FAILURES[kind])
    await chat.send("1", "file a report")
    (told,) = await idle(chat, 2)
    assert told["from"] == "bot"
    assert "did not work" in told["text"]
    assert [c["label"] for c in told["choices"]] == ["Try again", "Talk to a person"]
    rasa.always("file a report", said("done"))
    await chat.send("2", choice=told["choices"][0]["token"])
    assert [m["text"] for m in await idle(chat, 3)] == ["Try again", "done"]
    assert rasa.asked[0]["message_id"] != rasa.asked[1]["message_id"]
    await chat.send("3", choice=told["choices"][1]["token"])
    queued = (await chat.news(6))["messages"][-1]
    assert queued["from"] == "system"
    assert (await chat.news())["owner"] == "waiting"
    assert len(rasa.asked) == 2, "a person is reached without Rasa"


async def test_a_silent_turn_says_nothing(engine: Engine, rasa: Rasa, chat: Chat, database: Database) -> None:
    rasa.always("hello", said(silent=True))
    await chat.send("1", "hello")
    assert await idle(chat, 2) == []
    assert (await turn_of(database, chat)).state == "done"


async def test_a_rasa_that_dies_under_every_try_counts_as_failed(
    database: Database, clock: Clock, chat: Chat, engine: Engine, server: Server, rasa: Rasa
) -> None:
    class Broken(Response):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
            await send({"type": "http.response.body", "body": b"{", "more_body": False})

    rasa.always("hello", Broken())
    await chat.send("1", "hello")

    async def tell() -> bool:
        """Time passes only while a retry is waited for: a lease must not run out under a slow machine's try."""
        if (await turn_of(database, chat)).state == "queued":
            clock.advance(seconds=1)
        return not (await chat.news())["busy"]

    await eventually(tell)
    assert "did not work" in (await chat.news(2))["messages"][-1]["text"]
    assert len(rasa.asked) == 3


async def own(database: Database, chat: Chat, owner: str) -> None:
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, chat.id)
        assert conversation is not None
        conversation.owner = owner


async def test_replies_of_a_conversation_that_an_agent_took_are_thrown_away(
    database: Database, clock: Clock, chat: Chat
) -> None:
    await chat.send("1", "hello")
    (claim,) = await queue.claim(database, "one", clock(), 6)
    await own(database, chat, "agent")
    assert not await queue.finish(database, claim, (Said("me too", ()),), clock())
    assert (await chat.news(2))["messages"] == []
    assert (await turn_of(database, chat)).state == "dropped"


async def test_a_reopened_conversation_is_a_new_one_to_rasa(
    engine: Engine, rasa: Rasa, chat: Chat, app: FastAPI, client: httpx.AsyncClient, service: dict[str, str]
) -> None:
    await chat.send("1", "hello")
    await idle(chat, 2)
    closed = await client.post(f"/api/v1/conversations/{chat.id}/close", json={}, headers=service)
    assert closed.status_code == 200, closed.text
    assert closed.json()["closed_at"]
    await chat.send("2", "hello again")
    assert (await idle(chat, 5))[-1]["text"] == "echo hello again"
    assert [b["sender"] for b in rasa.asked] == [f"{chat.id}.1", f"{chat.id}.2"]
    async with app.state.database.read() as session:
        conversation = await session.get_one(Conversation, chat.id)
    assert (conversation.closed_at, conversation.owner, conversation.episode) == (None, "bot", 2)
