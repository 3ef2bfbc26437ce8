"""Bulletins: everybody reads them, supervisors publish, change and withdraw; the area and whom it concerns."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from api.bulletins.tables import Bulletin
from api.db.engine import Database
from tests.integration.conftest import Clock
from tests.integration.console.conftest import SeatDesk
from tests.integration.console.desk import nonce
from tests.integration.console.utility import EVIL, lay

CHINA = ZoneInfo("Asia/Shanghai")


@pytest.fixture(autouse=True)
async def network(database: Database) -> None:
    await lay(database)


def local(moment: datetime) -> str:
    return f"{moment.astimezone(CHINA):%Y-%m-%dT%H:%M}"


def filled(clock: Clock, **fields: str) -> dict[str, str]:
    plain = {"text_zh": "今晚检修，请您放心。", "text_en": "Works tonight; please bear with us.", "area": "everywhere"}
    return {"nonce": nonce(), **plain, "starts_at": "", "ends_at": local(clock() + timedelta(hours=2)), **fields}


async def published(database: Database) -> list[Bulletin]:
    async with database.read() as session:
        return list(await session.scalars(select(Bulletin).order_by(Bulletin.created_at, Bulletin.id)))


async def test_it_is_published_once_and_everybody_reads_it(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss = await seat("chen", role="supervisor", name="陈班长")
    form = filled(clock, text_zh=f"检修{EVIL}")
    for _ in range(2):
        answer = await boss.post("/console/bulletins", form)
        assert answer.headers.get("HX-Redirect") == "/console/bulletins", answer.text
    (one,) = await published(database)
    assert (one.asset_id, one.place_id, one.ends_at) == (None, None, clock() + timedelta(hours=2))
    for role, language, shown in (
        ("agent", "zh", "检修"),
        ("dispatcher", "en", "Works tonight"),
        ("admin", "en", "Everybody"),
    ):
        desk = await seat(f"{role}1", role=role, language=language)
        for path in ("/console/bulletins", "/console/_/bulletin-list"):
            page = (await desk.get(path)).text
            assert shown in page
            assert "陈班长" in page
            assert EVIL not in page
        strip = (await desk.get("/console/_/bulletins")).text
        assert ("检修" if language == "zh" else "Works tonight") in strip
        assert EVIL not in strip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text_en": ""}, "请写英文公告"),
        ({"text_zh": "only English"}, "请写中文公告"),
        ({"text_en": "x" * 301}, "请写英文公告"),
        ({"area": ""}, "请选公告的范围"),
        ({"area": "asset:none"}, "请选一个设备"),
        ({"area": "place:none"}, "没有这个地方"),
        ({"area": "rumour:x"}, "请选公告的范围"),
        ({"ends_at": ""}, "请写结束时间"),
        ({"ends_at": "2020-01-01T00:00"}, "请写结束时间"),
        ({"starts_at": "yesterday"}, "请写开始时间"),
    ],
)
async def test_what_is_wrong_is_said_in_words(
    seat: SeatDesk, database: Database, clock: Clock, wrong: dict[str, str], said: str
) -> None:
    boss = await seat("chen", role="supervisor")
    answer = await boss.post("/console/bulletins", filled(clock, **wrong))
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#bulletin-errors"
    assert said in answer.text
    assert await published(database) == []


@pytest.mark.parametrize(
    ("sought", "language", "shown"),
    [
        ("海棠", "zh", ["海棠晓月 ", "小区 · 南岸区 · 4 个地址", "海棠1号变", "2 个地址", "所有客户"]),
        ("Haitang", "en", ["Haitang Xiaoyue", "estate", "Haitang transformer 2", "2 addresses", "Everybody"]),
        ("东罗线", "zh", ["东罗线", "4 个地址"]),
        ("<b>x</b>", "zh", ["没有匹配的范围"]),
    ],
)
async def test_areas_say_how_many_they_concern(seat: SeatDesk, sought: str, language: str, shown: list[str]) -> None:
    boss = await seat("chen", role="supervisor", language=language)
    page = (await boss.get("/console/_/bulletin-areas", params={"area_words": sought, "area": "everywhere"})).text
    for words in shown:
        assert words in page
    assert 'value="everywhere" checked' in page


async def test_an_area_is_kept(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss = await seat("chen", role="supervisor", language="en")
    await boss.post("/console/bulletins", filled(clock, area="place:pl-1"))
    await boss.post(
        "/console/bulletins", filled(clock, area="asset:line-1", starts_at=local(clock() + timedelta(hours=1)))
    )
    assert {(one.place_id, one.asset_id) for one in await published(database)} == {("pl-1", None), (None, "line-1")}
    page = (await boss.get("/console/bulletins")).text
    assert page.index("In force") < page.index("<strong>Haitang Xiaoyue") < page.index("Scheduled")
    assert page.index("Scheduled") < page.index("<strong>Dongluo line")


async def test_it_is_changed_and_withdrawn(seat: SeatDesk, database: Database, clock: Clock) -> None:
    boss = await seat("chen", role="supervisor")
    await boss.post("/console/bulletins", filled(clock))
    (one,) = await published(database)
    form = (await boss.get(f"/console/_/bulletins/{one.id}")).text
    assert "今晚检修，请您放心。" in form
    change = {"text_zh": "明早检修。", "text_en": "Works tomorrow.", "ends_at": local(clock() + timedelta(hours=9))}
    assert (await boss.post(f"/console/bulletins/{one.id}", change)).status_code == 200
    (one,) = await published(database)
    assert (one.text_zh, one.ends_at) == ("明早检修。", clock() + timedelta(hours=9))
    wrong = await boss.post(f"/console/bulletins/{one.id}", {**change, "text_en": ""})
    assert wrong.status_code == 422
    assert wrong.headers["HX-Retarget"] == "#change-errors"
    assert (await boss.post(f"/console/bulletins/{one.id}/withdraw")).status_code == 200
    assert "已撤回" in (await boss.get("/console/bulletins")).text
    over = await boss.post(f"/console/bulletins/{one.id}/withdraw")
    assert over.status_code == 409
    assert "已经结束" in over.text


@pytest.mark.parametrize("role", ["agent", "dispatcher"])
async def test_others_only_read(seat: SeatDesk, database: Database, clock: Clock, role: str) -> None:
    boss, desk = await seat("chen", role="supervisor"), await seat(role=role)
    await boss.post("/console/bulletins", filled(clock))
    (one,) = await published(database)
    page = (await desk.get("/console/bulletins")).text
    assert "由班长发布" in page
    assert "<textarea" not in page
    for path in ("/console/bulletins", f"/console/bulletins/{one.id}", f"/console/bulletins/{one.id}/withdraw"):
        assert (await desk.post(path, filled(clock))).status_code == 403
    for path in ("bulletin-areas", f"bulletins/{one.id}"):
        assert (await desk.get(f"/console/_/{path}")).status_code == 403
    assert [b.withdrawn_at for b in await published(database)] == [None]
