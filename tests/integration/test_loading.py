"""Loading a utility's own data into both databases: all or nothing, and never mixed with the demo."""

import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import func, select

from api.bulletins.tables import Bulletin
from api.customers.tables import Account
from api.db.base import Base
from api.db.engine import Database
from api.demo.seed import refresh_demo, seed_demo
from api.loading import Report, load_folder, main
from api.network.store import network_origin
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint
from api.outages.tables import Outage
from api.outlets.tables import Outlet, UtilityFact
from api.tickets.tables import RoutingRule, Unit

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "utility"
ZONE = ZoneInfo("Asia/Shanghai")
COUNTED: tuple[type[Base], ...] = (
    Unit, Asset, AssetAncestor, Place, ServicePoint, RoutingRule, Outlet, UtilityFact, Account, Outage, Bulletin,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example that a test may change."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "utility"))


async def load(database: Database, folder: Path, clock: Any) -> Report:
    return await load_folder(database, folder, clock(), ZONE)


async def counts(database: Database) -> dict[str, int]:
    async with database.read() as session:
        return {
            table.__tablename__: await session.scalar(select(func.count()).select_from(table)) or 0 for table in COUNTED
        }


async def seed(database: Database, clock: Any) -> None:
    async with database.write() as session, session.begin():
        assert await seed_demo(session, clock())


async def test_the_example_answers_customers(
    database: Database, client: httpx.AsyncClient, service: dict[str, str], clock: Any
) -> None:
    report = await load(database, EXAMPLE, clock)
    assert report.ok, str(report)
    assert report.rows["service_points"] == 5
    assert str(report).startswith("Loaded 3 units, 6 assets")

    async def get(path: str, **query: str) -> dict[str, Any]:
        response = await client.get(f"/api/v1{path}", params=query, headers=service)
        assert response.status_code == 200, response.text
        return dict(response.json())

    (candidate,) = (await get("/outages/lookup", q="柳园小区2栋停电了", at="2026-03-10T04:00:00Z"))["candidates"]
    assert candidate["service_point_id"] == "willow-2"
    assert [asset["id"] for asset in candidate["chain"]["power"]] == ["tr-2", "line-1", "ss-1"]
    (outage,) = candidate["outages"]
    assert (outage["id"], outage["affected_count"]) == ("o-1", 5)
    assert (outage["starts_at"], outage["expected_end_at"]) == ("2026-03-10T00:00:00Z", "2026-03-10T10:00:00Z")
    assert (await get("/places", q="10A Lakeside Road"))["candidates"][0]["service_point_id"] == "lakeside-10a"
    assert (await get("/places", q="山后镇12号"))["place"]["outside"]["unit_id"] == "neighbour"
    told = await get("/service-points/field-3/situation")
    assert (told["arrival_minutes"], [o["phase"] for o in told["outages"]]) == (90, ["upcoming"])
    assert (await get("/facts"))["hotline"] == "96666"
    assert [o["id"] for o in (await get("/outlets", near="willow-1"))["items"]] == ["machine", "hall"]


async def test_nothing_is_half_loaded(database: Database, folder: Path, clock: Any) -> None:
    (folder / "outages.csv").write_text(
        (EXAMPLE / "outages.csv").read_text("utf-8").replace("zone-1", "zone-9"), "utf-8"
    )
    report = await load(database, folder, clock)
    assert not report.ok
    assert "outages.csv:3: asset_id: there is no zone-9 in assets.csv" in str(report)
    assert str(report).endswith("1 faults; nothing was loaded.")
    assert set((await counts(database)).values()) == {0}
    async with database.read() as session:
        assert await network_origin(session) is None


async def test_what_a_first_load_needs(database: Database, folder: Path, clock: Any) -> None:
    for name in ("service_points", "accounts", "outages", "facts"):
        (folder / f"{name}.csv").unlink()
    assert str(await load(database, folder, clock)).startswith("service_points.csv: this file is needed")
    shutil.copy(EXAMPLE / "service_points.csv", folder)
    assert (await load(database, folder, clock)).ok


async def test_loading_again_updates_and_adds(database: Database, folder: Path, tmp_path: Path, clock: Any) -> None:
    assert (await load(database, folder, clock)).ok
    before = await counts(database)
    assert (await load(database, folder, clock)).ok
    assert await counts(database) == before
    folder = tmp_path / "changes"
    folder.mkdir()
    header = (EXAMPLE / "assets.csv").read_text("utf-8").splitlines()[0]
    (folder / "assets.csv").write_text(
        f"{header}\ntr-2,power,transformer,柳园配变,Willow Court transformer,10,sec-1\n"
        'sec-1,power,section,湖滨线前段,"Lakeside line, front",10,line-1\n',
        "utf-8",
    )
    (folder / "accounts.csv").write_text(
        "number,utility,holder_name,phone,service_point_id,balance\n300100,power,张三,13900000000,willow-1,99.10\n",
        "utf-8",
    )
    report = await load(database, folder, clock)
    assert report.ok, str(report)
    async with database.read() as session:
        account = await session.get_one(Account, "300100")
        assert account.balance == Decimal("99.10")
        assert account.flags == ["life_support", "low_income"]  # a column that the file does not have stays
        above = await session.scalars(
            select(AssetAncestor.ancestor_id).where(AssetAncestor.asset_id == "tr-2").order_by(AssetAncestor.depth)
        )
        assert list(above) == ["tr-2", "sec-1", "line-1", "ss-1"]
    assert (await counts(database))["assets"] == before["assets"] + 1


async def test_a_contradiction_with_what_is_there(database: Database, folder: Path, clock: Any) -> None:
    assert (await load(database, folder, clock)).ok
    points = (EXAMPLE / "service_points.csv").read_text("utf-8")
    (folder / "service_points.csv").write_text(points.replace("willow-1,", "another,"), "utf-8")
    report = await load(database, folder, clock)
    assert "contradict" in report.refused
    async with database.read() as session:
        assert await session.get(ServicePoint, "another") is None


async def test_demo_and_loaded_data_never_mix(database: Database, folder: Path, clock: Any) -> None:
    await seed(database, clock)
    async with database.write() as session, session.begin():
        times = {"starts_at": clock(), "ends_at": clock.advance(hours=1), "created_at": clock()}
        session.add(
            Bulletin(id="bl", asset_id="tr_hetai_1", text_zh="停电", text_en="A cut", created_by="service", **times)
        )
    assert (await load(database, folder, clock)).ok
    after = await counts(database)
    assert after["bulletins"] == 0
    assert (after["units"], after["places"], after["service_points"], after["accounts"]) == (3, 4, 5, 3)
    assert (after["assets"], after["asset_ancestors"]) == (6, 12)
    assert (after["outages"], after["outlets"], after["utility_facts"]) == (2, 2, 3)
    async with database.write() as session, session.begin():
        assert await seed_demo(session, clock()) is False
        assert await refresh_demo(session, clock()) == 0
    assert await counts(database) == after


async def test_a_demo_in_use_is_not_replaced(database: Database, clock: Any, conversation: Callable[..., Any]) -> None:
    await seed(database, clock)
    await conversation("cv_1")
    before = await counts(database)
    report = await load(database, EXAMPLE, clock)
    assert "MAINSDESK_HOME" in report.refused
    assert await counts(database) == before


def test_the_command(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAINSDESK_HOME", str(tmp_path))
    monkeypatch.setenv("MAINSDESK_DATABASE_URL", database_url)
    assert main(str(EXAMPLE)) == 0
    assert capsys.readouterr().out.startswith("Loaded 3 units")
    assert main(str(tmp_path / "nowhere")) == 1
    assert "is not a folder" in capsys.readouterr().err
