"""Agents who let a customer wait: reminded, then relieved, with everybody told."""

import asyncio
from datetime import timedelta

from api.agents.tables import Agent
from api.conversations import ownership, silence
from api.conversations.bell import QUEUE, agent_key, bell, list_key
from api.conversations.notes import list_notes
from api.db.engine import Database
from api.deps import Caller
from api.errors import Problem
from tests.integration.conftest import Clock
from tests.integration.queues.conftest import Row, SignIn, said
from tests.integration.test_ownership import Desk
from tests.integration.test_web_channel import SPARKS, Chat


async def see(database: Database, clock: Clock, seconds: float = 0) -> int:
    return await silence.remind_and_pass(database, clock.advance(seconds=seconds))


async def notes(database: Database, chat: Chat) -> list[tuple[str, str]]:
    async with database.read() as session:
        return [(noted.note.kind, noted.told("en")) for noted in await list_notes(session, chat.id)]


async def test_who_waits_for_a_word(desk: Desk, chat: Chat, clock: Clock, row: Row) -> None:
    await desk.act(chat, "claim")
    assert (await row(chat.id)).unanswered_since is None, "the customer had not asked for anybody"
    clock.advance(seconds=10)
    with bell.listen_to([list_key("ag_li"), agent_key("ag_li")]) as rung:
        await chat.send("1", "hello")
        assert rung[list_key("ag_li")].is_set()
        assert not rung[agent_key("ag_li")].is_set(), "nothing but the list looks different"
    first = clock()
    clock.advance(seconds=10)
    await chat.send("2", "hello?")
    assert (await row(chat.id)).unanswered_since == first, "since the first line that has no answer"
    await desk.act(chat, "reply", text="Here I am.")
    assert (await row(chat.id)).unanswered_since is None
    await chat.send("3", "good")
    assert (await row(chat.id)).unanswered_since == clock()
    await desk.act(chat, "release")
    assert (await row(chat.id)).unanswered_since is None
    await desk.hand_over(chat)
    await desk.act(chat, "claim", "wang")
    shown = await row(chat.id)
    assert (shown.unanswered_since, shown.claimed_at) == (clock(), clock()), "who waited waits for the first word"


async def test_a_word_that_asks_for_nothing(desk: Desk, chat: Chat, database: Database, row: Row) -> None:
    await desk.act(chat, "claim")
    await chat.send("1", "thank you")
    for name, refused in (("wang", True), ("li", False)):
        async with database.write() as session, session.begin():
            agent = await session.get_one(Agent, f"ag_{name}")
            try:
                await ownership.no_answer_needed(session, chat.id, Caller("agent", agent_id=agent.id), agent)
            except Problem:
                assert refused
        assert ((await row(chat.id)).unanswered_since is None) is not refused


async def test_reminded_then_relieved_by_a_colleague(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await at_console("li", "wang")
    await desk.hand_over(chat)
    await desk.act(chat, "claim")
    assert await see(database, clock, 119) == 0
    await at_console("li", "wang")
    with bell.listen(agent_key("ag_li")) as rung:
        assert await see(database, clock, 1) == 1
        assert rung.is_set(), "the agent hears of it"
    assert (await row(chat.id)).reminded_at == clock()
    assert await see(database, clock, 60) == 0
    await at_console("li", "wang", "zhao")
    assert await see(database, clock, 119) == 0
    keys = (agent_key("ag_li"), agent_key("ag_wang"), QUEUE)
    with bell.listen_to(keys) as rings:
        assert await see(database, clock, 1) == 1
        assert [rings[key].is_set() for key in keys] == [True] * 3
    shown = await row(chat.id)
    assert (shown.owner, shown.agent_id, shown.passed_by) == ("agent", "ag_wang", "ag_li"), "who has the language"
    assert (shown.unanswered_since, shown.reminded_at) == (clock(), None)
    assert "another colleague" in (await said(chat))[-1][1]
    ((kind, text),) = await notes(database, chat)
    assert kind == "transfer"
    assert "li" in text
    assert "5" in text
    assert "wang" in text
    assert (await desk.act(chat, "reply", "li", text="sorry")).status_code == 409
    assert (await desk.act(chat, "reply", "wang", text="This is Wang.")).status_code == 201
    assert await see(database, clock, 600) == 0


async def test_with_nobody_else_the_customer_is_first_in_the_queue(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await desk.hand_over(chat)
    since = clock()
    clock.advance(seconds=30)
    await desk.act(chat, "claim")
    assert await see(database, clock, 120) == 1
    assert await see(database, clock, 170) == 0
    await at_console("wang", presence="busy")
    assert await see(database, clock, 10) == 1
    shown = await row(chat.id)
    assert (shown.owner, shown.agent_id, shown.waiting_since) == ("waiting", None, since)
    assert (shown.passed_by, shown.handover_reason, shown.claimed_at) == ("ag_li", "silent", None)
    last = (await chat.news(1))["messages"][-1]
    assert last["from"] == "system"
    assert "in the queue again" in last["text"]
    assert "You are next." in last["text"]
    assert [c["label"] for c in last["choices"]] == [
        "Continue with the assistant",
        "Leave a message or be called back",
    ]
    assert await see(database, clock, 600) == 0, "nobody owes him a word; the queue does"
    assert (await desk.act(chat, "claim", "wang")).status_code == 200
    assert (await row(chat.id)).agent_id == "ag_wang"


async def test_danger_is_not_left_alone_for_long(desk: Desk, chat: Chat, database: Database, clock: Clock) -> None:
    await desk.act(chat, "claim")
    await chat.send("1", SPARKS)
    assert await see(database, clock, 59) == 0
    assert await see(database, clock, 1) == 1
    assert await see(database, clock, 60) == 1
    assert (await chat.news())["owner"] == "waiting"


async def test_a_closed_console_is_silent_at_once(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn
) -> None:
    await at_console("li")
    await desk.act(chat, "claim")
    clock.advance(seconds=60)
    await chat.send("1", "hello")
    assert await see(database, clock, 59) == 0, "it was seen a moment ago"
    assert await see(database, clock, 2) == 1

    assert (await chat.news())["owner"] == "waiting", "nobody is there who could be reminded"
    ((_, text),) = await notes(database, chat)
    assert "closed" in text


async def test_who_uses_the_api_alone_is_reminded_first(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await at_console("li", presence="away", console=False)
    await desk.act(chat, "claim")
    await chat.send("1", "hello")
    assert await see(database, clock, 200) == 1
    shown = await row(chat.id)
    assert (shown.owner, shown.reminded_at) == ("agent", clock())


async def test_two_desks_relieve_an_agent_once(desk: Desk, chat: Chat, database: Database, clock: Clock) -> None:
    await desk.act(chat, "claim")
    await chat.send("1", "hello")
    assert sum(await asyncio.gather(*(see(database, clock, 60) for _ in range(4)))) == 1
    clock.advance(minutes=5)
    assert sum(await asyncio.gather(*(silence.remind_and_pass(database, clock()) for _ in range(4)))) == 1
    assert len([text for _, text in await said(chat) if "nobody else is online" in text]) == 1
    assert len(await notes(database, chat)) == 1


async def test_nobody_loses_a_conversation_because_the_desk_stood_still(
    desk: Desk, chat: Chat, database: Database, clock: Clock, row: Row
) -> None:
    await desk.act(chat, "claim")
    await chat.send("1", "hello")
    assert await see(database, clock, 3600) == 1
    shown = await row(chat.id)
    assert (shown.owner, shown.reminded_at) == ("agent", clock())
    assert shown.reminded_at is not None
    assert shown.unanswered_since == clock() - timedelta(hours=1)


async def test_a_call_that_was_put_through_is_not_silent(
    desk: Desk, chat: Chat, database: Database, clock: Clock, row: Row
) -> None:
    async with database.write() as session, session.begin():
        (await session.get_one(Agent, "ag_li")).phone = "13800138000"
    await row(chat.id, channel="voice")
    await desk.hand_over(chat)
    await desk.act(chat, "claim")
    assert (await row(chat.id)).unanswered_since is None
    assert await see(database, clock, 3600) == 0


async def test_a_customer_who_writes_to_a_closed_console_is_passed_on_at_once(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await at_console("li")
    await desk.act(chat, "claim")
    clock.advance(minutes=30)
    await at_console("wang")
    assert await see(database, clock) == 0, "nobody waits for a word"
    await chat.send("1", "Are you there?")
    assert await see(database, clock, 1) == 1
    assert (await row(chat.id)).agent_id == "ag_wang"


async def test_what_the_bot_did_not_answer_any_more_is_the_agent_s(
    desk: Desk, chat: Chat, database: Database, clock: Clock, row: Row
) -> None:
    """Claimed while the bot was about to answer: its turn is dropped, and the customer waits for a word."""
    await chat.send("1", "My power is off")
    await desk.act(chat, "claim")
    assert (await row(chat.id)).unanswered_since == clock()
    assert await see(database, clock, 120) == 1
