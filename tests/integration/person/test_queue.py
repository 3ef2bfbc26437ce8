"""From the queue to a person's telephone and back again. On both databases."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from sqlalchemy import select, update

from api.channels.voice.tables import Call
from api.db.engine import Database
from api.outbox.tables import Delivery
from tests.integration.conftest import Clock
from tests.integration.person.line import Desk, Line, digits_of, hand_over

Headers = dict[str, str]


async def test_the_queue_tells_the_place_and_the_way_out(
    line: Line, desk: Desk, client: httpx.AsyncClient, duty: Callable[..., Awaitable[None]], clock: Clock
) -> None:
    await duty()
    other = Line(client, "+8613900139000")
    await hand_over(other, desk)
    clock.advance(minutes=1)
    await hand_over(line, desk)
    assert "Enqueue" in line.heard.verbs
    first = await line.enter()
    assert "前面还有一位" in first.text
    assert "请按一" in first.text
    assert "分钟" not in first.text  # how long it takes nobody knows
    assert first.gather["input"] == "dtmf"
    quiet = await line.round()
    assert quiet.text == ""
    await desk.act(other, "claim", "wang")
    assert "下一位就是您" in (await line.round()).text
    assert "继续等候" in " ".join([(await line.round()).text for _ in range(4)])
    again = await line.round("*")
    assert "下一位就是您" in again.text
    clock.advance(minutes=4)
    assert "久等" in " ".join([(await line.round()).text for _ in range(12)])


async def test_a_claim_puts_the_call_through_with_the_story_first(
    line: Line, desk: Desk, client: httpx.AsyncClient, service: Headers, duty: Callable[..., Awaitable[None]]
) -> None:
    await duty()
    await hand_over(line, desk)
    ticket = {
        "kind": "fault_report", "utility": "power", "address": "海棠晓月3栋2单元501",
        "description": "家里没电，邻居有电",
        "conversation_id": await desk.id_of(line), "contact_phone": "13800138000",
        "tried": [{"guide": "household_dark", "step": "switch", "answer": "no"}],
    }  # fmt: skip
    filed = (await client.post("/api/v1/tickets", json=ticket, headers=service)).json()
    await line.enter()
    await desk.act(line, "claim")
    assert (await line.round()).verbs == ["Leave"]
    await line.left()
    dial = line.heard.root.find("Dial")
    assert dial is not None
    number = dial.find("Number")
    assert number is not None
    assert (number.text, dial.attrib["answerOnBridge"]) == ("+862362801234", "true")
    assert dial.attrib["callerId"] == "+862395598000"
    assert "接通" in line.said
    asked, told, joined = await line.take("1", "")
    assert "说中文的客户" in asked.text
    for word in ("海棠晓月", "家里没电", "自查"):
        assert word in told.text
        assert word not in asked.text
    assert filed["number"] in digits_of(told.text)
    assert joined.verbs == []
    await line.go(dial.attrib["action"], follow=False, DialCallStatus="completed", DialCallDuration="30")
    assert "同事已经结束通话" in line.said
    assert (await desk.row(line)).owner == "agent"  # until he has closed it or given it back
    await desk.act(line, "release")
    await line.silence(follow=False)
    assert "/voice/turn" in line.heard.redirect
    assert "back=1" in line.heard.redirect


@pytest.mark.parametrize("how", ["busy", "no-answer", "failed", "canceled"])
async def test_who_is_not_put_through_keeps_his_place(
    line: Line,
    desk: Desk,
    client: httpx.AsyncClient,
    clock: Clock,
    duty: Callable[..., Awaitable[None]],
    how: str,
) -> None:
    await duty()
    await hand_over(line, desk)
    since = (await desk.row(line)).waiting_since
    clock.advance(minutes=1)
    other = await hand_over(Line(client, "+8613900139000"), desk)
    await line.enter()
    await desk.act(line, "claim")
    await line.round()
    await line.left()
    dial = line.heard.root.find("Dial")
    assert dial is not None
    await line.go(dial.attrib["action"], follow=False, DialCallStatus=how)
    assert "没有接通" in line.said
    row = await desk.row(line)
    assert (row.owner, row.agent_id, row.waiting_since) == ("waiting", None, since)
    assert "下一位就是您" in (await line.enter()).text
    assert "前面还有一位" in (await other.enter()).text


async def test_an_agent_without_a_telephone_writes(
    line: Line, desk: Desk, duty: Callable[..., Awaitable[None]], database: Database
) -> None:
    await duty("wang")
    await hand_over(line, desk)
    await line.enter()
    await desk.act(line, "claim", "wang")
    await line.round()
    await line.left()
    assert "Dial" not in line.heard.verbs
    assert "人工客服已经接入" in line.said
    await line.say("我家还是没有电", follow=False)
    assert line.heard.text == ""  # nothing was written yet
    await desk.act(line, "reply", "wang", text="请问您在几栋？")
    await line.silence(follow=False)
    assert "请问您在几栋" in line.said
    await line.say("三栋", follow=False)
    said = await desk.transcript(line)
    assert [text for sender, text in said if sender == "customer"][-2:] == ["我家还是没有电", "三栋"]
    await desk.act(line, "release", "wang")
    await line.silence(follow=False)
    assert "back=1" in line.heard.redirect
    assert (await desk.row(line)).owner == "bot"


async def test_an_agent_who_closes_ends_the_call(line: Line, desk: Desk, duty: Callable[..., Awaitable[None]]) -> None:
    await duty("wang")
    await hand_over(line, desk)
    await line.enter()
    await desk.act(line, "claim", "wang")
    await line.round()
    await line.left()
    await desk.act(line, "close", "wang")
    await line.silence(follow=False)
    assert line.heard.verbs[-1] == "Hangup"
    assert "再见" in line.said


async def test_a_call_back_keeps_the_place_after_the_call(
    line: Line,
    desk: Desk,
    client: httpx.AsyncClient,
    service: Headers,
    clock: Clock,
    duty: Callable[..., Awaitable[None]],
    database: Database,
) -> None:
    await duty()
    await hand_over(line, desk)
    since = (await desk.row(line)).waiting_since
    await line.enter()
    assert (await line.round("1")).verbs == ["Leave"]
    await line.left()
    assert "13800138000" in digits_of(line.said)
    await line.press("1", follow=False)
    assert line.heard.verbs[-1] == "Hangup"
    assert "位置会保留" in line.said
    await line.over()
    row = await desk.row(line)
    assert (row.owner, row.waiting_since, row.closed_at) == ("waiting", since, None)
    (promise,) = await desk.callbacks(status="open")
    assert (promise["phone"], promise["position"], promise["calls"]) == ("138****8000", 1, 0)
    assert promise["due_at"] == "2026-03-04T07:00:00Z"
    url = f"/api/v1/callbacks/{promise['id']}"
    assert (await client.get(url, headers=service)).json()["phone"] == "13800138000"

    refused = await client.post(f"{url}/call", json={"agent": "wang"}, headers=service)
    assert (refused.status_code, refused.json()["type"]) == (409, "agent-phone-required")
    headers = service | {"Idempotency-Key": "once"}
    answers = [await client.post(f"{url}/call", json={"agent": "li"}, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    again = await client.post(f"{url}/call", json={"agent": "li"}, headers=service)
    assert (again.status_code, again.json()["type"]) == (409, "call-under-way")
    async with database.read() as session:
        (delivery,) = (await session.scalars(select(Delivery))).all()
    assert (delivery.channel, delivery.purpose, delivery.recipient) == ("call", "callback", "+8613800138000")
    assert (await desk.row(line)).owner == "agent"

    async with database.write() as session, session.begin():
        await session.execute(update(Delivery).values(state="sending"))  # the outbox is calling
    back = Line(client)
    await back.go(f"/voice/outbound?delivery={delivery.id}", follow=False)
    assert "回电" in back.said
    dial = back.heard.root.find("Dial")
    assert dial is not None
    assert "客户已经接听" in (await back.take("1", ""))[0].text
    await back.go(dial.attrib["action"], follow=False, DialCallStatus="completed")
    assert back.heard.verbs[-1] == "Hangup"
    assert [c["status"] for c in await desk.callbacks()] == ["done"]
    await back.post(f"/voice/status?delivery={delivery.id}", CallStatus="completed")
    async with database.read() as session:
        assert (await session.get_one(Delivery, delivery.id)).state == "delivered"


async def test_who_hangs_up_waits_no_more(line: Line, desk: Desk, duty: Callable[..., Awaitable[None]]) -> None:
    await duty()
    await hand_over(line, desk)
    await line.enter()
    await line.left("hangup")
    await line.over()
    row = await desk.row(line)
    assert (row.owner, row.waiting_since) == ("bot", None)
    assert row.closed_at is not None


async def test_the_bot_s_call_is_closed_when_its_caller_hangs_up(line: Line, desk: Desk, database: Database) -> None:
    await line.dial()
    await line.press("1")
    await line.over("in-progress")
    assert (await desk.row(line)).closed_at is None
    for status in ("completed", "ringing", "completed"):
        await line.over(status)
    assert (await desk.row(line)).closed_at is not None
    async with database.read() as session:
        call = await session.get_one(Call, line.sid)
    assert call.status == "completed"
    assert call.ended_at is not None


async def test_an_agent_keeps_a_call_that_was_hung_up(
    line: Line, desk: Desk, duty: Callable[..., Awaitable[None]]
) -> None:
    await duty("wang")
    await hand_over(line, desk)
    await desk.act(line, "claim", "wang")
    await line.over()
    assert (await desk.row(line)).owner == "agent"
    assert (await desk.transcript(line))[-1] == ("system", "来电的客户已经挂机。")


async def test_a_promise_of_the_bot_stands_when_the_caller_hangs_up(
    line: Line, desk: Desk, client: httpx.AsyncClient, service: Headers
) -> None:
    await hand_over(line, desk)
    url = f"/api/v1/conversations/{await desk.id_of(line)}/callbacks"
    assert (await client.post(url, json={}, headers=service)).status_code == 201
    await line.over()
    assert (await desk.row(line)).owner == "waiting"
    (promise,) = await desk.callbacks(status="open")
    assert promise["phone"] == "138****8000"
    done = await client.patch(f"/api/v1/callbacks/{promise['id']}", json={"status": "done"}, headers=service)
    assert done.json()["status"] == "done"
    row = await desk.row(line)
    assert (row.owner, row.closed_at is not None) == ("bot", True)
    wrong = await client.patch(f"/api/v1/callbacks/{promise['id']}", json={"status": "cancelled"}, headers=service)
    assert wrong.status_code == 409
