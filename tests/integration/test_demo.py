"""The demo utility in both databases: what docs/demo.md says is what the desk finds."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from api.customers.tables import Account
from api.db.engine import Database
from api.demo.seed import refresh_demo, seed_demo
from api.demo.task import refresh_once
from api.network.store import mark_network
from api.network.tables import ServicePoint
from api.outages.tables import Outage

DOCUMENT = Path(__file__).parents[2] / "docs" / "demo.md"
#: situation → (utility, kind, phase) of what stands at the address; None: the words name no single address.
TRUE_THERE: dict[str, list[tuple[str, str, str]] | None] = {
    "quiet": [],
    "planned now": [("power", "planned", "current")],
    "planned tomorrow": [("power", "planned", "upcoming")],
    "fault in work": [("power", "fault", "current")],
    "burst main": [("water", "fault", "current")],
    "predicted": [("power", "predicted", "current")],
    "switched": [("power", "planned", "upcoming")],
    "water planned tomorrow": [("water", "planned", "upcoming")],
    "rural": [],
    "remote": [],
    "two similar names": None,
    "two names that sound alike": None,
    "number does not exist": None,
    "number missing": None,
    "outside the area": None,
    "unknown place": None,
}


def table(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the document, without its header and without backticks."""
    section = DOCUMENT.read_text("utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split("|") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in row] for row in rows[2:]]


@pytest.fixture(autouse=True)
async def demo(database: Database, clock: Any) -> None:
    async with database.write() as session, session.begin():
        assert await seed_demo(session, clock())


async def places(client: httpx.AsyncClient, headers: dict[str, str], words: str) -> dict[str, Any]:
    return dict((await client.get("/api/v1/places", params={"q": words}, headers=headers)).json())


async def test_addresses_of_the_document(client: httpx.AsyncClient, service: dict[str, str]) -> None:
    rows = {row[0]: row[1:3] for row in table("Addresses")}
    assert rows.keys() == TRUE_THERE.keys()
    for situation, expected in TRUE_THERE.items():
        if expected is None:
            continue
        points = set()
        for words in rows[situation]:
            (candidate,) = (await places(client, service, words))["candidates"]
            assert candidate["score"] >= 85
            points.add(candidate["service_point_id"])
        (point,) = points
        told = (await client.get(f"/api/v1/service-points/{point}/situation", headers=service)).json()
        assert [(o["utility"], o["kind"], o["phase"]) for o in told["outages"]] == expected, situation
        for outage in told["outages"]:
            assert outage["cause_zh"], situation
            assert outage["cause_en"], situation
            assert (outage["expected_end_at"] is None) is (outage["kind"] == "predicted")
            assert not outage["overdue"]
        area = "rural" if situation == "rural" else "remote" if situation == "remote" else "urban"
        assert told["service_point"]["area_class"] == area
        assert told["arrival_minutes"] == {"urban": 45, "rural": 90, "remote": 120}[area]


async def test_doubtful_words_of_the_document(client: httpx.AsyncClient, service: dict[str, str]) -> None:
    rows = {row[0]: row[1:3] for row in table("Addresses")}
    for language in (0, 1):
        for situation in ("two similar names", "two names that sound alike"):
            found = await places(client, service, rows[situation][language])
            assert len({c["place_id"] for c in found["candidates"]}) == 2
            assert all(60 <= c["score"] < 85 for c in found["candidates"])
        unknown_number = await places(client, service, rows["number does not exist"][language])
        assert unknown_number["candidates"] == []
        assert unknown_number["place"]["number_unknown"] is True
        assert (await places(client, service, rows["number missing"][language]))["place"]["needs_number"] is True
        outside = await places(client, service, rows["outside the area"][language])
        assert outside["place"]["outside"]["unit_zh"] == "一品供电站"
        unknown = await places(client, service, rows["unknown place"][language])
        assert (unknown["candidates"], unknown["place"]) == ([], None)


async def test_accounts_of_the_document(database: Database) -> None:
    rows = table("Accounts")
    assert len(rows) == 9
    async with database.read() as session:
        for _, number, utility, phone, document, address, balance in rows:
            account = await session.get_one(Account, number)
            point = await session.get_one(ServicePoint, account.service_point_id)
            assert (account.utility, account.phone, account.id_last6) == (utility, phone, document)
            assert f"{point.address_zh} {account.room}".strip() == address
            assert account.balance == Decimal(balance)
        by_state = {number: (await session.get_one(Account, number)) for _, number, *_ in rows}
    assert by_state["5001000026"].state == by_state["7001000013"].state == "cut_off"
    assert by_state["5001000034"].prepaid
    assert by_state["5001000059"].flags == ["life_support"]
    assert by_state["5001000067"].state == "unregistered"


async def test_no_outage_where_the_account_is_the_reason(client: httpx.AsyncClient, service: dict[str, str]) -> None:
    for point in ("sp_hetai_2", "sp_hetai_6", "sp_fuze_4"):
        told = (await client.get(f"/api/v1/service-points/{point}/situation", headers=service)).json()
        assert told["outages"] == []


async def times(database: Database) -> dict[str, tuple[datetime, datetime | None]]:
    async with database.read() as session:
        return {o.id: (o.starts_at, o.expected_end_at) for o in await session.scalars(select(Outage))}


async def test_seeding_twice_does_nothing(database: Database, clock: Any) -> None:
    before = await times(database)
    async with database.write() as session, session.begin():
        assert await seed_demo(session, clock.advance(hours=1)) is False
        assert await refresh_demo(session, clock()) == 0
    assert await times(database) == before


async def test_outages_move_with_the_clock(
    database: Database, client: httpx.AsyncClient, service: Any, clock: Any
) -> None:
    before = await times(database)
    async with database.write() as session, session.begin():
        assert await refresh_demo(session, clock.advance(days=1)) == len(before)
        assert await refresh_demo(session, clock()) == 0
    after = await times(database)
    assert {key: start - timedelta(days=1) for key, (start, _) in after.items()} == {
        key: start for key, (start, _) in before.items()
    }
    page = (await client.get("/api/v1/outages", params={"active": True}, headers=service)).json()
    assert len(page["items"]) == 4


async def test_loaded_data_are_left_alone(database: Database, clock: Any) -> None:
    before = await times(database)
    async with database.write() as session, session.begin():
        await mark_network(session, "loaded")
        assert await refresh_demo(session, clock.advance(days=3)) == 0
    assert await times(database) == before


async def test_outlets_nearest_first(client: httpx.AsyncClient, service: dict[str, str], clock: Any) -> None:
    async def near(point: str, **query: str) -> list[dict[str, Any]]:
        response = await client.get("/api/v1/outlets", params={"near": point, **query}, headers=service)
        return list(response.json()["items"])

    first, second, *_ = await near("sp_haitang_xiaoyue_3", utility="power")
    assert (first["id"], first["round_the_clock"], first["open_now"]) == ("outlet_machine_haitang", True, True)
    assert second["kind"] == "machine"  # nothing for power in the district: any that is always open
    halls = {o["id"]: o["open_now"] for o in await near("sp_jiangnan_18")}
    assert halls["outlet_hall_nanping"] is True  # Wednesday, 14:00
    assert all(o["utility"] in ("water", "both") for o in await near("sp_jiangnan_18", utility="water"))
    night = "2026-03-04T15:00:00Z"
    closed = {o["id"]: o["open_now"] for o in await near("sp_jiangnan_18", open_at=night)}
    assert (closed["outlet_hall_nanping"], closed["outlet_machine_wanda"]) == (False, True)
    assert (await client.get("/api/v1/outlets", params={"near": "nothing"}, headers=service)).status_code == 404


async def test_facts(client: httpx.AsyncClient, bot: Any) -> None:
    facts = (await client.get("/api/v1/facts", headers=bot("cv_1"))).json()
    assert facts["hotline"] == "95598"
    assert facts["commitments"] == {"urban": 45, "rural": 90, "remote": 120}
    assert re.fullmatch(r"\d\d:\d\d", facts["agent_hours"]["from"])
    assert facts["emergency"]["fire"] == "119"


async def test_the_front_desk_keeps_the_demo_fresh(database: Database, clock: Any) -> None:
    before = await times(database)
    zone = ZoneInfo("Asia/Shanghai")
    assert await refresh_once(database, clock.advance(days=2), zone) == len(before)
    assert await refresh_once(database, clock(), zone) == 0
    assert all(start - before[key][0] == timedelta(days=2) for key, (start, _) in (await times(database)).items())
    async with database.write() as session, session.begin():
        await mark_network(session, "loaded")
    assert await refresh_once(database, clock.advance(days=2), zone) == 0
