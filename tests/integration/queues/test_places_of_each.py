"""A place and a wait that are true for this very customer: those count who are taken by the agents who serve him."""

import httpx
import pytest
from sqlalchemy import event

from api.agents.tables import Agent
from api.conversations import assignment, overview, relief, silence
from api.conversations.handover import person_offer
from api.conversations.places import place_of, places_of
from api.conversations.tables import QueueWait
from api.conversations.transcript import add_message, lock_conversation
from api.db.engine import Database
from api.outlets.tables import UtilityFact
from tests.integration.conftest import Clock
from tests.integration.queues.conftest import Row, SignIn, said
from tests.integration.queues.test_assignment import queued, taken_by
from tests.integration.test_ownership import Desk
from tests.integration.test_web_channel import Chat, open_chat

NOT_MINE = "no colleague who writes English is online"


async def stand(database: Database, clock: Clock, chat: Chat, row: Row) -> tuple[int, int | None, bool]:
    """What the conversation's own look tells; everybody's look at once tells the same."""
    async with database.read() as session:
        one = await place_of(session, await row(chat.id), clock())
        assert (await places_of(session, clock()))[chat.id] == one
        shown = {each.conversation_id: each.position for each in await overview.queue_view(session, clock())}
        assert shown[chat.id] == one.number, "as the console shows it"
    return one.number, one.minutes, one.own_language


async def waited(database: Database, clock: Clock, *minutes: float, **kind: object) -> None:
    async with database.write() as session, session.begin():
        for each in minutes:
            session.add(QueueWait(seconds=int(each * 60), at=clock(), **kind))


async def test_who_has_agents_of_his_own_is_nobody_s_rival(
    desk: Desk, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await at_console("li", "zhao")  # Chinese; English
    chinese = [await queued(desk) for _ in range(5)]
    clock.advance(seconds=30)
    english = await queued(desk, "en")
    assert (await desk.hand_over(english))["position"] == 1
    assert await stand(database, clock, english, row) == (1, None, True)
    clock.advance(minutes=3)
    await at_console("li", "zhao")
    assert await stand(database, clock, english, row) == (1, None, True), "and stays so when they have waited long"
    assert await taken_by(database, clock, "zhao") == english.id
    clock.advance(seconds=1)
    late = await queued(desk)
    assert (await stand(database, clock, late, row))[0] == 6
    await at_console("wang")  # has both, and a skill that nobody asked for
    clock.advance(seconds=1)
    second = await queued(desk, "en")
    assert (await stand(database, clock, second, row))[0] == 7, "he may take them all first"
    await chinese[4].send("1", "电线掉下来了，在冒火花")
    assert (await stand(database, clock, chinese[4], row))[0] == 1
    assert (await stand(database, clock, chinese[0], row))[0] in range(2, 7)


async def test_danger_is_before_everybody_whatever_its_language(
    desk: Desk, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await at_console("li", "zhao")
    english = await queued(desk, "en")
    clock.advance(seconds=5)
    chinese = await queued(desk)
    assert (await stand(database, clock, english, row))[0] == 1
    await chinese.send("1", "电线掉下来了，在冒火花")
    assert (await stand(database, clock, english, row))[0] == 2
    assert await taken_by(database, clock, "zhao") == chinese.id


async def test_the_wait_is_that_of_one_s_own_kind(
    desk: Desk, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await at_console("li", "zhao")
    await waited(database, clock, 2, 2, 2, language="zh")
    await waited(database, clock, 30, 30, 30, language="en", priority=1)
    english, chinese = await queued(desk, "en"), await queued(desk)
    assert await stand(database, clock, english, row) == (1, None, True), "nobody knows"
    assert await stand(database, clock, chinese, row) == (1, 2, True)
    await waited(database, clock, 12, 12, 12, language="en")
    assert await stand(database, clock, english, row) == (1, 12, True)
    assert (await desk.hand_over(english))["expected_wait_minutes"] == 12
    await waited(database, clock, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, language="en", agents=3)
    assert (await stand(database, clock, english, row))[1] == 12, "one agent is there where three were"


async def test_who_waits_on_tells_that_it_takes_longer_now(
    desk: Desk, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    await waited(database, clock, 1, 1, 1)
    for _ in range(4):
        await queued(desk)
    clock.advance(minutes=20)
    await at_console("li")
    late = await queued(desk)
    assert await stand(database, clock, late, row) == (5, 20, True)


async def test_who_was_with_an_agent_before_tells_nothing_of_a_wait(
    desk: Desk, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    """An agent leaves, and the queue has at once who came to it an hour ago and was served since."""
    served = [await queued(desk) for _ in range(10)]
    for chat in served:
        await desk.act(chat, "claim")
    clock.advance(minutes=60)
    await waited(database, clock, 1, 1, 1)
    await at_console("wang", presence="busy")
    await relief.leave(database, "ag_li", clock())
    late = await queued(desk)
    assert {(await row(chat.id)).owner for chat in served} == {"waiting"}
    assert await stand(database, clock, late, row) == (11, 1, True)


async def test_a_page_of_promised_calls_looks_at_the_queue_once(
    desk: Desk, database: Database, clock: Clock, at_console: SignIn
) -> None:
    await at_console("li")
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    asked = []
    for more in (1, 4):
        for _ in range(more):
            chat = await queued(desk)
            called = await desk.act(chat, "callbacks", None, phone="13800000000")
            assert called.status_code == 201
            clock.advance(seconds=1)
        statements.clear()
        page = await desk.client.get("/api/v1/callbacks?status=open", headers=desk.headers)
        asked.append(sum("conversations.waiting_since" in each for each in statements))
    assert [row["position"] for row in page.json()["items"]] == [1, 2, 3, 4, 5]
    assert asked[0] == asked[1], "however many there are"


async def test_nobody_has_his_language(
    desk: Desk, client: httpx.AsyncClient, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    """He is told so, and that a colleague of the other language may take it; and that is what happens."""
    await at_console("li")
    chat = await open_chat(client, "en")
    told = await desk.hand_over(chat)
    assert (told["position"], told["own_language"]) == (1, False)
    assert await taken_by(database, clock, "li") is None
    clock.advance(minutes=2)
    await at_console("li")
    await row(chat.id, place_told=2)
    assert await silence.tell_places(database, clock()) == 1
    assert NOT_MINE in (await said(chat))[-1][1]
    clock.advance(minutes=1)
    await at_console("li")
    chinese = await queued(desk)
    assert (await stand(database, clock, chinese, row))[0] == 2, "who is everybody's comes in his turn"
    assert await taken_by(database, clock, "li") == chat.id
    joined = (await said(chat))[-1][1]
    assert joined.startswith("A colleague has joined")
    assert "this colleague writes Chinese" in joined


async def test_the_words_of_the_desk_itself(
    desk: Desk, client: httpx.AsyncClient, database: Database, clock: Clock, at_console: SignIn
) -> None:
    """Put into the queue by a choice, Rasa up or not."""
    await at_console("zhao")
    chat = await open_chat(client, "zh")
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, chat.id)
        assert conversation is not None
        await add_message(session, conversation, "system", "?", clock(), offers=[person_offer("zh")])
    (token,) = [c["token"] for c in (await chat.news(1))["messages"][-1]["choices"]]
    await chat.send("1", choice=token)
    _, words = (await said(chat))[-1]
    assert "您是下一位" in words
    assert "现在没有使用中文的同事在线" in words


@pytest.mark.parametrize(("to", "foreign"), [("zhao", True), ("wang", False)])
async def test_whoever_gets_it_the_customer_knows_the_language(
    desk: Desk, chat: Chat, clock: Clock, at_console: SignIn, row: Row, to: str, foreign: bool
) -> None:
    """Danger goes to anybody at once; passed on by hand, too."""
    await at_console("li", "wang", "zhao")
    await row(chat.id, language="zh")
    await desk.act(chat, "claim")
    assert "请注意" not in (await said(chat))[-1][1]
    assert (await desk.act(chat, "transfer", to=to, note="x")).status_code == 200
    words = (await said(chat))[-1][1]
    assert "另一位同事" in words
    assert ("这位同事使用英文" in words) is foreign
    await desk.act(chat, "release", to)
    await desk.hand_over(chat)
    await chat.send("1", "电线掉下来了，在冒火花")
    await desk.act(chat, "claim", to)
    words = (await said(chat))[-1][1]
    assert ("这位同事使用英文" in words) is foreign


async def test_automatic_assignment_minds_languages_and_danger(
    desk: Desk, database: Database, clock: Clock, at_console: SignIn, row: Row
) -> None:
    """Nobody gets a customer of the other language while his own wait; danger goes to who is full, too."""
    await at_console("li", "zhao")
    async with database.write() as session, session.begin():
        session.add(UtilityFact(key="assignment", value="automatic"))
        for name in ("li", "zhao"):
            (await session.get_one(Agent, f"ag_{name}")).capacity = 1
    chinese = [await queued(desk) for _ in range(3)]
    clock.advance(minutes=4)
    english = await queued(desk, "en")
    await at_console("li", "zhao")
    assert await assignment.assign_waiting(database, clock()) == 2
    assert (await row(english.id)).agent_id == "ag_zhao", "though three have waited longer"
    waiting = [chat for chat in chinese if (await row(chat.id)).owner == "waiting"]
    assert len(waiting) == 2
    await waiting[1].send("1", "电线掉下来了，在冒火花")
    assert await assignment.assign_waiting(database, clock()) == 1
    assert (await row(waiting[1].id)).agent_id == "ag_li"
