"""From the queue to a person's telephone, back again, and what there is where nobody answers. On both databases."""

import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import func, select, update

from api.agents.tables import Agent, AgentSession
from api.channels.voice import steps
from api.channels.voice.tables import Call
from api.conversations.tables import Callback, Conversation, Message
from api.danger import scan
from api.db.engine import Database
from api.outbox.tables import Delivery
from api.outlets.tables import UtilityFact
from api.settings import Settings
from api.tickets.tables import Ticket, TicketEvent
from tests.integration.caller import FORM, PUBLIC_URL, Caller, Heard, signed, with_voice
from tests.integration.calls.talk import stall
from tests.integration.conftest import Clock

Headers = dict[str, str]
HOURS = {"zh": "每天 8:00 至 22:00", "en": "every day from 8:00 to 22:00", "from": "08:00", "to": "22:00"}
PHONE = "02362801234"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_voice(settings, twilio_from="+862395598000")


@pytest.fixture(autouse=True)
async def people(database: Database, clock: Clock) -> None:
    """Li has a telephone, Wang writes; nobody is on duty."""
    scan("")  # loads its words, as the app does when it starts
    async with database.write() as session, session.begin():
        for name, phone in (("li", PHONE), ("wang", "")):
            session.add(
                Agent(
                    id=f"ag_{name}",
                    username=name,
                    password_hash="-",
                    role="agent",
                    languages=["zh"],
                    phone=phone,
                    created_at=clock(),
                )
            )
        session.add(UtilityFact(key="agent_hours", value=HOURS))
        session.add(UtilityFact(key="hotline", value="95598"))
        session.add(
            UtilityFact(key="name", value={"zh": "南岸供电供水服务中心", "en": "Nan'an power and water service"})
        )


class Line(Caller):
    """A caller who can wait in the queue, too."""

    async def enter(self) -> Heard:
        """The first document of the waiting loop of the <Enqueue> that was heard last."""
        self.enqueue = self.heard.root.find("Enqueue")
        assert self.enqueue is not None, self.heard.xml
        self.heard = await self.post(self.enqueue.attrib["waitUrl"])
        return self.heard

    async def round(self, keys: str = "") -> Heard:
        """One more round of waiting, perhaps with a key."""
        self.heard = await self.post(self.heard.gather["action"], **({"Digits": keys} if keys else {}))
        return self.heard

    async def left(self, result: str = "leave") -> "Line":
        """The queue's action, after a <Leave>."""
        await self.go(self.enqueue.attrib["action"], follow=False, QueueResult=result)
        return self

    async def over(self, status: str = "completed") -> None:
        await self.post("/voice/status", CallStatus=status)


@pytest.fixture
def line(client: httpx.AsyncClient) -> Line:
    return Line(client)


@pytest.fixture
def duty(database: Database, clock: Clock) -> Callable[..., Awaitable[None]]:
    """`await duty()`: agents are there (until ten years from now)."""

    async def come(*names: str) -> None:
        async with database.write() as session, session.begin():
            for name in names or ("li",):
                session.add(
                    AgentSession(
                        token_hash=name,
                        agent_id=f"ag_{name}",
                        created_at=clock(),
                        expires_at=clock().replace(year=2036),
                        seen_at=clock().replace(year=2035),
                    )
                )

    return come


class Desk:
    """The agents' side of a call."""

    def __init__(self, client: httpx.AsyncClient, database: Database, service: Headers) -> None:
        self.client, self.database, self.service = client, database, service

    async def id_of(self, caller: Caller) -> str:
        async with self.database.read() as session:
            return str(await session.scalar(select(Call.conversation_id).where(Call.sid == caller.sid)))

    async def row(self, caller: Caller) -> Conversation:
        async with self.database.read() as session:
            return await session.get_one(Conversation, await self.id_of(caller))

    async def act(self, caller: Caller, act: str, agent: str | None = "li", **body: Any) -> httpx.Response:
        body |= {"agent": agent} if agent else {}
        url = f"/api/v1/conversations/{await self.id_of(caller)}/{act}"
        answer = await self.client.post(url, json=body, headers=self.service)
        assert answer.is_success, answer.text
        return answer

    async def transcript(self, caller: Caller) -> list[tuple[str, str]]:
        url = f"/api/v1/conversations/{await self.id_of(caller)}/transcript"
        items = (await self.client.get(url, headers=self.service)).json()["items"]
        return [(item["from"], item["text"]) for item in items]

    async def callbacks(self, **params: str) -> list[dict[str, Any]]:
        answer = await self.client.get("/api/v1/callbacks", params=params, headers=self.service)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])


@pytest.fixture
def desk(client: httpx.AsyncClient, database: Database, service: Headers) -> Desk:
    return Desk(client, database, service)


async def hand_over(line: Line, desk: Desk, language: str = "1") -> Line:
    """A call whose conversation waits for a person."""
    await line.dial()
    await line.press(language)
    await desk.act(line, "handover", None, reason="wish")
    await line.silence(follow=False)
    return line


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
    whispered = Caller(client, sid=f"CA{secrets.token_hex(16)}")
    heard = await whispered.post(number.attrib["url"], ParentCallSid=line.sid)
    for told in ("海棠晓月", "家里没电", "自查"):
        assert told in heard.text
    assert filed["number"] in digits_of(heard.text)
    await line.go(dial.attrib["action"], follow=False, DialCallStatus="completed", DialCallDuration="30")
    assert "/voice/turn" in line.heard.redirect
    assert "back=1" in line.heard.redirect
    assert (await desk.row(line)).owner == "bot"
    assert "同事已经结束通话" in line.said


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
    number = dial.find("Number")
    assert number is not None
    assert "客户已经接听" in (await Caller(client).post(number.attrib["url"])).text
    await back.go(dial.attrib["action"], follow=False, DialCallStatus="completed")
    assert back.heard.verbs[-1] == "Hangup"
    assert [c["status"] for c in await desk.callbacks()] == ["done"]
    await back.post(f"/voice/status?delivery={delivery.id}", CallStatus="completed")
    async with database.read() as session:
        assert (await session.get_one(Delivery, delivery.id)).state == "delivered"


def digits_of(text: str) -> str:
    """Numbers as they were said, in figures: 幺 is 1."""
    table = dict(zip("零一二三四五六七八九幺", "01234567891", strict=True))
    return "".join(table.get(c, c) for c in text if c in table or c.isdigit())


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


async def test_nobody_there_a_message_becomes_a_ticket(line: Line, desk: Desk, database: Database) -> None:
    await hand_over(line, desk)
    assert "8" in line.said or "八" in line.said  # the hours
    assert "留言请按二" in line.said
    await line.press("2", follow=False)
    record = line.heard.root.find("Record")
    assert record is not None
    assert line.heard.redirect.startswith("/voice/person")
    recording = {
        "RecordingUrl": "https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1",
        "RecordingSid": "RE1",
        "RecordingDuration": "12",
    }
    await line.go(record.attrib["action"], follow=False, **recording)
    first = line.heard.xml
    async with database.read() as session:
        (ticket,) = (await session.scalars(select(Ticket))).all()
        events = (await session.scalars(select(TicketEvent).where(TicketEvent.kind == "recording"))).all()
    assert (ticket.kind, ticket.priority, ticket.utility) == ("service_request", 5, "power")
    assert ticket.conversation_id == await desk.id_of(line)
    assert (ticket.contact_phone, ticket.topic) == ("13800138000", "voicemail")
    assert recording["RecordingUrl"] in ticket.description
    assert [event.data for event in events] == [{"url": recording["RecordingUrl"], "sid": "RE1", "seconds": "12"}]
    assert digits_of(line.said).count(ticket.number) == 2
    assert line.heard.verbs[-1] == "Hangup"
    assert record.attrib["recordingStatusCallback"] == "/voice/status"
    await line.post("/voice/status", **recording, RecordingStatus="completed")
    await line.go(record.attrib["action"], follow=False, **recording)  # sent again
    assert line.heard.xml == first
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 1
    await line.over()
    assert (await desk.row(line)).owner == "bot"


async def test_a_message_is_kept_though_nothing_of_it_came_but_the_status(
    line: Line, desk: Desk, database: Database
) -> None:
    await hand_over(line, desk, "2")
    await line.press("2", follow=False)
    told = {"RecordingUrl": "https://api.twilio.com/r/RE2", "RecordingSid": "RE2", "RecordingDuration": "3"}
    for status in ("in-progress", "completed", "completed"):
        await line.post("/voice/status", **told, RecordingStatus=status)
    async with database.read() as session:
        (ticket,) = (await session.scalars(select(Ticket))).all()
    assert "https://api.twilio.com/r/RE2" in ticket.description
    assert ticket.language == "en"


async def test_a_stalled_database_gets_an_apology_and_nothing_is_lost(
    line: Line, desk: Desk, database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await hand_over(line, desk)
    monkeypatch.setattr(steps, "DEADLINE", 0.4)
    let_go = await stall(database, database_url, line.sid)
    action = line.action
    began = time.monotonic()
    await line.go(action, follow=False, Digits="1")
    assert time.monotonic() - began < 1.5
    assert "sorry=1" in line.heard.redirect
    assert "ask=offer" in line.heard.redirect
    await let_go()
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    await line.go(line.heard.redirect)
    assert "幺三八" in line.said  # the key was not lost
    assert (await line.post(action, Digits="1")).xml == line.heard.xml


async def test_an_empty_message_is_no_ticket(line: Line, desk: Desk, database: Database) -> None:
    await hand_over(line, desk)
    await line.press("2", follow=False)
    await line.go(line.heard.redirect, follow=False)
    assert "没有听到留言" in line.said
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 0


async def test_danger_is_never_left_on_tape(line: Line, desk: Desk, database: Database) -> None:
    await line.dial()
    await line.press("1")
    async with database.write() as session, session.begin():
        await session.execute(update(Conversation).values(priority=1, danger_ticket=None))
    await desk.act(line, "handover", None, reason="danger")
    await line.silence(follow=False)
    assert "留言" not in line.said
    await line.press("2", follow=False)
    assert "Record" not in line.heard.verbs
    await line.say("我要留言", follow=False)
    assert "Record" not in line.heard.verbs


@pytest.mark.parametrize(
    ("keyed", "kept"),
    [("13912345678", "13912345678"), ("123*13912345678", "13912345678"), ("02362805678#", "02362805678")],
)
async def test_another_number_is_keyed_in(line: Line, desk: Desk, database: Database, keyed: str, kept: str) -> None:
    await hand_over(line, desk)
    await line.press("1", follow=False)
    await line.press("2", follow=False)
    assert line.heard.gather["finishOnKey"] == "#"
    await line.press("12345", follow=False)
    assert "不对" in line.said
    await line.press(keyed, follow=False)
    assert kept in digits_of(line.said)
    async with database.read() as session:
        assert await session.scalar(select(Callback.phone)) == kept


async def test_a_withheld_number_is_asked_for(client: httpx.AsyncClient, desk: Desk, database: Database) -> None:
    line = await hand_over(Line(client, "anonymous"), desk, "2")
    await line.press("1", follow=False)
    assert "key in your phone number" in line.said
    await line.say("it is 13912345678", follow=False)
    async with database.read() as session:
        assert await session.scalar(select(Callback.phone)) == "13912345678"
    assert line.heard.verbs[-1] == "Hangup"


async def test_silence_ends_politely(line: Line, desk: Desk) -> None:
    await hand_over(line, desk)
    for _ in range(5):
        if line.heard.verbs[-1] == "Hangup":
            break
        await line.silence(follow=False)
    assert line.heard.verbs[-1] == "Hangup"
    assert "再见" in line.said


async def test_back_to_the_assistant(line: Line, desk: Desk) -> None:
    await hand_over(line, desk)
    await line.press("3", follow=False)
    assert "back=1" in line.heard.redirect
    assert (await desk.row(line)).owner == "bot"
    await line.go(line.heard.redirect, follow=False)
    assert "自动助手继续" in line.said


async def test_a_replayed_step_does_nothing_twice(line: Line, desk: Desk, database: Database) -> None:
    await hand_over(line, desk)
    await line.press("1", follow=False)
    target = line.action
    answers = {(await line.post(target, Digits="1")).xml for _ in range(3)}
    assert len(answers) == 1
    lines = await desk.transcript(line)
    assert sum("回电已经登记" in text for _, text in lines) == 1
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Callback)) == 1


ROUTES = (
    "/voice/person?step=1&ask=offer", "/voice/queue", "/voice/whisper?call=CA1", "/voice/status",
    "/voice/outbound?delivery=1", "/voice/survey?survey=sv_1&q=0",
)  # fmt: skip


@pytest.mark.parametrize("target", ROUTES)
async def test_only_twilio_may_call(client: httpx.AsyncClient, line: Line, target: str) -> None:
    fields = line.fields
    body = urlencode(fields)
    for headers in (
        {"Content-Type": FORM},
        signed(target, fields, token="other"),
        signed(target + "&x=1", fields),
        signed(target, fields | {"CallSid": "CA2"}),
        signed(target, fields, public_url="http://desk"),
    ):
        assert (await client.post(target, content=body, headers=headers)).status_code == 403
    assert (await client.post(target, content=body, headers=signed(target, fields))).status_code == 200
    assert PUBLIC_URL != "http://desk"


async def test_an_unknown_call_is_told_so(line: Line) -> None:
    await line.go("/voice/person?step=4&ask=offer", follow=False)
    assert "重新拨打" in line.said
    assert line.heard.verbs[-1] == "Hangup"
    assert (await line.post("/voice/queue")).verbs == ["Leave"]


async def test_agents_phones_are_masked_and_changed_by_their_owner(
    client: httpx.AsyncClient, service: Headers, database: Database, clock: Clock
) -> None:
    new = {"username": "zhao", "password": "long enough", "phone": "138 1234 5678"}
    created = await client.post("/api/v1/agents", json=new, headers=service)
    assert created.json()["phone"] == "138****5678"
    login = {"username": "zhao", "password": "long enough"}
    token = (await client.post("/api/v1/agents/login", json=login)).json()["token"]
    own = {"Authorization": f"Bearer {token}"}
    changed = await client.patch("/api/v1/agents/zhao", json={"phone": "023-62801234"}, headers=own)
    assert changed.json()["phone"] == "023****1234"
    assert (await client.patch("/api/v1/agents/li", json={"phone": ""}, headers=own)).status_code == 403
    assert (await client.patch("/api/v1/agents/nobody", json={"phone": ""}, headers=service)).status_code == 404
    wrong = await client.patch("/api/v1/agents/zhao", json={"phone": "12345"}, headers=own)
    assert wrong.status_code == 422
    listed = (await client.get("/api/v1/agents", headers=service)).json()["items"]
    assert {agent["username"]: agent["phone"] for agent in listed}["zhao"] == "023****1234"


async def test_the_line_of_an_agent_who_waits_is_never_lost(
    line: Line, desk: Desk, duty: Callable[..., Awaitable[None]], clock: Clock, database: Database
) -> None:
    """Agents who leave while a caller waits: he is offered what there is instead."""
    await duty()
    await hand_over(line, desk)
    await line.enter()
    async with database.write() as session, session.begin():
        await session.execute(update(AgentSession).values(seen_at=clock() - timedelta(minutes=5)))
    assert (await line.round()).verbs == ["Leave"]
    await line.left()
    assert "没有人工客服在线" in line.said
    assert "留言请按二" in line.said
    async with database.read() as session:
        senders = select(Message.sender).where(Message.text.contains("挂机"))
        assert await session.scalar(senders) is None
