"""Call-backs from the console's list: made once, connected, and what is said where nobody answers."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from api.conversations.silence import remind_and_pass
from api.conversations.tables import Conversation
from tests.integration.telephone.exchange import MEI, Exchange
from tests.integration.telephone.test_own_phone import connected, page_of
from tests.simulators.caller import Caller

SeatAgent = Callable[..., Awaitable[Any]]


async def promised(exchange: Exchange) -> tuple[str, str]:
    """A call-back that a caller chose instead of waiting: its id and its conversation's."""
    caller, cv = await exchange.waiting_caller()
    await exchange.do(caller.press, "1")
    assert "位置会保留" in await exchange.do(caller.press, "1")
    return (await exchange.callback()).id, cv


async def test_calling_back_from_the_list(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    callback, cv = await promised(exchange)
    lists = await page_of(mei, "/console/calls")
    assert "138****8000" in lists
    assert "13800138000" not in lists
    assert f"/console/callbacks/{callback}/call" in lists
    await exchange.due(callback, exchange.clock() - timedelta(minutes=1))
    assert "已过约定时间" in await page_of(mei, "/console/_/calls")

    assert (await mei.post(f"/console/callbacks/{callback}/call")).is_success
    twice = await mei.post(f"/console/callbacks/{callback}/call")
    assert twice.status_code == 409
    assert "没有再拨" in twice.text
    (placed,) = await exchange.place_calls()
    assert placed.to == "+8613800138000"
    lists = await page_of(mei, "/console/calls")
    assert "正在呼叫客户" in lists
    assert f'id="call-{callback}"' not in lists
    assert "13800138000" in lists  # it is hers now
    customer = Caller(exchange.twilio)
    assert "接通" in await exchange.do(customer.answer, placed)
    assert customer.state == "bridged"
    assert "客户已经接听您的回电" in " ".join(exchange.twilio.whispers[MEI])
    assert "通话中" in await page_of(mei, "/console/_/calls/mine")
    assert "再见" in await exchange.do(customer.agent_hangs_up)
    assert (await exchange.callback()).status == "done"
    assert (await exchange.conversation(cv)).owner == "agent"
    assert f"call-{callback}" not in await page_of(mei, "/console/_/calls")


async def test_a_customer_who_does_not_answer_stays_on_the_list(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    callback, _id = await promised(exchange)
    await mei.post(f"/console/callbacks/{callback}/call")
    (placed,) = await exchange.place_calls()
    await asyncio.to_thread(exchange.twilio.call_status, placed, "no-answer")
    mine = await page_of(mei, "/console/_/calls/mine")
    assert "没有接通" in mine
    assert "无人接听" in mine
    assert "已打 1 次" in await page_of(mei, "/console/_/calls")
    assert (await mei.post(f"/console/callbacks/{callback}/call")).is_success
    assert len(await exchange.place_calls()) == 2


async def test_notes_and_ends(exchange: Exchange, agent: SeatAgent) -> None:
    mei, lan = await agent(language="en"), await agent("lan", phone="")
    callback, cv = await promised(exchange)
    phoneless = await lan.post(f"/console/callbacks/{callback}/call")
    assert phoneless.status_code == 409
    assert "SIP" in phoneless.text
    assert "还没有登记电话" in await page_of(lan, "/console/calls")
    assert (await mei.post(f"/console/callbacks/{callback}/note", {"text": "晚上打"})).is_success
    assert (await mei.post(f"/console/callbacks/{callback}/note", {"text": "  "})).status_code == 422
    assert "晚上打" in await page_of(mei, f"/console/c/{cv}")
    assert (await mei.post(f"/console/callbacks/{callback}/end", {"status": "cancelled"})).is_success
    ended = await exchange.conversation(cv)
    assert (ended.owner, ended.closed_at is not None) == ("bot", True)
    again = await mei.post(f"/console/callbacks/{callback}/end", {"status": "done"})
    assert again.status_code == 409
    assert "ended already" in again.text
    assert "No call-backs" in await page_of(mei, "/console/calls")


async def test_a_colleagues_call_back_is_his(exchange: Exchange, agent: SeatAgent) -> None:
    mei, lan = await agent(), await agent("lan", phone="02362805678")
    callback, _id = await promised(exchange)
    await mei.post(f"/console/callbacks/{callback}/call")
    assert (await lan.post(f"/console/callbacks/{callback}/call")).status_code == 409
    assert (await lan.post(f"/console/callbacks/{callback}/end", {"status": "done"})).status_code == 409
    assert f"call-{callback}" not in await page_of(lan, "/console/_/calls")


async def test_who_talks_on_the_phone_is_not_silent(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    caller, cv = await connected(exchange, mei)
    async with exchange.database.write() as session, session.begin():
        row = await session.get_one(Conversation, cv)
        row.unanswered_since = exchange.clock()  # as when the customer of a call-back writes on, too
    now = exchange.clock.advance(minutes=20)
    assert await remind_and_pass(exchange.database, now) == 0
    assert (await exchange.conversation(cv)).agent_id == mei.agent.id
    await exchange.do(caller.agent_hangs_up)
    assert await remind_and_pass(exchange.database, now + timedelta(seconds=1)) == 1
