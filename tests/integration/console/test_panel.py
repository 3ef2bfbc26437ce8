"""The panel beside a conversation: who sees what of customer, place, neighbours and sheet; finding accounts."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from api.audit.tables import AuditEntry
from api.channels.voice.tables import Call
from api.conversations.tables import Callback, Conversation, Mention, Note
from api.db.engine import Database
from api.outages.tables import Outage
from api.tickets.tables import Ticket
from tests.integration.conftest import Clock, Headers, NewConversation
from tests.integration.console.conftest import SeatDesk
from tests.integration.console.desk import field, seed
from tests.integration.console.utility import EVIL, add, lay

SHEET: dict[str, Any] = {
    "journey": "outage",
    "utility": "power",
    "scope": "household",
    "place": {"address": {"zh": "海棠晓月1栋", "en": "Building 1"}, "detail": "2单元301", "service_point_id": "sp-1"},
    "contact": {"name": "曾先生", "phone": "13399858370"},
    "symptom": {"zh": "一户停电，总开关复位后再次跳闸", "en": "One home dark, main switch trips again"},
    "tried": [
        {"journey": "outage", "guide": "household_dark", "step": "main_switch", "answer": "tripped"},
        {"journey": "outage", "guide": "household_dark", "step": "reset_once", "answer": "trips_again"},
    ],
    "readings": {"balance": "12.50"},
}


@pytest.fixture(autouse=True)
async def network(database: Database) -> None:
    await lay(database)


async def known(database: Database, id: str = "cv_1", **fields: Any) -> None:
    async with database.write() as session, session.begin():
        await session.execute(update(Conversation).where(Conversation.id == id).values(**fields))


def ticket(number: str, clock: Clock, **fields: Any) -> Ticket:
    plain = {
        "kind": "fault_report",
        "utility": "power",
        "topic": "outage",
        "priority": 4,
        "address": "海棠晓月2栋",
        "service_point_id": "sp-2",
        "place_resolved": True,
        "language": "zh",
        "created_at": clock(),
        "updated_at": clock(),
    }
    return Ticket(number=number, **(plain | fields))


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_everything_known_is_seen_at_a_glance(
    seat: SeatDesk, conversation: NewConversation, database: Database, clock: Clock, language: str
) -> None:
    desk = await seat(language=language)
    await conversation("cv_1")
    await known(database, sheet=SHEET, owner="agent", agent_id=desk.agent.id)
    hour = timedelta(hours=1)
    outage = Outage(
        id="out-1",
        number="20260304000001",
        utility="power",
        kind="fault",
        status="repairing",
        cause_zh="电缆烧坏",
        asset_id="line-1",
        starts_at=clock() - hour,
        expected_end_at=clock() + hour,
        affected_count=4,
        created_at=clock(),
        updated_at=clock(),
    )
    others = [
        ticket(f"30000000000{n}", clock, service_point_id=f"sp-{n}", conversation_id=f"cv_o{n}") for n in (2, 3, 4)
    ]
    await add(
        database,
        outage,
        *others,
        ticket("400000000000", clock, conversation_id="cv_1", service_point_id="sp-1"),
        Callback(id="cb-1", conversation_id="cv_1", phone="13399858370", due_at=clock() + hour, created_at=clock()),
    )
    page = (await desk.get("/console/_/c/cv_1/panel")).text
    seen = text_of(page)
    zh = language == "zh"
    for words in (
        ("东罗线", "Dongluo line"),
        ("预计 15:00 恢复", "expected back 15:00"),
        ("附近另有 1 起报告", "Reports nearby: 1"),
        ("海棠1号变：1 起", "Haitang transformer 1: 1"),
        ("东罗线：3 起", "Dongluo line: 3"),
        ("海棠晓月1栋", "Building 1, Haitang Xiaoyue"),
        ("又跳了 安全", "It trips again safety"),
        ("总开关", "Main switch"),
        ("一户停电，总开关复位后再次跳闸", "One home dark, main switch trips again"),
        ("45 分钟内到达", "crew within 45 min"),
        ("曾先生", "曾先生"),
        ("13399858370", "13399858370"),
        ("待回电", "to be called"),
        ("4000 0000 0000", "4000 0000 0000"),
        ("身份未核实", "Not verified"),
    ):
        assert words[0 if zh else 1] in seen, words
    assert "李梅" not in seen
    assert "213.50" not in seen
    assert "/console/tickets/300000000002" in page
    assert "/console/outages/out-1" in page


async def test_an_accounts_data_are_shown_of_a_verified_customer_only(
    seat: SeatDesk, conversation: NewConversation, database: Database, clock: Clock
) -> None:
    desk = await seat(language="en")
    await conversation("cv_1")
    await known(database, owner="agent", agent_id=desk.agent.id, account_number="5001000026", verified_at=clock())
    seen = text_of((await desk.get("/console/_/c/cv_1/panel")).text)
    assert "李梅" in seen
    assert "******0026" in seen
    assert "5001000026" not in seen
    assert "In arrears 213.50 yuan" in seen
    assert "Life support" in seen
    assert "13812345678" in seen
    colleague = await seat("wang", language="en")
    assert (await colleague.get("/console/_/c/cv_1/panel")).status_code == 403
    await add(database, Note(id="nt_1", conversation_id="cv_1", seq=1, kind="note", text="@wang", at=clock()))
    await add(database, Mention(note_id="nt_1", agent_id=colleague.agent.id))
    masked = text_of((await colleague.get("/console/_/c/cv_1/panel")).text)
    assert "13812345678" not in masked
    assert "138****5678" in masked
    clock.advance(minutes=31)
    assert "李梅" not in (await desk.get("/console/_/c/cv_1/panel")).text


async def test_earlier_conversations_are_those_of_the_same_customer(
    seat: SeatDesk, conversation: NewConversation, database: Database, clock: Clock
) -> None:
    desk = await seat(language="en")
    for one in ("cv_1", "cv_account", "cv_follower", "cv_caller", "cv_other"):
        await conversation(one)
    await known(database, "cv_1", account_number="5001000026", verified_at=clock(), channel="wechat", deliver_to="o-1")
    await known(database, "cv_account", account_number="5001000026", outcome="solved", closed_at=clock())
    await known(database, "cv_follower", channel="wechat", deliver_to="o-1")
    page = (await desk.get("/console/_/c/cv_1/panel")).text
    assert "/console/c/cv_account" in page
    assert "/console/c/cv_follower" in page
    assert "cv_caller" not in page
    assert "cv_other" not in page
    assert "solved" in page
    assert "same account" in page
    assert "same WeChat" in page
    await known(database, "cv_1", channel="voice", deliver_to="", verified_at=None)
    for sid, one in (("CA1", "cv_1"), ("CA2", "cv_caller")):
        await add(database, Call(sid=sid, conversation_id=one, number="+8613399858370", created_at=clock()))
    page = (await desk.get("/console/_/c/cv_1/panel")).text
    assert "/console/c/cv_caller" in page
    assert "cv_account" not in page
    assert "+8613399858370" not in page  # not this agent's conversation


@pytest.mark.parametrize(
    "sheet", [{}, {"place": 7, "tried": "x", "contact": [], "readings": 3}, {"tried": [1, {"step": EVIL}]}]
)
async def test_a_strange_sheet_breaks_nothing(
    seat: SeatDesk, conversation: NewConversation, database: Database, sheet: dict[str, Any]
) -> None:
    desk = await seat()
    await conversation("cv_1")
    await known(database, sheet=sheet)
    answer = await desk.get("/console/_/c/cv_1/panel")
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "<img" not in answer.text


async def test_what_customers_wrote_is_text(
    seat: SeatDesk, conversation: NewConversation, database: Database, clock: Clock
) -> None:
    desk = await seat()
    await conversation("cv_1")
    place = {"address": {"zh": EVIL}, "detail": EVIL}
    sheet = {"place": place, "contact": {"name": EVIL}, "symptom": {"zh": EVIL}, "briefing": EVIL, "journey": EVIL}
    await known(database, sheet=sheet, owner="agent", agent_id=desk.agent.id)
    await add(
        database, ticket("400000000000", clock, conversation_id="cv_1", address=EVIL, description=EVIL, topic=EVIL[:40])
    )
    for path in ("panel", "ticket-form"):
        page = (await desk.get(f"/console/_/c/cv_1/{path}")).text
        assert "&lt;script&gt;" in page
        assert "<script" not in page
        assert "<img" not in page


async def test_accounts_are_found_by_number_phone_name_document_and_address(
    seat: SeatDesk, conversation: NewConversation, database: Database
) -> None:
    desk, boss = await seat(language="en"), await seat("boss", role="supervisor", language="en")
    await conversation("cv_1")
    for sought in (
        "5001000026",
        "500100",
        "138 1234 5678",
        "李梅",
        "51010119900101152X"[:12] + "03152X",
        "海棠晓月1栋301",
    ):
        page = (await desk.post("/console/c/cv_1/accounts", {"sought": sought})).text
        assert "******0026" in page, sought
        assert 'name="account_number" maxlength="40" required autocomplete="off" value=""' in page
        assert "138****5678" in page
        assert "13812345678" not in page
        assert "213.50" not in page
    for sought in ("李", "13399990000", "海棠晓月4栋", "%", "__"):
        assert "No account was found" in (await desk.post("/console/c/cv_1/accounts", {"sought": sought})).text
    whole = (await boss.post("/console/c/cv_1/accounts", {"sought": "李梅"})).text
    assert "<strong>5001000026</strong>" in whole
    assert "13812345678" in whole
    async with database.read() as session:
        entries = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "accounts.searched"))).all()
    assert len(entries) == 12
    assert all("李梅" not in entry.subject for entry in entries)


async def test_an_agent_verifies_a_customer_and_wrong_tries_count(
    seat: SeatDesk, conversation: NewConversation
) -> None:
    desk = await seat(language="en")
    await conversation("cv_1")
    proof = {"account_number": "5001000026", "factor": "13812345678"}
    path = "/console/c/cv_1/verification"
    wrong = await desk.post(path, proof | {"factor": "000000"})
    assert "do not match" in wrong.text
    assert wrong.headers["HX-Retarget"] == "#verify-errors"
    right = await desk.post(path, proof)
    assert "李梅" in right.text
    assert right.headers["HX-Trigger-After-Swap"] == "work-done"
    for _ in range(4):
        await desk.post(path, proof | {"factor": "000000"})
    locked = await desk.post(path, proof)
    assert locked.status_code == 429
    assert "Too many tries" in locked.text


async def test_dispatchers_have_no_panel(seat: SeatDesk, conversation: NewConversation) -> None:
    await conversation("cv_1")
    dispatcher = await seat("ding", role="dispatcher")
    for path in ("panel", "ticket-form", "find-account"):
        assert (await dispatcher.get(f"/console/_/c/cv_1/{path}")).status_code == 403
    assert (await dispatcher.post("/console/c/cv_1/accounts", {"sought": "李梅"})).status_code == 403
    agent = await seat()
    assert (await agent.get("/console/_/c/cv_none/panel")).status_code == 404
    assert (await agent.get("/console/_/c/cv_1/find-account")).status_code == 200


async def test_accounts_are_found_over_the_api_by_staff_with_masked_numbers(
    client: httpx.AsyncClient, service: Headers, bot: Callable[..., Headers], conversation: NewConversation
) -> None:
    await conversation("cv_1")
    found = (await client.get("/api/v1/accounts", params={"q": "13812345678"}, headers=service)).json()
    assert [one["number"] for one in found["items"]] == ["5001000026"]
    assert "13812345678" not in str(found)
    assert found["items"][0]["phone_masked"] == "138****5678"
    assert (await client.get("/api/v1/accounts", params={"q": "x"}, headers=service)).status_code == 422
    assert (await client.get("/api/v1/accounts", params={"q": "李梅"}, headers=bot("cv_1"))).status_code == 403


async def test_a_panel_of_which_nothing_changed_is_not_made_again(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    desk = await seat()
    await seed(database, clock(), owner="agent", agent_id=desk.agent.id)
    mark = field((await desk.get("/console/_/c/cv_1/panel")).text, "mark")
    again = await desk.get("/console/_/c/cv_1/panel", params={"mark": mark})
    assert (again.status_code, again.content) == (204, b"")
    async with database.write() as session, session.begin():
        (await session.get_one(Conversation, "cv_1")).sheet = {"journey": "outage"}
    assert (await desk.get("/console/_/c/cv_1/panel", params={"mark": mark})).status_code == 200
