"""The supervisor's page: what waits is seen, who works, what is at risk; assigning, whispering, taking over."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from api.audit.tables import AuditEntry
from api.conversations.tables import Conversation, Mention, Note, QueueWait
from api.db.engine import Database
from tests.integration.conftest import Clock
from tests.integration.console.conftest import Desk, SeatDesk
from tests.integration.console.desk import lines_of, say, seed
from tests.integration.console.utility import EVIL


async def row(database: Database, id: str = "cv_1") -> Conversation:
    async with database.read() as session:
        return await session.get_one(Conversation, id)


async def served(database: Database, clock: Clock, desk: Desk, id: str = "cv_1", **fields: object) -> None:
    given = {"owner": "agent", "agent_id": desk.agent.id, "claimed_at": clock(), "waiting_since": None}
    await seed(database, clock(), id, **(given | fields))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ["等候太久", "李梅", "今天", "已满", "没有合适的坐席在岗"]),
        ("en", ["Waiting too long", "李梅", "Today", "full", "No suitable agent online"]),
    ],
)
async def test_everything_that_moves_is_there_in_words(
    seat: SeatDesk, database: Database, clock: Clock, language: str, words: list[str]
) -> None:
    boss = await seat("chen", role="supervisor", language=language, languages=["zh"])
    mei = await seat("mei", name="李梅", languages=["zh"], capacity=1)
    await seed(
        database, clock() - timedelta(minutes=6), "cv_1", said=EVIL, waiting_since=clock() - timedelta(minutes=6)
    )
    await seed(database, clock(), "cv_3", said="hello", language="en")
    await served(database, clock, mei, "cv_2")
    async with database.write() as session, session.begin():
        session.add(QueueWait(seconds=75, at=clock()))
    for path in ("/console/supervisor", "/console/_/supervisor"):
        page = await boss.get(path)
        assert page.status_code == 200
        for word in words:
            assert word in page.text, word
        assert "1:15" in page.text
        assert EVIL not in page.text
        assert "&lt;script&gt;" in page.text


async def test_the_strip_counts_risks_on_every_page(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss, mei = await seat("chen", role="supervisor"), await seat("mei")
    assert (await boss.get("/console/_/risks")).text.strip() == ""
    await seed(database, clock(), "cv_1", priority=1)
    await served(database, clock, mei, "cv_2", unanswered_since=clock() - timedelta(minutes=4))
    strip = (await boss.get("/console/_/risks")).text
    assert 'data-risks="2"' in strip
    assert "危险会话等候中 1" in strip
    assert "太久没回复 1" in strip
    assert 'hx-get="/console/_/risks"' in (await boss.get("/console/knowledge")).text
    assert 'hx-get="/console/_/risks"' not in (await mei.get("/console/knowledge")).text


@pytest.mark.parametrize("role", ["agent", "dispatcher"])
async def test_it_is_for_supervisors(seat: SeatDesk, database: Database, clock: Clock, role: str) -> None:
    desk = await seat(role=role)
    await seed(database, clock())
    for path in ("/console/supervisor", "/console/_/supervisor", "/console/_/risks", "/console/_/supervisor/cv_1"):
        assert (await desk.get(path)).status_code == 403
    for act in ("assign", "whisper", "priority"):
        answer = await desk.post(f"/console/supervisor/cv_1/{act}", {"to": desk.agent.username, "text": "x"})
        assert answer.status_code == 403
    assert (await row(database)).owner == "waiting"


async def test_who_waits_is_given_to_an_agent(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss, mei = await seat("chen", role="supervisor"), await seat("mei", name="李梅")
    await seed(database, clock())
    form = (await boss.get("/console/_/supervisor/cv_1")).text
    assert 'value="mei"' in form
    answer = await boss.post("/console/supervisor/cv_1/assign", {"to": "mei", "note": "请先安抚"})
    assert answer.status_code == 200, answer.text
    assert "已分派给 mei" in answer.text
    now = await row(database)
    assert (now.owner, now.agent_id) == ("agent", mei.agent.id)
    async with database.read() as session:
        assert await session.scalar(select(AuditEntry.action).where(AuditEntry.action == "conversation.assigned"))
        assert "请先安抚" in str(await session.scalar(select(Note.text)))


async def test_only_to_who_is_there_and_has_room_unless_told_so(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    boss = await seat("chen", role="supervisor")
    await seat("away", presence="away")
    full = await seat("full", capacity=1)
    await seat("ding", role="dispatcher")
    await served(database, clock, full, "cv_2")
    await seed(database, clock())
    for to, status in (("away", 409), ("full", 409), ("ding", 422), ("nobody", 422), ("", 422), ("*", 409)):
        answer = await boss.post("/console/supervisor/cv_1/assign", {"to": to})
        assert answer.status_code == status, to
        assert answer.headers["HX-Retarget"] == "#act-errors"
        assert (await row(database)).owner == "waiting"
    assert (await boss.post("/console/supervisor/cv_1/assign", {"to": "full", "force": "true"})).status_code == 200
    assert (await row(database)).agent_id == full.agent.id


async def test_an_agents_conversation_goes_to_another_or_back(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss, mei, ann = await seat("chen", role="supervisor"), await seat("mei"), await seat("ann")
    await served(database, clock, mei)
    assert (await boss.post("/console/supervisor/cv_1/assign", {"to": "ann"})).status_code == 200
    assert (await row(database)).agent_id == ann.agent.id
    assert (await boss.post("/console/supervisor/cv_1/assign", {"to": "*"})).status_code == 200
    assert (await row(database)).owner == "waiting"


async def test_the_bots_and_closed_ones_cannot_be_given(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss = await seat("chen", role="supervisor")
    await seat("mei")
    await seed(database, clock(), "cv_1", owner="bot")
    await seed(database, clock(), "cv_2", owner="bot", closed_at=clock())
    for key in ("cv_1", "cv_2"):
        assert (await boss.post(f"/console/supervisor/{key}/assign", {"to": "mei"})).status_code == 409
        assert (await row(database, key)).owner == "bot"


async def test_a_whisper_reaches_the_agent_and_no_customer(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss, mei, ann = await seat("chen", role="supervisor"), await seat("mei"), await seat("ann")
    await served(database, clock, mei)
    answer = await boss.post("/console/supervisor/cv_1/whisper", {"text": f"问一下地址 {EVIL}"})
    assert answer.status_code == 200, answer.text
    strip = (await mei.get("/console/_/mine")).text
    assert "问一下地址" in strip
    assert EVIL not in strip
    assert "问一下地址" not in (await ann.get("/console/_/mine")).text
    assert "问一下地址" in (await mei.get("/console/c/cv_1")).text
    assert [text for _, text in await lines_of(database, "cv_1") if "问一下" in text] == []
    async with database.read() as session:
        assert await session.scalar(select(Note.kind)) == "whisper"


async def test_a_whisper_that_names_the_agent_is_one_mention(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss, mei = await seat("chen", role="supervisor"), await seat("mei")
    await served(database, clock, mei)
    assert (await boss.post("/console/supervisor/cv_1/whisper", {"text": "@mei 慢一点"})).status_code == 200
    async with database.read() as session:
        assert list(await session.scalars(select(Mention.agent_id))) == [mei.agent.id]


async def test_nobody_is_whispered_to_where_nobody_is(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss = await seat("chen", role="supervisor")
    await seed(database, clock())
    assert (await boss.post("/console/supervisor/cv_1/whisper", {"text": "喂"})).status_code == 409
    assert (await boss.post("/console/supervisor/cv_1/whisper", {"text": "  "})).status_code == 422


async def test_taking_over_tells_the_agent(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss, mei = await seat("chen", role="supervisor"), await seat("mei")
    await served(database, clock, mei)
    answer = await boss.post("/console/c/cv_1/take-over")
    assert answer.headers["HX-Redirect"] == "/console/c/cv_1"
    assert (await row(database)).agent_id == boss.agent.id
    assert "由班长接管" in (await mei.get("/console/_/mine")).text
    assert all("班长接管" not in text for _, text in await lines_of(database, "cv_1"))


async def test_urgent_goes_before_others_and_danger_stays_first(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    boss = await seat("chen", role="supervisor")
    await seed(database, clock(), "cv_1", priority=4)
    await seed(database, clock() - timedelta(minutes=1), "cv_2", priority=4)
    await seed(database, clock(), "cv_3", priority=1)
    await boss.post("/console/supervisor/cv_1/priority", {"priority": "urgent"})
    await boss.post("/console/supervisor/cv_3/priority", {"priority": "ordinary"})
    page = (await boss.get("/console/_/supervisor")).text
    assert re.findall(r'id="row-(cv_\d)"', page) == ["cv_3", "cv_1", "cv_2"]
    await boss.post("/console/supervisor/cv_1/priority", {"priority": "ordinary"})
    assert ((await row(database)).priority, (await row(database, "cv_3")).priority) == (4, 1)


async def test_the_day_in_figures(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss, mei = await seat("chen", role="supervisor"), await seat("mei")
    await seed(database, clock(), "cv_bot", owner="bot", handover_reason="", waiting_since=None)
    await seed(database, clock(), "cv_done", owner="bot", waiting_since=None)
    await say(database, clock(), "cv_done", "agent", "再见", agent_id=mei.agent.id)
    async with database.write() as session, session.begin():
        done = await session.get_one(Conversation, "cv_done")
        done.closed_at, done.outcome = clock(), "solved"
        for seconds in (30, 90, 200):
            session.add(QueueWait(seconds=seconds, at=clock()))
        session.add(QueueWait(seconds=9999, at=clock() - timedelta(days=1)))
    page = " ".join(re.sub(r"<[^>]+>", " ", (await boss.get("/console/_/supervisor")).text).split())
    for words in (
        "新会话 2",
        "只由自动助手接待 1",
        "人工接起 3",
        "1:30",
        "3:20",
        "坐席结束 1 已解决 1",
        "客户要求人工 1",
    ):
        assert words in page, words
