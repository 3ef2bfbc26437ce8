"""Telling those who asked: supply is back, it will take longer, the fault is mended. On both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from api.channels.voice.tables import Call
from api.channels.wechat.tables import Follower
from api.conversations.tables import Conversation, Message
from api.db.engine import Database
from api.demo.seed import seed_demo
from api.notices.chore import send_due
from api.notices.tables import Notice, OptOut
from api.outages.tables import OutageReport
from api.outbox.tables import Delivery
from api.settings import Settings
from tests.integration.caller import with_voice
from tests.integration.conftest import Clock

Headers = dict[str, str]
MOBILE, LANDLINE, OPEN_ID = "13812345678", "02362801234", "o6_follower_of_ours"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    wechat = {
        "wechat_app_id": "wx1",
        "wechat_app_secret": SecretStr("s"),
        "wechat_token": SecretStr("t"),
        "wechat_aes_key": SecretStr("a" * 43),
    }
    return with_voice(settings, twilio_from="+862395598000").model_copy(update=wechat)


@pytest.fixture(autouse=True)
async def demo(database: Database, clock: Clock) -> None:
    async with database.write() as session, session.begin():
        assert await seed_demo(session, clock())


class Outage:
    """An outage, those who reported it, and what they are told."""

    def __init__(
        self, client: httpx.AsyncClient, database: Database, settings: Settings, clock: Clock, service: Headers
    ) -> None:
        self.client, self.database, self.settings, self.clock, self.service = client, database, settings, clock, service
        self.id = ""

    async def begin(self, **more: Any) -> "Outage":
        new = {
            "utility": "power", "kind": "fault", "cause": "熔断器熔断", "cause_en": "a blown fuse",
            "asset_id": "tr_hetai_1", "expected_end_at": rfc(self.clock() + timedelta(hours=2)), **more,
        }  # fmt: skip
        answer = await self.client.post("/api/v1/outages", json=new, headers=self.service)
        assert answer.status_code == 201, answer.text
        self.id = answer.json()["id"]
        return self

    async def report(self, conversation_id: str = "", phone: str = "", point: str | None = "sp_hetai_3") -> None:
        body = {"service_point_id": point, "contact_phone": phone}
        body |= {"conversation_id": conversation_id} if conversation_id else {}
        answer = await self.client.post(f"/api/v1/outages/{self.id}/reports", json=body, headers=self.service)
        assert answer.status_code == 201, answer.text

    async def change(self, **fields: Any) -> None:
        answer = await self.client.patch(f"/api/v1/outages/{self.id}", json=fields, headers=self.service)
        assert answer.status_code == 200, answer.text

    async def restored(self) -> None:
        await self.change(status="restored")

    async def ticket(self, **fields: Any) -> str:
        new = {
            "kind": "fault_report", "utility": "power", "service_point_id": "sp_hetai_5", "description": "没电",
            "contact_phone": MOBILE, **fields,
        }  # fmt: skip
        answer = await self.client.post("/api/v1/tickets", json=new, headers=self.service)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["number"])

    async def mend(self, number: str) -> None:
        for status in ("dispatched", "accepted", "on_site", "repaired"):
            answer = await self.client.patch(f"/api/v1/tickets/{number}", json={"status": status}, headers=self.service)
            assert answer.status_code == 200, answer.text

    async def send(self) -> None:
        await send_due(self.settings, self.database, self.clock)

    async def notices(self) -> list[Notice]:
        async with self.database.read() as session:
            return list(await session.scalars(select(Notice).order_by(Notice.id)))

    async def deliveries(self) -> list[Delivery]:
        async with self.database.read() as session:
            return list(await session.scalars(select(Delivery).order_by(Delivery.id)))


def rfc(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


@pytest.fixture
async def outage(
    client: httpx.AsyncClient, database: Database, settings: Settings, clock: Clock, service: Headers
) -> Outage:
    return await Outage(client, database, settings, clock, service).begin()


@pytest.fixture
def follower(database: Database, clock: Clock) -> Callable[..., Awaitable[str]]:
    """`await follower()`: a WeChat conversation, its id."""

    async def create(id: str = "cv_wx", open_id: str = OPEN_ID, language: str = "zh", subscribed: bool = True) -> str:
        async with database.write() as session, session.begin():
            session.add(
                Conversation(id=id, channel="wechat", deliver_to=open_id, language=language, created_at=clock())
            )
            await session.flush()
            session.add(Follower(open_id=open_id, subscribed=subscribed, conversation_id=id, created_at=clock()))
        return id

    return create


async def test_everybody_is_told_once_by_his_own_channel(
    outage: Outage, follower: Callable[..., Awaitable[str]], conversation: Any, database: Database
) -> None:
    wx = await follower()
    await conversation("cv_web")
    await outage.report(wx, MOBILE)  # by WeChat, though a phone was given
    await outage.report("cv_web")  # a web page, long closed
    await outage.report(phone="13900139000")
    await outage.report(phone="139 0013 9000", point="sp_hetai_4")  # the same person again
    await outage.report(phone=LANDLINE)
    await outage.ticket(contact_phone="13700137000", language="en", outage_id=outage.id)
    await outage.restored()
    await outage.send()
    told = {(n.channel, n.recipient): n for n in await outage.notices()}
    assert set(told) == {
        ("wechat", OPEN_ID),
        ("sms", "+8613900139000"),
        ("call", "+862362801234"),
        ("sms", "+8613700137000"),
    }
    assert {n.state for n in told.values()} == {"sent"}
    sent = {d.recipient: d for d in await outage.deliveries()}
    assert set(sent) == {recipient for _, recipient in told}
    words = sent[OPEN_ID].body["text"]
    assert "和泰花园3栋" in words
    assert "供电" in words
    assert "恢复" in words
    assert "14:00" in words
    sms = sent["+8613900139000"]
    assert sms.body["text"].startswith("【")
    assert "95598" in sms.body["text"]
    assert (sms.purpose, sms.state) == ("notice", "queued")
    assert sent["+8613700137000"].body["text"].startswith("Nan'an power and water service: Hello. The power supply")
    assert "按0" in sent["+862362801234"].body["text"]
    async with database.read() as session:
        lines = (await session.scalars(select(Message).where(Message.conversation_id == wx))).all()
        web = (await session.scalars(select(Message.text).where(Message.conversation_id == "cv_web"))).all()
    assert [(line.sender, line.text) for line in lines] == [("system", words)]
    assert list(web) == ["停电了"]
    await outage.restored()
    await outage.send()
    assert len(await outage.notices()) == 4
    assert len(await outage.deliveries()) == 4


async def test_who_called_is_told_on_the_number_that_he_called_from(
    outage: Outage, database: Database, clock: Clock
) -> None:
    async with database.write() as session, session.begin():
        session.add(Conversation(id="cv_call", channel="voice", language="en", created_at=clock()))
        await session.flush()
        session.add(Call(sid="CA1", conversation_id="cv_call", number="+8613600136000", created_at=clock()))
    await outage.report("cv_call")
    await outage.restored()
    await outage.send()
    assert [(n.channel, n.recipient, n.language) for n in await outage.notices()] == [("sms", "+8613600136000", "en")]


async def test_who_left_wechat_is_told_by_sms(outage: Outage, follower: Callable[..., Awaitable[str]]) -> None:
    await outage.report(await follower(subscribed=False), MOBILE)
    await outage.restored()
    await outage.send()
    assert [(n.channel, n.recipient) for n in await outage.notices()] == [("sms", "+8613812345678")]


async def test_the_notice_goes_where_the_follower_writes_now(
    outage: Outage, follower: Callable[..., Awaitable[str]], database: Database, clock: Clock
) -> None:
    await outage.report(await follower())
    async with database.write() as session, session.begin():
        session.add(Conversation(id="cv_new", channel="wechat", deliver_to=OPEN_ID, language="zh", created_at=clock()))
        await session.flush()
        (await session.get_one(Follower, OPEN_ID)).conversation_id = "cv_new"
    await outage.restored()
    await outage.send()
    assert [n.conversation_id for n in await outage.notices()] == ["cv_new"]


async def test_a_later_end_is_told_and_small_moves_are_not(outage: Outage, clock: Clock) -> None:
    await outage.report(phone=MOBILE)
    first = clock() + timedelta(hours=2)
    await outage.change(expected_end_at=rfc(first + timedelta(minutes=10)))
    assert await outage.notices() == []
    await outage.change(expected_end_at=rfc(first + timedelta(minutes=20)))
    await outage.send()
    assert await outage.notices() == []  # ten minutes after ten
    await outage.change(expected_end_at=rfc(first + timedelta(hours=1)))
    await outage.send()
    (notice,) = await outage.notices()
    assert (notice.kind, notice.state) == ("expected", "sent")
    (sms,) = await outage.deliveries()
    assert "17:00" in sms.body["text"]
    assert "已于" not in sms.body["text"]
    await outage.change(cause="x", expected_end_at=rfc(first + timedelta(minutes=70)))
    assert len(await outage.notices()) == 1


async def test_nobody_is_woken_and_what_the_night_overtook_is_not_told(outage: Outage, clock: Clock) -> None:
    clock.advance(hours=8, minutes=30)  # 22:30
    await outage.change(expected_end_at=rfc(clock() + timedelta(hours=1)))
    await outage.report(phone=MOBILE)
    await outage.change(expected_end_at=rfc(clock() + timedelta(hours=4)))
    await outage.send()
    (waiting,) = await outage.notices()
    assert (waiting.state, waiting.due_at) == ("pending", clock() + timedelta(hours=8, minutes=30))
    clock.advance(hours=2)
    await outage.restored()
    await outage.send()
    old, new = await outage.notices()
    assert (old.state, old.why) == ("dropped", "overtaken")
    assert (new.kind, new.state) == ("restored", "pending")
    assert await outage.deliveries() == []
    clock.advance(hours=6, minutes=30)  # 7:00
    await outage.send()
    (sms,) = await outage.deliveries()
    assert "3月5日00:30" in sms.body["text"]
    assert [n.state for n in await outage.notices()] == ["dropped", "sent"]


async def test_an_expected_end_that_is_past_is_not_told(outage: Outage, clock: Clock) -> None:
    clock.advance(hours=9)  # 23:00
    await outage.report(phone=MOBILE)
    await outage.change(expected_end_at=rfc(clock() + timedelta(hours=2)))
    await outage.send()
    clock.advance(hours=8)
    await outage.send()
    (notice,) = await outage.notices()
    assert (notice.state, notice.why) == ("dropped", "past")
    assert await outage.deliveries() == []


async def test_calls_keep_the_utility_s_own_rest_hours(outage: Outage, clock: Clock) -> None:
    clock.advance(hours=22, minutes=30)  # 12:30 of the next day: the demo utility rests from 12 to 14
    await outage.report(phone=LANDLINE)
    await outage.report(phone=MOBILE)
    await outage.restored()
    await outage.send()
    assert {n.channel: n.state for n in await outage.notices()} == {"call": "pending", "sms": "sent"}
    clock.advance(hours=1, minutes=30)
    await outage.send()
    assert {n.channel: n.state for n in await outage.notices()} == {"call": "sent", "sms": "sent"}


async def test_a_mended_fault_is_told_once(outage: Outage, database: Database, bot: Any, conversation: Any) -> None:
    number = await outage.ticket()
    await conversation("cv_1")
    note = {"text": "我家也没电", "contact_phone": "13900139000"}
    joined = await outage.client.post(f"/api/v1/tickets/{number}/notes", json=note, headers=bot("cv_1"))
    assert joined.json()["joined"] is True
    await outage.mend(number)
    await outage.send()
    told = {n.recipient: n for n in await outage.notices()}
    assert set(told) == {"+8613812345678", "+8613900139000"}
    words = {d.recipient: d.body["text"] for d in await outage.deliveries()}
    assert number in words["+8613812345678"]
    assert "和泰花园5栋" in words["+8613812345678"]
    assert number not in words["+8613900139000"]  # another one's ticket
    assert "和泰花园" not in words["+8613900139000"]
    outage.clock.advance(hours=1)  # it was not mended after all, and then it is
    for status in ("on_site", "repaired"):
        again = await outage.client.patch(f"/api/v1/tickets/{number}", json={"status": status}, headers=outage.service)
        assert again.status_code == 200, again.text
    assert [n.state for n in await outage.notices()] == ["sent", "sent", "pending", "pending"]
    await outage.client.patch(f"/api/v1/tickets/{number}", json={"status": "on_site"}, headers=outage.service)
    await outage.send()
    assert [(n.state, n.why) for n in await outage.notices()][2:] == [("dropped", "not-mended")] * 2


async def test_a_fault_that_is_part_of_an_outage_is_told_with_it(outage: Outage) -> None:
    number = await outage.ticket(outage_id=outage.id)
    await outage.mend(number)
    assert await outage.notices() == []
    await outage.restored()
    await outage.send()
    (notice,) = await outage.notices()
    assert (notice.kind, notice.recipient) == ("restored", "+8613812345678")
    other = await outage.ticket(outage_id=outage.id, service_point_id="sp_hetai_6")
    await outage.mend(other)  # the same customer knows it already
    assert len(await outage.notices()) == 1


async def test_no_notice_where_it_cannot_go(outage: Outage, client: httpx.AsyncClient, service: Headers) -> None:
    await outage.report(phone=MOBILE)
    await outage.report(phone=LANDLINE)
    for phone, what in ((MOBILE, "all"), (LANDLINE, "calls")):
        body = {"phone": phone, "what": what}
        assert (await client.post("/api/v1/notices/opt-outs", json=body, headers=service)).status_code == 201
    async with outage.database.read() as session:
        kept = (await session.scalars(select(OptOut))).all()
    assert all(MOBILE[-4:] not in row.address_hash and len(row.address_hash) == 64 for row in kept)
    await outage.restored()
    await outage.send()
    assert [(n.state, n.why) for n in await outage.notices()] == [("refused", "opted-out")] * 2
    assert await outage.deliveries() == []
    listed = await client.get("/api/v1/notices", params={"outage_id": outage.id, "limit": 1}, headers=service)
    page = listed.json()
    (shown,) = page["items"]
    assert "****" in shown["recipient"]
    assert shown["recipient"].endswith(("1234", "5678"))
    rest = await client.get("/api/v1/notices", params={"cursor": page["next"]}, headers=service)
    assert len(rest.json()["items"]) == 1
    assert (await client.get("/api/v1/notices", headers={"Authorization": "Bearer x"})).status_code == 401


async def test_a_channel_that_is_off_keeps_nothing_waiting(outage: Outage) -> None:
    await outage.report(phone=MOBILE)
    outage.settings = outage.settings.model_copy(update={"twilio_from": ""})
    await outage.restored()
    await outage.send()
    assert [(n.state, n.why) for n in await outage.notices()] == [("refused", "channel-off")]


async def test_two_front_desks_send_once(outage: Outage) -> None:
    for number in range(10):
        await outage.report(phone=f"1380000000{number}")
    await outage.restored()
    await asyncio.gather(*(outage.send() for _ in range(3)))
    await outage.send()
    assert len(await outage.deliveries()) == 10
    async with outage.database.read() as session:
        assert len((await session.scalars(select(OutageReport))).all()) == 10
