"""The inbox: who waits, one's own, colleagues'; counts, taking the next, searching, the strips above."""

import re

import pytest
from sqlalchemy import select

from api.audit.service import listed
from api.audit.tables import AuditEntry
from api.conversations.alarms import raise_alarm
from api.conversations.notes import add_note
from api.conversations.tables import Conversation
from api.danger import Danger
from api.db.engine import Database
from tests.integration.conftest import Clock
from tests.integration.console.conftest import SeatDesk
from tests.integration.console.desk import say, seed


def heading(html: str, key: str) -> int:
    found = re.search(rf'id="list-{key}">[^<]*<span class="count">(\d+)<', html)
    assert found, key
    return int(found[1])


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ("等候", "网页", "客户要求人工")), ("en", ("Waiting", "Web", "asked for a person"))]
)
async def test_the_lists_tell_who_waits_and_why(
    seat: SeatDesk, database: Database, clock: Clock, language: str, words: tuple[str, ...]
) -> None:
    desk = await seat(language=language)
    await seed(database, clock(), said="家里没电", skill="power")
    clock.advance(seconds=83)
    for path in ("/console", "/console/_/inbox"):
        html = (await desk.get(path)).text
        assert all(word in html for word in (*words, "家里没电", "1:23"))
    assert heading(html, "waiting") == 1
    assert heading(html, "mine") == 0


@pytest.mark.parametrize(
    ("language", "about"),
    [("zh", "投诉、停电 · 海棠晓月3栋"), ("en", "Complaint, Power cut · Building 3, Haitang Xiaoyue")],
)
async def test_the_lists_tell_what_it_is_about_and_where(
    seat: SeatDesk, database: Database, clock: Clock, language: str, about: str
) -> None:
    """Who only says "转人工" says nothing of his trouble; the bot's sheet does."""
    agent, boss = await seat(language=language), await seat("boss", role="supervisor", language=language)
    place = {"address": {"zh": "海棠晓月3栋", "en": "Building 3, Haitang Xiaoyue"}}
    sheet = {"journey": "human", "earlier": ["bill", "complaint", "outage"], "place": place}
    await seed(database, clock(), said="转人工", sheet=sheet)
    for desk, path in ((agent, "/console"), (agent, "/console/_/inbox"), (boss, "/console/supervisor")):
        assert about in (await desk.get(path)).text, path


async def test_danger_comes_first_then_who_has_waited_longest(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seat()
    for name in ("first", "second", "urgent"):
        await seed(database, clock(), id=name, priority=1 if name == "urgent" else 4)
        clock.advance(minutes=1)
    html = (await desk.get("/console/_/inbox")).text
    assert re.findall(r'id="item-(\w+)"', html) == ["urgent", "first", "second"]
    assert html.count("危险") == 1


async def test_the_bar_counts_on_every_page(seat: SeatDesk, database: Database, clock: Clock) -> None:
    """One's own who wait for an answer; beside the lists, the page counts them itself."""
    mei, chen = await seat("mei"), await seat("chen", role="dispatcher")
    taken = {"owner": "agent", "waiting_since": None}
    await seed(database, clock(), id="hers", agent_id=mei.agent.id, unanswered_since=clock(), **taken)
    await seed(database, clock(), id="answered", agent_id=mei.agent.id, **taken)
    await seed(database, clock(), id="waits", unanswered_since=clock())
    tally = (await mei.get("/console/_/tally")).text
    assert 'data-owed="1" data-waiting="1"' in tally
    assert f'data-heard="{clock().isoformat()}"' in tally
    assert 'hx-get="/console/_/tally"' in (await mei.get("/console/tickets")).text
    assert 'hx-get="/console/_/tally"' not in (await mei.get("/console")).text
    assert "tally" not in (await chen.get("/console/tickets")).text


async def test_agents_see_their_own_and_supervisors_everybodys(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    mei, li, boss = await seat("mei"), await seat("li"), await seat("boss", role="supervisor")
    await seed(
        database, clock(), id="hers", owner="agent", agent_id=mei.agent.id, waiting_since=None, unanswered_since=clock()
    )
    await seed(database, clock(), id="his", owner="agent", agent_id=li.agent.id, waiting_since=None)
    html = (await mei.get("/console/_/inbox")).text
    assert "item-hers" in html
    assert "item-his" not in html
    assert 'data-owed="1"' in html
    assert "等您回复" in html
    html = (await boss.get("/console/_/inbox")).text
    assert {"item-hers", "item-his"} <= set(re.findall(r"item-\w+", html))
    assert heading(html, "others") == 2
    assert "li 接待" in html


async def test_take_next_claims_the_most_urgent_one(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seat()
    await seed(database, clock(), id="cv_1")
    await seed(database, clock(), id="cv_2", priority=1)
    answer = await desk.post("/console/take")
    assert answer.headers["hx-redirect"] == "/console/c/cv_2"
    async with database.read() as session:
        assert (await session.get_one(Conversation, "cv_2")).agent_id == desk.agent.id


async def test_take_next_says_so_where_nobody_waits(seat: SeatDesk) -> None:
    desk = await seat()
    answer = await desk.post("/console/take")
    assert "现在没有等您接待的客户" in answer.text
    assert answer.headers["hx-retarget"] == "#notices"


async def test_take_next_stops_at_the_agents_capacity(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seat(capacity=1)
    await seed(database, clock(), id="cv_1", owner="agent", agent_id=desk.agent.id, waiting_since=None)
    await seed(database, clock(), id="cv_2")
    answer = await desk.post("/console/take")
    assert answer.status_code == 409
    assert "已经满了" in answer.text


async def test_of_two_who_claim_one_wins(seat: SeatDesk, database: Database, clock: Clock) -> None:
    mei, li = await seat("mei"), await seat("li", language="en")
    await seed(database, clock())
    assert (await mei.post("/console/c/cv_1/claim")).headers["hx-redirect"] == "/console/c/cv_1"
    lost = await li.post("/console/c/cv_1/claim")
    assert lost.status_code == 409
    assert "A colleague has taken this conversation already." in lost.text


@pytest.mark.parametrize("sought", ["水表", "cv_1", "  cv_1 ", "50%"])
async def test_a_conversation_is_found_by_words_and_numbers(
    seat: SeatDesk, database: Database, clock: Clock, sought: str
) -> None:
    desk = await seat()
    await seed(database, clock(), id="cv_1", said="水表走得快，多收了 50%")
    await seed(database, clock(), id="cv_2", said="停电 50 分钟")
    html = (await desk.post("/console/_/search", {"q": sought})).text
    assert re.findall(r'id="item-(\w+)"', html) == ["cv_1"]


async def test_every_search_is_in_the_audit_log_without_what_was_sought(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    desk = await seat()
    await seed(database, clock(), said="水表走得快")
    for sought in ("水表", " 水表 ", "13812345678", "水"):  # the last one is too short to find anything
        await desk.post("/console/_/search", {"q": sought})
    async with database.read() as session:
        rows = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "conversations.searched"))).all()
        found, _ = await listed(session, subject="search:水表", limit=10)
    assert [(row.by, row.details["found"]) for row in rows] == [
        (f"agent:{desk.agent.id}", 1), (f"agent:{desk.agent.id}", 1), (f"agent:{desk.agent.id}", 0)
    ]  # fmt: skip
    assert [row.id for row in found] == [rows[1].id, rows[0].id]
    assert "13812345678" not in str([vars(row) for row in rows])


async def test_what_was_closed_today_is_listed_for_who_wrote_in_it(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    mei, li = await seat("mei"), await seat("li")
    await seed(database, clock(), owner="agent", agent_id=mei.agent.id, waiting_since=None)
    await mei.post("/console/c/cv_1/reply", {"nonce": "nonce-1-mei", "text": "已经修好了。"})
    await mei.post("/console/c/cv_1/close", {"outcome": "solved"})
    html = (await mei.get("/console/_/closed")).text
    assert "item-cv_1" in html
    assert "已解决" in html
    assert "item-cv_1" not in (await li.get("/console/_/closed")).text


async def test_an_alarm_stands_above_every_page_until_somebody_has_seen_it(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    mei, li, boss = await seat("mei"), await seat("li"), await seat("boss", role="supervisor", language="en")
    await seed(database, clock(), owner="agent", agent_id=mei.agent.id, waiting_since=None)
    async with database.write() as session, session.begin():
        row = await session.get_one(Conversation, "cv_1")
        await raise_alarm(session, row, "p1", "电线掉了", Danger(("wires",), "zh", ((0, 4),)), clock())
    assert "电线掉落" in (await mei.get("/console/_/alarms")).text
    assert (await li.get("/console/_/alarms")).text.strip() == ""
    html = (await boss.get("/console/_/alarms")).text
    assert "wires down" in html
    path = re.search(r'hx-post="(/console/alarms/[^"]+)"', html)
    assert path
    assert (await li.post(path[1])).status_code == 409
    assert (await boss.post(path[1])).text.strip() == ""
    assert (await mei.get("/console/_/alarms")).text.strip() == ""


async def test_a_mention_and_a_reminder_stand_above_every_page(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    mei, li = await seat("mei", name="小梅"), await seat("li")
    await seed(
        database,
        clock(),
        owner="agent",
        agent_id=li.agent.id,
        waiting_since=None,
        unanswered_since=clock(),
        reminded_at=clock(),
    )
    async with database.write() as session, session.begin():
        row = await session.get_one(Conversation, "cv_1")
        await add_note(session, row, mei.agent.id, "note", "@li 请看 <b>地址</b>", clock())
    clock.advance(seconds=125)
    html = (await li.get("/console/_/mine")).text
    assert "小梅 提到了您" in html
    assert "&lt;b&gt;" in html
    assert "2:05" in html
    assert "提到了您" not in (await mei.get("/console/_/mine")).text
    path = re.search(r'hx-post="(/console/mentions/[^"]+)"', html)
    assert path
    assert "提到了您" not in (await li.post(path[1])).text


async def test_opening_the_conversation_reads_the_mention(seat: SeatDesk, database: Database, clock: Clock) -> None:
    mei, li = await seat("mei"), await seat("li")
    await seed(database, clock())
    await mei.post("/console/c/cv_1/note", {"nonce": "note-1-mei", "text": "@li 请看"})
    assert "提到了您" in (await li.get("/console/_/mine")).text
    await li.get("/console/c/cv_1")
    assert "提到了您" not in (await li.get("/console/_/mine")).text


async def test_who_goes_away_is_told_of_what_stays_his(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seat(language="en")
    await seed(database, clock(), owner="agent", agent_id=desk.agent.id, waiting_since=None)
    answer = await desk.post("/console/presence", {"presence": "away"})
    assert "1 conversations are still yours" in answer.text
    assert 'value="away" selected' in (await desk.get("/console")).text


async def test_customers_words_are_text_and_nothing_else(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seat()
    await seed(database, clock(), said='<img src=x onerror="alert(1)">')
    await say(database, clock(), "cv_1", "customer", "<script>alert(1)</script>")
    for path in ("/console", "/console/_/inbox", "/console/c/cv_1", "/console/_/c/cv_1/lines"):
        html = (await desk.get(path)).text
        assert "<img" not in html
        assert "<script>alert" not in html
        assert "&lt;script&gt;" in html


async def test_a_dispatcher_works_with_tickets(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seat(role="dispatcher")
    await seed(database, clock())
    assert (await desk.get("/console")).headers["location"] == "/console/tickets"
    assert (await desk.get("/console/c/cv_1")).status_code == 403
