"""Who picks up an agent's phone is asked for a key, and nobody is put through without it: with Twilio simulated."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin

import pytest

from api.channels.voice import steps
from api.channels.voice.tables import Call
from api.conversations.tables import Conversation
from tests.integration.calls.talk import stall
from tests.integration.telephone.exchange import MEI, SIP, Exchange
from tests.integration.telephone.test_call_backs import promised
from tests.integration.telephone.test_own_phone import page_of
from tests.simulators.caller import Caller
from tests.simulators.leg import CallFailed
from tests.simulators.twiml import parse

SeatAgent = Callable[..., Awaitable[Any]]


async def picked_up(exchange: Exchange, desk: Any, phone: str = MEI, **caller: str) -> tuple[Caller, str]:
    """A caller whose agent's phone has just been picked up, and the conversation."""
    exchange.twilio.behaviours[phone] = "listen"
    line, cv = await exchange.waiting_caller(**caller)
    assert (await desk.post(f"/console/c/{cv}/claim")).is_success
    await exchange.do(line.silence)
    assert line.state == "dialling"
    return line, cv


async def change(exchange: Exchange, cv: str, **values: Any) -> None:
    async with exchange.database.write() as session, session.begin():
        row = await session.get_one(Conversation, cv)
        for name, value in values.items():
            setattr(row, name, value)


def told(exchange: Exchange, phone: str = MEI) -> str:
    return " ".join(exchange.twilio.whispers.get(phone, []))


async def missed(exchange: Exchange, desk: Any, line: Caller, cv: str) -> None:
    """The agent was not reached: everybody is told so, and the customer has kept his place."""
    row, call = await exchange.conversation(cv), await exchange.call(line)
    assert (row.owner, row.agent_id, row.passed_by) == ("waiting", None, desk.agent.id)
    assert (call.leg_state, call.ended_at, line.state) == ("not-taken", None, "gathering")
    assert "没有按 1" in await page_of(desk, "/console/_/calls/mine")
    assert "没有按 1" in await page_of(desk, "/console/_/call")
    assert f"answer-{cv}" in await page_of(desk, "/console/_/calls")


@pytest.mark.parametrize("phone", [MEI, SIP])
async def test_the_key_takes_the_call(exchange: Exchange, agent: SeatAgent, phone: str) -> None:
    mei = await agent(phone="02362801234" if phone == MEI else SIP)
    line, cv = await picked_up(exchange, mei, phone)
    assert (await exchange.call(line)).leg_state == "offered"
    assert told(exchange, phone) == "转接来电：说中文的客户，等候不到一分钟。 接听请按一。"
    assert "拿起" in await page_of(mei, f"/console/_/c/{cv}/call")
    await exchange.do(line.agent_presses, "1")
    assert (line.state, (await exchange.call(line)).leg_state) == ("dialling", "offered")
    assert "地点" in told(exchange, phone)
    await exchange.do(line.agent_presses, "")
    assert (line.state, (await exchange.call(line)).leg_state) == ("bridged", "talking")
    assert "通话中" in await page_of(mei, f"/console/_/c/{cv}/call")


async def test_a_second_key_cuts_the_story_short(exchange: Exchange, agent: SeatAgent) -> None:
    line, _cv = await picked_up(exchange, await agent())
    await exchange.do(line.agent_presses, "1")
    await exchange.do(line.agent_presses, "5")
    assert (line.state, (await exchange.call(line)).leg_state) == ("bridged", "talking")


@pytest.mark.parametrize(
    ("key", "unbridged"), [("", "completed"), ("", "no-answer"), ("2", "completed"), ("*", "completed")]
)
async def test_without_the_key_nobody_is_put_through(
    exchange: Exchange, agent: SeatAgent, key: str, unbridged: str
) -> None:
    """A voicemail says nothing, a child presses something."""
    exchange.twilio.unbridged = unbridged
    mei = await agent()
    line, cv = await picked_up(exchange, mei)
    since = (await exchange.conversation(cv)).waiting_since
    heard = await exchange.do(line.agent_presses, key)
    assert "没有接通" in heard
    assert "位置没有变" in heard
    assert (await exchange.conversation(cv)).waiting_since == since
    await missed(exchange, mei, line, cv)


@pytest.mark.parametrize(("keys", "unbridged"), [([], "completed"), (["1"], "completed"), ([], "no-answer")])
async def test_who_hangs_up_before_he_is_joined_was_not_reached(
    exchange: Exchange, agent: SeatAgent, keys: list[str], unbridged: str
) -> None:
    exchange.twilio.unbridged = unbridged
    mei = await agent()
    line, cv = await picked_up(exchange, mei)
    for key in keys:
        await exchange.do(line.agent_presses, key)
    assert "没有接通" in await exchange.do(line.agent_hangs_up)
    await missed(exchange, mei, line, cv)


async def test_the_next_agent_is_tried_first(exchange: Exchange, agent: SeatAgent) -> None:
    mei, lan = await agent(), await agent("lan", phone=SIP)
    line, cv = await picked_up(exchange, mei)
    await exchange.do(line.agent_presses, "")
    assert (await lan.post(f"/console/c/{cv}/claim")).is_success
    await exchange.do(line.silence)
    assert (line.state, (await exchange.call(line)).agent_id) == ("bridged", lan.agent.id)
    with pytest.raises(CallFailed):
        line.agent_presses("1")


@pytest.mark.parametrize("keys", [[], ["1"]])
async def test_a_caller_who_hangs_up_meanwhile(exchange: Exchange, agent: SeatAgent, keys: list[str]) -> None:
    mei = await agent()
    line, cv = await picked_up(exchange, mei)
    for key in keys:
        await exchange.do(line.agent_presses, key)
    pressed = exchange.twilio.whispers[MEI].copy()
    leg = (await exchange.call(line)).leg
    await exchange.do(line.hang_up)
    call, row = await exchange.call(line), await exchange.conversation(cv)
    assert call.ended_at is not None
    assert (call.leg_state, row.owner, row.agent_id) == ("canceled", "agent", mei.agent.id)
    lists = await page_of(mei, "/console/calls")
    assert "坐席接听前已结束" in lists
    assert "已通话" not in lists
    # His key comes too late.
    url = f"{exchange.settings.public_url}/voice/taken?call={line.sid}&leg={leg}"
    late = await exchange.webhook(url, CallSid="CA" + "7" * 32, ParentCallSid=line.sid, Digits="1")
    assert "<Hangup" in late
    assert "不用接了" in late
    assert (await exchange.call(line)).leg_state == "canceled"
    assert exchange.twilio.whispers[MEI] == pressed


async def test_replayed_webhooks_do_nothing_twice(exchange: Exchange, agent: SeatAgent) -> None:
    line, cv = await picked_up(exchange, await agent())
    asked = set(await exchange.replay(line.replay_leg))
    assert len(asked) == 1
    await exchange.do(line.agent_presses, "1")
    told_once = set(await exchange.replay(line.replay_leg))
    assert len(told_once) == 1
    assert (await exchange.call(line)).leg_state == "offered"
    await exchange.do(line.agent_presses, "")
    joined = set(await exchange.replay(line.replay_leg))
    assert len(joined) == 1
    assert "Hangup" not in joined.pop()
    call = await exchange.call(line)
    assert (call.leg, call.leg_state) == (1, "talking")
    since = call.leg_at
    exchange.clock.advance(seconds=30)
    await exchange.replay(line.replay_leg)
    assert (await exchange.call(line)).leg_at == since
    assert (await exchange.conversation(cv)).owner == "agent"


async def test_a_declined_call_stays_declined_when_its_webhooks_come_again(
    exchange: Exchange, agent: SeatAgent
) -> None:
    mei = await agent()
    line, cv = await picked_up(exchange, mei)
    url = f"{exchange.settings.public_url}/voice/taken?call={line.sid}&leg=1"
    sid = line._leg().sid
    await exchange.do(line.agent_presses, "2")
    for heard in ("", "&heard=1"):
        assert "<Hangup" in await exchange.webhook(url + heard, CallSid=sid, ParentCallSid=line.sid, Digits="1")
    await missed(exchange, mei, line, cv)


@pytest.mark.parametrize("path", ["/voice/taken", "/voice/whisper", "/voice/leg"])
async def test_a_forged_signature_takes_no_call(exchange: Exchange, agent: SeatAgent, path: str) -> None:
    line, _cv = await picked_up(exchange, await agent())
    before = (await exchange.call(line)).leg_state
    query = f"{path}?call={line.sid}&leg=1" + ("&heard=1" if path == "/voice/taken" else "")
    status = await exchange.forge(query, CallSid="CA" + "7" * 32, Digits="1", CallStatus="in-progress")
    assert status == 403
    assert (await exchange.call(line)).leg_state == before


@pytest.mark.parametrize(
    ("values", "minutes", "words"),
    [
        ({"skill": "water"}, 2, "A call for you: a customer who speaks Chinese, about water, waiting for 2 minutes."),
        ({"skill": "power"}, 1, "a customer who speaks Chinese, about electricity, waiting for 1 minute."),
        ({"language": "en", "skill": "complaint"}, 0, "who speaks English, with a complaint, waiting for less than a"),
        ({"handover_reason": "transfer"}, 3, "who speaks Chinese, passed on by a colleague."),
        ({"sheet": {"utility": "water"}}, 5, "who speaks Chinese, about water, waiting for 5 minutes."),
        ({"priority": 1}, 0, "Attention, this is about safety. A call for you"),
    ],
)
async def test_the_agent_hears_in_his_language_who_calls(
    exchange: Exchange, agent: SeatAgent, values: dict[str, Any], minutes: int, words: str
) -> None:
    exchange.twilio.behaviours[MEI] = "listen"
    mei = await agent(language="en")
    line, cv = await exchange.waiting_caller()
    await change(exchange, cv, waiting_since=exchange.clock() - timedelta(minutes=minutes), **values)
    assert (await mei.post(f"/console/c/{cv}/claim")).is_success
    await exchange.do(line.silence)
    heard = told(exchange)
    assert words in heard
    assert heard.endswith("Press 1 to take the call.")
    assert "13800138000" not in heard


async def test_a_call_that_was_passed_on_meanwhile_is_not_taken(exchange: Exchange, agent: SeatAgent) -> None:
    mei, lan = await agent(), await agent("lan", phone=SIP)
    line, cv = await picked_up(exchange, mei)
    assert (await mei.post(f"/console/c/{cv}/transfer", {"to": "lan", "note": "水的事", "force": "true"})).is_success
    await exchange.do(line.agent_presses, "1")
    assert "不用接了" in told(exchange)
    assert await exchange.follow() == 0
    call = await exchange.call(line)
    assert (line.state, call.agent_id, call.leg_state) == ("bridged", lan.agent.id, "talking")


async def test_hanging_up_from_the_console_before_it_is_taken(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    line, cv = await picked_up(exchange, mei)
    assert "/call/hangup" in await page_of(mei, f"/console/_/c/{cv}/call")
    assert "/call/hold" not in await page_of(mei, f"/console/_/c/{cv}/call")
    assert (await mei.post(f"/console/c/{cv}/call/hangup")).is_success
    await exchange.do(line.follow_order)
    call, row = await exchange.call(line), await exchange.conversation(cv)
    assert (line.state, call.leg_state, call.ended_at is not None) == ("ended", "canceled", True)
    assert (row.owner, row.agent_id) == ("agent", mei.agent.id)


async def test_on_hold_a_voicemail_does_not_get_the_customer(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    line, cv = await picked_up(exchange, mei)
    for key in ("1", ""):
        await exchange.do(line.agent_presses, key)
    assert (await mei.post(f"/console/c/{cv}/call/hold")).is_success
    await exchange.do(line.follow_order)
    assert (await mei.post(f"/console/c/{cv}/call/resume")).is_success
    await exchange.do(line.silence)
    assert line.state == "dialling"
    assert "没有接通" in await exchange.do(line.agent_presses, "")
    await missed(exchange, mei, line, cv)


@pytest.mark.parametrize("keys", [[""], ["7"]])
async def test_a_call_back_that_nobody_takes_stays_promised(
    exchange: Exchange, agent: SeatAgent, keys: list[str]
) -> None:
    mei = await agent()
    callback, cv = await promised(exchange)
    exchange.twilio.behaviours[MEI] = "listen"
    await mei.post(f"/console/callbacks/{callback}/call")
    (placed,) = await exchange.place_calls()
    customer = Caller(exchange.twilio)
    await exchange.do(customer.answer, placed)
    assert "客户已经接听您的回电：说中文的客户" in told(exchange)
    heard = " ".join([await exchange.do(customer.agent_presses, key) for key in keys])
    assert "没有接通" in heard
    assert customer.state == "ended"
    assert (await exchange.callback()).status == "open"
    assert (await exchange.conversation(cv)).owner == "waiting"


async def test_a_call_back_is_kept_only_when_the_two_have_talked(exchange: Exchange, agent: SeatAgent) -> None:
    mei = await agent()
    callback, _cv = await promised(exchange)
    exchange.twilio.behaviours[MEI] = "listen"
    await mei.post(f"/console/callbacks/{callback}/call")
    (placed,) = await exchange.place_calls()
    customer = Caller(exchange.twilio)
    await exchange.do(customer.answer, placed)
    await exchange.do(customer.hang_up)
    assert (await exchange.callback()).status == "open"
    assert (await mei.post(f"/console/callbacks/{callback}/call")).is_success
    placed = (await exchange.place_calls())[-1]
    customer = Caller(exchange.twilio)
    await exchange.do(customer.answer, placed)
    for key in ("1", ""):
        await exchange.do(customer.agent_presses, key)
    await exchange.do(customer.hang_up)
    assert (await exchange.callback()).status == "done"


async def test_a_report_that_the_phone_was_answered_may_come_late(exchange: Exchange, agent: SeatAgent) -> None:
    line, _cv = await picked_up(exchange, await agent())
    sid = line._leg().sid
    for key in ("1", ""):
        await exchange.do(line.agent_presses, key)
    url = f"{exchange.settings.public_url}/voice/leg?call={line.sid}&leg=1"
    await exchange.webhook(url, CallSid=sid, ParentCallSid=line.sid, CallStatus="in-progress")
    assert (await exchange.call(line)).leg_state == "talking"


async def test_an_unanswered_whisper_of_an_unknown_call_ends(exchange: Exchange) -> None:
    for path in ("whisper", "taken"):
        url = f"{exchange.settings.public_url}/voice/{path}?call=CA{'0' * 32}&leg=1"
        assert "<Hangup" in await exchange.webhook(url, CallSid="CA" + "7" * 32, Digits="1")
    async with exchange.database.read() as session:
        assert await session.get(Call, "CA" + "0" * 32) is None


async def test_a_stalled_database_puts_nobody_through(
    exchange: Exchange, agent: SeatAgent, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, _cv = await picked_up(exchange, await agent())
    sid = line._leg().sid
    monkeypatch.setattr(steps, "DEADLINE", 0.4)
    let_go = await stall(exchange.database, database_url, line.sid)
    path = f"/voice/taken?call={line.sid}&leg=1"
    late = parse((await exchange.webhook(exchange.settings.public_url + path, CallSid=sid, Digits="1")).encode())
    assert late[-1].name == "Redirect"  # what ends by itself would join them
    await let_go()
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    onward = urljoin(exchange.settings.public_url, late[-1].text)
    assert "heard=1" in await exchange.webhook(onward, CallSid=sid)
    assert (await exchange.call(line)).leg_state == "offered"
