"""Outages through the API on both databases: recording, course, what an address is told, inference (C4, C7, A6)."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects import postgresql, sqlite

from api.db.engine import Database
from api.demo.seed import seed_demo
from api.network.store import insert_rows
from api.outages import queries
from api.outages.tables import Outage, OutageReport

Headers = dict[str, str]
URL = "/api/v1/outages"


@pytest.fixture(autouse=True)
async def demo(database: Database, clock: Any) -> None:
    async with database.write() as session, session.begin():
        assert await seed_demo(session, clock())


@pytest.fixture
def new(clock: Any) -> dict[str, Any]:
    """A fault at the transformer of 和泰花园 buildings 1 to 8."""
    return {
        "utility": "power",
        "kind": "fault",
        "cause": "变压器跌落式熔断器熔断",
        "cause_en": "a blown fuse at the transformer",
        "asset_id": "tr_hetai_1",
        "expected_end_at": rfc(clock() + timedelta(hours=2)),
    }


def rfc(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")


async def situation(client: httpx.AsyncClient, headers: Headers, point: str, **query: str) -> dict[str, Any]:
    response = await client.get(f"/api/v1/service-points/{point}/situation", params=query, headers=headers)
    assert response.status_code == 200, response.text
    return dict(response.json())


async def test_recording_an_outage(
    client: httpx.AsyncClient, service: Headers, new: dict[str, Any], clock: Any
) -> None:
    created = await client.post(URL, json=new, headers=service)
    assert created.status_code == 201
    outage = created.json()
    assert outage["status"] == "reported"
    assert (outage["cause"], outage["cause_en"]) == (new["cause"], new["cause_en"])
    assert outage["affected_count"] == 8
    assert outage["starts_at"] == rfc(clock())
    assert outage["number"].startswith("20260304")
    assert (await client.get(f"{URL}/{outage['id']}", headers=service)).json() == outage
    told = await situation(client, service, "sp_hetai_3")
    assert [(o["id"], o["phase"]) for o in told["outages"]] == [(outage["id"], "current")]
    assert (await situation(client, service, "sp_hetai_9"))["outages"] == []


async def test_the_same_key_records_once(client: httpx.AsyncClient, service: Headers, new: dict[str, Any]) -> None:
    headers = service | {"Idempotency-Key": "k1"}
    first, second = [await client.post(URL, json=new, headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    assert (await client.post(URL, json=new | {"cause": "x"}, headers=headers)).status_code == 409
    assert (await client.post(URL, json=new, headers=service | {"Idempotency-Key": ""})).status_code == 400


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"expected_end_at": None}, "expected_end_at"),
        ({"kind": "planned"}, "starts_at"),
        ({"asset_id": "nothing"}, "asset_id"),
        ({"utility": "water"}, "utility"),
        ({"kind": "rumour"}, "kind"),
        ({"starts_at": "2026-03-04T14:00:00"}, "starts_at"),
        ({"expected_end_at": "2026-03-04T05:00:00Z"}, "expected_end_at"),
    ],
)
async def test_what_cannot_stand_is_refused(
    client: httpx.AsyncClient, service: Headers, new: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    response = await client.post(URL, json=new | change, headers=service)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert [error["field"].split(".")[1] for error in response.json()["errors"]] == [field]


async def test_a_predicted_outage_needs_no_end_until_it_is_confirmed(
    client: httpx.AsyncClient, service: Headers, new: dict[str, Any]
) -> None:
    predicted = {key: value for key, value in new.items() if key != "expected_end_at"} | {"kind": "predicted"}
    outage = (await client.post(URL, json=predicted, headers=service)).json()
    assert outage["expected_end_at"] is None
    confirm = {"kind": "fault", "status": "dispatched"}
    assert (await client.patch(f"{URL}/{outage['id']}", json=confirm, headers=service)).status_code == 422
    confirm["expected_end_at"] = new["expected_end_at"]
    changed = await client.patch(f"{URL}/{outage['id']}", json=confirm, headers=service)
    assert (changed.json()["kind"], changed.json()["status"]) == ("fault", "dispatched")


async def test_course_of_an_outage(
    client: httpx.AsyncClient, service: Headers, new: dict[str, Any], clock: Any
) -> None:
    outage = (await client.post(URL, json=new, headers=service)).json()
    path = f"{URL}/{outage['id']}"
    clock.advance(hours=3)
    late = (await situation(client, service, "sp_hetai_3"))["outages"]
    assert [(o["overdue"], o["phase"]) for o in late] == [(True, "current")]
    for status in ("dispatched", "on_site", "repairing"):
        assert (await client.patch(path, json={"status": status}, headers=service)).json()["ended_at"] is None
    restored = (await client.patch(path, json={"status": "restored"}, headers=service)).json()
    assert restored["ended_at"] == rfc(clock())
    assert restored["overdue"] is False
    back = await client.patch(path, json={"status": "repairing"}, headers=service)
    assert (back.status_code, back.json()["type"]) == (409, "status-not-possible")
    assert (await situation(client, service, "sp_hetai_3"))["outages"] == []
    before = rfc(clock() - timedelta(hours=1))
    assert len((await situation(client, service, "sp_hetai_3", at=before))["outages"]) == 1


async def test_situation_of_an_address(client: httpx.AsyncClient, bot: Callable[..., Headers]) -> None:
    remote = await situation(client, bot("cv_1"), "sp_shiling_5")
    assert remote == {
        "service_point": {
            "id": "sp_shiling_5",
            "address_zh": "石岭村5号",
            "address_en": "5 Shiling Village",
            "area_class": "remote",
        },
        "outages": [],
        "open_tickets": [],
        "arrival_minutes": 120,
        "bulletins": [],
    }
    dry = await situation(client, bot("cv_1"), "sp_danzishi_main_18")
    assert [o["utility"] for o in dry["outages"]] == ["water"]
    assert (await situation(client, bot("cv_1"), "sp_danzishi_main_18", utility="power"))["outages"] == []
    unknown = await client.get("/api/v1/service-points/nothing/situation", headers=bot("cv_1"))
    assert unknown.status_code == 404


async def test_lookup_by_words_and_time(client: httpx.AsyncClient, service: Headers, clock: Any) -> None:
    async def lookup(words: str, **more: str) -> list[dict[str, Any]]:
        response = await client.get(f"{URL}/lookup", params={"q": words, **more}, headers=service)
        return list(response.json()["candidates"])

    (now,) = await lookup("珊瑚路21号什么时候来电")
    assert (now["service_point_id"], now["address"], now["score"]) == ("sp_shanhu_21", "珊瑚路21号", 100)
    assert [o["kind"] for o in now["outages"]] == ["fault"]
    assert (await lookup("万达广场"))[0]["outages"] == []
    tomorrow_noon = rfc(clock() + timedelta(hours=22))
    assert [o["kind"] for o in (await lookup("万达广场", at=tomorrow_noon))[0]["outages"]] == ["planned"]
    assert [len(c["outages"]) for c in await lookup("南湖花园3栋")] == [0, 0]
    assert await lookup("我家停电了") == []


async def test_a_place_as_a_whole(client: httpx.AsyncClient, bot: Callable[..., Headers]) -> None:
    async def of_place(place: str) -> tuple[list[str], bool]:
        response = await client.get(f"/api/v1/places/{place}/outages", params={"utility": "power"}, headers=bot("cv_1"))
        return [o["id"] for o in response.json()["outages"]], response.json()["covers_all"]

    assert await of_place("pl_shanhu") == (["out_demo_fault"], True)
    assert await of_place("pl_xuefu") == (["out_demo_predicted"], False)  # buildings 1 to 8 of 20
    assert await of_place("pl_wanda") == (["out_demo_planned_tomorrow"], False)  # not now
    assert await of_place("pl_hetai") == ([], False)
    assert (await client.get("/api/v1/places/nothing/outages", headers=bot("cv_1"))).status_code == 404


async def test_list_filters_and_pages(client: httpx.AsyncClient, service: Headers, clock: Any) -> None:
    async def items(**query: Any) -> list[str]:
        response = await client.get(URL, params=query, headers=service)
        assert response.status_code == 200
        return [o["id"].removeprefix("out_demo_") for o in response.json()["items"]]

    assert set(await items(active=True)) == {"planned_now", "fault", "burst_main", "predicted"}
    assert set(await items(utility="water")) == {"burst_main", "water_tomorrow"}
    assert await items(kind="predicted") == ["predicted"]
    assert await items(since=rfc(clock() + timedelta(minutes=1))) == []
    everything = await items()
    assert len(everything) == 8
    paged, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(URL, params=query, headers=service)).json()
        paged += [o["id"].removeprefix("out_demo_") for o in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert paged == everything


async def test_a_customer_is_added_to_a_known_outage(
    client: httpx.AsyncClient,
    bot: Callable[..., Headers],
    service: Headers,
    conversation: Callable[..., Any],
    database: Database,
) -> None:
    await conversation("cv_1")
    report = {"service_point_id": "sp_shanhu_21", "contact_name": "张女士", "contact_phone": "13800000000"}
    path = f"{URL}/out_demo_fault/reports"
    first = await client.post(path, json=report, headers=bot("cv_1"))
    again = await client.post(path, json=report | {"note": "有老人"}, headers=bot("cv_1"))
    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    async with database.read() as session:
        (row,) = (await session.scalars(select(OutageReport))).all()
    assert (row.conversation_id, row.contact_name, row.note) == ("cv_1", "张女士", "有老人")
    late = await client.post(path, json=report, headers=bot("cv_1", fence=0))
    assert (late.status_code, late.json()["type"]) == (409, "turn-given-up")
    assert (await client.post(f"{URL}/nothing/reports", json=report, headers=service)).status_code == 404
    wrong = await client.post(path, json=report | {"service_point_id": "nothing"}, headers=service)
    assert wrong.status_code == 422


async def test_the_bot_may_not_record_list_or_change(client: httpx.AsyncClient, bot: Callable[..., Headers]) -> None:
    headers = bot("cv_1")
    assert (await client.get(URL, headers=headers)).status_code == 403
    assert (await client.post(URL, json={}, headers=headers)).status_code == 403
    assert (await client.patch(f"{URL}/out_demo_fault", json={}, headers=headers)).status_code == 403
    assert (await client.get(f"{URL}/out_demo_fault", headers=headers)).status_code == 200


async def test_three_reports_below_one_transformer_mean_an_outage(
    client: httpx.AsyncClient, service: Headers, clock: Any
) -> None:
    async def file(point: str, scope: str = "surroundings", utility: str = "power") -> None:
        ticket = {
            "kind": "fault_report",
            "utility": utility,
            "topic": "outage",
            "scope": scope,
            "service_point_id": point,
            "contact_phone": "13800000000",
            "description": "停电",
            "language": "zh",
        }
        response = await client.post("/api/v1/tickets", json=ticket, headers=service)
        assert response.status_code == 201, response.text

    async def predicted() -> list[dict[str, Any]]:
        page = (await client.get(URL, params={"kind": "predicted"}, headers=service)).json()
        return [o for o in page["items"] if o["id"] != "out_demo_predicted"]

    first_at = clock()
    await file("sp_hetai_1")
    clock.advance(minutes=5)
    await file("sp_hetai_1")  # the same address once more
    await file("sp_hetai_2", "household")
    await file("sp_hetai_9")  # another transformer
    await file("sp_hetai_3", utility="water")
    assert await predicted() == []
    await file("sp_hetai_3")
    (outage,) = await predicted()
    assert (outage["asset_id"], outage["status"], outage["affected_count"]) == ("tr_hetai_1", "reported", 8)
    assert outage["starts_at"] == rfc(first_at)
    await file("sp_hetai_4")  # the outage is known now
    assert len(await predicted()) == 1
    told = await situation(client, service, "sp_hetai_8")
    assert [o["kind"] for o in told["outages"]] == ["predicted"]
    assert len((await situation(client, service, "sp_hetai_1"))["open_tickets"]) == 2


async def test_old_reports_mean_nothing(client: httpx.AsyncClient, service: Headers, clock: Any) -> None:
    for point in ("sp_hetai_1", "sp_hetai_2", "sp_hetai_3"):
        ticket = {"kind": "fault_report", "utility": "power", "service_point_id": point, "language": "zh"}
        assert (await client.post("/api/v1/tickets", json=ticket, headers=service)).status_code == 201
        clock.advance(minutes=20)
    page = (await client.get(URL, params={"kind": "predicted"}, headers=service)).json()
    assert [o["id"] for o in page["items"]] == ["out_demo_predicted"]


async def plan_of(database: Database, statement: Any) -> str:
    """The database's own plan of a statement."""
    dialect = sqlite.dialect() if database.is_sqlite else postgresql.dialect()  # type: ignore[no-untyped-call]
    sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (FORMAT JSON) "
    async with database.read() as session:
        rows = (await session.execute(text(explain + sql.replace(":", r"\:")))).all()
    return "\n".join(row[3] for row in rows) if database.is_sqlite else json.dumps(rows[0][0])


async def test_an_address_is_looked_up_by_indexes_alone(database: Database, clock: Any) -> None:
    """With years of outages in the table, no plan scans it or the service points."""
    now = clock()
    async with database.write() as session, session.begin():
        common = {"utility": "power", "kind": "fault", "status": "restored", "created_at": now, "updated_at": now}
        past = [
            common
            | {
                "id": f"old_{n}",
                "number": f"old{n}",
                "asset_id": f"tr_{'hetai' if n % 2 else 'shanhu'}_{n % 3 + 1}",
                "starts_at": now - timedelta(days=n % 1500 + 2),
                "expected_end_at": now - timedelta(days=n % 1500 + 1),
                "ended_at": now - timedelta(days=n % 1500 + 1),
            }
            for n in range(20_000)
        ]
        await insert_rows(session, Outage, past)
    async with database.write() as session, session.begin():
        await session.execute(text("ANALYZE"))
    for utility in ("power", "water", None):
        statement = queries.outages_of_points(["sp_hetai_3"], utility).where(queries.active_or_upcoming(now, now))
        plan = await plan_of(database, statement)
        scans = (
            [line for line in plan.splitlines() if line.startswith("SCAN")]
            if database.is_sqlite
            else [node for node in nodes(json.loads(plan)[0]["Plan"]) if node.get("Node Type") == "Seq Scan"]
        )
        assert scans == [], plan
        async with database.read() as session:
            found = await queries.of_points(session, ["sp_hetai_3"], now, now, utility=utility)
        assert found == {"sp_hetai_3": []}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(below for child in plan.get("Plans", []) for below in nodes(child))]
