"""The audit log's page: filters, paging, the check; and the figures of follow-up calls."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from api.access import matrix
from api.audit.service import record
from api.audit.tables import AuditEntry
from api.console.pages import words
from api.db.engine import Database
from api.surveys.tables import Survey, SurveyAnswer
from api.tickets.tables import Ticket
from tests.integration.conftest import Clock
from tests.integration.console.conftest import SeatDesk
from tests.integration.console.utility import EVIL


async def note(
    database: Database, clock: Clock, action: str, subject: str, by: str = "service", times: int = 1
) -> None:
    async with database.write() as session, session.begin():
        for _ in range(times):
            record(session, by, action, subject, clock(), why=EVIL)


@pytest.mark.parametrize(
    ("language", "shown"),
    [("zh", ["接待会话", "会话 cv_1"]), ("en", ["conversation claimed", "conversation cv_1"])],
)
async def test_entries_in_words(
    seat: SeatDesk, database: Database, clock: Clock, language: str, shown: list[str]
) -> None:
    desk = await seat("wu", role="admin", language=language)
    await note(database, clock, "conversation.claimed", "conversation:cv_1", f"agent:{desk.agent.id}")
    await note(database, clock, "something.new", f"x:{EVIL}")
    page = (await desk.get("/console/audit")).text
    for words_ in [*shown, "wu", "/console/c/cv_1", "something.new"]:
        assert words_ in page
    assert EVIL not in page


async def test_filters(seat: SeatDesk, database: Database, clock: Clock) -> None:
    await note(database, clock, "bulletin.published", "bulletin:old")
    clock.advance(hours=1)
    desk = await seat("wu", role="admin")
    await note(database, clock, "bulletin.withdrawn", "bulletin:new", f"agent:{desk.agent.id}")
    since = f"{clock() + timedelta(hours=8) - timedelta(minutes=5):%Y-%m-%dT%H:%M}"  # in Shanghai
    for query, seen, unseen in (
        ({"by": "wu"}, "公告 new", "公告 old"),
        ({"by": "service"}, "公告 old", "公告 new"),
        ({"action": "bulletin.withdrawn"}, "公告 new", "公告 old"),
        ({"subject": "bulletin:old"}, "公告 old", "公告 new"),
        ({"since": since}, "公告 new", "公告 old"),
        ({"since": "nonsense"}, "公告 old", "公告 none"),
        ({"by": "nobody"}, "没有记录", "公告"),
    ):
        page = (await desk.get("/console/audit", params=query)).text.rpartition("</select>")[2]
        assert seen in page, query
        assert unseen not in page, query


async def test_pages_follow_each_other(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seat("wu", role="admin")
    await note(database, clock, "bulletin.published", "bulletin:a", times=103)
    first = (await desk.get("/console/audit", params={"action": "bulletin.published"})).text
    assert first.count("公告 a") == 100
    link = first.partition('<p><a href="?')[2].partition('"')[0].replace("&amp;", "&")
    assert "cursor=" in link
    assert "action=bulletin.published" in link
    second = (await desk.get(f"/console/audit?{link}")).text
    assert second.count("公告 a") == 3


async def test_reading_it_is_noted_and_the_check_holds(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seat("wu", role="admin")
    await desk.get("/console/audit", params={"by": "mei"})
    async with database.read() as session:
        assert await session.scalar(select(AuditEntry.subject)) == "audit?by=mei"
    check = (await desk.get("/console/_/audit/check")).text
    assert "没有被改动" in check
    await desk.get("/console/_/audit/check")
    async with database.write() as session, session.begin():
        last = await session.scalar(select(AuditEntry).order_by(AuditEntry.id.desc()))
        assert last is not None
        session.add(AuditEntry(id=last.id + 1, at=clock(), by="x", action="y", subject="z", details={}, hash="0" * 64))
    assert "日志被改动过" in (await desk.get("/console/_/audit/check")).text


@pytest.mark.parametrize("role", ["agent", "supervisor", "dispatcher"])
async def test_for_admins_alone(seat: SeatDesk, role: str) -> None:
    desk = await seat(role=role)
    for path in ("/console/audit", "/console/_/audit/check"):
        assert (await desk.get(path)).status_code == 403


def test_every_act_of_the_matrix_has_words() -> None:
    acts = {row.does for row in matrix() if row.does}
    assert {act for act in acts if f"audit.act_{act.replace('.', '__')}" not in words()} == set()


@pytest.mark.parametrize(("language", "shown"), [("zh", "总的来说"), ("en", "All in all")])
async def test_what_customers_said_in_follow_up_calls(
    seat: SeatDesk, database: Database, clock: Clock, language: str, shown: str
) -> None:
    desk = await seat("chen", role="supervisor", language=language)
    plain = {"kind": "fault_report", "utility": "power", "topic": "outage", "priority": 4, "language": "zh"}
    times = {"created_at": clock(), "updated_at": clock()}
    async with database.write() as session, session.begin():
        session.add(Ticket(number="202603040001", address="x", place_resolved=False, **plain, **times))
        await session.flush()
        ticket = {"ticket_number": "202603040001", "utility": "power", "language": "zh"}
        session.add(Survey(id="sv_1", **ticket, state="done", due_at=clock(), created_at=clock()))
        await session.flush()
        session.add(SurveyAnswer(survey_id="sv_1", question="overall", score=4, words="", at=clock()))
        session.add(SurveyAnswer(survey_id="sv_1", question="suggestions", score=None, words=EVIL, at=clock()))
    page = (await desk.get("/console/surveys")).text
    assert shown in page
    assert "4.0" in page
    assert "&lt;script&gt;" in page
    assert EVIL not in page
    assert (await (await seat("mei")).get("/console/surveys")).status_code == 403
