"""WeChat's retries in a storm, and its callbacks while the database stalls."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text

from api.channels.wechat import passive
from api.channels.wechat.intake import Taken
from api.channels.wechat.tables import Received
from api.channels.wechat.words import limits
from api.conversations.tables import Turn
from api.conversations.transcript import add_message, lock_conversation
from api.db.engine import Database, open_database
from api.outbox.tables import Delivery
from api.settings import Settings
from tests.integration.wechat_follower import (
    Clock,
    Customer,
    Engine,
    NewFollower,
    Rasa,
    eventually,
    follower,
    lines,
    new_follower,
    prepare,
    rows,
    settings,
    states,
    the,
    words_of_danger,
)
from tests.simulators.envelope import fields_of

__all__ = ["follower", "new_follower", "settings", "words_of_danger"]


async def test_a_storm_of_retries_makes_one_turn_each(
    engine: Engine, rasa: Rasa, new_follower: NewFollower, database: Database, settings: Settings
) -> None:
    """1,000 messages, each three times at once: 1,000 turns, and no reply by two ways. (Fewer where writers queue up
    anyway.)"""
    count = 250 if database.is_sqlite else 1000
    followers = [new_follower() for _ in range(count // 10)]
    at_once = asyncio.Semaphore(6)
    replies: dict[str, set[str]] = {}
    empty_after: dict[str, float] = {}

    async def send(follower: Customer, xml: str) -> None:
        began, words = time.monotonic(), fields_of(xml)["Content"]
        answers = [await follower.post(*follower.request(xml))]
        while answers[-1].status_code == 503 and len(answers) < 20:  # as WeChat does, less patiently
            began = time.monotonic()
            answers.append(await follower.post(*follower.request(xml)))
        replies.setdefault(words, set()).add(given := follower.read(answers[-1]))
        if not given:
            empty_after[words] = min(time.monotonic() - began, empty_after.get(words, 60))

    async def three(follower: Customer, words: str) -> None:
        async with at_once:
            xml = follower.typed(words)
            await asyncio.gather(*(send(follower, xml) for _ in range(3)))

    await asyncio.gather(*(three(f, f"message {n} of {f.open_id}") for f in followers for n in range(10)))
    assert len(replies) == count
    # A copy may be acknowledged with nothing, beside another one that carries the text, only when its time was up.
    apart = {words: given for words, given in replies.items() if len(given) > 1}
    assert all("" in given and len(given) == 2 for given in apart.values())
    assert all(empty_after[words] >= settings.wechat_reply_seconds for words in apart)

    async def idle() -> bool:
        return not await rows(database, Turn, Turn.state != "done")

    await eventually(idle)
    assert len(await rows(database, Turn)) == count
    assert len(rasa.asked) == count
    deliveries = await rows(database, Delivery)
    assert len(deliveries) == count
    carried = [row.carried for row in await rows(database, Received)]
    passive_ids = [delivery for ids in carried for delivery in ids]
    assert len(passive_ids) == len(set(passive_ids))
    assert {d.id for d in deliveries if d.via == "passive"} == set(passive_ids)
    assert {d.state for d in deliveries if d.id not in passive_ids} <= {"queued"}


# the database stalls


@asynccontextmanager
async def stalled(url: str) -> AsyncIterator[None]:
    """Nobody can write."""
    other = open_database(url)
    try:
        async with other.engine.connect() as connection:
            if other.is_sqlite:
                raw = await connection.get_raw_connection()
                await raw.driver_connection.execute("BEGIN IMMEDIATE")  # type: ignore[union-attr]
            else:
                await connection.execute(text("LOCK TABLE wechat_nonces, wechat_received, conversations"))
            yield
            if other.is_sqlite:
                await raw.driver_connection.execute("ROLLBACK")  # type: ignore[union-attr]
            await connection.rollback()
    finally:
        await other.close()


async def test_while_the_database_stalls_wechat_is_told_to_retry_and_nothing_is_lost(
    engine: Engine, follower: Customer, database: Database, database_url: str
) -> None:
    xml = follower.typed("停电了")
    async with stalled(database_url):
        began = time.monotonic()
        answers = await asyncio.gather(*(follower.post(*follower.request(xml)) for _ in range(2)))
        took = time.monotonic() - began
    assert 2.4 < took < 5  # 2.5 s on a machine that has nothing else to do; at 5 s WeChat hangs up
    assert [answer.status_code for answer in answers] == [503, 503]

    async def answered() -> bool:
        return len(await lines(database, follower)) == 2

    await eventually(answered)
    assert await follower.deliver(xml) == "echo 停电了"
    assert len(await rows(database, Turn)) == 1
    assert [sender for sender, _ in await lines(database, follower)] == ["customer", "bot"]


async def test_without_a_retry_the_message_is_there_too(
    engine: Engine, follower: Customer, database: Database, database_url: str, clock: Clock
) -> None:
    async with stalled(database_url):
        assert (await follower.post(*follower.request(follower.typed("停电了")))).status_code == 503

    async def answered() -> bool:
        return len(await lines(database, follower)) == 2

    await eventually(answered)
    delivery = await the(database, Delivery)
    assert delivery.state == "queued"  # the outbox's, once the time of the callback is over
    assert clock() < delivery.not_before <= clock() + timedelta(seconds=3)


async def test_a_reply_that_came_too_late_goes_by_the_outbox(
    follower: Customer, database: Database, clock: Clock
) -> None:
    conversation_id = await prepare(database, follower, clock)
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, conversation_id)
        assert conversation is not None
        session.add(
            Received(
                key="k",
                open_id=follower.open_id,
                conversation_id=conversation_id,
                sentence="慢点",
                carried=[],
                at=clock(),
            )
        )
        await add_message(session, conversation, "bot", "来了", clock())
    taken = Taken("k", conversation_id)

    async def reply() -> str:
        async with database.write() as session, session.begin():
            return await passive.reply_of(session, taken, clock())

    assert [await reply(), await reply()] == ["来了\n\n慢点"] * 2
    assert not await passive.take_back(database, "k", clock())  # the other copy has it
    assert await states(database) == [("sent", "passive")]
    assert await passive.take_back(database, "k", clock())
    assert [(d.state, d.body["text"]) for d in await rows(database, Delivery)] == [
        ("queued", "来了"),
        ("queued", "慢点"),
    ]
    assert await reply() == ""  # to every later copy
    assert await states(database) == [("queued", "")] * 2


@pytest.mark.parametrize("event", ["subscribe", ""])
async def test_what_is_committed_is_acknowledged_and_a_late_reply_goes_by_the_outbox(
    engine: Engine, follower: Customer, database: Database, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    monkeypatch.setitem(limits()["callback"], "answer_seconds", 0)
    xml = follower.xml("event", Event=event) if event else follower.typed("停电了")
    assert await follower.deliver(xml) == ""

    async def settled() -> bool:
        return (await the(database, Received)).reply == ""

    await eventually(settled)
    assert await follower.deliver(xml) == ""
    assert await states(database) == [("queued", "")]


async def test_only_so_many_transactions_go_on_by_themselves(
    follower: Customer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits()["callback"], "left_behind", 1)
    async with stalled(database_url):
        assert (await follower.post(*follower.request(follower.typed("一")))).status_code == 503
        began = time.monotonic()
        assert (await follower.post(*follower.request(follower.typed("二")))).status_code == 503
        assert time.monotonic() - began < 0.5
