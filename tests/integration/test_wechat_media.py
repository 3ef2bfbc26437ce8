"""What followers send besides text: pictures, recordings, places, and what nobody can read."""

import stat

import httpx
import pytest
from fastapi import FastAPI

from api.channels.wechat.attachments import Keeper, path_of
from api.channels.wechat.channel import wechat
from api.channels.wechat.client import WechatClient
from api.channels.wechat.tables import Attachment
from api.channels.wechat.words import say
from api.conversations.rasa import Offer, Said
from api.conversations.transcript import add_message, lock_conversation
from api.db.engine import Database
from api.settings import Settings
from tests.integration.wechat_follower import (
    APP_ID,
    JPEG,
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
    settings,
    the,
    words_of_danger,
)
from tests.simulators.wechat import Account, WechatServer

__all__ = ["follower", "new_follower", "settings", "words_of_danger"]

# pictures and the like


async def test_a_picture_is_kept_for_the_agent(
    follower: Customer,
    database: Database,
    clock: Clock,
    settings: Settings,
    client: httpx.AsyncClient,
    service: dict[str, str],
) -> None:
    conversation_id = await prepare(database, follower, clock)
    xml = follower.message("image", MediaId="media-1", PicUrl="http://x")
    assert await follower.deliver(xml) == say("image", "zh")
    assert await follower.deliver(xml) == say("image", "zh")
    assert await lines(database, follower) == [("customer", "[图片]"), ("system", say("image", "zh"))]
    attachment = await the(database, Attachment)
    at = f"/api/v1/attachments/{attachment.id}"
    assert (await client.get(at, headers=service)).status_code == 404

    asked: list[str] = []

    def vendor(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/cgi-bin/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 7200})
        asked.append(request.url.params["media_id"])
        if len(asked) == 1:
            return httpx.Response(502)
        return httpx.Response(200, content=JPEG, headers={"Content-Type": "image/jpeg"})

    vendor_client = WechatClient(settings, database, clock, httpx.MockTransport(vendor))
    keeper = Keeper(settings.home, vendor_client, clock)
    assert await keeper.fetch_one(database)
    assert (await the(database, Attachment)).state == "pending"
    assert not await keeper.fetch_one(database)  # not before its time
    clock.advance(seconds=11)
    assert await keeper.fetch_one(database)
    assert not await keeper.fetch_one(database)
    await vendor_client.close()
    assert asked == ["media-1"] * 2
    path = path_of(settings.home, attachment.id)
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (JPEG, 0o600)
    answer = await client.get(at, headers=service)
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert (await client.get(at)).status_code == 401
    bot = {"Authorization": "Bearer bot-token", "X-Conversation-Id": conversation_id}
    assert (await client.get(at, headers=bot)).status_code == 403
    listed = (
        await client.get("/api/v1/attachments", params={"conversation_id": conversation_id}, headers=service)
    ).json()
    assert [(item["kind"], item["state"], item["size"]) for item in listed["items"]] == [("image", "kept", len(JPEG))]


@pytest.mark.parametrize(
    ("answer", "tries"),
    [
        (httpx.Response(200, json={"errcode": 40007, "errmsg": "invalid media_id"}), 1),
        (httpx.Response(200, content=b"x" * 11_000_000, headers={"Content-Type": "image/jpeg"}), 1),
        (httpx.Response(200, content=b"<html>", headers={"Content-Type": "text/html"}), 1),
        (httpx.Response(500), 10),
    ],
)
async def test_a_file_that_cannot_be_had_is_given_up(
    follower: Customer, database: Database, clock: Clock, settings: Settings, answer: httpx.Response, tries: int
) -> None:
    await prepare(database, follower, clock)
    await follower.deliver(follower.message("voice", MediaId="media-1", Format="amr"))

    def vendor(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/cgi-bin/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 7200})
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    vendor_client = WechatClient(settings, database, clock, httpx.MockTransport(vendor))
    keeper = Keeper(settings.home, vendor_client, clock)
    done = 0
    while (await the(database, Attachment)).state == "pending":
        assert await keeper.fetch_one(database)
        clock.advance(hours=1)
        done += 1
    await vendor_client.close()
    row = await the(database, Attachment)
    assert (row.state, row.attempts, done) == ("failed", tries, tries)
    assert not path_of(settings.home, row.id).exists()


@pytest.mark.parametrize(
    ("kind", "fields", "mark", "asked"),
    [
        ("voice", {"MediaId": "m"}, "[语音]", "voice"),
        ("location", {"Label": ""}, "[位置]", "place"),
        ("video", {"MediaId": "m"}, "[视频]", "unread"),
        ("link", {"Title": "x"}, "[链接]", "unread"),
        ("file", {}, "[文件]", "unread"),
    ],
)
async def test_what_the_bot_cannot_read_is_asked_for_in_words(
    follower: Customer, database: Database, clock: Clock, kind: str, fields: dict[str, str], mark: str, asked: str
) -> None:
    await prepare(database, follower, clock)
    assert await follower.deliver(follower.message(kind, **fields)) == say(asked, "zh")
    assert await lines(database, follower) == [("customer", mark), ("system", say(asked, "zh"))]
    assert len(await rows(database, Attachment)) == (kind == "voice")


async def test_recognised_speech_and_named_places_are_words(engine: Engine, follower: Customer) -> None:
    assert await follower.deliver(follower.message("voice", MediaId="m", Recognition="停电了。")) == "echo 停电了。"
    assert await follower.deliver(follower.message("location", Label="江南大道8号")) == "echo 江南大道8号"


async def test_an_agent_gets_the_picture_and_the_customer_no_word_of_ours(
    follower: Customer, database: Database, clock: Clock
) -> None:
    await prepare(database, follower, clock, owner="agent")
    assert await follower.deliver(follower.message("image", MediaId="m")) == ""
    assert await lines(database, follower) == [("customer", "[图片]")]
    assert len(await rows(database, Attachment)) == 1


async def test_a_picture_leaves_the_open_question_open(
    engine: Engine, rasa: Rasa, follower: Customer, database: Database, clock: Clock
) -> None:
    conversation_id = await prepare(database, follower, clock)
    options = (Offer("是的", "/affirm"), Offer("不是", "/deny"))
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, conversation_id)
        assert conversation is not None
        question = Said("整栋楼都停了吗？", options)
        await add_message(session, conversation, "bot", question.text, clock(), offers=question.offers)
    reply = await follower.deliver(follower.message("image", MediaId="m"))
    assert reply.endswith(say("image", "zh") + "\n1. 是的\n2. 不是")
    assert await follower.say("1") == "echo /affirm"


async def test_the_channels_chores_fetch_and_end(
    follower: Customer, database: Database, clock: Clock, settings: Settings, app: FastAPI
) -> None:
    vendor = WechatServer(Account(app_id=APP_ID, app_secret="app-secret"))
    vendor.start()
    try:
        media_id = vendor.add_media(JPEG)
        await prepare(database, follower, clock)
        channel = wechat(settings.model_copy(update={"wechat_api_base": vendor.url}), database, clock)
        async with channel.router.lifespan_context(app):
            await follower.deliver(follower.message("image", MediaId=media_id))

            async def kept() -> bool:
                return (await the(database, Attachment)).state == "kept"

            await eventually(kept)
        for deliverer in channel.deliverers:
            await deliverer.close()
    finally:
        vendor.stop()
