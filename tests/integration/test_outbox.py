"""The outbox's worker, with a deliverer that does as the test says in the vendor's place."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from api.channels.base import Outcome, Parked, Rate, Refused, Retry, Sent, Unknown
from api.conversations.tables import Conversation, Message
from api.conversations.transcript import Offer, add_message, lock_conversation
from api.db.engine import Database, open_database
from api.outbox import claims, queue, rules
from api.outbox.tables import Delivery
from api.outbox.worker import LEASE_SECONDS, Outbox
from tests.integration.conftest import Clock
from tests.integration.test_turn_engine import eventually


class Vendor:
    """Keeps what it is sent, and answers with what `script` holds next for a recipient, else with Sent."""

    def __init__(self, name: str = "wechat", joins: int = 1, rate: Rate | None = None) -> None:
        self.name, self.joins, self.rate = name, joins, rate or Rate(1000, 8)
        self.calls: list[tuple[str, list[str]]] = []
        self.script: dict[str, list[Outcome | Exception]] = {}
        self.under_way: dict[str, int] = {}
        self.most_at_once = 0
        self.overlaps = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False

    async def deliver(self, deliveries: Sequence[Delivery]) -> Outcome:
        to = deliveries[0].recipient
        self.overlaps += self.under_way.get(to, 0)
        self.under_way[to] = self.under_way.get(to, 0) + 1
        self.most_at_once = max(self.most_at_once, sum(self.under_way.values()))
        self.calls.append((to, [delivery.body["text"] for delivery in deliveries]))
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            answer = self.script[to].pop(0) if self.script.get(to) else Sent(f"id-{deliveries[0].id}", "service")
        finally:
            self.under_way[to] -= 1
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def close(self) -> None:
        self.closed = True


async def put(database: Database, clock: Clock, *texts: str, to: str = "o1", **fields: Any) -> list[int]:
    """Queue deliveries and give their ids."""
    async with database.write() as session, session.begin():
        rows = [
            Delivery(
                **{
                    "channel": "wechat",
                    "recipient": to,
                    "body": {"text": text},
                    "not_before": clock(),
                    "created_at": clock(),
                    "updated_at": clock(),
                    **fields,
                }
            )
            for text in texts
        ]
        for row in rows:
            session.add(row)
            await session.flush()
        return [row.id for row in rows]


async def all_of(database: Database) -> list[Delivery]:
    async with database.read() as session:
        return list(await session.scalars(select(Delivery).order_by(Delivery.id)))


async def states(database: Database) -> list[str]:
    return [delivery.state for delivery in await all_of(database)]


@pytest.fixture
async def started(database: Database, clock: Clock) -> AsyncIterator[Any]:
    """`started(vendor, …)`: a worker that runs until the test ends."""
    running: list[Outbox] = []

    def start(*vendors: Vendor, on: Database = database) -> Outbox:
        outbox = Outbox(on, clock, vendors)
        outbox.start()
        running.append(outbox)
        return outbox

    yield start
    for outbox in running:
        await outbox.stop()


async def test_in_order_for_one_and_at_once_for_many(database: Database, clock: Clock, started: Any) -> None:
    vendor = Vendor(rate=Rate(1000, 4))
    for n in range(5):
        for to in "abcdef":
            await put(database, clock, f"{n}", to=to)
    vendor.gate.clear()
    started(vendor)

    async def full() -> bool:
        return vendor.most_at_once == 4

    await eventually(full)
    vendor.gate.set()

    async def done() -> bool:
        return set(await states(database)) == {"sent"}

    await eventually(done)
    for to in "abcdef":
        assert [texts for who, texts in vendor.calls if who == to] == [[str(n)] for n in range(5)]
    assert vendor.overlaps == 0
    assert vendor.most_at_once == 4
    first = (await all_of(database))[0]
    assert (first.via, first.provider_id, first.attempts, first.lease_until) == ("service", f"id-{first.id}", 1, None)


async def test_two_desks_send_each_once_and_in_order(
    database: Database, database_url: str, clock: Clock, started: Any
) -> None:
    other = open_database(database_url)
    vendor = Vendor()
    for n in range(10):
        for to in "abcd":
            await put(database, clock, f"{n}", to=to)
    one, two = started(vendor), started(vendor, on=other)

    async def done() -> bool:
        return set(await states(database)) == {"sent"}

    await eventually(done)
    await one.stop()
    await two.stop()
    await other.close()
    for to in "abcd":
        assert [texts for who, texts in vendor.calls if who == to] == [[str(n)] for n in range(10)]
    assert vendor.overlaps == 0


async def test_it_is_sending_before_the_call(database: Database, clock: Clock, started: Any) -> None:
    vendor = Vendor()
    vendor.gate.clear()
    await put(database, clock, "one", "two")
    started(vendor)

    async def called() -> bool:
        return bool(vendor.calls)

    await eventually(called)
    assert await states(database) == ["sending", "queued"]
    vendor.gate.set()

    async def done() -> bool:
        return await states(database) == ["sent", "sent"]

    await eventually(done)


async def test_lines_of_one_conversation_are_joined(database: Database, clock: Clock) -> None:
    async with database.write() as session, session.begin():
        for name in ("cv_1", "cv_2"):
            session.add(Conversation(id=name, channel="wechat", deliver_to="o1", created_at=clock()))
    await put(database, clock, "a", "b", "c" * 2048, conversation_id="cv_1")
    await put(database, clock, "d", conversation_id="cv_2")
    vendor = Vendor(joins=10)
    assert await Outbox(database, clock, [vendor]).work_off() == 3
    assert [texts for _, texts in vendor.calls] == [["a", "b"], ["c" * 2048], ["d"]]
    assert set(await states(database)) == {"sent"}


async def test_retry_waits_and_keeps_the_order(database: Database, clock: Clock) -> None:
    vendor = Vendor()
    vendor.script["o1"] = [Retry("ConnectError"), Retry("-1 busy", 90.0)]
    await put(database, clock, "one", "two")
    await put(database, clock, "other", to="o2")
    outbox = Outbox(database, clock, [vendor])
    await outbox.work_off()
    assert [text for _, (text,) in vendor.calls] == ["one", "other"]
    first, second, _ = await all_of(database)
    assert (first.state, first.attempts, first.error, second.state) == ("queued", 1, "ConnectError", "queued")
    assert 0.5 <= (first.not_before - clock()).total_seconds() <= 1.0
    assert await outbox.work_off() == 0
    clock.advance(seconds=1)
    await outbox.work_off()
    first = (await all_of(database))[0]
    assert 90 <= (first.not_before - clock()).total_seconds() <= 91.0
    clock.advance(seconds=89)
    assert await outbox.work_off() == 0
    clock.advance(seconds=2)
    await outbox.work_off()
    assert [text for who, (text,) in vendor.calls if who == "o1"] == ["one", "one", "one", "two"]
    assert set(await states(database)) == {"sent"}
    assert (await all_of(database))[0].error == ""


async def test_after_too_many_tries_it_is_dead_and_the_next_one_goes(database: Database, clock: Clock) -> None:
    vendor = Vendor()
    vendor.script["o1"] = [Retry("HTTP 502")] * rules.MOST_TRIES
    await put(database, clock, "one", "two")
    outbox = Outbox(database, clock, [vendor])
    for _ in range(rules.MOST_TRIES):
        assert await outbox.work_off() >= 1
        clock.advance(seconds=rules.LONGEST_WAIT)
    assert await states(database) == ["dead", "sent"]
    assert (await all_of(database))[0].error == "HTTP 502"
    assert len(vendor.calls) == rules.MOST_TRIES + 1


@pytest.mark.parametrize(
    ("outcome", "state", "error"),
    [
        (Parked("45015"), "parked", "45015"),
        (Refused("40003"), "failed", "40003"),
        (Unknown("ReadTimeout"), "unknown", "ReadTimeout"),
        (RuntimeError("a fault of ours"), "unknown", "broken: RuntimeError"),
        (Refused("x" * 500), "failed", "x" * 200),
    ],
)
async def test_what_did_not_go_is_not_sent_and_holds_up_nothing(
    database: Database, clock: Clock, outcome: Outcome | Exception, state: str, error: str
) -> None:
    vendor = Vendor()
    vendor.script["o1"] = [outcome]
    await put(database, clock, "one", "two")
    outbox = Outbox(database, clock, [vendor])
    await outbox.work_off()
    assert await states(database) == [state, "sent"]
    first = (await all_of(database))[0]
    assert (first.error, first.provider_id, first.via) == (error, None, "")
    clock.advance(days=2)
    assert await outbox.work_off() == 0, "never repeated blindly"


async def test_a_crash_in_the_call_leaves_it_unknown(database: Database, clock: Clock, started: Any) -> None:
    vendor = Vendor()
    vendor.gate.clear()
    await put(database, clock, "one", "two")
    outbox = started(vendor)

    async def called() -> bool:
        return bool(vendor.calls)

    await eventually(called)
    await outbox.crash()
    assert await states(database) == ["sending", "queued"]

    healthy = Vendor()
    started(healthy)
    clock.advance(seconds=LEASE_SECONDS)

    async def done() -> bool:
        return await states(database) == ["unknown", "sent"]

    await eventually(done)
    assert healthy.calls == [("o1", ["two"])]


async def test_who_lost_its_lease_may_only_say_that_it_was_sent(database: Database, clock: Clock) -> None:
    await put(database, clock, "one", to="a")
    await put(database, clock, "two", to="b")
    found = await claims.claim(database, "wechat", 1, clock(), 10, 8)
    clock.advance(seconds=10)
    assert await claims.give_up_lost(database, clock()) == [1, 2]
    assert await claims.finish(database, found[0], Retry("late"), clock(), may_text=False) == []
    assert await claims.finish(database, found[1], Sent("m2"), clock(), may_text=False) == ["sent"]
    assert await states(database) == ["unknown", "sent"]
    assert await claims.finish(database, found[1], Unknown("again"), clock(), may_text=False) == []


async def test_stopping_lets_calls_end(database: Database, clock: Clock, started: Any) -> None:
    vendor = Vendor()
    vendor.gate.clear()
    await put(database, clock, "one")
    outbox = started(vendor)

    async def called() -> bool:
        return bool(vendor.calls)

    await eventually(called)
    stopping = asyncio.create_task(outbox.stop())
    await asyncio.sleep(0)
    vendor.gate.set()
    await stopping
    assert await states(database) == ["sent"]
    assert vendor.closed


async def test_stopping_does_not_wait_for_ever(
    database: Database, clock: Clock, started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.outbox.worker.STOP_SECONDS", 0.1)
    vendor = Vendor(rate=Rate(0.01, 8))  # the second call would wait for a hundred seconds
    vendor.gate.clear()
    await put(database, clock, "one", to="a")
    await put(database, clock, "two", to="b")
    outbox = started(vendor)

    async def claimed() -> bool:
        return await states(database) == ["sending", "sending"] and bool(vendor.calls)

    await eventually(claimed)
    await outbox.stop()
    assert await states(database) == ["unknown", "queued"], "one was under way, the other had not left"
    assert (await all_of(database))[1].attempts == 0


async def test_no_more_calls_a_second_than_allowed(database: Database, clock: Clock) -> None:
    vendor = Vendor(rate=Rate(50.0, 8))
    for n in range(11):
        await put(database, clock, "x", to=f"o{n}")
    loop = asyncio.get_running_loop()
    began = loop.time()
    await Outbox(database, clock, [vendor]).work_off()
    assert loop.time() - began >= 10 / 50


async def test_a_vendor_that_is_away_is_tried_by_one_call_at_a_time(
    database: Database, clock: Clock, started: Any
) -> None:
    """And by as many as ever once it is there again."""
    vendor = Vendor(rate=Rate(1000, 4))
    for n in range(12):
        await put(database, clock, "x", to=f"o{n:02}")
        vendor.script[f"o{n:02}"] = [Retry("ConnectError")] if n < 6 else []
    vendor.gate.clear()
    started(vendor)

    async def calls(number: int) -> None:
        async def made() -> bool:
            return len(vendor.calls) >= number

        await eventually(made)

    await calls(4)
    vendor.gate.set()
    await calls(12)

    async def sent() -> bool:
        return (await states(database)).count("sent") == 6

    await eventually(sent)
    assert vendor.most_at_once == 4
    vendor.most_at_once = 0
    for n in range(6):
        vendor.script[f"o{n:02}"] = [Retry("ConnectError")]
    clock.advance(seconds=2)
    vendor.gate.clear()
    await calls(16)
    assert vendor.most_at_once == 4
    vendor.gate.set()
    await calls(18)
    vendor.gate.clear()
    vendor.most_at_once = 0
    clock.advance(seconds=9)
    await calls(19)
    assert (len(vendor.calls), sum(vendor.under_way.values())) == (19, 1)
    vendor.gate.set()
    clock.advance(minutes=10)  # past every back-off
    await calls(24)


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
