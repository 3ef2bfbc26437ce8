"""Who gets what: the next conversation for an agent, the next agent for a conversation, presence, capacity."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from api.agents.tables import Agent
from api.conversations import assignment, overview, ownership, presence
from api.conversations.bell import QUEUE, agent_key, bell, touch, wait_for_ring
from api.conversations.handover import agents_on_duty
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.deps import Caller
from api.errors import Problem
from api.main import lifespan
from api.outlets.tables import UtilityFact
from tests.integration.conftest import Clock
from tests.integration.queues.conftest import Row, SignIn, said
from tests.integration.test_ownership import Desk
from tests.integration.test_web_channel import SPARKS, Chat, open_chat


async def queued(desk: Desk, language: str = "zh", skill: str = "") -> Chat:
    """A customer who waits."""
    chat = await open_chat(desk.client, language)
    url = f"/api/v1/conversations/{chat.id}/handover"
    answer = await desk.client.post(url, json={"reason": "wish", "skill": skill}, headers=desk.headers)
    assert answer.status_code == 200, answer.text
    return chat


async def taken_by(database: Database, clock: Clock, name: str) -> str | None:
    async with database.write() as session, session.begin():
        agent = await session.get_one(Agent, f"ag_{name}")
        conversation = await assignment.take_next(session, agent, clock())
        return conversation.id if conversation else None


async def test_the_next_one_by_language_skill_priority_and_time(
    desk: Desk, database: Database, clock: Clock, row: Row
) -> None:
    chats = {}
    for name, language, skill in (
        ("water", "zh", "water"),
        ("english", "en", ""),
        ("english water", "en", "water"),
        ("any", "zh", ""),
        ("complaint", "en", "complaint"),
    ):
        chats[name] = (await queued(desk, language, skill)).id
        clock.advance(seconds=1)
    await row(chats["any"], priority=2)
    names = {each: name for name, each in chats.items()}

    async def take(name: str) -> str | None:
        got = await taken_by(database, clock, name)
        return names[got] if got else None

    assert await take("zhao") == "english"
    assert await take("li") == "any", "more urgent than what has waited longer"
    assert await take("li") == "water", "who has no skills takes any matter"
    assert await take("wang") is None, "neither his skill"
    clock.advance(minutes=3)
    assert await take("wang") == "english water", "nothing starves"
    assert await take("zhao") == "complaint"
    assert await take("zhao") is None


async def test_capacity_binds_where_it_should(desk: Desk, database: Database, clock: Clock) -> None:
    async def claim(chat: Chat, name: str, caller: Caller | None = None, *, strict: bool = True) -> str:
        try:
            async with database.write() as session, session.begin():
                agent = await session.get_one(Agent, f"ag_{name}")
                await ownership.claim(session, chat.id, agent, clock(), strict=strict, caller=caller)
        except Problem as refused:
            return refused.type
        return "claimed"

    chats = []
    for _ in range(6):
        chats.append(await queued(desk))
        clock.advance(seconds=1)
    async with database.write() as session, session.begin():
        for name in ("li", "boss"):
            (await session.get_one(Agent, f"ag_{name}")).capacity = 1
    assert await claim(chats[0], "li") == "claimed"
    assert await claim(chats[1], "li") == "at-capacity"
    assert (await chats[1].news())["owner"] == "waiting"
    assert await taken_by(database, clock, "boss") is not None, "a supervisor may have more"
    assert await claim(chats[2], "li", Caller("service")) == "claimed"
    assert (await desk.act(chats[3], "claim")).status_code == 200, "the plain API asks nothing"
    assert (await chats[4].send("1", SPARKS)).status_code == 202
    assert await claim(chats[4], "li") == "claimed", "danger"
    assert (await chats[5].send("1", SPARKS)).status_code == 202
    assert await taken_by(database, clock, "li") == chats[5].id, "danger, though he is full"
    with pytest.raises(Problem, match="as many"):
        await taken_by(database, clock, "li")


async def test_who_left_takes_nothing(desk: Desk, database: Database, at_console: SignIn, clock: Clock) -> None:
    chat = await queued(desk)
    await at_console("li")
    async with database.write() as session, session.begin():
        (await session.get_one(Agent, "ag_li")).active = False
    refused = await desk.act(chat, "claim")
    assert (refused.status_code, refused.json()["type"]) == (409, "agent-inactive")
    assert (await desk.act(chat, "claim", "boss")).status_code == 200
    assert (await desk.act(chat, "transfer", "boss", to="li")).json()["type"] == "agent-inactive"
    async with database.read() as session:
        assert await presence.seats(session, clock()) == []
        assert await agents_on_duty(session, clock()) == 0


async def test_automatic_assignment_goes_round(
    desk: Desk, database: Database, at_console: SignIn, clock: Clock, row: Row
) -> None:
    chats = [await queued(desk) for _ in range(4)]
    await at_console("li", "wang", "disp")
    assert await assignment.assign_waiting(database, clock()) == 0, "agents take the next one themselves"
    async with database.write() as session, session.begin():
        session.add(UtilityFact(key="assignment", value="automatic"))
        (await session.get_one(Agent, "ag_wang")).capacity = 1
    assert await assignment.assign_waiting(database, clock()) == 4
    owners = [(await row(chat.id)).agent_id for chat in chats]
    assert sorted(filter(None, owners)) == ["ag_li", "ag_li", "ag_li", "ag_wang"]
    assert [who for who, _ in await said(chats[0])] == ["system"]
    await at_console("li", presence="busy")
    await queued(desk)
    assert await assignment.assign_waiting(database, clock()) == 0, "one has no room, one does not want any now"
    await at_console("li")
    clock.advance(minutes=3)
    assert await assignment.assign_waiting(database, clock()) == 0, "nobody's console was seen of late"
    await at_console("li")
    assert await assignment.assign_waiting(database, clock()) == 1


async def test_presence(client: httpx.AsyncClient, desk: Desk, database: Database, clock: Clock) -> None:
    """A sign-in by the API counts as on duty; a console that says it is away does not. Chats stay."""
    new = {"username": "mei", "password": "correct horse", "languages": ["zh"]}
    assert (await client.post("/api/v1/agents", json=new, headers=desk.headers)).status_code == 201
    login = {"username": "mei", "password": "correct horse"}
    token = (await client.post("/api/v1/agents/login", json=login)).json()["token"]
    mine = {"Authorization": f"Bearer {token}"}
    chat = await queued(desk)
    assert (await client.post(f"/api/v1/conversations/{chat.id}/claim", json={}, headers=mine)).status_code == 200

    async def present(**body: str) -> dict[str, object]:
        answer = await client.post("/api/v1/agents/presence", headers=mine, **({"json": body} if body else {}))  # type: ignore[arg-type]
        assert answer.status_code == 200, answer.text
        told: dict[str, object] = answer.json()
        return told

    async def on_duty() -> int:
        async with database.read() as session:
            return await agents_on_duty(session, clock())

    assert (await present())["presence"] == "away"
    assert await on_duty() == 1
    with bell.listen(QUEUE) as rung, bell.listen(agent_key((await _agent(database, "mei")).id)) as own:
        assert await present(presence="available") == {"done": True, "presence": "available", "conversations": 1}
        assert rung.is_set()
        assert own.is_set()
        rung.clear()
        await present(presence="available")
        assert not rung.is_set(), "nothing new"
    async with database.read() as session:
        assert [seat.open for seat in await presence.seats(session, clock())] == [1]
    assert (await present(presence="away"))["conversations"] == 1
    assert (await chat.news())["owner"] == "agent"
    assert await on_duty() == 1, "the API alone says nothing of a console"
    refused = await client.post("/api/v1/agents/presence", headers=mine, json={"presence": "asleep"})
    assert refused.status_code == 422


async def test_a_console_that_is_away_is_not_on_duty(database: Database, at_console: SignIn, clock: Clock) -> None:
    for state, expected in (("available", 1), ("busy", 1), ("away", 0)):
        await at_console("li", presence=state)
        async with database.read() as session:
            assert await agents_on_duty(session, clock()) == expected, state


async def _agent(database: Database, name: str) -> Agent:
    async with database.read() as session:
        return (await session.scalars(select(Agent).where(Agent.username == name))).one()


async def test_the_supervisor_sees_who_waits_and_what_is_at_risk(
    desk: Desk, database: Database, at_console: SignIn, clock: Clock, row: Row
) -> None:
    first, second = await queued(desk, "zh", "power"), await queued(desk, "en", "complaint")
    clock.advance(seconds=30)
    third = await queued(desk)
    await third.send("1", "电线掉下来了，在冒火花")
    await at_console("li")
    async with database.read() as session:
        queue = await overview.queue_view(session, clock())
    order = [third.id, *sorted([first.id, second.id])]
    assert [each.conversation_id for each in queue] == order
    assert [each.position for each in queue] == [1, 2, 3]
    assert [each.waited_seconds for each in queue] == [0, 30, 30]
    shown = {each.conversation_id: (each.language, each.skill, each.channel, each.reason) for each in queue}
    assert shown[first.id] == ("zh", "power", "web", "wish")
    listed = await desk.waiting()
    assert [c["id"] for c in listed["items"]] == order, "as agents see them"
    assert listed["items"][1]["skill"] in ("power", "complaint")
    for place, each in enumerate(order, 1):
        chat = next(c for c in (first, second, third) if c.id == each)
        assert (await desk.hand_over(chat))["position"] == place, "and as customers are told"

    async def why() -> dict[str, list[str]]:
        async with database.read() as session:
            return {risk.conversation_id: list(risk.why) for risk in await overview.at_risk(session, clock())}

    assert await why() == {third.id: ["danger"], second.id: ["nobody"]}
    clock.advance(minutes=5)
    assert await why() == {
        third.id: ["danger", "waiting", "nobody"],
        first.id: ["waiting", "nobody"],
        second.id: ["waiting", "nobody"],
    }, "the console was not seen of late"
    for chat in (first, second, third):
        await desk.act(chat, "claim")
    clock.advance(seconds=100)
    assert await why() == {}
    clock.advance(seconds=80)
    assert set(await why()) == {first.id, second.id, third.id}
    await desk.act(first, "reply", text="您好")
    assert (await row(first.id)).unanswered_since is None
    assert set(await why()) == {second.id, third.id}


async def test_a_row_says_what_an_agent_should_know(desk: Desk, row: Row) -> None:
    chat = await queued(desk, "zh", "water")
    conversation: Conversation = await row(chat.id)
    assert (conversation.skill, conversation.place_told) == ("water", 1)
    wrong = await desk.client.post(
        f"/api/v1/conversations/{chat.id}/handover", json={"skill": "gas"}, headers=desk.headers
    )
    assert wrong.status_code == 422


async def test_automatic_assignment_happens_at_once(
    desk: Desk, app: FastAPI, database: Database, at_console: SignIn, row: Row
) -> None:
    """While the desk runs: a hand-over, and an agent who becomes available."""
    async with database.write() as session, session.begin():
        session.add(UtilityFact(key="assignment", value="automatic"))
    async with lifespan(app):
        first = await queued(desk)
        with bell.listen(first.id) as rung:
            await at_console("li")
            async with database.write() as session, session.begin():
                await touch(session, QUEUE)
            await wait_for_agent(rung, row, first)
        with bell.listen(agent_key("ag_li")) as rung:
            second = await queued(desk)
            await wait_for_agent(rung, row, second)


async def wait_for_agent(rung: asyncio.Event, row: Row, chat: Chat) -> None:
    """A ring may still be that of the hand-over, which PostgreSQL passes on a moment later."""
    async with asyncio.timeout(10):
        while (await row(chat.id)).agent_id != "ag_li":
            await wait_for_ring(rung, 10)
            rung.clear()
