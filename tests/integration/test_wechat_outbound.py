"""From a line of the transcript to a customer-service message: windows, quotas, choices, and text messages instead."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.channels.base import Parked, Rate, Refused, Retry, Sent
from api.channels.wechat.client import WechatClient
from api.channels.wechat.deliver import WechatDeliverer, outcome_of, seconds_to_midnight
from api.channels.wechat.errors import WechatError
from api.channels.wechat.tables import Follower
from api.conversations.tables import Callback, Conversation
from api.conversations.transcript import Offer, add_message, lock_conversation
from api.db.engine import Database
from api.network.tables import Asset
from api.outages.tables import Outage, OutageReport
from api.outbox import queue
from api.outbox.tables import Delivery
from api.outbox.worker import Outbox
from api.settings import Settings
from api.tickets.tables import Ticket
from tests.integration.conftest import Clock
from tests.integration.test_outbox import Vendor, all_of, states
from tests.integration.test_wechat_client import Server, with_wechat

SEND = "/cgi-bin/message/custom/send"


class Account:
    """A follower with a conversation, and the outbox that writes to him."""

    def __init__(self, database: Database, clock: Clock, outbox: Outbox, server: Server) -> None:
        self.database, self.clock, self.outbox, self.server = database, clock, outbox, server

    async def open_window(self, allowance: int = 5, **delta: float) -> None:
        async with self.database.write() as session, session.begin():
            follower = await session.get_one(Follower, "o1")
            follower.window_ends_at = self.clock() + timedelta(**(delta or {"hours": 48}))
            follower.allowance, follower.spent = allowance, 0

    async def say(self, text: str, sender: str = "bot", choices: tuple[str, ...] = (), **fields: Any) -> str:
        async with self.database.write() as session, session.begin():
            conversation = await lock_conversation(session, "cv_1")
            assert conversation is not None
            offers = [Offer(label, f"/{label}") for label in choices]
            message = await add_message(session, conversation, sender, text, self.clock(), offers=offers, **fields)
            return message.id

    async def follower(self) -> Follower:
        async with self.database.read() as session:
            return await session.get_one(Follower, "o1")

    @property
    def heard(self) -> list[str]:
        return [message["text"]["content"] for message in self.server.sent]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
async def outbox(settings: Settings, database: Database, clock: Clock, server: Server) -> AsyncIterator[Outbox]:
    wechat = with_wechat(settings)
    client = WechatClient(wechat, database, clock, httpx.MockTransport(server))
    outbox = Outbox(database, clock, [WechatDeliverer(wechat, database, clock, client)])
    yield outbox
    await outbox.stop()


@pytest.fixture
async def account(database: Database, clock: Clock, outbox: Outbox, server: Server) -> Account:
    async with database.write() as session, session.begin():
        session.add(
            Conversation(id="cv_1", channel="wechat", deliver_to="o1", language="zh", last_seq=0, created_at=clock())
        )
        await session.flush()
        session.add(Follower(open_id="o1", conversation_id="cv_1", created_at=clock()))
    account = Account(database, clock, outbox, server)
    await account.open_window()
    return account


async def test_lines_are_joined_rather_than_spent(account: Account) -> None:
    await account.say("停电了吗？", "customer")
    await account.say("您好。")
    await account.say("请问是哪一个？", choices=("金秀苑", "金绣园"))
    await account.say("或者？", choices=("都不是",))
    await account.outbox.work_off()
    assert account.heard == ["您好。\n\n请问是哪一个？\n1. 金秀苑\n2. 金绣园\n\n或者？\n3. 都不是"]
    follower = await account.follower()
    assert follower.spent == 1
    assert {(d.state, d.via) for d in await all_of(account.database)} == {("sent", "service")}


async def test_choices_of_before_the_last_message_have_no_numbers(account: Account) -> None:
    await account.say("请问是哪一个？", choices=("金秀苑", "金绣园"))
    await account.say("我再说一下", "customer")
    await account.say("好的。", choices=("转人工",))
    await account.outbox.work_off()
    assert account.heard == ["请问是哪一个？\n金秀苑\n金绣园\n\n好的。\n1. 转人工"]


async def test_a_long_answer_goes_in_several_messages(account: Account) -> None:
    await account.say("\n".join(["我" * 500, "你" * 500, "他" * 500]), "agent", choices=())
    await account.say("完")
    await account.outbox.work_off()
    assert account.heard == ["我" * 500, "你" * 500, "他" * 500 + "\n\n完"]
    assert all(len(text.encode()) <= 2048 for text in account.heard)
    assert (await account.follower()).spent == 3


async def test_beyond_the_quota_lines_are_parked_and_go_with_the_next_window(account: Account) -> None:
    await account.open_window(allowance=2)
    for n in range(4):
        await account.say(f"{n}" + "我" * 600, "agent")
    await account.outbox.work_off()
    assert [text[0] for text in account.heard] == ["0", "1"]
    assert await states(account.database) == ["sent", "sent", "parked", "parked"]
    assert "used up" in (await all_of(account.database))[2].error
    assert (await account.follower()).spent == 2
    async with account.database.write() as session, session.begin():
        await queue.release_parked(session, "wechat", "o1", account.clock())
    await account.open_window()
    await account.outbox.work_off()
    assert [text[0] for text in account.heard] == ["0", "1", "2", "3"]
    assert (await account.follower()).spent == 2


@pytest.mark.parametrize("delta", [{"seconds": 0}, {"hours": -1}])
async def test_out_of_the_window_wechat_is_not_even_called(account: Account, delta: dict[str, float]) -> None:
    await account.open_window(**delta)
    await account.say("您好")
    await account.outbox.work_off()
    assert (account.heard, await states(account.database)) == ([], ["parked"])
    assert account.server.given == []


async def test_who_follows_no_more_is_not_written_to(account: Account) -> None:
    async with account.database.write() as session, session.begin():
        (await session.get_one(Follower, "o1")).subscribed = False
    await account.say("您好")
    await account.outbox.work_off()
    assert (account.heard, await states(account.database)) == ([], ["failed"])


@pytest.mark.parametrize(
    ("answer", "state", "spent", "left"),
    [
        ({"errcode": 45015, "errmsg": "out of time"}, "parked", 0, 0),
        ({"errcode": 45047, "errmsg": "out of count"}, "parked", 5, 0),
        ({"errcode": 48001, "errmsg": "api unauthorized"}, "parked", 0, 5),
        ({"errcode": 40003, "errmsg": "invalid openid o1"}, "failed", 0, 5),
        ({"errcode": 43004, "errmsg": "require subscribe"}, "failed", 0, 5),
        ({"errcode": -1, "errmsg": "system error"}, "queued", 0, 5),
        ({"errcode": 45009, "errmsg": "reach max api daily quota limit"}, "queued", 0, 5),
        (httpx.Response(500), "queued", 0, 5),
        (httpx.ConnectError("x"), "queued", 0, 5),
        (httpx.ReadTimeout("x"), "unknown", 1, 4),
        (httpx.Response(200, text="garbage"), "unknown", 1, 4),
    ],
)
async def test_what_wechat_says(account: Account, answer: Any, state: str, spent: int, left: int) -> None:
    """A message that was not sent is never marked so, nor counted; one that may have been is counted, not repeated."""
    account.server.script[SEND] = [answer]
    await account.say("您好")
    await account.outbox.work_off()
    assert await states(account.database) == [state]
    follower = await account.follower()
    assert follower.window_ends_at is not None
    assert "o1" not in (await all_of(account.database))[0].error
    open_still = follower.window_ends_at > account.clock()
    assert (follower.spent, follower.allowance - follower.spent if open_still else 0) == (spent, left)
    assert account.heard == []


async def test_a_busy_vendor_gets_it_once_later(account: Account) -> None:
    account.server.script[SEND] = [{"errcode": -1, "errmsg": "system error"}, httpx.Response(503)]
    await account.say("您好")
    for _ in range(3):
        await account.outbox.work_off()
        account.clock.advance(seconds=10)
    assert account.heard == ["您好"]
    assert await states(account.database) == ["sent"]
    assert (await account.follower()).spent == 1


async def test_a_window_that_opens_during_the_call_stays_open(account: Account) -> None:
    class Slow(Server):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == SEND:
                await account.open_window(hours=49)
                return httpx.Response(200, json={"errcode": 45047, "errmsg": "out of count"})
            return await super().__call__(request)

    deliverer = account.outbox._lanes["wechat"].deliverer
    assert isinstance(deliverer, WechatDeliverer)
    deliverer.client._client._transport = httpx.MockTransport(Slow())
    await account.say("您好")
    await account.outbox.work_off()
    follower = await account.follower()
    assert (follower.spent, follower.allowance) == (0, 5)


async def test_ones_own_database_in_the_way_is_tried_again(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    deliverer = account.outbox._lanes["wechat"].deliverer

    async def stalled(_open_id: str) -> None:
        raise OperationalError("update", {}, Exception("locked"))

    with monkeypatch.context() as patched:
        patched.setattr(deliverer, "_take_slot", stalled)
        await account.say("您好")
        await account.outbox.work_off()
    assert await states(account.database) == ["queued"]
    account.clock.advance(seconds=1)
    await account.outbox.work_off()
    assert account.heard == ["您好"]


# --- text messages instead


@pytest.fixture
async def texting(account: Account, database: Database, clock: Clock) -> Vendor:
    """The same outbox with text messages configured, whose vendor is played."""
    sms = Vendor("sms", rate=Rate(1000, 4))
    wechat = account.outbox._lanes["wechat"].deliverer
    account.outbox = Outbox(database, clock, [wechat, sms])
    return sms


async def give_phone(account: Account, phone: str, *, by: str = "ticket", minutes: int = 0) -> None:
    at = account.clock() + timedelta(minutes=minutes)
    async with account.database.write() as session, session.begin():
        if by == "ticket":
            session.add(
                Ticket(
                    number=f"{phone:0>12}"[-12:],
                    kind="fault_report",
                    utility="power",
                    priority=3,
                    language="zh",
                    contact_phone=phone,
                    conversation_id="cv_1",
                    created_at=at,
                    updated_at=at,
                )
            )
        elif by == "report":
            session.add(Asset(id="as_1", kind="transformer", utility="power", name_zh="台区", name_en="transformer"))
            await session.flush()
            session.add(
                Outage(
                    id="ot_1",
                    number="OT1",
                    utility="power",
                    kind="fault",
                    status="reported",
                    asset_id="as_1",
                    starts_at=at,
                    created_at=at,
                    updated_at=at,
                )
            )
            await session.flush()
            session.add(
                OutageReport(id="or_1", outage_id="ot_1", conversation_id="cv_1", contact_phone=phone, created_at=at)
            )
        else:
            session.add(
                Callback(id=f"cb_{phone}", conversation_id="cv_1", phone=phone, due_at=at, created_at=at, status="open")
            )


async def test_parked_words_go_by_text_message_once(account: Account, texting: Vendor) -> None:
    await give_phone(account, "13812345678")
    await account.open_window(seconds=0)
    await account.say("来电了。", "system")
    await account.say("还有问题吗？", "system", choices=("没有",))
    await account.outbox.work_off()
    ((to, (text,)),) = texting.calls
    assert to == "+8613812345678"
    assert "来电了。\n还有问题吗？" in text
    first, second, sms = await all_of(account.database)
    assert [(d.channel, d.state, d.via) for d in (first, second, sms)] == [
        ("wechat", "moved", "sms"),
        ("wechat", "moved", "sms"),
        ("sms", "sent", "service"),
    ]
    assert f"as delivery {sms.id}" in first.error
    assert sms.body["instead_of"] == [first.id, second.id]
    async with account.database.write() as session, session.begin():
        assert await queue.release_parked(session, "wechat", "o1", account.clock()) == 0, "the words have gone"


async def test_the_number_given_last_that_takes_text_messages(account: Account, texting: Vendor) -> None:
    await give_phone(account, "13812345678")
    await give_phone(account, "13912345678", by="callback", minutes=1)
    await give_phone(account, "02362801234", minutes=2)
    await account.open_window(seconds=0)
    await account.say("来电了。", "system")
    await account.outbox.work_off()
    await give_phone(account, "13712345678", by="report", minutes=3)
    await account.say("水也来了。", "system")
    await account.outbox.work_off()
    assert [to for to, _ in texting.calls] == ["+8613912345678", "+8613712345678"]


@pytest.mark.parametrize("phone", ["", "02362801234"])
async def test_without_a_mobile_number_they_wait(account: Account, texting: Vendor, phone: str) -> None:
    if phone:
        await give_phone(account, phone)
    await account.open_window(seconds=0)
    await account.say("来电了。", "system")
    await account.outbox.work_off()
    assert (texting.calls, await states(account.database)) == ([], ["parked"])


async def test_without_text_messages_configured_they_wait(account: Account) -> None:
    await give_phone(account, "13812345678")
    await account.open_window(seconds=0)
    await account.say("来电了。", "system")
    await account.outbox.work_off()
    assert await states(account.database) == ["parked"]


async def test_when_the_text_message_fails_they_wait_again(account: Account, texting: Vendor) -> None:
    await give_phone(account, "13812345678")
    texting.script["+8613812345678"] = [Refused("21610 400")]
    await account.open_window(seconds=0)
    await account.say("来电了。", "system")
    await account.outbox.work_off()
    wechat, sms = await all_of(account.database)
    assert (wechat.state, sms.state, wechat.via) == ("parked", "failed", "")
    assert "21610" in wechat.error
    async with account.database.write() as session, session.begin():
        await queue.release_parked(session, "wechat", "o1", account.clock())
    await account.outbox.work_off()
    assert await states(account.database) == ["parked", "failed"], "no second text message"
    await account.open_window()
    async with account.database.write() as session, session.begin():
        await queue.release_parked(session, "wechat", "o1", account.clock())
    await account.outbox.work_off()
    assert account.heard == ["来电了。"]


async def test_when_the_operator_reports_failure_they_wait_again(account: Account, texting: Vendor) -> None:
    await give_phone(account, "13812345678")
    await account.open_window(seconds=0)
    await account.say("来电了。", "system")
    await account.outbox.work_off()
    sms = (await all_of(account.database))[1]
    assert sms.provider_id is not None
    async with account.database.write() as session, session.begin():
        assert await queue.report(session, sms.provider_id, "failed", account.clock(), error="30005")
    wechat, sms = await all_of(account.database)
    assert (wechat.state, sms.state) == ("parked", "failed")
    assert "30005" in wechat.error


async def test_in_the_customers_language(account: Account, texting: Vendor) -> None:
    await give_phone(account, "13812345678")
    async with account.database.write() as session, session.begin():
        (await session.get_one(Conversation, "cv_1")).language = "en"
    await account.open_window(seconds=0)
    await account.say("Power is back. " * 200, "system")
    await account.outbox.work_off()
    text = texting.calls[0][1][0]
    assert "WeChat" in text
    assert len(text) <= 1600
    assert "…" in text


# --- rules


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (45015, Parked),
        (45047, Parked),
        (48001, Parked),
        (40003, Refused),
        (43004, Refused),
        (43019, Refused),
        (45002, Refused),
        (-1, Retry),
        (45009, Retry),
        (45011, Retry),
        (40164, Retry),
        (40001, Retry),
        (99999, Retry),
    ],
)
def test_outcome_of(code: int, outcome: type) -> None:
    found = outcome_of(WechatError(code, "words"), datetime(2026, 3, 4, 6, 0, tzinfo=UTC))
    assert type(found) is outcome
    assert not isinstance(found, Sent)
    assert found.why == f"{code} words"
    if isinstance(found, Retry):
        assert found.after


def test_a_used_up_day_is_over_at_midnight_in_china() -> None:
    assert seconds_to_midnight(datetime(2026, 3, 4, 15, 59, tzinfo=UTC)) == 60
    assert seconds_to_midnight(datetime(2026, 3, 4, 16, 0, tzinfo=UTC)) == 24 * 3600


async def test_deliveries_of_long_ago_are_cut_rather_than_refused(account: Account) -> None:
    """A row that was queued as too long, by whatever way."""
    async with account.database.write() as session, session.begin():
        session.add(
            Delivery(
                channel="wechat",
                recipient="o1",
                body={"text": "停" * 3000},
                not_before=account.clock(),
                created_at=account.clock(),
                updated_at=account.clock(),
            )
        )
    await account.outbox.work_off()
    assert account.heard == ["停" * 681 + "…"]
    async with account.database.read() as session:
        assert (await session.scalars(select(Delivery.state))).one() == "sent"
