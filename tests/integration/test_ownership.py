"""Who owns a conversation: queue, claim, reply, release, transfer, close; and what a waiting customer is told."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from api.agents.tables import Agent, AgentSession
from api.conversations import queue
from api.conversations.bell import CHANNEL, bell, hear_other_processes, wait_for_ring
from api.conversations.rasa import Said
from api.conversations.tables import Alarm, Callback, Conversation, Turn
from api.customers.tables import ContactRecord
from api.db.engine import Database
from api.outlets.tables import UtilityFact
from tests.integration.conftest import Clock, NewConversation
from tests.integration.test_web_channel import SPARKS, Chat, open_chat

Headers = dict[str, str]
HOURS = {"zh": "每天 8:00 至 22:00", "en": "every day from 8:00 to 22:00", "from": "08:00", "to": "22:00"}


@pytest.fixture(autouse=True)
async def people(database: Database, clock: Clock) -> None:
    """Two agents and a supervisor, the utility's hours and hotline. Nobody is on duty."""
    async with database.write() as session, session.begin():
        for name, role in (("li", "agent"), ("wang", "agent"), ("boss", "supervisor")):
            session.add(Agent(id=f"ag_{name}", username=name, password_hash="-", role=role, created_at=clock()))
        session.add(UtilityFact(key="agent_hours", value=HOURS))
        session.add(UtilityFact(key="hotline", value="95598"))


@pytest.fixture
async def chat(client: httpx.AsyncClient) -> Chat:
    return await open_chat(client)


class Desk:
    """The agents' side, with the service token naming the agent."""

    def __init__(self, client: httpx.AsyncClient, service: Headers) -> None:
        self.client, self.headers = client, service

    async def act(self, chat: Chat, act: str, agent: str | None = "li", **body: Any) -> httpx.Response:
        body = {**body, **({"agent": agent} if agent else {})}
        return await self.client.post(f"/api/v1/conversations/{chat.id}/{act}", json=body, headers=self.headers)

    async def waiting(self, **params: Any) -> dict[str, Any]:
        answer = await self.client.get(
            "/api/v1/conversations", params={"owner": "waiting", **params}, headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    async def hand_over(self, chat: Chat, reason: str = "wish") -> dict[str, Any]:
        answer = await self.client.post(
            f"/api/v1/conversations/{chat.id}/handover", json={"reason": reason}, headers=self.headers
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@pytest.fixture
def desk(client: httpx.AsyncClient, service: Headers) -> Desk:
    return Desk(client, service)


async def on_duty(database: Database, clock: Clock, name: str = "li") -> None:
    async with database.write() as session, session.begin():
        now = clock()
        session.add(
            AgentSession(
                token_hash=name, agent_id=f"ag_{name}", created_at=now, expires_at=now.replace(year=2030), seen_at=now
            )
        )


async def texts(chat: Chat, after: int = 1) -> list[tuple[str, str]]:
    return [(m["from"], m["text"]) for m in (await chat.news(after))["messages"]]


async def test_handover_with_nobody_on_duty(desk: Desk, chat: Chat, clock: Clock) -> None:
    clock.advance(hours=10)  # midnight in Shanghai
    told = await desk.hand_over(chat)
    assert told == {
        "owner": "waiting",
        "agents_on_duty": 0,
        "position": 1,
        "expected_wait_minutes": None,
        "own_language": True,
        "hours": {"zh": HOURS["zh"], "en": HOURS["en"]},
        "hotline": "95598",
        "callback_due_at": "2026-03-05T00:00:00Z",
    }
    assert (await chat.news())["owner"] == "waiting"


async def test_the_queue_is_ordered_by_danger_then_time(
    desk: Desk, client: httpx.AsyncClient, database: Database, clock: Clock
) -> None:
    chats = [await open_chat(client) for _ in range(4)]
    for chat in chats:
        clock.advance(seconds=1)
        await desk.hand_over(chat)
    await on_duty(database, clock)
    assert (await chats[2].send("1", SPARKS)).status_code == 202
    expected = [chats[n].id for n in (2, 0, 1, 3)]
    assert [c["id"] for c in (await desk.waiting())["items"]] == expected
    seen: list[str] = []
    cursor = None
    while True:
        page = await desk.waiting(limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [c["id"] for c in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == expected
    assert (await desk.hand_over(chats[3]))["position"] == 4
    assert (await desk.hand_over(chats[3]))["agents_on_duty"] == 1
    clock.advance(minutes=3)
    assert (await desk.hand_over(chats[3]))["agents_on_duty"] == 0


async def test_the_expected_wait_is_that_of_the_latest(
    desk: Desk, client: httpx.AsyncClient, database: Database, clock: Clock
) -> None:
    """Three waits of 1, 4 and 9 minutes: four; and nothing where nobody has waited of late."""
    began = dict.fromkeys([await open_chat(client) for _ in range(3)], clock.now)
    for chat in began:
        await desk.hand_over(chat)
    for chat, minutes in zip(began, (1, 4, 9), strict=True):
        clock.now = began[chat] + timedelta(minutes=minutes)
        assert (await desk.act(chat, "claim", "li")).status_code == 200
    late = await open_chat(client)
    assert (await desk.hand_over(late))["expected_wait_minutes"] == 4
    clock.advance(hours=2)
    assert (await desk.hand_over(late))["expected_wait_minutes"] is None
    clock.advance(hours=9)
    assert (await desk.act(late, "claim", "li")).status_code == 200, "a wait over night"
    assert (await desk.hand_over(await open_chat(client)))["expected_wait_minutes"] is None


async def test_one_claim_wins(desk: Desk, chat: Chat) -> None:
    await desk.hand_over(chat)
    answers = await asyncio.gather(*(desk.act(chat, "claim", name) for name in ("li", "wang", "boss", "li")))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409]
    (won,) = [a.json() for a in answers if a.status_code == 200]
    assert won["owner"] == "agent"
    assert won["agent"] in ("li", "wang", "boss")
    assert (await desk.act(chat, "claim", won["agent"])).status_code == 409
    assert [who for who, _ in await texts(chat)] == ["system"], "the customer hears of it once"


async def test_claims_that_make_no_sense(desk: Desk, chat: Chat, client: httpx.AsyncClient) -> None:
    assert (await desk.act(chat, "claim", "nobody")).status_code == 422
    assert (await desk.act(chat, "claim", None)).status_code == 422
    unknown = Chat(client, "cv_unknown", "x")
    for act in ("claim", "release", "close", "transfer", "reply"):
        assert (await desk.act(unknown, act, text="x")).status_code == 404
    no_key = await client.post(
        f"/api/v1/conversations/{chat.id}/claim", json={"agent": "li"}, headers={**desk.headers, "Idempotency-Key": ""}
    )
    assert no_key.status_code == 400


async def test_only_the_owner_replies(desk: Desk, chat: Chat) -> None:
    assert (await desk.act(chat, "reply", text="hello")).status_code == 409
    await desk.act(chat, "claim")
    answer = await desk.act(chat, "reply", text="This is Li.")
    assert answer.status_code == 201
    assert answer.json()["from"] == "agent"
    for other in ("wang", "boss", None):
        assert (await desk.act(chat, "reply", other, text="me too")).status_code == 409
    assert (await texts(chat, 2)) == [("agent", "This is Li.")]
    assert (await desk.act(chat, "reply", text="")).status_code == 422


@pytest.mark.parametrize("typed", ["hello", "/restart", "人工", "/resume_bot", "back to the bot please", SPARKS])
async def test_the_bot_never_talks_over_an_agent(desk: Desk, chat: Chat, database: Database, typed: str) -> None:
    await desk.act(chat, "claim")
    assert (await chat.send("1", typed)).status_code == 202
    assert await texts(chat, 2) == [("customer", typed)]
    news = await chat.news()
    assert (news["owner"], news["busy"]) == ("agent", False)
    async with database.read() as session:
        assert await session.scalar(select(Turn)) is None
        alarms = (await session.scalars(select(Alarm))).all()
    assert [a.owner for a in alarms] == (["agent"] if typed == SPARKS else [])
    listed = (await desk.client.get("/api/v1/alarms", headers=desk.headers)).json()["items"]
    assert [(a["conversation_id"], a["owner"]) for a in listed] == [(chat.id, a.owner) for a in alarms]


async def test_a_claim_ends_the_bot_s_turn(desk: Desk, chat: Chat, database: Database, clock: Clock) -> None:
    await chat.send("1", "hello")
    (claim,) = await queue.claim(database, "one", clock(), 6)
    await chat.send("2", "anyone?")
    await desk.act(chat, "claim")
    assert (await chat.news())["busy"] is False
    assert not await queue.finish(database, claim, (Said("bot here", ()),), clock())
    assert "bot" not in [who for who, _ in await texts(chat)]


async def test_the_turn_that_hands_over_may_say_so(
    desk: Desk, chat: Chat, database: Database, clock: Clock, client: httpx.AsyncClient
) -> None:
    await chat.send("1", "a person please")
    (claim,) = await queue.claim(database, "one", clock(), 6)
    await chat.send("2", "now!")
    bot = {
        "Authorization": "Bearer bot-token",
        "X-Conversation-Id": chat.id,
        "X-Message-Id": claim.message_id,
        "X-Turn-Fence": "1",
    }
    url = f"/api/v1/conversations/{chat.id}"
    answer = await client.post(f"{url}/handover", json={"reason": "wish"}, headers=bot)
    assert answer.json()["owner"] == "waiting"
    callback = await client.post(f"{url}/callbacks", json={"phone": "13800000000"}, headers=bot)
    assert callback.status_code == 201
    assert callback.json()["status"] == "open"
    again = await client.post(f"{url}/callbacks", json={"phone": "13900000000"}, headers=bot)
    assert again.json() == callback.json(), "one call is promised"
    assert await queue.finish(database, claim, (Said("You are in the queue.", ()),), clock())
    assert (await texts(chat, 3)) == [("bot", "You are in the queue.")]
    choices = (await chat.news(3))["messages"][-1]["choices"]
    assert [c["label"] for c in choices] == ["Continue with the assistant"], "a call back is promised already"
    assert await queue.claim(database, "one", clock(), 6, limit=9) == [], "what was typed since is the agent's to read"
    async with database.read() as session:
        (row,) = (await session.scalars(select(Callback))).all()
    assert row.phone == "13900000000"


async def test_a_waiting_customer_is_told_now_and_then(
    desk: Desk, chat: Chat, clock: Clock, database: Database
) -> None:
    await desk.hand_over(chat)
    for n, words in enumerate(("hello", "is anybody there", "有人吗", "hello?")):
        await chat.send(str(n), words)
    said = await texts(chat)
    assert [who for who, _ in said] == ["customer", "system", "customer", "customer", "system", "customer", "system"]
    assert HOURS["en"] in said[1][1]
    assert HOURS["zh"] in said[4][1], "in the language that the customer writes"
    await on_duty(database, clock)
    clock.advance(minutes=6)
    await chat.send("x", "hello?")
    notice = (await chat.news(8))["messages"][-1]
    assert notice["from"] == "system"
    ways_out = ["Continue with the assistant", "Leave a message or be called back"]
    assert [c["label"] for c in notice["choices"]] == ways_out
    assert (await chat.send("y", choice=notice["choices"][0]["token"])).status_code == 202
    news = await chat.news(10)
    assert (news["owner"], news["busy"]) == ("bot", False)
    assert [m["from"] for m in news["messages"]] == ["customer", "system"]
    await chat.send("z", "my bill")
    assert (await chat.news())["busy"] is True


async def test_danger_is_answered_while_waiting(desk: Desk, chat: Chat) -> None:
    await desk.hand_over(chat)
    await chat.send("1", SPARKS)
    said = await texts(chat)
    assert [who for who, _ in said] == ["customer", "system", "system"]
    assert "away" in said[1][1]
    assert (await desk.waiting())["items"][0]["priority"] == 1


async def test_release_gives_back_to_the_bot(desk: Desk, chat: Chat) -> None:
    await desk.act(chat, "claim")
    assert (await desk.act(chat, "release", "wang")).status_code == 409
    released = await desk.act(chat, "release")
    assert (released.json()["owner"], released.json()["agent"]) == ("bot", None)
    assert [who for who, _ in await texts(chat)] == ["system", "system"]
    await chat.send("1", "hello")
    assert (await chat.news())["busy"] is True
    assert (await desk.act(chat, "release")).status_code == 409


async def test_transfer(desk: Desk, chat: Chat) -> None:
    await desk.act(chat, "claim")
    passed = await desk.act(chat, "transfer", to="wang")
    assert (passed.json()["owner"], passed.json()["agent"]) == ("agent", "wang")
    assert (await desk.act(chat, "reply", text="still me")).status_code == 409
    assert (await desk.act(chat, "reply", "wang", text="This is Wang.")).status_code == 201
    queued = await desk.act(chat, "transfer", "wang")
    assert (queued.json()["owner"], queued.json()["agent"]) == ("waiting", None)
    assert [c["id"] for c in (await desk.waiting())["items"]] == [chat.id]
    assert (await desk.act(chat, "transfer", "boss", to="nobody")).status_code == 422


async def test_a_closed_conversation_is_taken_up_again_with_the_bot(desk: Desk, chat: Chat, database: Database) -> None:
    await desk.act(chat, "claim")
    closed = await desk.act(chat, "close")
    assert closed.json()["closed_at"] is not None
    assert (await desk.act(chat, "close")).status_code == 409
    assert (await desk.act(chat, "claim")).status_code == 409
    assert (await desk.act(chat, "reply", text="one more thing")).status_code == 409
    await chat.send("1", "hello again")
    news = await chat.news()
    assert (news["owner"], news["busy"]) == ("bot", True)
    async with database.read() as session:
        conversation = await session.get_one(Conversation, chat.id)
    assert (conversation.closed_at, conversation.episode, conversation.agent_id) == (None, 2, None)


async def test_transcript_and_details(desk: Desk, chat: Chat, client: httpx.AsyncClient) -> None:
    for n in range(4):
        await chat.send(str(n), f"message {n}")
    url = f"/api/v1/conversations/{chat.id}"
    page = (await client.get(f"{url}/transcript?limit=3", headers=desk.headers)).json()
    assert [m["seq"] for m in page["items"]] == [1, 2, 3]
    rest = (await client.get(f"{url}/transcript?limit=3&cursor={page['next']}", headers=desk.headers)).json()
    assert [m["text"] for m in rest["items"]] == ["message 2", "message 3"]
    assert rest["next"] is None
    shown = (await client.get(url, headers=desk.headers)).json()
    assert (shown["id"], shown["channel"], shown["language"], shown["owner"]) == (chat.id, "web", "en", "bot")
    listed = (await client.get("/api/v1/conversations?owner=bot", headers=desk.headers)).json()
    assert [c["id"] for c in listed["items"]] == [chat.id]


async def test_the_bot_has_its_own_conversation_only(
    client: httpx.AsyncClient, conversation: NewConversation, bot: Any, chat: Chat, database: Database
) -> None:
    await conversation("cv_1")
    mine, theirs = "/api/v1/conversations/cv_1", f"/api/v1/conversations/{chat.id}"
    assert (await client.get(mine, headers=bot("cv_1"))).status_code == 200
    for method, path, body in (
        ("GET", "", None),
        ("PATCH", "", {"language": "en"}),
        ("POST", "/handover", {}),
        ("POST", "/callbacks", {}),
        ("POST", "/contact-records", {"kind": "x"}),
    ):
        refused = await client.request(method, theirs + path, json=body, headers=bot("cv_1"))
        assert refused.status_code == 404, path
    for method, path in (("GET", "/api/v1/conversations"), ("GET", f"{mine}/transcript"), ("POST", f"{mine}/claim")):
        assert (await client.request(method, path, json={}, headers=bot("cv_1"))).status_code == 403, path
    assert (await client.patch(mine, json={"language": "en"}, headers=bot("cv_1"))).json()["language"] == "en"
    noted = await client.post(f"{mine}/contact-records", json={"kind": "outage_told"}, headers=bot("cv_1"))
    assert noted.status_code == 201
    async with database.read() as session:
        (record,) = (await session.scalars(select(ContactRecord))).all()
    assert (record.conversation_id, record.kind, record.account_number) == ("cv_1", "outage_told", None)


async def test_other_processes_are_heard(database: Database) -> None:
    """What another front desk commits rings here; on SQLite there is no other one."""
    with bell.listen("cv_1") as rung:
        async with hear_other_processes(database), asyncio.timeout(5):
            while not database.is_sqlite and not rung.is_set():
                async with database.write() as session, session.begin():
                    await session.execute(select(func.pg_notify(CHANNEL, "cv_1")))
                await wait_for_ring(rung, 0.05)
        assert rung.is_set() is not database.is_sqlite
