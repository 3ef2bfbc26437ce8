"""What a customer is told who is passed on is true: nobody hears of colleagues who are not there."""

import pytest

from api.agents.tables import Agent
from api.conversations import handover, silence, supervision
from api.db.engine import Database
from api.deps import Caller
from tests.integration.conftest import Clock
from tests.integration.queues.conftest import Row, SignIn, said
from tests.integration.test_ownership import Desk
from tests.integration.test_web_channel import Chat


async def test_a_dispatcher_is_nobody_who_talks_with_customers(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn
) -> None:
    await at_console("disp")
    async with database.read() as session:
        assert await handover.agents_on_duty(session, clock()) == 0
    await at_console("li")
    async with database.read() as session:
        assert await handover.agents_on_duty(session, clock()) == 1
        assert await handover.agents_on_duty(session, clock(), but="ag_li") == 0
    await desk.act(chat, "claim")
    refused = await desk.act(chat, "transfer", to="disp", note="x")
    assert (refused.status_code, refused.json()["type"]) == (422, "unknown-agent")
    assert (await chat.news())["owner"] == "agent"


@pytest.mark.parametrize(("there", "says"), [((), False), (("li",), False), (("li", "wang"), True)])
async def test_back_to_a_queue_in_which_nobody_serves(
    desk: Desk, chat: Chat, at_console: SignIn, there: tuple[str, ...], says: bool
) -> None:
    await at_console(*there)
    await desk.act(chat, "claim")
    assert (await desk.act(chat, "transfer", note="my shift ends")).status_code == 200
    _, told = (await said(chat))[-1]
    assert ("for another colleague" in told or "另一位同事" in told) is says
    assert ("You are next" in told or "下一位" in told) is says
    assert ("online" in told or "在线" in told) is not says


async def test_the_last_agents_console_is_closed(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await at_console("li")
    await desk.act(chat, "claim")
    await chat.send("1", "hello")
    clock.advance(minutes=3)
    assert await silence.remind_and_pass(database, clock()) == 1
    assert (await row(chat.id)).owner == "waiting"
    _, told = (await said(chat))[-1]
    assert "nobody else is online now" in told
    assert "head of the queue" not in told


async def test_who_does_not_work_here_any_more_is_gone(
    desk: Desk, chat: Chat, database: Database, clock: Clock, row: Row
) -> None:
    await desk.act(chat, "claim")
    await chat.send("1", "hello")
    async with database.write() as session, session.begin():
        (await session.get_one(Agent, "ag_li")).active = False
    clock.advance(minutes=2)
    assert await silence.remind_and_pass(database, clock()) == 1
    assert (await row(chat.id)).owner == "waiting", "without a reminder that nobody would read"


async def test_given_back_before_anybody_came(desk: Desk, chat: Chat) -> None:
    await desk.hand_over(chat)
    assert (await desk.act(chat, "release", "boss")).status_code == 200
    _, told = (await said(chat))[-1]
    assert "自动助手继续为您服务" in told or "the assistant goes on with you" in told
    assert "结束处理" not in told
    assert "handed you back" not in told


@pytest.mark.parametrize(("to", "says"), [("wang", "given your request"), ("boss", "has joined")])
async def test_who_was_given_a_conversation_has_not_joined_yet(
    desk: Desk, chat: Chat, database: Database, clock: Clock, row: Row, to: str, says: str
) -> None:
    await row(chat.id, language="en")
    await desk.hand_over(chat)
    async with database.write() as session, session.begin():
        boss, caller = await session.get_one(Agent, "ag_boss"), Caller("agent", agent_id="ag_boss", role="supervisor")
        await supervision.assign(session, chat.id, caller, boss, to, clock(), force=True)
    _, told = (await said(chat))[-1]
    assert says in told
