"""Tickets in the console: filed beside the conversation, moved on by dispatch, told to the customers."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from api.conversations.bell import TICKETS, bell
from api.conversations.notes import unread_mentions
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.tickets.tables import Ticket, TicketEvent
from tests.integration.conftest import Clock, Headers, NewConversation
from tests.integration.console.conftest import Desk, SeatDesk
from tests.integration.console.utility import EVIL, lay

FORM = {
    "kind": "fault_report",
    "utility": "power",
    "topic": "outage",
    "scope": "household",
    "place_words": "海棠晓月1栋2单元301",
    "service_point_id": "sp-1",
    "contact_name": "曾先生",
    "contact_phone": "133 9985 8370",
    "description": "一户停电，强烈要求，开关复位后再次跳闸",
}


@pytest.fixture(autouse=True)
async def network(database: Database) -> None:
    await lay(database)


async def owned(database: Database, desk: Desk, id: str = "cv_1", **fields: Any) -> None:
    values = {"owner": "agent", "agent_id": desk.agent.id} | fields
    async with database.write() as session, session.begin():
        await session.execute(update(Conversation).where(Conversation.id == id).values(**values))


async def file(desk: Desk, nonce: str = "nonce-0001", **fields: Any) -> httpx.Response:
    return await desk.post("/console/c/cv_1/tickets", FORM | {"nonce": nonce} | fields)


async def only(database: Database) -> Ticket:
    async with database.read() as session:
        return (await session.scalars(select(Ticket))).one()


async def act(desk: Desk, number: str, **form: Any) -> httpx.Response:
    return await desk.post(f"/console/tickets/{number}", form)


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def test_a_ticket_is_filed_beside_the_conversation_and_once(
    seat: SeatDesk, conversation: NewConversation, database: Database
) -> None:
    desk = await seat()
    await conversation("cv_1")
    tried = [{"journey": "outage", "guide": "household_dark", "step": "reset_once", "answer": "trips_again"}]
    place = {"address": {"zh": "海棠晓月1栋"}, "detail": "2单元301", "service_point_id": "sp-1"}
    await owned(
        database, desk, sheet={"tried": tried, "place": place, "contact": {"name": "曾先生"}, "utility": "power"}
    )
    form = (await desk.get("/console/_/c/cv_1/ticket-form")).text
    assert "海棠晓月1栋 2单元301" in form
    assert "曾先生" in form
    assert "停电了" in form
    assert "附上已试过的 1 个步骤" in form
    filed = await file(desk, with_tried="yes")
    ticket = await only(database)
    assert "已登记工单" in filed.text
    assert f"{ticket.number[:4]} {ticket.number[4:8]}" in filed.text
    assert (ticket.unit, ticket.priority, ticket.contact_phone) == ("power_repair", 2, "13399858370")
    assert ticket.description == "一户停电，开关复位后再次跳闸"  # no fillers (B16)
    assert ticket.tried == [{"guide": "household_dark", "step": "reset_once", "answer": "trips_again"}]
    assert (ticket.conversation_id, ticket.address) == ("cv_1", "海棠晓月1栋2单元301")
    assert (await file(desk, with_tried="yes")).text == filed.text  # a double click
    added = await file(desk, nonce="nonce-0002", description="邻居也没电")
    assert "内容已补充到工单" in added.text
    assert (await only(database)).number == ticket.number


async def test_words_for_the_customer_go_into_the_reply_and_are_not_sent(
    seat: SeatDesk, conversation: NewConversation, database: Database
) -> None:
    desk = await seat(language="zh")
    await conversation("cv_1", language="en")
    await owned(database, desk)
    await file(desk)
    number = (await only(database)).number
    answer = await desk.get(f"/console/_/c/cv_1/tickets/{number}/reply?what=filed")
    told = json.loads(answer.headers["HX-Trigger"])["insert-reply"]
    assert answer.status_code == 204
    assert told["language"] == "en"
    assert f"{number[:4]} {number[4:8]} {number[8:]}" in told["text"]
    assert "by 14:45 on 4 March" in told["text"]
    async with database.read() as session:
        assert (await session.get_one(Conversation, "cv_1")).last_seq == 1


@pytest.mark.parametrize(
    ("wrong", "zh", "en"),
    [
        ({"contact_phone": "12"}, "电话号码不对", "not a telephone number"),
        ({"description": " "}, "请写明情况", "describe the problem"),
        ({"service_point_id": "", "place_words": ""}, "请选一个地址", "choose an address"),
        ({"service_point_id": "sp-9"}, "没有这个地址", "no such address"),
        ({"kind": "gossip"}, "请选择类型", "choose a type"),
        ({"priority": "9"}, "优先级", "priority is 1 to 5"),
        ({"unit": "nobody"}, "请选择单位", "choose a unit"),
    ],
)
async def test_what_is_wrong_is_said_in_the_form(
    seat: SeatDesk, conversation: NewConversation, database: Database, wrong: dict[str, str], zh: str, en: str
) -> None:
    await conversation("cv_1")
    for username, language, words in (("mei", "zh", zh), ("ann", "en", en)):
        desk = await seat(username, language=language)
        answer = await file(desk, **wrong)
        assert answer.status_code == 422
        assert words in answer.text
        assert (answer.headers["HX-Retarget"], answer.headers["HX-Reswap"]) == ("#file-errors", "innerHTML")
    async with database.read() as session:
        assert (await session.scalars(select(Ticket))).all() == []


async def test_dispatch_moves_it_on_and_the_agents_are_told(
    seat: SeatDesk, conversation: NewConversation, database: Database, clock: Clock
) -> None:
    agent, dispatcher = await seat(), await seat("ding", role="dispatcher", language="en")
    await conversation("cv_1")
    await owned(database, agent)
    await file(agent)
    number = (await only(database)).number
    await act(dispatcher, number, status="dispatched", unit="water_repair")
    await act(dispatcher, number, status="accepted", eta="2026-03-04T14:30")
    page = await act(dispatcher, number, status="on_site", crew="王师傅", device="变压器", expected="2026-03-04T15:30")
    assert "The crew is on site" in page.text
    assert "王师傅" in page.text
    assert "Expected restoration 03-04 15:30" in text_of(page.text)
    async with database.read() as session:
        notes = await unread_mentions(session, agent.agent.id)
        event = (await session.scalars(select(TicketEvent).order_by(TicketEvent.id.desc()))).first()
    assert event is not None
    assert event.data["details"]["expected"] == "2026-03-04T07:30:00+00:00"
    assert sorted(note.text[-10:] for note in notes) == ["预计14:30到达。", "预计15:30恢复。"]
    assert all(note.agent_id is None and note.kind == "note" for note in notes)
    waiting = (await agent.get("/console/_/to-tell")).text
    assert number in waiting
    assert "抢修人员已到现场" in waiting
    assert "15:30" in waiting
    assert "/console/c/cv_1" in waiting
    assert "/console/c/cv_1" not in (await dispatcher.get("/console/_/to-tell")).text
    reply = (await agent.get(f"/console/_/c/cv_1/tickets/{number}/reply?what=on_site")).headers["HX-Trigger"]
    assert "预计3月4日15:30恢复" in json.loads(reply)["insert-reply"]["text"]
    assert "都已告知" in (await agent.post(f"/console/tickets/{number}/told", {"what": "list"})).text
    await act(dispatcher, number, status="repaired", cause="跌落", work="更换")
    assert number in (await agent.get("/console/_/to-tell")).text
    done = await agent.post(f"/console/tickets/{number}/told")
    assert "已告知客户" in done.text
    assert (await only(database)).status == "customer_informed"
    async with database.read() as session:
        assert len(await unread_mentions(session, agent.agent.id)) == 3  # not of what he did himself


async def test_only_the_next_statuses_are_offered_and_ways_out_need_a_reason(
    seat: SeatDesk, conversation: NewConversation, database: Database
) -> None:
    desk = await seat(language="en")
    await conversation("cv_1")
    await file(desk)
    number = (await only(database)).number
    page = (await desk.get(f"/console/tickets/{number}")).text
    assert re.findall(r'name="status" value="(\w+)"', page) == ["dispatched", "transferred", "returned", "cancelled"]
    refused = await act(desk, number, status="returned")
    assert refused.status_code == 422
    assert "give the reason" in refused.text
    assert refused.headers["HX-Retarget"] == f"#errors-{number}"
    jumped = await act(desk, number, status="repaired")
    assert jumped.status_code == 409
    assert "status has changed" in jumped.text
    assert (await act(desk, number, status="transferred", reason="not ours")).status_code == 422
    moved = await act(desk, number, status="transferred", reason="not ours", unit="dispatch", verifier="Li")
    assert "Dispatch centre" in moved.text
    assert "not ours" in moved.text
    assert "cancelled" not in re.findall(
        r'value="(\w+)"', (await act(desk, number, status="cancelled", reason="back")).text
    )


async def test_an_order_is_closed_with_its_record_and_no_offending_words(
    seat: SeatDesk, conversation: NewConversation, database: Database
) -> None:
    desk = await seat(language="zh")
    await conversation("cv_1")
    await file(desk, kind="complaint", topic="complaint")
    number = (await only(database)).number
    await act(desk, number, status="customer_informed")
    close = {"status": "closed", "confirmed_true": "yes", "liable": "no", "handler": "梅"}
    assert "请写处理情况" in (await act(desk, number, **close)).text
    refused = await act(desk, number, text="核查问题不存在，无人员责任", **close)
    assert refused.status_code == 422
    assert "不存在、无人员责任" in refused.text
    assert (await only(database)).status == "customer_informed"
    closed = await act(desk, number, text="已向客户道歉", satisfied="yes", assessment="无", **close)
    assert (await only(database)).status == "closed"
    assert "已向客户道歉" in closed.text
    assert "情况属实 是" in text_of(closed.text)
    assert "附加考核" in closed.text


async def test_corrections_and_notes_stand_in_the_history_with_who_made_them(
    seat: SeatDesk, conversation: NewConversation, database: Database
) -> None:
    desk = await seat("mei", name="梅老师")
    await conversation("cv_1")
    await file(desk)
    number = (await only(database)).number
    same = {"place_words": FORM["place_words"], "service_point_id": "sp-1"}
    page = await act(desk, number, priority="1", contact_phone="13812345678", **same)
    assert "2 生命支持设备 → 1 危及生命" in text_of(page.text)
    assert "梅老师" in page.text
    assert (await only(database)).address == FORM["place_words"]
    await act(desk, number, service_point_id="sp-2", place_words="海棠晓月2栋")
    assert ((await only(database)).service_point_id, (await only(database)).address) == ("sp-2", "海棠晓月2栋")
    noted = await desk.post(f"/console/tickets/{number}/notes", {"text": EVIL})
    assert "&lt;script&gt;" in noted.text
    assert "<script>" not in noted.text
    assert (await desk.post(f"/console/tickets/{number}/notes", {"text": " "})).status_code == 422


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_board_filters_counts_and_names_what_is_due(
    seat: SeatDesk, service: Headers, client: httpx.AsyncClient, clock: Clock, language: str
) -> None:
    numbers = {}
    orders: dict[str, dict[str, Any]] = {
        "old": {"service_point_id": "sp-1"},
        "water": {"utility": "water", "topic": "no_water", "service_point_id": "sp-4", "description": EVIL},
        "complaint": {"kind": "complaint", "description": "态度"},
        "unknown": {"address": "海边小屋", "description": "100%停电"},
    }
    for name, order in orders.items():
        body = {"kind": "fault_report", "utility": "power", "topic": "outage", "description": "停电"} | order
        made = await client.post("/api/v1/tickets", json=body, headers=service)
        numbers[name] = made.json()["number"]
        clock.advance(minutes=20)
    clock.advance(minutes=-20)
    desk = await seat(role="dispatcher", language=language)

    async def shown(**query: Any) -> set[str]:
        page = (await desk.get("/console/_/tickets", params=query)).text
        return {name for name, number in numbers.items() if f"/console/tickets/{number}" in page}

    assert await shown() == set(orders)
    assert await shown(utility="water") == {"water"}
    assert await shown(kind="complaint") == {"complaint"}
    assert await shown(words="海边") == {"unknown"}
    assert await shown(words="100%") == {"unknown"}
    assert await shown(words=numbers["old"][:6]) >= {"old"}
    assert await shown(priority="2") == {"old"}
    assert await shown(unit="water_repair") == {"water"}
    assert await shown(status="closed") == set()
    assert await shown(due="overdue") == {"old", "water"}
    await client.patch(f"/api/v1/tickets/{numbers['water']}", json={"status": "dispatched"}, headers=service)
    assert await shown(due="soon") == {"water", "unknown"}
    page = await desk.get("/console/tickets", params={"words": EVIL})
    assert page.status_code == 200
    assert EVIL not in page.text
    board = text_of((await desk.get("/console/tickets")).text)
    overdue, soon = (
        ("派单超时 58 分钟", "到达时限还有 5 分钟")
        if language == "zh"
        else ("Dispatch overdue by 58 min", "5 min left to arrive")
    )
    assert overdue in board
    assert soon in board
    assert (
        ("处理中 4" in board and "已派单 1" in board)
        if language == "zh"
        else ("Open 4" in board and "Dispatched 1" in board)
    )
    assert board.index(numbers["old"][:4]) < board.index("100%")  # priority 2 before 4


async def test_the_board_goes_by_pages(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seat()
    plain = {"kind": "fault_report", "utility": "power", "priority": 4, "language": "zh", "updated_at": clock()}
    async with database.write() as session, session.begin():
        for number in range(120):
            at = clock() + timedelta(seconds=number)
            session.add(Ticket(number=f"1{number:011}", created_at=at, **plain))
    seen: list[str] = []
    for page in (1, 2, 3):
        text = (await desk.get("/console/tickets", params={"page": page})).text
        seen += re.findall(r'id="row-(\d{12})"', text)
        assert ('rel="next"' in text) == (page < 3)
    assert seen == [f"1{number:011}" for number in range(120)]  # the oldest first


async def test_what_roles_see_of_a_ticket(
    seat: SeatDesk, service: Headers, client: httpx.AsyncClient, conversation: NewConversation
) -> None:
    await conversation("cv_1")
    body = {"kind": "fault_report", "utility": "power", "account_number": "5001000026", "conversation_id": "cv_1",
            "contact_phone": "13399858370", "description": EVIL}  # fmt: skip
    number = (await client.post("/api/v1/tickets", json=body, headers=service)).json()["number"]
    for role in ("agent", "supervisor", "dispatcher", "admin"):
        desk = await seat(role, role=role)
        page = (await desk.get(f"/console/tickets/{number}")).text
        assert "13399858370" in page
        assert "******0026" in page
        assert "5001000026" not in page
        assert ("/console/c/cv_1" in page) == (role != "dispatcher")
        assert "<script>alert" not in page
        assert "<img" not in page
        live = (await desk.get(f"/console/_/tickets/{number}?live=1")).text
        assert "<form" not in live
        assert f'id="live-{number}"' in live
    assert (await desk.get("/console/tickets/100000000000")).status_code == 404


def test_moments_are_read_with_their_zone_only() -> None:
    from api.tickets.news import moment_of

    assert moment_of("2026-03-04T07:30:00+00:00") == datetime.fromisoformat("2026-03-04T07:30:00+00:00")
    assert moment_of("2026-03-04T07:30") is None
    assert moment_of("soon") is None


async def test_every_change_rings_for_the_boards(
    service: Headers, client: httpx.AsyncClient, database: Database
) -> None:
    with bell.listen(TICKETS) as rung:
        body = {"kind": "fault_report", "utility": "power", "service_point_id": "sp-1"}
        number = (await client.post("/api/v1/tickets", json=body, headers=service)).json()["number"]
        outage = {"kind": "fault", "asset_id": "tr-1", "expected_end_at": "2026-03-04T09:00:00Z"}
        acts: list[tuple[str, str, dict[str, Any]]] = [
            ("PATCH", f"/api/v1/tickets/{number}", {"status": "dispatched"}),
            ("POST", f"/api/v1/tickets/{number}/notes", {"text": "又来电话"}),
            ("POST", "/api/v1/outages", outage),
        ]
        for method, path, given in acts:
            assert rung.is_set(), path
            rung.clear()
            assert (await client.request(method, path, json=given, headers=service)).is_success
        assert rung.is_set()
