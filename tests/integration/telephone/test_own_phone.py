"""A caller and an agent's own telephone, as the console shows it: on both databases, with Twilio simulated."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.integration.telephone.exchange import MEI, SIP, Exchange
from tests.simulators.server import Fault

SeatAgent = Callable[..., Awaitable[Any]]


async def page_of(desk: Any, path: str) -> str:
    answer = await desk.get(path)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


async def connected(exchange: Exchange, desk: Any) -> tuple[Any, str]:
    """A caller who talks with this agent, and the conversation."""
    caller, cv = await exchange.waiting_caller()
    assert (await desk.post(f"/console/c/{cv}/claim")).is_success
    await exchange.do(caller.silence)
    assert caller.state == "bridged"
    return caller, cv


async def test_claim_ring_answer_talk_and_hang_up_are_seen_in_the_console(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    caller, cv = await exchange.waiting_caller()
    lists = await page_of(mei, "/console/calls")
    assert "排队的来电" in lists
    assert f"answer-{cv}" in lists
    assert "138****8000" in lists
    assert "13800138000" not in lists
    assert (await page_of(mei, "/console/_/call")).strip() == ""
    exchange.twilio.behaviours[MEI] = "ring"
    bot = await exchange.said_by_bot(cv)

    assert (await mei.post(f"/console/c/{cv}/claim")).is_success
    assert "正在接通" in await page_of(mei, f"/console/_/c/{cv}/call")
    assert "接通" in await exchange.do(caller.silence)
    assert (await exchange.call(caller)).leg_state == "ringing"
    pop = await page_of(mei, "/console/_/call")
    assert "正在响铃" in pop
    assert f'href="/console/c/{cv}"' in pop
    assert "138****8000" in pop
    assert f"answer-{cv}" not in await page_of(mei, "/console/_/calls")

    await exchange.do(caller.pick_up)
    assert (await exchange.call(caller)).leg_state == "offered"
    assert "请按 1 接听" in await page_of(mei, f"/console/_/c/{cv}/call")
    await exchange.do(caller.agent_presses, "1")
    await exchange.do(caller.agent_presses, "")
    assert (caller.state, (await exchange.call(caller)).leg_state) == ("bridged", "talking")
    state = await page_of(mei, f"/console/_/c/{cv}/call")
    for shown in ("通话中", "13800138000", "/call/hold", "/call/hangup"):
        assert shown in state
    assert "/call/resume" not in state

    assert "结束通话" in await exchange.do(caller.agent_hangs_up)
    row = await exchange.conversation(cv)
    assert (row.owner, row.agent_id, row.unanswered_since) == ("agent", mei.agent.id, None)
    assert "客户还在线上" in await page_of(mei, f"/console/_/c/{cv}/call")
    assert "记下" in await exchange.do(caller.say, "我家在三栋")
    await exchange.do(caller.hang_up)
    assert (await exchange.conversation(cv)).owner == "agent"
    assert await exchange.said_by_bot(cv) == bot
    over = await page_of(mei, "/console/calls")
    assert "通话已结束" in over
    assert "已通话" in over
    assert (await mei.post(f"/console/c/{cv}/close", {"outcome": "solved"})).is_success
    assert (await exchange.conversation(cv)).closed_at is not None


async def test_a_sip_line_is_dialled_as_one(exchange: Exchange, agent: SeatAgent) -> None:
    lan = await agent("lan", phone=SIP)
    caller, _cv = await connected(exchange, lan)
    assert (await exchange.call(caller)).leg_state == "talking"
    assert exchange.twilio.whispers[SIP]
    assert "通话中" in await page_of(lan, "/console/_/calls/mine")


@pytest.mark.parametrize(("how", "words"), [("busy", "占线"), ("no-answer", "无人接听"), ("failed", "打不通")])
async def test_an_agent_whose_phone_is_not_reached_is_told_what_to_do(
    exchange: Exchange, agent: SeatAgent, how: str, words: str
) -> None:
    mei = await agent()
    caller, cv = await exchange.waiting_caller()
    since = (await exchange.conversation(cv)).waiting_since
    exchange.twilio.behaviours[MEI] = how
    await mei.post(f"/console/c/{cv}/claim")
    assert "没有接通" in await exchange.do(caller.silence)
    row = await exchange.conversation(cv)
    assert (row.owner, row.waiting_since) == ("waiting", since)
    mine = await page_of(mei, "/console/_/calls/mine")
    assert words in mine
    assert "再从队列接听" in mine
    assert f"answer-{cv}" in await page_of(mei, "/console/_/calls")
    assert words in await page_of(mei, "/console/_/call")


async def test_hold_and_take_up_again(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    caller, cv = await connected(exchange, mei)
    done = await mei.post(f"/console/c/{cv}/call/hold")
    assert done.status_code == 200
    assert [(sid, form["Url"].partition("?")[0]) for sid, form in exchange.twilio.changes] == [
        (caller.sid, "http://desk.example.com/power/voice/moved")
    ]
    assert "正在转为保持" in await page_of(mei, f"/console/_/c/{cv}/call")
    again = await mei.post(f"/console/c/{cv}/call/hold")
    assert again.status_code == 409
    assert "还在进行" in again.text
    assert len(exchange.twilio.changes) == 1

    assert "不要挂机" in await exchange.do(caller.follow_order)
    assert (await exchange.call(caller)).leg_state == "held"
    assert "保持中" in await page_of(mei, f"/console/_/c/{cv}/call")
    heard = " ".join([await exchange.do(caller.silence) for _ in range(7)])
    assert "继续等候" in heard
    assert (await exchange.conversation(cv)).owner == "agent"

    rung = len(exchange.twilio.whispers[MEI])
    assert (await mei.post(f"/console/c/{cv}/call/resume")).is_success
    await exchange.do(caller.silence)
    assert caller.state == "bridged"
    assert len(exchange.twilio.whispers[MEI]) > rung
    call = await exchange.call(caller)
    assert (call.leg_state, call.leg, call.asked) == ("talking", 2, "")
    assert len(exchange.twilio.changes) == 1


async def test_a_passed_on_call_follows_at_once(exchange: Exchange, agent: SeatAgent) -> None:
    mei, lan = await agent(), await agent("lan", phone=SIP)
    caller, cv = await connected(exchange, mei)
    assert await exchange.follow() == 0
    moved = await mei.post(f"/console/c/{cv}/transfer", {"to": "lan", "note": "水的事", "force": "true"})
    assert moved.is_success
    assert "前一位同事" in await page_of(lan, f"/console/_/c/{cv}/call")
    assert await exchange.follow() == 1
    assert await exchange.follow() == 0
    await exchange.do(caller.follow_order)
    assert caller.state == "bridged"
    assert exchange.twilio.whispers[SIP]
    call = await exchange.call(caller)
    assert (call.agent_id, call.leg_state) == (lan.agent.id, "talking")
    assert "通话中" in await page_of(lan, "/console/_/call")
    assert (await page_of(mei, "/console/_/call")).strip() == ""
    assert (await mei.post(f"/console/c/{cv}/call/hangup")).status_code == 409


async def test_a_call_whose_vendor_is_deaf_follows_when_the_agent_hangs_up(
    exchange: Exchange, agent: SeatAgent
) -> None:
    mei, lan = await agent(), await agent("lan", phone=SIP)
    caller, cv = await connected(exchange, mei)
    await mei.post(f"/console/c/{cv}/transfer", {"to": "lan", "note": "水的事", "force": "true"})
    exchange.twilio.fail(Fault("/Calls/", times=1, drop="before"))
    assert await exchange.follow() == 1
    exchange.clock.advance(seconds=20)
    assert await exchange.follow() == 0  # its answer was lost: not asked again
    assert "没有转走" in await page_of(lan, f"/console/_/c/{cv}/call")
    await exchange.do(caller.agent_hangs_up)
    assert caller.state == "bridged"
    assert (await exchange.call(caller)).agent_id == lan.agent.id


async def test_back_to_the_queue_and_to_the_bot(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    caller, cv = await connected(exchange, mei)
    await mei.post(f"/console/c/{cv}/transfer", {"note": "不是我的业务"})
    assert await exchange.follow() == 1
    await exchange.do(caller.follow_order)
    assert (await exchange.conversation(cv)).owner == "waiting"
    assert caller.state == "gathering"  # in the queue's loop
    await mei.post(f"/console/c/{cv}/claim")
    await exchange.do(caller.silence)
    await exchange.do(caller.agent_hangs_up)
    assert (await mei.post(f"/console/c/{cv}/release", {})).is_success
    await exchange.do(caller.silence)
    assert (await exchange.conversation(cv)).owner == "bot"
    assert caller.state == "gathering"  # the bot listens
    assert "自动助手" in await page_of(mei, f"/console/_/c/{cv}/call")


async def test_a_caller_goes_back_to_the_assistant_when_the_agent_has_hung_up(
    exchange: Exchange, agent: SeatAgent
) -> None:
    mei = await agent()
    caller, cv = await connected(exchange, mei)
    await exchange.do(caller.agent_hangs_up)
    await exchange.do(caller.press, "1")
    assert (await exchange.conversation(cv)).owner == "bot"
    assert caller.state == "gathering"


async def test_closing_ends_the_call(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    caller, cv = await connected(exchange, mei)
    assert (await mei.post(f"/console/c/{cv}/close", {"outcome": "solved"})).is_success
    assert await exchange.follow() == 1
    assert "再见" in await exchange.do(caller.follow_order)
    assert caller.state == "ended"
    assert (await exchange.conversation(cv)).closed_at is not None


async def test_hanging_up_from_the_console(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    caller, cv = await connected(exchange, mei)
    assert (await mei.post(f"/console/c/{cv}/call/hangup")).is_success
    assert exchange.twilio.changes == [(caller.sid, {"Status": "completed"})]
    await exchange.do(caller.follow_order)
    assert (await exchange.call(caller)).ended_at is not None
    assert (await exchange.conversation(cv)).owner == "agent"
    gone = await mei.post(f"/console/c/{cv}/call/hangup")
    assert gone.status_code == 409
    assert "已经结束" in gone.text


async def test_what_the_vendor_refuses_is_said_and_leaves_the_call_as_it_was(
    exchange: Exchange, agent: SeatAgent
) -> None:
    mei = await agent(language="en")
    caller, cv = await connected(exchange, mei)
    exchange.twilio.busy()
    away = await mei.post(f"/console/c/{cv}/call/hold")
    assert away.status_code == 503
    assert "cannot be reached" in away.text
    call = await exchange.call(caller)
    assert (call.leg_state, call.asked) == ("talking", "")
    exchange.twilio.fail(Fault("/Calls/", times=1, drop="after"))
    unknown = await mei.post(f"/console/c/{cv}/call/hold")
    assert unknown.status_code == 504
    assert "nobody can tell" in unknown.text
    assert "Nobody can tell" in await page_of(mei, f"/console/_/c/{cv}/call")
    assert len(exchange.twilio.changes) == 1
    await exchange.do(caller.follow_order)  # it was carried out after all
    assert (await exchange.call(caller)).leg_state == "held"
    assert "on hold" in await page_of(mei, f"/console/_/c/{cv}/call")


async def test_a_call_that_is_over_for_the_vendor_is_over(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    caller, cv = await connected(exchange, mei)
    exchange.twilio.live.pop(caller.sid)  # its end was never reported
    over = await mei.post(f"/console/c/{cv}/call/hold")
    assert over.status_code == 502
    assert "已经结束" in over.text
    assert (await exchange.call(caller)).ended_at is not None
    assert "会话仍在您名下" in await page_of(mei, f"/console/_/c/{cv}/call")


async def test_only_its_agent_and_supervisors_control_a_call(exchange: Exchange, agent: SeatAgent) -> None:
    mei, other, boss = await agent(), await agent("lan", phone=SIP), await agent("boss", role="supervisor", phone="")
    _caller, cv = await connected(exchange, mei)
    assert (await other.post(f"/console/c/{cv}/call/hangup")).status_code == 409
    seen = (await other.get(f"/console/_/c/{cv}/call")).text
    assert "/call/hangup" not in seen
    assert "13800138000" not in seen
    assert (await boss.post(f"/console/c/{cv}/call/hold")).is_success
