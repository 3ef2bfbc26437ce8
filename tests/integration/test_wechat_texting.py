"""Text messages where WeChat does not take a line any more."""

from datetime import timedelta

import pytest

from api.channels.base import Rate, Refused
from api.conversations.tables import Callback, Conversation
from api.db.engine import Database
from api.network.tables import Asset
from api.outages.tables import Outage, OutageReport
from api.outbox import queue
from api.outbox.worker import Outbox
from api.tickets.tables import Ticket
from tests.integration.conftest import Clock
from tests.integration.outbox.vendor import Vendor, all_of, states
from tests.integration.wechat_account import Account, account, outbox, server

__all__ = ["account", "outbox", "server"]


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
