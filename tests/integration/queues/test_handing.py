"""Handing on and back: what colleagues, the bot and the customer are told; notes and who is named in them."""

from typing import Any

import httpx

from api.agents.tables import Agent
from api.conversations import notes, ownership
from api.conversations.bell import ALARMS, agent_key, bell
from api.conversations.tables import Conversation, Message
from api.db.engine import Database
from api.deps import Caller
from api.errors import Problem
from tests.integration.conftest import Clock
from tests.integration.queues.conftest import Row, SignIn, said
from tests.integration.test_ownership import Desk
from tests.integration.test_web_channel import SPARKS, Chat


async def written(desk: Desk, chat: Chat) -> list[dict[str, Any]]:
    answer = await desk.client.get(f"/api/v1/conversations/{chat.id}/notes", headers=desk.headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_the_bot_is_told_what_was_agreed(desk: Desk, chat: Chat, row: Row) -> None:
    await desk.act(chat, "claim")
    answer = await desk.act(
        chat, "release", summary="The crew comes at six.", slots={"contact_phone": "13800138000", "ticket": ""}
    )
    assert answer.status_code == 200, answer.text
    shown = await row(chat.id)
    assert shown.owner == "bot"
    assert shown.briefing == {"summary": "The crew comes at six.", "slots": {"contact_phone": "13800138000"}}
    (note,) = await written(desk, chat)
    assert (note["kind"], note["agent"]) == ("handback", "li")
    assert "crew comes at six" in note["text"]
    assert note["text"] == "The crew comes at six.\n联系电话：13800138000"
    lines = await said(chat)
    assert [who for who, _ in lines] == ["system", "system"]
    assert all("crew" not in text for _, text in lines), "the customer is told that the assistant goes on"
    assert (await desk.act(chat, "claim")).status_code == 200
    foreign = await desk.act(chat, "release", slots={"ticket": "123456789012"})
    assert foreign.status_code == 422
    for wrong in ({"No Name": "x"}, {"place": {"a": 1}}, {"place": "x" * 301}):
        assert (await desk.act(chat, "release", slots=wrong)).status_code == 422
    assert (await chat.news())["owner"] == "agent"


async def test_a_close_says_how_it_ended(desk: Desk, chat: Chat, row: Row) -> None:
    await desk.act(chat, "claim")
    assert (await desk.act(chat, "close", outcome="great")).status_code == 422
    closed = await desk.act(chat, "close", outcome="ticket", note="A ticket is filed.")
    assert closed.json()["outcome"] == "ticket"
    assert [(n["kind"], n["text"]) for n in await written(desk, chat)] == [("close", "A ticket is filed.")]
    await chat.send("1", "hello again")
    shown = await row(chat.id)
    assert (shown.outcome, shown.skill, shown.sheet) == ("", "", {}), "a new matter"


async def test_a_transfer_says_why_and_to_whom(desk: Desk, chat: Chat, row: Row, database: Database) -> None:
    """In the reader's language, by the names that colleagues are called."""
    async with database.write() as session, session.begin():
        (await session.get_one(Agent, "ag_wang")).name = "王芳"
    await desk.act(chat, "claim")
    keys = (agent_key("ag_li"), agent_key("ag_wang"))
    with bell.listen_to(keys) as rings:
        assert (await desk.act(chat, "transfer", to="wang", note="He knows the line.")).status_code == 200
        assert all(rings[key].is_set() for key in keys)
    shown = await row(chat.id)
    assert (shown.agent_id, shown.claimed_at, shown.unanswered_since) == ("ag_wang", shown.claimed_at, shown.claimed_at)
    back = await desk.act(chat, "transfer", "wang", note="Complaint", skill="complaint", language="zh")
    assert (back.json()["owner"], back.json()["skill"], back.json()["language"]) == ("waiting", "complaint", "zh")
    assert (await row(chat.id)).passed_by == "ag_wang"
    texts = [(n["kind"], n["agent"], n["text"]) for n in await written(desk, chat)]
    assert texts == [
        ("transfer", "li", "转给王芳。\nHe knows the line."),
        ("transfer", "wang", "转给等候队列。需要投诉。需要中文。\nComplaint"),
    ]
    async with database.read() as session:
        english = [noted.told("en") for noted in await notes.list_notes(session, chat.id)]
    assert english == [
        "Passed on to 王芳.\nHe knows the line.",
        "Passed on to the queue. Complaints needed. Chinese needed.\nComplaint",
    ]


async def test_a_full_or_absent_colleague_is_forced_only(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn
) -> None:
    async def give(**how: bool) -> str:
        try:
            async with database.write() as session, session.begin():
                li = await session.get_one(Agent, "ag_li")
                caller = Caller("agent", agent_id="ag_li", role="agent")
                given = await ownership.transfer(session, chat.id, caller, li, "wang", clock(), **how)
                owner = given.agent_id
                await session.rollback()
        except Problem as refused:
            return refused.type
        return str(owner)

    await desk.act(chat, "claim")
    assert await give(strict=True) == "agent-absent"
    assert await give(strict=True, force=True) == "ag_wang"
    assert await give() == "ag_wang", "the plain API asks nothing"
    await at_console("wang")
    assert await give(strict=True) == "ag_wang"
    async with database.write() as session, session.begin():
        (await session.get_one(Agent, "ag_wang")).capacity = 0
    assert await give(strict=True) == "at-capacity"


async def test_notes_are_for_colleagues_alone(
    desk: Desk, chat: Chat, client: httpx.AsyncClient, database: Database, clock: Clock, bot: Any
) -> None:
    before = await chat.news()
    url = f"/api/v1/conversations/{chat.id}/notes"
    body = {"agent": "li", "text": "@Wang 请看一下 @boss @nobody @li"}
    keys = {name: agent_key(f"ag_{name}") for name in ("wang", "boss", "li")}
    with bell.listen_to([*keys.values(), chat.id]) as rings:
        added = await client.post(url, json=body, headers=desk.headers)
        assert added.status_code == 201, added.text
        assert [rings[keys[name]].is_set() for name in keys] == [True, True, False]
        assert rings[chat.id].is_set()
    assert added.json()["mentions"] == ["boss", "wang"]
    assert (added.json()["agent"], added.json()["seq"]) == ("li", 1)
    assert await written(desk, chat) == [added.json()]
    assert await chat.news() == before, "the customer sees nothing of it"
    for method in ("GET", "POST"):
        refused = await client.request(method, url, json={"text": "x"}, headers=bot(chat.id))
        assert refused.status_code == 403
        assert (await client.request(method, url, json={"text": "x"}, headers=chat.headers)).status_code == 401
    assert (await client.post(url, json={"text": ""}, headers=desk.headers)).status_code == 422
    assert (await client.get("/api/v1/conversations/cv_x/notes", headers=desk.headers)).status_code == 404
    async with database.write() as session, session.begin():
        (unread,) = await notes.unread_mentions(session, "ag_wang")
        assert unread.id == added.json()["id"]
        assert await notes.unread_mentions(session, "ag_li") == []
        await notes.mark_read(session, "ag_wang", [unread.id], clock())
        assert await notes.unread_mentions(session, "ag_wang") == []
        assert len(await notes.unread_mentions(session, "ag_boss")) == 1
        assert await session.get(Message, unread.id) is None


async def test_only_a_supervisor_whispers(desk: Desk, chat: Chat, client: httpx.AsyncClient) -> None:
    await desk.act(chat, "claim")
    url = f"/api/v1/conversations/{chat.id}/notes"
    body = {"kind": "whisper", "text": "Offer a call back."}
    assert (await client.post(url, json=body | {"agent": "wang"}, headers=desk.headers)).status_code == 403
    with bell.listen(agent_key("ag_li")) as rung:
        assert (await client.post(url, json=body | {"agent": "boss"}, headers=desk.headers)).status_code == 201
        assert rung.is_set()
    assert await said(chat, 2) == []


async def test_danger_with_an_agent_alarms_him_and_the_supervisors(
    desk: Desk, chat: Chat, client: httpx.AsyncClient, row: Row, clock: Clock
) -> None:
    await desk.act(chat, "claim")
    with bell.listen_to([ALARMS, agent_key("ag_li")]) as rings:
        await chat.send("1", SPARKS)
        assert rings[ALARMS].is_set()
        assert rings[agent_key("ag_li")].is_set()
    assert await said(chat, 2) == [("customer", SPARKS)], "nothing is sent"
    shown: Conversation = await row(chat.id)
    assert (shown.owner, shown.priority) == ("agent", 1)

    async def unseen() -> list[str]:
        answer = await client.get("/api/v1/alarms", params={"unseen": True}, headers=desk.headers)
        return [each["id"] for each in answer.json()["items"]]

    (alarm,) = await unseen()
    url = f"/api/v1/alarms/{alarm}/seen"
    with bell.listen(ALARMS) as rung:
        seen = await client.post(url, json={"agent": "boss"}, headers=desk.headers)
        assert seen.status_code == 200, seen.text
        assert rung.is_set()
    assert (seen.json()["acknowledged_by"], seen.json()["acknowledged_at"]) == ("ag_boss", "2026-03-04T06:00:00Z")
    clock.advance(minutes=1)
    assert (await client.post(url, json={"agent": "li"}, headers=desk.headers)).json() == seen.json()
    assert await unseen() == []
    assert (await client.post("/api/v1/alarms/al_x/seen", json={}, headers=desk.headers)).status_code == 404
