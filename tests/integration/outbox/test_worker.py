"""The outbox's worker: order, tries, leases, stopping, pace."""

import asyncio
from typing import Any

import pytest

from api.channels.base import Outcome, Parked, Rate, Refused, Retry, Sent, Unknown
from api.conversations.tables import Conversation
from api.db.engine import Database, open_database
from api.outbox import claims, rules
from api.outbox.worker import LEASE_SECONDS, Outbox
from tests.integration.conftest import Clock
from tests.integration.outbox.vendor import Vendor, all_of, put, states
from tests.integration.stand_in import eventually


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
