"""What a customer who waits is told by itself: a better place, now and then that it goes on, and the ways out."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from api.conversations import handover, queue, silence
from api.conversations.rasa import Said
from api.conversations.tables import Callback
from api.conversations.transcript import lock_conversation
from api.db.engine import Database
from tests.integration.conftest import Clock
from tests.integration.queues.conftest import Row, SignIn, said
from tests.integration.test_ownership import HOURS, Desk
from tests.integration.test_web_channel import SPARKS, Chat, open_chat

LEAVE = "Leave a message or be called back"


async def tell(database: Database, clock: Clock) -> int:
    return await silence.tell_places(database, clock())


async def test_a_better_place_is_told_but_not_too_often(
    desk: Desk, client: httpx.AsyncClient, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await at_console("boss")
    chats = [await open_chat(client) for _ in range(4)]
    for chat in chats:
        await desk.hand_over(chat)
        clock.advance(seconds=1)
    last = chats[3]
    assert (await row(last.id)).place_told == 4
    await desk.act(chats[0], "claim", "boss")
    await desk.act(chats[1], "claim", "boss")
    assert await tell(database, clock) == 0, "he was told a moment ago"
    clock.advance(minutes=2)
    await at_console("boss")
    assert await tell(database, clock) == 2
    ((who, text),) = await said(last)
    assert who == "system"
    assert "1 ahead of you" in text
    assert [text for _, text in await said(chats[2])] == ["Thank you for waiting. You are next."]
    assert await tell(database, clock) == 0
    clock.advance(minutes=9)
    await at_console("boss")
    assert await tell(database, clock) == 0, "nothing is new"
    clock.advance(minutes=1)
    assert await tell(database, clock) == 2
    choices = (await last.news(1))["messages"][-1]["choices"]
    assert [c["label"] for c in choices] == ["Continue with the assistant", LEAVE]


async def test_how_long_it_takes_is_told_where_it_is_known(
    desk: Desk, client: httpx.AsyncClient, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    for _ in range(3):
        chat = await open_chat(client)
        await desk.hand_over(chat)
        clock.advance(minutes=4)
        await desk.act(chat, "claim", "boss")
    chat = await open_chat(client, "zh")
    await row(chat.id, place_told=2)
    await at_console("boss")
    await desk.hand_over(chat)
    await row(chat.id, place_told=2)
    clock.advance(minutes=3)
    await at_console("boss")
    assert await tell(database, clock) == 1
    assert (await said(chat))[-1][1] == "让您久等了，您现在是下一位。最近大约要等4分钟。"
    clock.advance(minutes=10)
    await at_console("boss")
    assert await tell(database, clock) == 1
    assert (await said(chat))[-1][1] == "让您久等了，您现在是下一位。", "he has waited longer: nobody knows"


async def test_nobody_is_told_a_place_where_nobody_is_there(
    desk: Desk, chat: Chat, database: Database, clock: Clock
) -> None:
    await desk.hand_over(chat)
    clock.advance(minutes=30)
    assert await tell(database, clock) == 0


@pytest.mark.parametrize(("channel", "times"), [("wechat", 1), ("voice", 0), ("web", 12)])
async def test_no_channel_is_flooded(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn, row: Row, channel: str, times: int
) -> None:
    await row(chat.id, channel=channel)
    await desk.hand_over(chat)
    told = 0
    for _ in range(15):
        clock.advance(minutes=10)
        await at_console("li")
        told += await tell(database, clock)
    assert told == times
    assert (await row(chat.id)).place_times == times


async def test_what_the_customer_was_told_anyway_counts(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn
) -> None:
    await at_console("li")
    await desk.hand_over(chat)
    clock.advance(minutes=9)
    await at_console("li")
    await chat.send("1", "hello?")
    clock.advance(minutes=1)
    assert await tell(database, clock) == 0
    clock.advance(minutes=9)
    await at_console("li")
    assert await tell(database, clock) == 1


async def test_the_words_that_hand_over_name_the_ways_out(
    desk: Desk, chat: Chat, database: Database, clock: Clock, row: Row
) -> None:
    """Under the bot's own words; on the telephone the call offers them."""
    for channel, expected in (("web", ["Continue with the assistant", LEAVE]), ("voice", [])):
        await row(chat.id, channel=channel, owner="bot")
        await chat.send(channel, "a person please")
        (claim,) = await queue.claim(database, "one", clock(), 6)
        async with database.write() as session, session.begin():
            conversation = await lock_conversation(session, chat.id)
            assert conversation is not None
            await handover.hand_over(session, conversation, "wish", clock(), claim.message_id)
        assert await queue.finish(database, claim, (Said("You are in the queue.", ()),), clock())
        last = (await chat.news(1))["messages"][-1]
        assert [c["label"] for c in last["choices"]] == expected


async def leave(chat: Chat, id: str = "leave") -> str:
    """Take the offer that stands under the last line; what is said then."""
    (token,) = [c["token"] for c in (await chat.news(1))["messages"][-1]["choices"] if c["label"] == LEAVE]
    assert (await chat.send(id, choice=token)).status_code == 202
    return (await said(chat))[-1][1]


async def test_a_message_instead_of_waiting(
    desk: Desk, chat: Chat, database: Database, clock: Clock, at_console: SignIn
) -> None:
    await at_console("li")
    await desk.hand_over(chat)
    await chat.send("1", "hello?")
    words = await leave(chat)
    assert "16:00" not in words
    assert "15:00 on 4 March" in words, "an hour from now, in the agents' time"
    assert "phone number" in words
    await chat.send("2", "My meter sparks no more. 13800138000")
    noted = (await said(chat))[-1][1]
    assert "13800138000" in noted
    async with database.read() as session:
        (callback,) = (await session.scalars(select(Callback))).all()
    assert (callback.phone, callback.status) == ("13800138000", "open")
    assert callback.due_at == clock() + timedelta(hours=1)
    assert (await chat.news())["owner"] == "waiting", "his place stays"
    clock.advance(minutes=6)
    await chat.send("3", "and another thing")
    notice = (await chat.news(1))["messages"][-1]
    assert [c["label"] for c in notice["choices"]] == ["Continue with the assistant"], "one promise is enough"


async def test_a_message_out_of_hours(desk: Desk, chat: Chat, clock: Clock, database: Database) -> None:
    clock.advance(hours=10)
    await desk.hand_over(chat)
    await chat.send("1", "hello?")
    assert HOURS["en"] in (await said(chat))[-1][1]
    assert "08:00 on 5 March" in await leave(chat)


async def test_danger_is_no_matter_for_a_message(desk: Desk, chat: Chat) -> None:
    await desk.hand_over(chat)
    await chat.send("1", SPARKS)
    notice = (await chat.news(1))["messages"][-1]
    assert [c["label"] for c in notice["choices"]] == ["Continue with the assistant"]


async def test_an_old_offer_does_nothing_while_an_agent_is_there(desk: Desk, chat: Chat) -> None:
    await desk.hand_over(chat)
    await chat.send("1", "hello?")
    (token,) = [c["token"] for c in (await chat.news(1))["messages"][-1]["choices"] if c["label"] == LEAVE]
    await desk.act(chat, "claim")
    assert (await chat.send("2", choice=token)).status_code == 202
    assert (await said(chat))[-1] == ("customer", LEAVE)
    await desk.act(chat, "release")
    assert (await chat.send("3", choice=token)).status_code == 202
    assert (await chat.news())["owner"] == "waiting", "with the assistant it leads to the colleagues"
