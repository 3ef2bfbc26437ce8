"""Outages in the console: the board, recording and changing them by role, and who waits for their end."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from api.conversations.tables import Conversation
from api.db.engine import Database
from api.outages.tables import Outage, OutageReport
from tests.integration.conftest import Clock, Headers, NewConversation
from tests.integration.console.conftest import Desk, SeatDesk
from tests.integration.console.utility import EVIL, add, lay

FORM = {
    "nonce": "nonce-0001",
    "kind": "fault",
    "asset_id": "line-1",
    "cause_zh": "电缆烧坏",
    "cause_en": "Burnt cable",
    "starts_at": "2026-03-04T13:00",
    "expected_end_at": "2026-03-04T17:30",
}


@pytest.fixture(autouse=True)
async def network(database: Database) -> None:
    await lay(database)


async def only(database: Database) -> Outage:
    async with database.read() as session:
        return (await session.scalars(select(Outage))).one()


def outage(id: str, clock: Clock, hours: float = -1, **fields: Any) -> Outage:
    """One that starts in so many hours and lasts four."""
    starts = clock() + timedelta(hours=hours)
    plain = {
        "number": f"20260304{id[-6:]:0>6}",
        "utility": "power",
        "kind": "fault",
        "status": "repairing",
        "asset_id": "line-1",
        "starts_at": starts,
        "expected_end_at": starts + timedelta(hours=4),
        "affected_count": 4,
        "created_at": clock(),
        "updated_at": clock(),
    }
    return Outage(id=id, **(plain | fields))


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


async def record(desk: Desk, **fields: str) -> httpx.Response:
    return await desk.post("/console/outages", FORM | fields)


@pytest.mark.parametrize("role", ["dispatcher", "supervisor", "admin"])
async def test_an_outage_is_recorded_once_in_local_time(seat: SeatDesk, database: Database, role: str) -> None:
    desk = await seat(role=role)
    made = await record(desk)
    again = await record(desk)
    stands = await only(database)
    assert made.headers["HX-Redirect"] == again.headers["HX-Redirect"] == f"/console/outages/{stands.id}"
    assert (stands.affected_count, stands.status) == (4, "reported")
    assert stands.starts_at == datetime(2026, 3, 4, 5, 0, tzinfo=UTC)
    assert stands.expected_end_at == datetime(2026, 3, 4, 9, 30, tzinfo=UTC)
    page = text_of((await desk.get(f"/console/outages/{stands.id}")).text)
    assert "东罗线" in page
    assert "4 个地址" in page
    assert "13:00" in page
    assert "17:30" in page


async def test_agents_read_and_do_not_record(seat: SeatDesk, database: Database, clock: Clock) -> None:
    await add(database, outage("out-1", clock))
    desk = await seat()
    board = await desk.get("/console/outages")
    assert "东罗线" in board.text
    assert "<textarea" not in board.text
    assert 'hx-post="/console/outages"' not in board.text
    page = await desk.get("/console/outages/out-1")
    assert page.status_code == 200
    assert "hx-post" not in page.text.partition("<main")[2]
    assert (await record(desk)).status_code == 403
    assert (await desk.post("/console/outages/out-1", {"status": "restored"})).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "zh", "en"),
    [
        ({"asset_id": ""}, "请选一个设备", "choose a network asset"),
        ({"asset_id": "line-9"}, "请选一个设备", "choose a network asset"),
        ({"expected_end_at": ""}, "请写预计恢复时间", "give the expected end"),
        ({"expected_end_at": "2026-03-04T12:00"}, "要晚于开始时间", "after the start"),
        ({"starts_at": "yesterday"}, "请写开始时间", "give the start"),
        ({"starts_at": "", "kind": "planned"}, "请写开始时间", "give the start"),
    ],
)
async def test_what_is_wrong_is_said_in_the_form(
    seat: SeatDesk, database: Database, wrong: dict[str, str], zh: str, en: str
) -> None:
    for username, language, words in (("ding", "zh", zh), ("ann", "en", en)):
        desk = await seat(username, role="dispatcher", language=language)
        answer = await record(desk, **wrong)
        assert answer.status_code == 422
        assert words in answer.text
        assert answer.headers["HX-Retarget"] == "#outage-errors"
    async with database.read() as session:
        assert (await session.scalars(select(Outage))).all() == []


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_board_tells_what_is_off_likely_planned_and_over(
    seat: SeatDesk, database: Database, clock: Clock, language: str
) -> None:
    await add(
        database,
        outage("out-1", clock, -6, cause_zh=EVIL),
        outage("out-2", clock, kind="predicted", status="reported", expected_end_at=None, asset_id="tr-1"),
        outage("out-3", clock, 20, kind="planned", status="scheduled", asset_id="tr-2"),
        outage("out-4", clock, status="restored", ended_at=clock(), utility="water", asset_id="zone-1"),
        outage(
            "out-5",
            clock,
            -60,
            status="restored",
            ended_at=clock() - timedelta(days=2),
            updated_at=clock() - timedelta(days=2),
        ),
    )
    desk = await seat(language=language)
    page = (await desk.get("/console/outages")).text
    places = [page.index(f"/console/outages/out-{n}") for n in (1, 2, 3, 4)]
    assert places == sorted(places)
    assert "out-5" not in page
    seen = text_of(page)
    pairs = {
        "停供中 1": "Off now 1",
        "疑似（未确认） 1": "Likely (not confirmed) 1",
        "计划停供 1": "Planned 1",
        "已超过预计时间": "past its expected end",
        "未知": "not known",
    }
    for zh, en in pairs.items():
        assert (zh if language == "zh" else en) in seen
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    water = (await desk.get("/console/_/outages", params={"utility": "water"})).text
    assert "out-4" in water
    assert "out-1" not in water


async def test_it_is_kept_current_confirmed_and_ended(seat: SeatDesk, database: Database, clock: Clock) -> None:
    await add(
        database, outage("out-1", clock, kind="predicted", status="reported", expected_end_at=None, asset_id="tr-1")
    )
    desk = await seat(role="dispatcher", language="en")
    page = (await desk.get("/console/outages/out-1")).text
    started = re.search(r'name="starts_at" value="([^"]+)"', page)
    assert started is not None
    assert started[1] == "2026-03-04T13:00"
    same = {"starts_at": started[1]}
    refused = await desk.post("/console/outages/out-1", same | {"kind": "fault", "expected_end_at": ""})
    assert refused.status_code == 422
    assert "expected end" in refused.text
    confirmed = {"kind": "fault", "status": "repairing", "expected_end_at": "2026-03-04T16:00", "cause_en": "Fuse"}
    done = await desk.post("/console/outages/out-1", same | confirmed)
    assert "Being repaired" in done.text
    assert "Fuse" in done.text
    assert "16:00" in done.text
    back = await desk.post(
        "/console/outages/out-1", same | {"status": "dispatched", "expected_end_at": "2026-03-04T16:00"}
    )
    assert back.status_code == 409
    assert "status has changed" in back.text
    over = await desk.post(
        "/console/outages/out-1", same | {"status": "restored", "expected_end_at": "2026-03-04T16:00"}
    )
    assert "Supply is back" not in over.text
    assert "Restored" in over.text
    stands = await only(database)
    assert stands.ended_at == clock()
    assert stands.starts_at == clock() - timedelta(hours=1)


async def test_who_waits_for_it_is_listed(
    seat: SeatDesk,
    database: Database,
    clock: Clock,
    conversation: NewConversation,
    client: httpx.AsyncClient,
    service: Headers,
) -> None:
    await add(database, outage("out-1", clock))
    for one in ("cv_ticket", "cv_added", "cv_place", "cv_elsewhere"):
        await conversation(one)
    async with database.write() as session, session.begin():
        there = update(Conversation).where(Conversation.id == "cv_place")
        await session.execute(there.values(sheet={"place": {"service_point_id": "sp-4"}}))
    order = {"kind": "fault_report", "utility": "power", "outage_id": "out-1", "conversation_id": "cv_ticket"}
    number = (await client.post("/api/v1/tickets", json=order, headers=service)).json()["number"]
    await add(
        database,
        OutageReport(
            id="rep-1",
            outage_id="out-1",
            conversation_id="cv_added",
            contact_phone="13399858370",
            contact_name=EVIL,
            created_at=clock(),
        ),
    )
    agent, dispatcher = await seat(), await seat("ding", role="dispatcher")
    page = (await agent.get("/console/outages/out-1")).text
    assert number in page
    assert "133****8370" in page
    assert "13399858370" not in page
    assert "<script>alert" not in page
    assert set(re.findall(r"/console/c/(\w+)", page)) == {"cv_ticket", "cv_added", "cv_place"}
    seen = (await dispatcher.get("/console/outages/out-1")).text
    assert "/console/c/" not in seen
    assert "正在进行的会话 3" in text_of(seen)


async def test_pieces_of_the_network_and_addresses_are_found(seat: SeatDesk) -> None:
    desk = await seat(role="dispatcher", language="en")

    async def found(words: str) -> list[str]:
        page = (await desk.get("/console/_/assets", params={"asset_words": words})).text
        return re.findall(r'value="([\w-]+)"', page)

    assert await found("东罗") == ["line-1"]
    assert await found("haitang transformer") == ["tr-1", "tr-2"]
    assert (await found("海棠晓月3栋"))[:3] == ["tr-2", "line-1", "sub-1"]
    assert await found("%") == []
    assert await found(" ") == []
    places = (await desk.get("/console/_/places", params={"place_words": "海棠晓月3栋"})).text
    assert 'value="sp-3" checked' in places
    assert "Building 3" in places
    kept = (await desk.get("/console/_/places", params={"place_words": "海棠晓月", "service_point_id": "sp-2"})).text
    assert 'value="sp-2" checked' in kept
    assert kept.count("checked") == 1
