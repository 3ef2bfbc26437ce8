"""What lines of a transcript become on their way out: pieces, what is held, parked, keyed, reported."""

import asyncio
from typing import Any

from sqlalchemy import select

from api.channels.base import Parked
from api.conversations.tables import Conversation, Message
from api.conversations.transcript import Offer, add_message, lock_conversation
from api.db.engine import Database
from api.outbox import queue
from api.outbox.worker import Outbox
from tests.integration.conftest import Clock
from tests.integration.outbox.vendor import Vendor, all_of, put, states
from tests.integration.stand_in import eventually


async def test_a_line_of_the_transcript_wakes_the_worker(database: Database, clock: Clock, started: Any) -> None:
    vendor = Vendor()
    started(vendor)
    async with database.write() as session, session.begin():
        session.add(Conversation(id="cv_1", channel="wechat", deliver_to="o1", language="zh", created_at=clock()))
        await session.flush()
        conversation = await lock_conversation(session, "cv_1")
        assert conversation is not None
        message = await add_message(
            session, conversation, "bot", "哪一个？", clock(), offers=[Offer("是的", "/y"), Offer("不是", "/n")]
        )

    async def done() -> bool:
        return await states(database) == ["sent"]

    await eventually(done)
    (delivery,) = await all_of(database)
    assert delivery.message_id == message.id
    assert delivery.body == {"text": "哪一个？", "choices": ["是的", "不是"], "start": 0}


async def test_a_long_line_becomes_several_deliveries(database: Database, clock: Clock) -> None:
    async with database.write() as session, session.begin():
        session.add(Conversation(id="cv_1", channel="wechat", deliver_to="o1", language="zh", created_at=clock()))
        await session.flush()
        conversation = await lock_conversation(session, "cv_1")
        assert conversation is not None
        await add_message(session, conversation, "agent", "我" * 1500, clock())
    found = await all_of(database)
    assert [len(d.body["text"]) for d in found] == [682, 682, 136]
    assert len({d.message_id for d in found}) == 1
    async with database.read() as session:
        assert (await session.scalars(select(Message.text))).one() == "我" * 1500


async def test_what_a_callback_holds_is_left_to_it(database: Database, clock: Clock) -> None:
    vendor = Vendor()
    held = clock.now.replace(second=3)
    ids = await put(database, clock, "one", "two", not_before=held, conversation_id=None)
    await put(database, clock, "morning", not_before=clock.now.replace(hour=23), purpose="notice")
    outbox = Outbox(database, clock, [vendor])
    assert await outbox.work_off() == 0
    async with database.write() as session, session.begin():
        assert await queue.carried(session, [ids[0]], clock()) == {ids[0]}
        assert await queue.carried(session, [ids[0]], clock()) == set(), "once"
        assert await queue.let_go(session, "wechat", "o1", clock()) == 1
    await outbox.work_off()
    assert vendor.calls == [("o1", ["two"])]
    assert [(d.state, d.via) for d in await all_of(database)] == [
        ("sent", "passive"),
        ("sent", "service"),
        ("queued", ""),
    ]


async def test_parked_ones_go_when_they_are_released(database: Database, clock: Clock) -> None:
    vendor = Vendor()
    vendor.script["o1"] = [Parked("45047"), Parked("45047")]
    await put(database, clock, "one", "two")
    outbox = Outbox(database, clock, [vendor])
    await outbox.work_off()
    assert await states(database) == ["parked", "parked"]
    async with database.write() as session, session.begin():
        assert await queue.release_parked(session, "wechat", "o1", clock()) == 2
        assert await queue.release_parked(session, "wechat", "o1", clock()) == 0
    await outbox.work_off()
    assert [text for _, (text,) in vendor.calls] == ["one", "two", "one", "two"]


async def test_a_key_is_queued_once(database: Database, clock: Clock) -> None:
    async def add(text: str) -> int | None:
        async with database.write() as session, session.begin():
            return await queue.enqueue(
                session, "sms", "+8613812345678", {"text": text}, clock(), key="k", purpose="notice"
            )

    added = await asyncio.gather(add("one"), add("two"), add("three"))
    assert len([delivery for delivery in added if delivery is not None]) == 1
    assert len(await all_of(database)) == 1


async def test_reports_move_forward_only(database: Database, clock: Clock) -> None:
    (first,) = await put(database, clock, "one", channel="sms", state="sent", provider_id="SM1")
    (lost,) = await put(database, clock, "two", channel="sms", state="unknown", to="o2")

    async def report(sid: str, state: str, **more: Any) -> bool:
        async with database.write() as session, session.begin():
            return await queue.report(session, sid, state, clock(), **more)

    assert await report("SM1", "delivered")
    assert not await report("SM1", "sent")
    assert not await report("SM1", "delivered")
    assert not await report("SM1", "failed")
    assert await report("SM1", "read", delivery_id=lost), "the sid says which, if there is one"
    assert not await report("SM9", "delivered")
    assert not await report("", "delivered")
    assert not await report("SM9", "delivered", delivery_id=2**40)
    found = await all_of(database)
    assert [d.state for d in found] == ["read", "unknown"]
    assert await report("SM2", "failed", delivery_id=lost, error="30003")
    found = await all_of(database)
    assert (found[1].state, found[1].provider_id, found[1].error) == ("failed", "SM2", "30003")
    assert found[0].id == first


async def test_what_a_callback_holds_just_now_is_not_overtaken(database: Database, clock: Clock) -> None:
    first, _ = await put(database, clock, "one", "two")
    vendor = Vendor()
    outbox = Outbox(database, clock, [vendor])
    async with database.write() as session, session.begin():
        assert await queue.carried(session, [first], clock()) == {first}
        if not database.is_sqlite:  # which lets nobody else write now
            assert await outbox.work_off() == 0
    await outbox.work_off()
    assert vendor.calls == [("o1", ["two"])]
