"""What there is where nobody answers, and who may call at all. On both databases."""

import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlencode

import httpx
import pytest
from sqlalchemy import func, select, update

from api.agents.tables import AgentSession
from api.channels.voice import steps
from api.conversations.tables import Callback, Conversation, Message
from api.db.engine import Database
from api.tickets.tables import Ticket, TicketEvent
from tests.integration.caller import FORM, PUBLIC_URL, signed
from tests.integration.calls.talk import stall
from tests.integration.conftest import Clock
from tests.integration.person.line import Desk, Line, digits_of, hand_over

Headers = dict[str, str]


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
    "/voice/person?step=1&ask=offer", "/voice/queue", "/voice/whisper?call=CA1", "/voice/taken?call=CA1",
    "/voice/status", "/voice/outbound?delivery=1", "/voice/survey?survey=sv_1&q=0",
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
