"""Calls that the desk makes: never a second one, and what is heard on them. On both databases."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from sqlalchemy import func, select

from api.agents.tables import Agent, AgentSession
from api.channels.base import Outcome, Refused, Retry, Sent, Unknown
from api.channels.voice.calls_out import CallDeliverer
from api.channels.voice.tables import Call
from api.conversations.tables import Conversation, Message
from api.danger import scan
from api.db.engine import Database
from api.notices.tables import OptOut
from api.outbox.queue import enqueue
from api.outbox.tables import Delivery
from api.outlets.tables import UtilityFact
from api.settings import Settings
from tests.integration.caller import ACCOUNT, PUBLIC_URL, Caller, with_voice
from tests.integration.conftest import Clock

TEXT = "您好，和泰花园3栋的供电已于3月4日14:00恢复。感谢您的耐心等待。"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_voice(settings, twilio_from="+862395598000")


@pytest.fixture(autouse=True)
async def facts(database: Database) -> None:
    scan("")
    async with database.write() as session, session.begin():
        session.add(UtilityFact(key="name", value={"zh": "南岸供电供水服务中心", "en": "Nan'an power and water"}))


async def queued(database: Database, clock: Clock, state: str = "sending", **more: Any) -> Delivery:
    """A notice that the outbox is just calling out."""
    async with database.write() as session, session.begin():
        body = {"text": TEXT, "language": "zh", **more}
        number = await enqueue(session, "call", "+862362801234", body, clock(), key="notice:1", purpose="notice")
        delivery = await session.get_one(Delivery, number)
        delivery.state = state
    return delivery


async def state_of(database: Database, delivery: Delivery) -> tuple[str, str | None]:
    async with database.read() as session:
        row = await session.get_one(Delivery, delivery.id)
    return row.state, row.provider_id


def answer(status: int, json: Any = None, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: httpx.Response(status, json=json, headers=headers)


def broken(error: type[httpx.HTTPError]) -> Callable[[httpx.Request], httpx.Response]:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("+862362801234")

    return fail


@pytest.mark.parametrize(
    ("vendor", "outcome"),
    [
        (answer(201, {"sid": "CA1", "status": "queued"}), Sent("CA1")),
        (answer(201, {}), Unknown("an answer without a sid")),
        (answer(201, ["odd"]), Unknown("an answer without a sid")),
        (answer(400, {"code": 21211, "message": "Invalid 'To'"}), Refused("21211 400")),
        (answer(400, {"code": 21215}), Refused("21215 400")),
        (answer(401, {"code": 20003}), Retry("20003 401", after=300.0)),
        (answer(429, {"code": 20429}, **{"Retry-After": "7"}), Retry("20429 429", after=7.0)),
        (answer(503), Unknown("HTTP 503")),
        (answer(500, {"code": 20500}), Unknown("20500 500")),
        (broken(httpx.ConnectError), Retry("ConnectError")),
        (broken(httpx.ReadTimeout), Unknown("ReadTimeout")),
        (broken(httpx.RemoteProtocolError), Unknown("RemoteProtocolError")),
    ],
)
async def test_what_became_of_a_call(
    settings: Settings, clock: Clock, vendor: Callable[[httpx.Request], httpx.Response], outcome: Outcome
) -> None:
    asked: list[httpx.Request] = []

    def record(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return vendor(request)

    deliverer = CallDeliverer(settings, httpx.MockTransport(record))
    delivery = Delivery(id=7, channel="call", recipient="+862362801234", body={}, not_before=clock())
    assert await deliverer.deliver([delivery]) == outcome
    await deliverer.close()
    (request,) = asked
    assert request.url.path == f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    assert request.headers["Authorization"].startswith("Basic ")
    form = parse_qs(request.content.decode())
    assert form["To"] == ["+862362801234"]
    assert form["From"] == ["+862395598000"]
    assert form["Url"] == [f"{PUBLIC_URL}/voice/outbound?delivery=7"]
    assert form["StatusCallback"] == [f"{PUBLIC_URL}/voice/status?delivery=7"]
    assert "completed" in form["StatusCallbackEvent"]


async def test_a_notice_is_said_and_can_be_heard_again(
    client: httpx.AsyncClient, database: Database, clock: Clock
) -> None:
    delivery = await queued(database, clock)
    call = await Caller(client).go(f"/voice/outbound?delivery={delivery.id}", follow=False)
    assert "南岸供电供水服务中心" in call.said
    assert "和泰花园" in call.said
    assert await state_of(database, delivery) == ("sent", call.sid)
    await call.press("1", follow=False)
    assert "和泰花园" in call.said
    await call.silence(follow=False)
    assert call.heard.verbs[-1] == "Hangup"
    await call.post(f"/voice/status?delivery={delivery.id}", CallStatus="completed")
    await call.post(f"/voice/status?delivery={delivery.id}", CallStatus="ringing")
    assert await state_of(database, delivery) == ("delivered", call.sid)
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Conversation)) == 0


async def test_no_more_calls(client: httpx.AsyncClient, database: Database, clock: Clock) -> None:
    delivery = await queued(database, clock)
    call = await Caller(client).go(f"/voice/outbound?delivery={delivery.id}", follow=False)
    await call.press("9", follow=False)
    assert call.heard.verbs[-1] == "Hangup"
    async with database.read() as session:
        (kept,) = (await session.scalars(select(OptOut))).all()
    assert kept.what == "calls"
    assert "6280" not in kept.address_hash or len(kept.address_hash) == 64


async def test_a_person_from_a_notice(client: httpx.AsyncClient, database: Database, clock: Clock) -> None:
    async with database.write() as session, session.begin():
        session.add(Agent(id="ag_li", username="li", password_hash="-", role="agent", created_at=clock()))
        await session.flush()
        session.add(
            AgentSession(
                token_hash="t",
                agent_id="ag_li",
                created_at=clock(),
                expires_at=clock().replace(year=2036),
                seen_at=clock(),
            )
        )
    delivery = await queued(database, clock)
    call = await Caller(client).go(f"/voice/outbound?delivery={delivery.id}", follow=False)
    await call.press("0", follow=False)
    assert "Enqueue" in call.heard.verbs
    async with database.read() as session:
        (conversation,) = (await session.scalars(select(Conversation))).all()
        (row,) = (await session.scalars(select(Call))).all()
        lines = (await session.scalars(select(Message.text))).all()
    assert (conversation.owner, conversation.channel) == ("waiting", "voice")
    assert (row.direction, row.number) == ("outbound", "+862362801234")
    assert TEXT in lines


async def test_a_machine_is_told_without_keys(client: httpx.AsyncClient, database: Database, clock: Clock) -> None:
    delivery = await queued(database, clock)
    call = await Caller(client).go(
        f"/voice/outbound?delivery={delivery.id}", follow=False, AnsweredBy="machine_end_beep"
    )
    assert "和泰花园" in call.said
    assert call.heard.verbs[-1] == "Hangup"
    assert "Gather" not in call.heard.verbs


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed", "canceled"])
async def test_nobody_reached(client: httpx.AsyncClient, database: Database, clock: Clock, status: str) -> None:
    delivery = await queued(database, clock, state="unknown")
    call = Caller(client)
    await call.post(f"/voice/status?delivery={delivery.id}", CallStatus="ringing")
    assert await state_of(database, delivery) == ("sent", call.sid)  # the lost answer is found again
    for _ in range(2):
        await call.post(f"/voice/status?delivery={delivery.id}", CallStatus=status)
    assert await state_of(database, delivery) == ("failed", call.sid)
    other = Caller(client)
    await other.post(f"/voice/status?delivery={delivery.id}", CallStatus="completed")
    assert await state_of(database, delivery) == ("failed", call.sid)


async def test_text_messages_are_reported_forward_only(
    client: httpx.AsyncClient, database: Database, clock: Clock
) -> None:
    async with database.write() as session, session.begin():
        number = await enqueue(session, "sms", "+8613812345678", {"text": "x"}, clock(), key="k", purpose="notice")
        delivery = await session.get_one(Delivery, number)
        delivery.state, delivery.provider_id = "sent", "SM1"
    caller = Caller(client)
    for status, expected in (("queued", "sent"), ("delivered", "delivered"), ("sent", "delivered")):
        fields = {"MessageSid": "SM1", "MessageStatus": status}
        heard = await caller.post("/voice/status", **fields)
        assert heard.verbs == []
        assert await state_of(database, delivery) == (expected, "SM1")


@pytest.mark.parametrize("target", ["delivery=99", "delivery=0", "delivery=999999999999999999999"])
async def test_a_call_that_we_did_not_make(client: httpx.AsyncClient, target: str) -> None:
    call = await Caller(client).go(f"/voice/outbound?{target}", follow=False)
    assert call.heard.verbs[-1] == "Hangup"
