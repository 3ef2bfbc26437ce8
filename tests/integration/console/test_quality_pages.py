"""Quality: the form, the sample, the report, the file for spreadsheets, and an agent's own reviews."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from api.conversations.tables import Conversation
from api.db.engine import Database
from api.quality import rules
from api.quality.tables import QualityReview
from tests.integration.conftest import Clock, Headers
from tests.integration.console.conftest import Desk, SeatDesk
from tests.integration.console.desk import nonce, say, seed
from tests.integration.console.utility import EVIL

ALL_GOOD = {criterion.id: "2" for criterion in rules.form()}


async def led(database: Database, clock: Clock, desk: Desk, id: str = "cv_1", *, closed: bool = True) -> None:
    """A conversation that this agent answered and, maybe, closed."""
    owner = {"owner": "bot", "waiting_since": None} if closed else {"owner": "agent", "agent_id": desk.agent.id}
    await seed(database, clock(), id, **owner)
    await say(database, clock(), id, "agent", "请问有什么可以帮您", agent_id=desk.agent.id)
    if closed:
        async with database.write() as session, session.begin():
            await session.execute(update(Conversation).where(Conversation.id == id).values(closed_at=clock()))


def filled(desk: Desk, **fields: str) -> dict[str, str]:
    return {"nonce": nonce(), "agent_id": desk.agent.id, **ALL_GOOD, **fields}


async def kept(database: Database) -> list[QualityReview]:
    async with database.read() as session:
        return list(await session.scalars(select(QualityReview).order_by(QualityReview.at)))


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_conversation_is_scored_once(seat: SeatDesk, database: Database, clock: Clock, language: str) -> None:
    boss, mei = await seat("chen", role="supervisor", language=language), await seat("mei", name="李梅")
    await led(database, clock, mei)
    page = await boss.get("/console/quality/c/cv_1")
    assert page.status_code == 200
    for criterion in rules.form():
        assert criterion.name(language) in page.text
    form = filled(mei, greeting="1", safety="none", remark=EVIL)
    for _ in range(2):
        answer = await boss.post("/console/quality/c/cv_1", form)
        assert answer.headers.get("HX-Redirect") == "/console/quality", answer.text
    (review,) = await kept(database)
    assert (review.total, review.scores["safety"], review.agent_id) == (94, None, mei.agent.id)
    for path in ("/console/quality", "/console/quality/c/cv_1"):
        shown = (await boss.get(path)).text
        assert "94%" in shown
        assert EVIL not in shown
        assert "&lt;script&gt;" in shown


@pytest.mark.parametrize(
    "wrong", [{"greeting": ""}, {"greeting": "3"}, {"greeting": "two"}, dict.fromkeys(ALL_GOOD, "none")]
)
async def test_a_form_that_is_not_whole_is_not_kept(
    seat: SeatDesk, database: Database, clock: Clock, wrong: dict[str, str]
) -> None:
    boss, mei = await seat("chen", role="supervisor"), await seat("mei")
    await led(database, clock, mei)
    answer = await boss.post("/console/quality/c/cv_1", filled(mei, **wrong))
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#score-errors"
    assert "请给每一项选分数" in answer.text
    assert await kept(database) == []


async def test_who_had_no_part_is_not_scored_and_nobody_scores_himself(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    boss, mei, ann = await seat("chen", role="supervisor"), await seat("mei"), await seat("ann")
    await led(database, clock, mei, "cv_1")
    await led(database, clock, boss, "cv_2")
    await seed(database, clock(), "cv_3", owner="bot")
    assert (await boss.post("/console/quality/c/cv_1", filled(ann))).status_code == 422
    assert (await boss.post("/console/quality/c/cv_2", filled(boss))).status_code == 409
    assert (await boss.post("/console/quality/c/cv_3", filled(mei))).status_code == 409
    assert (await boss.post("/console/quality/c/none", filled(mei))).status_code == 404
    assert "没有别的坐席参与" in (await boss.get("/console/quality/c/cv_2")).text
    assert await kept(database) == []


async def test_an_agents_running_conversation_can_be_scored(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss, mei = await seat("chen", role="supervisor"), await seat("mei")
    await led(database, clock, mei, closed=False)
    assert (await boss.post("/console/quality/c/cv_1", filled(mei))).status_code == 200
    assert len(await kept(database)) == 1


async def test_the_sample_has_what_nobody_scored_lately(seat: SeatDesk, database: Database, clock: Clock) -> None:
    mei = await seat("mei")
    await led(database, clock, mei, "cv_old")
    clock.advance(days=8)
    boss = await seat("chen", role="supervisor")
    await led(database, clock, mei, "cv_new")
    await led(database, clock, mei, "cv_scored")
    await led(database, clock, mei, "cv_open", closed=False)
    await led(database, clock, boss, "cv_mine")
    await boss.post("/console/quality/c/cv_scored", filled(mei))
    page = (await boss.get("/console/quality")).text
    assert "/console/quality/c/cv_new" in page
    for key in ("cv_old", "cv_scored", "cv_open", "cv_mine"):
        assert f"/console/quality/c/{key}" not in page


async def test_the_report_by_agent_and_period(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss, mei = await seat("chen", role="supervisor"), await seat("mei", name="=HYPERLINK(1)")
    ann = await seat("ann", name="Ann")
    for key, who, points in (("cv_1", mei, "2"), ("cv_2", mei, "1"), ("cv_3", ann, "0")):
        await led(database, clock, who, key)
        await boss.post(f"/console/quality/c/{key}", filled(who, **dict.fromkeys(ALL_GOOD, points)))
    answer = await boss.get("/console/quality/report.csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row[:3] for row in rows] == [
        ["坐席", "次数", "平均"],
        ["Ann", "1", "0"],
        ["'=HYPERLINK(1)", "2", "75"],
        ["全部", "3", "50"],
    ]
    yesterday = f"{clock() - timedelta(days=1):%Y-%m-%d}"
    empty = await boss.get(f"/console/quality/report.csv?first=2026-01-01&last={yesterday}")
    assert len(empty.text.splitlines()) == 2
    only = await boss.get(f"/console/quality/report.csv?agent={ann.agent.id}")
    assert "HYPERLINK" not in only.text
    assert (await boss.get("/console/quality?first=nonsense&last=9999-12-31")).status_code == 200


async def test_agents_see_their_own_and_nobody_elses(
    seat: SeatDesk, database: Database, clock: Clock, service: Headers
) -> None:
    boss, mei, ann = await seat("chen", role="supervisor"), await seat("mei"), await seat("ann")
    await led(database, clock, mei)
    await boss.post("/console/quality/c/cv_1", filled(mei, remark="请慢一点"))
    assert "请慢一点" in (await mei.get("/console/quality/mine")).text
    assert "请慢一点" not in (await ann.get("/console/quality/mine")).text
    for path in ("/console/quality", "/console/quality/report.csv", "/console/quality/c/cv_1"):
        assert (await mei.get(path)).status_code == 403
    assert (await mei.post("/console/quality/c/cv_1", filled(mei))).status_code == 403
    assert len(await kept(database)) == 1
    items = (await mei.client.get("/api/v1/quality", headers=service)).json()["items"]
    assert [(one["agent"], one["reviewer"], one["total"]) for one in items] == [("mei", "chen", 100)]


@pytest.mark.parametrize("days", ["?last=0001-01-05", "?first=9999-12-31&last=9999-12-31", "?first=x&last=2026-02-30"])
async def test_days_that_are_none_are_taken_for_the_last_thirty(seat: SeatDesk, days: str) -> None:
    boss = await seat("boss", role="supervisor")
    page = await boss.get(f"/console/quality{days}")
    assert page.status_code == 200
    assert 'value="2026-03-04"' in page.text
