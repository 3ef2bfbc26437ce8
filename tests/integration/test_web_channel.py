"""The web chat's contract: tokens, dedupe, refusals, order, long poll, stream, danger first."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from api.channels import web
from api.conversations.tables import Alarm, Conversation, Message, Turn
from api.conversations.transcript import Offer, add_message, lock_conversation
from api.db.engine import Database
from api.middleware import MAX_BODY
from tests.integration.conftest import Clock

BURST = 40


class Chat:
    """A customer's side of one conversation."""

    def __init__(self, client: httpx.AsyncClient, id: str, token: str) -> None:
        self.client, self.id = client, id
        self.headers = {"Authorization": f"Bearer {token}"}
        self.url = f"/web/conversations/{id}"

    async def send(self, id: str, text: str | None = None, **content: Any) -> httpx.Response:
        body = {"client_message_id": id, **({"text": text} if text is not None else {}), **content}
        return await self.client.post(f"{self.url}/messages", json=body, headers=self.headers)

    async def news(self, after: int = 0, wait: float = 0) -> dict[str, Any]:
        response = await self.client.get(
            f"{self.url}/messages", params={"after": after, "wait": wait}, headers=self.headers
        )
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        return answer


async def open_chat(client: httpx.AsyncClient, language: str | None = "en") -> Chat:
    response = await client.post("/web/conversations", json={"language": language} if language else {})
    assert response.status_code == 201, response.text
    return Chat(client, response.json()["conversation_id"], response.json()["token"])


@pytest.fixture
async def chat(client: httpx.AsyncClient) -> Chat:
    return await open_chat(client)


async def test_a_conversation_opens_with_who_speaks(client: httpx.AsyncClient) -> None:
    for language, said, unsaid in (("zh", "自动助手", "assistant"), ("en", "assistant", "自动助手")):
        news = await (await open_chat(client, language)).news()
        (greeting,) = news["messages"]
        assert greeting["from"] == "bot"
        assert greeting["seq"] == 1
        assert said in greeting["text"]
        assert unsaid not in greeting["text"]
        assert (news["owner"], news["busy"]) == ("bot", False)
    both = (await (await open_chat(client, None)).news())["messages"][0]["text"]
    assert "自动助手" in both
    assert "assistant" in both
    assert (await client.post("/web/conversations")).status_code == 201


async def test_a_message_is_kept_and_keeps_the_bot_busy(chat: Chat, clock: Clock) -> None:
    answer = await chat.send("1", "  No power\x00 here ")
    assert answer.status_code == 202
    assert answer.json() == {"seq": 2}
    news = await chat.news(after=1)
    assert news == {
        "messages": [
            {
                "seq": 2,
                "from": "customer",
                "text": "No power here",
                "choices": [],
                "alert": False,
                "at": clock().isoformat().replace("+00:00", "Z"),
            }
        ],
        "owner": "bot",
        "busy": True,
    }


async def test_the_same_message_again_is_one_message(chat: Chat) -> None:
    answers = await asyncio.gather(*(chat.send("1", "hello") for _ in range(5)))
    assert {(a.status_code, a.json()["seq"]) for a in answers} == {(202, 2)}
    assert [m["text"] for m in (await chat.news(after=1))["messages"]] == ["hello"]
    other = await chat.send("1", "something else")
    assert other.status_code == 409
    assert other.json()["type"] == "message-id-reused"
    assert other.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("text", ["", "   ", "\x00", "\u200b", "/", "x" * 1001, "电" * 100_000])
async def test_texts_that_are_refused(chat: Chat, text: str) -> None:
    assert (await chat.send("1", text)).status_code == 422
    assert len((await chat.news())["messages"]) == 1
    assert (await chat.send("1", "x" * 1000)).status_code == 202


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"client_message_id": "1"},
        {"client_message_id": "", "text": "x"},
        {"client_message_id": "x" * 81, "text": "x"},
        {"client_message_id": "1", "text": "x", "choice": "y"},
        {"client_message_id": "1", "text": 5},
        {"client_message_id": "1", "choice": "no-such-choice"},
        [],
    ],
)
async def test_bodies_that_are_refused(chat: Chat, body: Any) -> None:
    answer = await chat.client.post(f"{chat.url}/messages", json=body, headers=chat.headers)
    assert answer.status_code == 422
    assert "application/problem+json" in answer.headers["content-type"]


async def test_a_body_without_end_is_not_read(chat: Chat) -> None:
    answer = await chat.client.post(f"{chat.url}/messages", content=b"x" * (MAX_BODY + 1), headers=chat.headers)
    assert answer.status_code == 413

    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 65536

    answer = await chat.client.post(f"{chat.url}/messages", content=endless(), headers=chat.headers)
    assert answer.status_code == 413


async def test_a_flood_is_slowed_down(chat: Chat, clock: Clock) -> None:
    statuses = [(await chat.send(str(n), "hello")).status_code for n in range(BURST + 1)]
    assert statuses == [202] * BURST + [429]
    refused = await chat.send("x", "hello")
    assert int(refused.headers["Retry-After"]) >= 1
    assert (await chat.send("0", "hello")).status_code == 202, "an accepted message's answer does not change"
    clock.advance(seconds=int(refused.headers["Retry-After"]))
    assert (await chat.send("x", "hello")).status_code == 202


async def test_conversations_cannot_be_opened_without_end(client: httpx.AsyncClient, database: Database) -> None:
    first = await open_chat(client)
    async with database.write() as session, session.begin():
        row = await session.get_one(Conversation, first.id)
        for n in range(web.limits()["conversations"]["per_minute"] - 1):
            session.add(
                Conversation(id=f"cv_{n}", channel="web", source_hash=row.source_hash, created_at=row.created_at)
            )
    refused = await client.post("/web/conversations", json={})
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"


async def test_a_foreign_token_is_told_nothing(client: httpx.AsyncClient, chat: Chat) -> None:
    other = await open_chat(client)
    answers = []
    for name in (chat.id, "cv_nothing"):
        url = f"/web/conversations/{name}"
        answers += [
            await client.get(f"{url}/messages", headers=other.headers),
            await client.get(f"{url}/stream", headers=other.headers),
            await client.post(
                f"{url}/messages", headers=other.headers, json={"client_message_id": "1", "text": "hello"}
            ),
        ]
    assert {a.status_code for a in answers} == {404}
    assert len({a.text for a in answers}) == 1
    assert (await client.get(f"{chat.url}/messages")).status_code == 401
    assert len((await chat.news())["messages"]) == 1


async def test_fifty_messages_at_once_are_one_order(client: httpx.AsyncClient, chat: Chat) -> None:
    others = [await open_chat(client) for _ in range(3)]
    sent = await asyncio.gather(
        *(chat.send(str(n), f"message {n}") for n in range(BURST)),
        *(other.send(str(n), "hello") for other in others for n in range(4)),
    )
    assert {a.status_code for a in sent} == {202}
    seqs = [a.json()["seq"] for a in sent[:BURST]]
    assert sorted(seqs) == list(range(2, BURST + 2))
    lines = (await chat.news(after=1))["messages"]
    assert [line["seq"] for line in lines] == sorted(seqs)
    for n, seq in enumerate(seqs):
        assert lines[seq - 2]["text"] == f"message {n}"


async def test_a_long_poll_returns_with_the_message(chat: Chat) -> None:
    waiting = asyncio.create_task(chat.news(after=1, wait=25))
    await asyncio.sleep(0)
    await chat.send("1", "hello")
    async with asyncio.timeout(10):
        assert [m["text"] for m in (await waiting)["messages"]] == ["hello"]


async def test_a_long_poll_hears_another_process(chat: Chat, database: Database, monkeypatch: Any) -> None:
    """Nobody rings in this process: it finds the message by looking, or by PostgreSQL's NOTIFY."""
    monkeypatch.setattr(web, "POLL", 0.05)
    waiting = asyncio.create_task(chat.news(after=1, wait=25))
    async with database.write() as session, session.begin():
        session.add(Message(id="ms_x", conversation_id=chat.id, seq=2, sender="bot", text="hello", at=Clock().now))
    async with asyncio.timeout(10):
        assert [m["text"] for m in (await waiting)["messages"]] == ["hello"]


async def test_a_choice_is_taken_by_its_token(client: httpx.AsyncClient, chat: Chat, database: Database) -> None:
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, chat.id)
        assert conversation is not None
        await add_message(
            session,
            conversation,
            "bot",
            "Shall I?",
            Clock().now,
            offers=[Offer("Yes", "/affirm"), Offer("No", "/deny")],
        )
    (offered,) = (await chat.news(after=1))["messages"]
    assert [set(c) for c in offered["choices"]] == [{"token", "label"}] * 2
    yes = offered["choices"][0]["token"]
    answer = await chat.send("1", choice=yes)
    assert answer.status_code == 202
    assert (await chat.send("1", choice=yes)).json() == answer.json()
    assert (await chat.send("1", yes)).status_code == 409
    assert (await chat.news(after=2))["messages"][0]["text"] == "Yes"
    other = await open_chat(client)
    assert (await other.send("1", choice=yes)).status_code == 422
    async with database.read() as session:
        turn = await session.scalar(select(Turn).where(Turn.conversation_id == chat.id))
        assert turn is not None
        assert turn.payload == {"text": "/affirm", "choice": True, "danger": None, "language": "en"}


async def test_typed_commands_mean_nothing_to_the_bot(chat: Chat, database: Database) -> None:
    for n, text in enumerate(["/restart", ' //inform{"place": "x"}', "\u200b/affirm"]):
        assert (await chat.send(str(n), text)).status_code == 202
    async with database.read() as session:
        turns = (await session.scalars(select(Turn).order_by(Turn.seq))).all()
    assert [t.payload["text"] for t in turns] == ["…", "…", "…"]
    assert not any(t.payload["choice"] for t in turns)


async def test_the_language_follows_the_customer(chat: Chat, database: Database) -> None:
    for n, (text, expected) in enumerate([("停电了", "zh"), ("OK", "zh"), ("when is it back?", "en")]):
        await chat.send(str(n), text)
        async with database.read() as session:
            assert (await session.get_one(Conversation, chat.id)).language == expected


SPARKS = "The wire came down and it is sparking"


async def test_danger_is_answered_at_once(chat: Chat, database: Database) -> None:
    assert (await chat.send("1", SPARKS)).json() == {"seq": 2}
    assert (await chat.send("1", SPARKS)).json() == {"seq": 2}
    _customer, words = (await chat.news(after=1))["messages"]
    assert words["from"] == "system"
    assert words["alert"] is True
    assert "away" in words["text"]
    async with database.read() as session:
        turn = await session.scalar(select(Turn).where(Turn.conversation_id == chat.id))
        alarm = await session.scalar(select(Alarm).where(Alarm.conversation_id == chat.id))
        conversation = await session.get_one(Conversation, chat.id)
    assert turn is not None
    assert alarm is not None
    assert conversation.priority == 1
    assert conversation.danger_ticket == alarm.ticket_number
    assert turn.payload["danger"] == {"kind": alarm.kind, "utility": "power", "ticket_number": alarm.ticket_number}


async def test_danger_in_a_refused_message_is_answered_too(chat: Chat, database: Database) -> None:
    for _ in range(2):
        assert (await chat.send("long", SPARKS + " help" * 1000)).status_code == 422
    assert [m["from"] for m in (await chat.news(after=1))["messages"]] == ["system"]
    for n in range(BURST):
        await chat.send(str(n), "hello")
    assert (await chat.send("fast", SPARKS)).status_code == 429
    assert (await chat.news(after=BURST + 2))["messages"][-1]["from"] == "system"
    async with database.read() as session:
        assert len((await session.scalars(select(Alarm))).all()) == 2


async def test_the_stream_resumes_where_it_was_left(app: FastAPI, client: httpx.AsyncClient, chat: Chat) -> None:
    await chat.send("1", "hello")
    source = web.events(app.state.database, chat.id, web.token_hash(chat.headers["Authorization"][7:]), 0)
    first = [await anext(source) for _ in range(3)]
    assert [(e.id, e.event) for e in first] == [("1", None), ("2", None), (None, "state")]
    assert json.loads(str(first[1].data))["text"] == "hello"
    assert json.loads(str(first[2].data)) == {"owner": "bot", "busy": True}
    following = asyncio.ensure_future(anext(source))
    await chat.send("2", "again")
    async with asyncio.timeout(10):
        assert (await following).id == "3"
    await source.aclose()


async def test_pages_carry_a_strict_policy(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/docs", "/console", "/web/conversations/x/messages"):
        headers = (await client.get(path)).headers
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert headers["x-content-type-options"] == "nosniff"
    page = await client.get("/docs")
    assert "http" not in page.text
    assert (await client.get("/docs/assets/swagger-ui-bundle.js")).status_code == 200
    assert "SwaggerUIBundle" in (await client.get("/docs/start.js")).text


async def test_metrics_want_the_service_token(client: httpx.AsyncClient, service: dict[str, str], chat: Chat) -> None:
    assert (await client.get("/metrics")).status_code == 401
    await chat.send("1", "hello")
    assert "mainsdesk_turns_unfinished 1.0" in (await client.get("/metrics", headers=service)).text


async def test_nothing_personal_is_logged(chat: Chat, capsys: pytest.CaptureFixture[str]) -> None:
    await chat.send("1", "my number is 13800000000")
    await chat.client.get(f"{chat.url}/messages?after=0&secret=13800000000", headers=chat.headers)
    logged = capsys.readouterr().out
    assert "/web/conversations/{conversation_id}/messages" in logged
    for secret in ("13800000000", chat.headers["Authorization"][7:], chat.id):
        assert secret not in logged


async def test_readiness_names_what_is_missing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "database": True, "bot": False, "actions": False}
