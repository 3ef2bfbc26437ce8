"""An agent signs out: what he had is others' at once, and everybody is told."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.service import token_hash
from api.agents.tables import Agent, AgentSession
from api.channels.voice.tables import Call
from api.conversations import relief
from api.conversations.notes import list_notes
from api.conversations.silence import remind_and_pass
from api.conversations.tables import Conversation
from api.db.engine import Database
from tests.integration.conftest import Clock
from tests.integration.queues.conftest import Row, SignIn, said
from tests.integration.queues.test_assignment import queued
from tests.integration.test_ownership import Desk
from tests.integration.test_web_channel import Chat


async def sign_in(database: Database, clock: Clock, name: str, token: str, *, console: bool = True) -> None:
    async with database.write() as session, session.begin():
        ends = clock() + timedelta(hours=12)
        row = AgentSession(token_hash=token_hash(token), agent_id=f"ag_{name}", created_at=clock(), expires_at=ends)
        row.seen_at, row.console = clock(), console
        session.add(row)
        (await session.get_one(Agent, f"ag_{name}")).presence = "available"


async def test_who_signs_out_passes_on_at_once(
    desk: Desk, chat: Chat, database: Database, clock: Clock, row: Row, at_console: SignIn
) -> None:
    await sign_in(database, clock, "li", "one")
    await sign_in(database, clock, "li", "two", console=False)
    await at_console("wang")
    chinese = await queued(desk)
    await desk.act(chat, "claim")
    await desk.act(chinese, "claim")
    async with database.write() as session, session.begin():
        (await session.get_one(Agent, "ag_wang")).capacity = 1
    assert await relief.sign_out(database, "ag_li", "one", clock()) == 0, "he is there by another sign-in"
    assert (await row(chat.id)).agent_id == "ag_li"
    assert await relief.sign_out(database, "ag_li", "two", clock()) == 2
    owners = {(await row(each.id)).agent_id for each in (chat, chinese)}
    assert owners == {"ag_wang", None}, "as many as the colleague has room for, the rest back to the queue"
    for each in (chat, chinese):
        shown = await row(each.id)
        assert (shown.passed_by, shown.handover_reason) == ("ag_li", "transfer")
        last = (await said(each))[-1][1]
        assert "cannot go on" in last or "不能继续为您服务" in last
        async with database.read() as session:
            (noted,) = await list_notes(session, each.id)
        assert noted.note.text == ""
        assert "li已退出" in noted.told("zh")
        assert "li has signed out" in noted.told("en")
    async with database.read() as session:
        assert (await session.get_one(Agent, "ag_li")).presence == "away"
    assert await relief.sign_out(database, "ag_li", "two", clock()) == 0


async def test_two_leave_at_once(desk: Desk, database: Database, clock: Clock, row: Row) -> None:
    """Nothing hangs, and nothing is left with either of them for long."""
    chats = [await queued(desk) for _ in range(6)]
    for name in ("li", "wang"):
        await sign_in(database, clock, name, name)
    for n, chat in enumerate(chats):
        await desk.act(chat, "claim", ("li", "wang")[n % 2])
    await asyncio.gather(*(relief.sign_out(database, f"ag_{name}", name, clock()) for name in ("li", "wang")))
    for chat in chats:
        shown = await row(chat.id)
        assert (shown.owner, shown.agent_id) == ("waiting", None)
        assert "没有其他同事在线" in (await said(chat))[-1][1]


async def test_one_that_cannot_be_passed_on_holds_up_no_other(
    desk: Desk, database: Database, clock: Clock, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    chats = [await queued(desk) for _ in range(3)]
    await sign_in(database, clock, "li", "one")
    for chat in chats:
        await desk.act(chat, "claim")
    whole = relief.pass_on

    async def refused(session: AsyncSession, conversation: Conversation, now: datetime, why: relief.Why) -> None:
        await whole(session, conversation, now, why)
        if conversation.id == chats[1].id:
            raise OperationalError("update", {}, Exception("the database went away"))

    monkeypatch.setattr(relief, "pass_on", refused)
    assert await relief.sign_out(database, "ag_li", "one", clock()) == 2
    owners = [(await row(chat.id)).agent_id for chat in chats]
    assert owners == [None, "ag_li", None]
    monkeypatch.undo()
    for _ in range(2):  # a silent agent's: a reminder, then the next one
        clock.advance(minutes=6)
        await remind_and_pass(database, clock())
    assert (await row(chats[1].id)).owner == "waiting"


async def test_a_call_goes_on(desk: Desk, chat: Chat, database: Database, clock: Clock, row: Row) -> None:
    await sign_in(database, clock, "li", "one")
    await row(chat.id, channel="voice")
    await desk.act(chat, "claim")
    async with database.write() as session, session.begin():
        call = Call(sid="CA1", conversation_id=chat.id, agent_id="ag_li", leg_state="talking", leg_at=clock())
        call.number, call.direction, call.created_at = "+8613800138000", "inbound", clock()
        session.add(call)
    assert await relief.sign_out(database, "ag_li", "one", clock()) == 0
    assert (await row(chat.id)).agent_id == "ag_li"
