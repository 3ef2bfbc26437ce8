"""What an agent must see at once: a language that is not his, the words of danger, who did what; and before he goes."""

import pytest
from sqlalchemy import select

from api.conversations import ownership, supervision
from api.conversations.accept import Incoming, accept
from api.conversations.tables import Alarm, Conversation, Note
from api.conversations.transcript import lock_conversation
from api.db.engine import Database
from api.deps import Caller
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.console.conftest import SeatDesk
from tests.integration.console.desk import lines_of, seed


async def hear(database: Database, settings: Settings, clock: Clock, id: str, text: str, message: str = "m1") -> None:
    async with database.write() as session, session.begin():
        row = await lock_conversation(session, id)
        assert row is not None
        await accept(session, row, Incoming(message, text), clock(), settings.zone)


async def test_a_language_that_is_not_his(seat: SeatDesk, database: Database, clock: Clock, settings: Settings) -> None:
    mei = await seat("mei", languages=["zh"])
    await seed(database, clock(), said="There is water in the meter box", language="en")
    page = (await mei.get("/console/c/cv_1")).text
    assert "英文 · 不是您的语言" in page
    assert 'id="foreign"' not in page, "not his yet"
    assert (await mei.post("/console/c/cv_1/claim")).status_code == 200
    page = (await mei.get("/console/c/cv_1")).text
    assert 'id="foreign"' in page
    assert '<div id="picker" class="picker">' in page, "canned replies are open"
    assert 'hx-trigger="load, input' in page
    assert "this colleague writes Chinese" in (await lines_of(database, "cv_1"))[-1][1]
    await hear(database, settings, clock, "cv_1", "我家停电了，请快一点")
    news = (await mei.get("/console/_/c/cv_1/lines?after=1&mark=agent-x--en")).text
    assert "不是您的语言" not in news
    assert 'id="composer"' in news, "the composer follows the customer's language"
    assert 'id="foreign"' not in news
    ann = await seat("ann", languages=[], language="en")
    assert "not your language" not in (await ann.get("/console/c/cv_1")).text, "who has no languages set has all"


@pytest.mark.parametrize("kept", [True, False])
async def test_the_words_of_danger_are_marked_in_their_line(
    seat: SeatDesk, database: Database, clock: Clock, settings: Settings, kept: bool
) -> None:
    boss = await seat("boss", role="supervisor")
    await seed(database, clock(), owner="bot", waiting_since=None)
    said = "\u200b你好，<b>门口</b> 电线掉下来了，怎么办"
    await hear(database, settings, clock, "cv_1", said)
    await hear(database, settings, clock, "cv_1", "还有，电费多少", "m2")
    async with database.write() as session, session.begin():
        (row,) = (await session.scalars(select(Alarm))).all()
        assert "电线掉" in row.words
        assert row.words in said
        if not kept:
            row.words = ""
    page = (await boss.get("/console/c/cv_1")).text
    assert page.count('class="line customer hazard"') == 1
    assert page.count("<mark>") == 1
    assert "&lt;b&gt;门口&lt;/b&gt;" in page
    marked = page.split("<mark>")[1].split("</mark>")[0]
    assert "电线掉" in marked
    assert "怎么办" not in marked
    assert "危险：电线掉落" in page


async def test_notes_tell_in_the_reader_s_language(seat: SeatDesk, database: Database, clock: Clock) -> None:
    mei = await seat("mei", name="梅", language="zh")
    boss = await seat("boss", name="Ann Boss", role="supervisor", language="en")
    await seed(database, clock())
    assert (await mei.post("/console/c/cv_1/claim")).status_code == 200
    async with database.write() as session, session.begin():
        caller = Caller("agent", agent_id=boss.agent.id, role="supervisor")
        await supervision.take_over(session, "cv_1", caller, boss.agent, clock())
    strip = (await mei.get("/console/_/mine")).text
    assert "由班长接管" in strip
    assert "Ann Boss" in strip
    page = (await boss.get("/console/c/cv_1")).text
    assert "Taken over by the supervisor; 梅 had it before." in page
    assert "由班长接管" not in page
    async with database.write() as session, session.begin():
        caller = Caller("agent", agent_id=boss.agent.id, role="supervisor")
        await ownership.transfer(
            session, "cv_1", caller, boss.agent, "mei", clock(), note="请继续", skill="water", language="zh"
        )
    page = (await mei.get("/console/c/cv_1")).text
    assert "转给梅。需要供水。需要中文。\n请继续" in page
    async with database.read() as session:
        notes = (await session.scalars(select(Note))).all()
        assert all("梅" not in note.text for note in notes), "facts, not sentences"


async def test_signing_out_with_customers(seat: SeatDesk, database: Database, clock: Clock) -> None:
    mei = await seat("mei", languages=["zh"])
    await seed(database, clock())
    await seed(database, clock(), "cv_2", language="en", priority=1)
    for each in ("cv_1", "cv_2"):
        assert (await mei.post(f"/console/c/{each}/claim")).status_code == 200
    asked = await mei.post("/console/logout", htmx=False)
    assert asked.status_code == 200
    assert "您还有 2 个会话" in asked.text
    assert "/console/c/cv_1" in asked.text
    assert "危险" in asked.text
    assert "set-cookie" not in asked.headers
    assert (await mei.get("/console")).status_code == 200, "still there"
    out = await mei.post("/console/logout", {"pass_on": "true"}, htmx=False)
    assert out.status_code == 303
    async with database.read() as session:
        for each in ("cv_1", "cv_2"):
            row = await session.get_one(Conversation, each)
            assert (row.owner, row.passed_by) == ("waiting", mei.agent.id)
    li = await seat("li")
    assert (await li.post("/console/logout", htmx=False)).status_code == 303, "nothing open: nothing asked"
