"""WeChat's callbacks on both databases: what is answered, taken in once, refused; conversations, events, windows."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from api.channels.wechat.menu import text_of
from api.channels.wechat.tables import Attachment, Follower, Received
from api.channels.wechat.words import say
from api.conversations.sentences import limits as paces
from api.conversations.tables import Alarm, Conversation, Message, Turn
from api.conversations.transcript import add_message, lock_conversation
from api.db.engine import Database
from api.outbox.tables import Delivery
from api.settings import Settings
from tests.integration.wechat_follower import (
    TOKEN,
    Answer,
    Clock,
    Customer,
    Engine,
    Rasa,
    eventually,
    follower,
    lines,
    new_follower,
    prepare,
    rows,
    said,
    settings,
    states,
    the,
    words_of_danger,
)
from tests.simulators.envelope import signature

__all__ = ["follower", "new_follower", "settings", "words_of_danger"]

# the bot's answer


async def test_the_bots_answer_is_the_passive_reply(engine: Engine, follower: Customer, database: Database) -> None:
    assert await follower.say("家里停电了") == "echo 家里停电了"
    assert await states(database) == [("sent", "passive")]
    conversation = await the(database, Conversation)
    assert (conversation.channel, conversation.deliver_to) == ("wechat", follower.open_id)
    assert (conversation.held_until, conversation.language) == (None, "zh")
    assert await follower.say("my lights are out") == "echo my lights are out"
    assert (await the(database, Follower)).language == "en"
    assert len(await rows(database, Conversation)) == 1


async def test_options_are_numbered_and_taken_by_number(
    engine: Engine, rasa: Rasa, follower: Customer, database: Database
) -> None:
    options = [{"label": "是的", "payload": "/affirm"}, {"label": "不是", "payload": "/deny"}]
    asked = {"messages": [{"text": "收到。", "choices": []}, {"text": "整栋楼都停了吗？", "choices": options}]}
    rasa.always("停电了", {**asked, "silent": False, "failed": False})
    assert await follower.say("停电了") == "收到。\n\n整栋楼都停了吗？\n1. 是的\n2. 不是"
    assert await follower.say("２") == "echo /deny"
    assert rasa.asked[-1]["metadata"]["choice"] is True
    assert (await lines(database, follower))[-2] == ("customer", "不是")
    assert await follower.say("1") == "echo 1"  # nothing is offered any more


async def test_a_long_answer_is_cut_between_lines_and_the_outbox_sends_the_rest(
    engine: Engine, rasa: Rasa, follower: Customer, database: Database, clock: Clock
) -> None:
    rasa.always("说说", said("一" * 400, "二" * 400, "三" * 10))
    assert await follower.say("说说") == "一" * 400
    assert await states(database) == [("sent", "passive"), ("queued", ""), ("queued", "")]
    assert {d.not_before for d in await rows(database, Delivery, Delivery.state == "queued")} == {clock()}


async def test_a_late_answer_is_left_to_the_outbox(
    engine: Engine, rasa: Rasa, follower: Customer, database: Database, clock: Clock, app: FastAPI
) -> None:
    go = asyncio.Event()

    async def slow(_body: dict[str, Any]) -> Answer:
        await go.wait()
        return said("来了")

    rasa.script["慢"] = slow
    began = time.monotonic()
    assert await follower.say("慢") == ""
    assert 1.4 < time.monotonic() - began < 5  # at which WeChat hangs up

    async def let_go() -> bool:
        return (await the(database, Conversation)).held_until is None

    await eventually(let_go)
    go.set()

    async def spoken() -> bool:
        return bool(await rows(database, Delivery))

    await eventually(spoken)
    delivery = await the(database, Delivery)
    assert (delivery.state, delivery.via, delivery.not_before) == ("queued", "", clock())


async def test_what_is_there_when_the_time_is_up_goes_at_once(
    engine: Engine, rasa: Rasa, follower: Customer, database: Database
) -> None:
    """Safety words do not wait for a bot that is slow."""

    go = asyncio.Event()

    async def late(_body: dict[str, Any]) -> Answer:
        await go.wait()
        return said("来了")

    rasa.script["电线掉在地上冒火花"] = late
    reply = await follower.say("电线掉在地上冒火花")
    assert reply.startswith("请注意安全")
    assert len(await rows(database, Alarm)) == 1
    go.set()
    assert (await states(database))[0] == ("sent", "passive")


async def test_a_message_to_an_agent_is_acknowledged_at_once(
    follower: Customer, database: Database, clock: Clock
) -> None:
    await prepare(database, follower, clock, owner="agent")
    assert await follower.say("你好") == ""  # whatever has to be loaded is
    began = time.monotonic()
    assert await follower.say("在吗") == ""
    assert time.monotonic() - began < 1.4  # nothing was waited for
    assert await rows(database, Turn) == []
    assert await rows(database, Delivery) == []


# repetition


async def test_a_repeated_message_does_nothing_twice_and_gets_the_same_reply(
    engine: Engine, rasa: Rasa, follower: Customer, database: Database
) -> None:
    xml = follower.typed("停电了")
    assert await follower.deliver(xml) == "echo 停电了"
    rasa.always("停电了", said("something else"))
    assert await follower.deliver(xml) == "echo 停电了"
    assert await follower.deliver(xml) == "echo 停电了"
    assert len(rasa.asked) == 1
    assert len(await rows(database, Turn)) == 1
    assert await states(database) == [("sent", "passive")]
    assert (await the(database, Received)).given == 3


async def test_a_message_that_was_acknowledged_is_acknowledged_again(
    settings: Settings, follower: Customer, database: Database
) -> None:
    """Without a bot: the second copy does not wait either."""
    xml = follower.typed("停电了")
    assert await follower.deliver(xml) == ""
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, (await the(database, Conversation)).id)
        assert conversation is not None
        await session.execute(update(Turn).values(state="done"))
        await add_message(session, conversation, "bot", "来了", conversation.created_at)
    assert await follower.deliver(xml) == ""
    assert await states(database) == [("queued", "")]


async def test_a_nonce_belongs_to_one_message(
    engine: Engine, follower: Customer, database: Database, clock: Clock
) -> None:
    query, body = follower.request(follower.typed("停电了"), "nonce")
    assert follower.read(await follower.post(query, body)) == "echo 停电了"
    assert follower.read(await follower.post(query, body)) == "echo 停电了"
    xml = follower.typed("停水了")
    clock.advance(seconds=9)
    assert (await follower.post(*follower.request(xml, "nonce"))).status_code == 403
    assert (await follower.post(query, body.replace(b"</ToUserName>", b"</ToUserName> "))).status_code == 403
    assert len(await rows(database, Turn)) == 1
    clock.advance(minutes=11)  # chance gives the same one again
    assert follower.read(await follower.post(*follower.request(xml, "nonce"))) == "echo 停水了"
    assert follower.read(await follower.post(*follower.request(xml, "nonce"))) == "echo 停水了"
    assert (await follower.post(*follower.request(follower.typed("没水"), "nonce"))).status_code == 403
    assert len(await rows(database, Turn)) == 2


async def test_copies_at_once_get_one_reply(engine: Engine, follower: Customer, database: Database) -> None:
    xml = follower.typed("停电了")
    assert await asyncio.gather(*(follower.deliver(xml) for _ in range(3))) == ["echo 停电了"] * 3
    assert len(await rows(database, Turn)) == 1
    assert await states(database) == [("sent", "passive")]


# what is refused


async def test_large_and_damaged_requests(follower: Customer, database: Database) -> None:
    query, body = follower.request(follower.typed("停电了"))
    assert (await follower.post(query, b"x" * 65_537)).status_code == 413
    assert (await follower.post(query, b"x" * 65_536)).status_code == 400
    assert (await follower.post("", body)).status_code == 400
    assert (await follower.post(query.replace("msg_signature=", "msg_signature=0"), body)).status_code == 403
    assert (await follower.post(query, body.replace(b"<xml>", b"<!DOCTYPE xml><xml>"))).status_code == 400
    document = "<!DOCTYPE xml>" + follower.typed("停电了")
    assert (await follower.post(*follower.request(document))).status_code == 400
    assert (await follower.post(*follower.request("<xml><MsgType>text</MsgType></xml>"))).status_code in (400, 403)
    assert await rows(database, Received) == []


async def test_the_address_check(client: httpx.AsyncClient, clock: Clock) -> None:
    timestamp = str(int(clock().timestamp()))
    query = {"signature": signature(TOKEN, timestamp, "1"), "timestamp": timestamp, "nonce": "1", "echostr": "42"}
    answer = await client.get("/wechat", params=query)
    assert (answer.status_code, answer.text) == (200, "42")
    assert answer.headers["content-type"].startswith("text/plain")
    assert (await client.get("/wechat", params={**query, "nonce": "2"})).status_code == 403
    assert (await client.get("/wechat")).status_code == 400


@pytest.mark.parametrize(("words", "key"), [("长" * 1001, "message-too-long"), ("  ", "message-empty")])
async def test_a_message_that_cannot_be_taken_in_is_told_so(
    follower: Customer, database: Database, clock: Clock, words: str, key: str
) -> None:
    await prepare(database, follower, clock)
    assert await follower.say(words) == say(key, "zh", most=1000)
    assert await rows(database, Message) == []


async def test_a_flood_is_told_to_slow_down(follower: Customer, database: Database, clock: Clock) -> None:
    await prepare(database, follower, clock, owner="waiting", waiting_since=clock(), waiting_told_at=clock())
    burst = paces()["messages"]["burst"]
    replies = [await follower.say(f"第{n}条") for n in range(burst + 1)]
    assert replies == [*[""] * burst, say("too-many-messages", "zh")]
    assert await follower.deliver(follower.message("image", MediaId="m")) == say("too-many-messages", "zh")
    assert await rows(database, Attachment) == []


async def test_danger_in_a_message_that_is_too_long(follower: Customer, database: Database, clock: Clock) -> None:
    await prepare(database, follower, clock)
    reply = await follower.say("电线掉在地上冒火花" + "啊" * 1000)
    assert reply.startswith("请注意安全")
    assert reply.endswith(say("message-too-long", "zh", most=1000))
    assert len(await rows(database, Alarm)) == 1


# conversations


async def test_after_an_idle_time_a_new_conversation_begins(
    engine: Engine, rasa: Rasa, follower: Customer, database: Database, clock: Clock, settings: Settings
) -> None:
    await follower.say("my lights are out")
    clock.advance(minutes=settings.wechat_idle_minutes - 1)
    await follower.say("hello")
    clock.advance(minutes=settings.wechat_idle_minutes)
    await follower.say("1")
    old, new = sorted(await rows(database, Conversation), key=lambda c: c.created_at)
    assert (old.closed_at, new.closed_at) == (clock(), None)
    assert new.language == "en"
    assert rasa.asked[-1]["sender"] != rasa.asked[0]["sender"]
    assert (await the(database, Follower)).conversation_id == new.id


@pytest.mark.parametrize("owner", ["waiting", "agent"])
async def test_a_conversation_that_a_person_has_goes_on(
    follower: Customer, database: Database, clock: Clock, owner: str
) -> None:
    await prepare(database, follower, clock, owner=owner, waiting_since=clock())
    clock.advance(hours=30)
    await follower.say("还在吗")
    assert (await the(database, Conversation)).last_seq >= 1


async def test_a_closed_conversation_is_followed_by_a_new_one(
    engine: Engine, follower: Customer, database: Database, clock: Clock
) -> None:
    await prepare(database, follower, clock, closed_at=clock())
    assert await follower.say("还有一件事") == "echo 还有一件事"
    assert len(await rows(database, Conversation)) == 2


# events


async def test_a_new_follower_is_greeted_in_both_languages(
    follower: Customer, database: Database, clock: Clock
) -> None:
    reply = await follower.event("subscribe")
    assert reply == say("greeting", None)
    assert await follower.event("subscribe") == reply  # WeChat's retry
    assert await rows(database, Conversation) == []
    row = await the(database, Follower)
    assert (row.subscribed, row.allowance, row.window_ends_at) == (True, 3, clock() + timedelta(minutes=1))
    clock.advance(seconds=5)
    assert await follower.event("unsubscribe") == ""
    row = await the(database, Follower)
    assert (row.subscribed, row.allowance, row.window_ends_at) == (False, 0, None)


async def test_a_menu_entry_is_taken_for_typed_words(
    engine: Engine, follower: Customer, database: Database, clock: Clock
) -> None:
    assert await follower.event("CLICK", "power_cut") == f"echo {text_of('power_cut', 'zh')}"
    assert await follower.event("CLICK", "power_cut") == f"echo {text_of('power_cut', 'zh')}"  # a retry
    assert len(await rows(database, Turn)) == 1
    clock.advance(seconds=1)
    await follower.say("thank you very much, when is it back?")
    clock.advance(seconds=1)
    assert await follower.event("CLICK", "power_cut") == f"echo {text_of('power_cut', 'en')}"
    assert await follower.event("CLICK", "no such key") == ""


@pytest.mark.parametrize("name", ["VIEW", "LOCATION", "MASSSENDJOBFINISH", "SCAN", "something_new"])
async def test_other_events_are_acknowledged(follower: Customer, database: Database, name: str) -> None:
    assert await follower.event(name, "x") == ""
    assert await rows(database, Conversation) == []


# the window


async def test_each_act_opens_its_window_and_lets_go_what_was_parked(
    engine: Engine, follower: Customer, database: Database, clock: Clock
) -> None:
    conversation_id = await prepare(database, follower, clock)
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, conversation_id)
        assert conversation is not None
        await add_message(session, conversation, "agent", "明天去修。", clock())
        await session.execute(update(Delivery).values(state="parked", error="45047", attempts=3))
    assert await follower.say("好的") == "明天去修。\n\necho 好的"
    assert await states(database) == [("sent", "passive")] * 2
    row = await the(database, Follower)
    assert (row.window_ends_at, row.allowance, row.spent) == (clock() + timedelta(hours=48), 5, 0)


async def test_a_reply_does_not_overtake_what_is_on_its_way(
    engine: Engine, follower: Customer, database: Database, clock: Clock
) -> None:
    conversation_id = await prepare(database, follower, clock)
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, conversation_id)
        assert conversation is not None
        await add_message(session, conversation, "agent", "明天去修。", clock())
        await session.execute(update(Delivery).values(state="sending"))
    assert await follower.say("好的") == ""
    assert await states(database) == [("sending", ""), ("queued", "")]


async def test_without_its_secrets_the_channel_is_off(settings: Settings, database: Database, clock: Clock) -> None:
    from api.main import create_app

    off = settings.model_copy(update={"wechat_app_id": ""})
    app = create_app(off, clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        assert (await client.get("/wechat")).status_code == 404
        assert (await client.post("/wechat", content=b"")).status_code == 404
    await app.state.database.close()
