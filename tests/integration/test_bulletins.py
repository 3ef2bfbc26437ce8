"""Publishing bulletins over HTTP, and whom each concerns. On both databases."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.bulletins.service import concerning, current
from api.db.engine import Database
from tests.integration.bulletin_board import URL, Board, lay_network, rfc
from tests.integration.conftest import START, Clock
from tests.integration.test_agents import created, token

Headers = dict[str, str]
HOUR = timedelta(hours=1)


@pytest.fixture
async def board(client: httpx.AsyncClient, database: Database, clock: Clock, service: Headers) -> Board:
    await lay_network(database)
    return Board(client, database, clock, service)


async def test_a_bulletin_s_life(board: Board, client: httpx.AsyncClient, service: Headers, clock: Clock) -> None:
    answer = await board.post(place_id="he", text_zh=" 今晚有\n大风。 ", starts_at=rfc(START + HOUR))
    assert answer.status_code == 201, answer.text
    new = answer.json()
    assert new["state"] == "scheduled"
    assert new["text_zh"] == "今晚有 大风。"
    assert (new["area_zh"], new["area_en"], new["asset_id"]) == ("he花园", "he Garden", None)
    assert (new["created_by"], new["told"], new["withdrawn_at"]) == ("service", 0, None)
    url = f"{URL}/{new['id']}"

    async def listed(**query: Any) -> list[str]:
        page = await client.get(URL, params=query, headers=service)
        return [item["id"] for item in page.json()["items"]]

    assert await listed(current="true") == []
    assert await listed() == [new["id"]]
    clock.advance(hours=1)
    assert await listed(current="true") == [new["id"]]
    changed = await client.patch(
        url, json={"text_en": "Strong wind.", "ends_at": rfc(START + 3 * HOUR)}, headers=service
    )
    assert changed.status_code == 200, changed.text
    assert changed.json() | {"told": 0} == new | {
        "state": "current", "text_en": "Strong wind.", "ends_at": rfc(START + 3 * HOUR)
    }  # fmt: skip
    past = await client.patch(url, json={"ends_at": rfc(START)}, headers=service)
    assert past.json()["errors"][0]["field"] == "body.ends_at"
    assert (await board.withdraw(new["id"])).json()["state"] == "withdrawn"
    assert await listed(current="true") == []
    for over in (await board.withdraw(new["id"]), await client.patch(url, json={}, headers=service)):
        assert (over.status_code, over.json()["type"], over.json()["state"]) == (409, "bulletin-over", "withdrawn")
    ends_by_itself = await board.publish()
    clock.advance(hours=2)
    assert (await board.withdraw(ends_by_itself)).json()["state"] == "ended"
    for missing in (await board.withdraw("bl_none"), await client.patch(f"{URL}/bl_none", json={}, headers=service)):
        assert missing.status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"text_zh": ""},
        {"text_en": None},
        {"text_zh": "only English"},
        {"text_en": "只有中文"},
        {"text_zh": "停" * 301},
        {"asset_id": "line_z"},
        {"place_id": "nowhere"},
        {"asset_id": "line_a", "place_id": "he"},
        {"ends_at": rfc(START)},
        {"starts_at": rfc(START - 2 * HOUR), "ends_at": rfc(START - HOUR)},
        {"starts_at": rfc(START + 2 * HOUR), "ends_at": rfc(START + 2 * HOUR)},
        {"ends_at": "2026-03-04T09:00:00"},
        {"ends_at": None},
    ],
)
async def test_bulletins_that_are_refused(board: Board, wrong: Headers) -> None:
    answer = await board.post(**wrong)
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "invalid"


async def test_supervisors_publish_and_all_staff_read(
    board: Board, client: httpx.AsyncClient, service: Headers, bot: Callable[..., Headers]
) -> None:
    roles = {"agent": 403, "dispatcher": 403, "supervisor": 201, "admin": 201}
    for role, status in roles.items():
        await created(client, service, username=role, role=role)
        headers = await token(client, username=role)
        own = Board(client, board.database, board.clock, headers)
        answer = await own.post()
        assert answer.status_code == status, (role, answer.text)
        assert (await client.get(URL, headers=headers)).status_code == 200
        if status == 201:
            assert answer.json()["created_by"].startswith("agent:ag_")
            continue
        known = await board.publish()
        assert (await own.withdraw(known)).status_code == 403
        assert (await client.patch(f"{URL}/{known}", json={}, headers=headers)).status_code == 403
    for headers, status in ((bot("cv_1"), 403), ({}, 401)):
        assert (await client.get(URL, headers=headers)).status_code == status
        assert (await Board(client, board.database, board.clock, headers).post()).status_code == status


async def test_the_same_key_publishes_once(board: Board, client: httpx.AsyncClient, service: Headers) -> None:
    body = {"text_zh": "大风", "text_en": "Wind", "ends_at": rfc(START + HOUR)}
    answers = [await client.post(URL, json=body, headers=service | {"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len((await client.get(URL, headers=service)).json()["items"]) == 1


async def test_lists_are_paged(board: Board, client: httpx.AsyncClient, service: Headers, clock: Clock) -> None:
    ids = []
    for _ in range(3):
        ids.append(await board.publish())
        clock.advance(minutes=1)
    page = (await client.get(URL, params={"limit": 2}, headers=service)).json()
    rest = (await client.get(URL, params={"limit": 2, "cursor": page["next"]}, headers=service)).json()
    assert [item["id"] for item in page["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None


async def test_whom_bulletins_concern(board: Board, database: Database, clock: Clock) -> None:
    ids = {
        "all": await board.publish(),
        "line": await board.publish(asset_id="line_a"),
        "valve": await board.publish(asset_id="valve_v"),
        "zone": await board.publish(asset_id="zone_1"),
        "place": await board.publish(place_id="he"),
    }
    later = await board.publish(starts_at=rfc(START + HOUR))
    names = dict(zip(ids.values(), ids, strict=True)) | {later: "later"}

    async def found(**where: str) -> set[str]:
        async with database.read() as session:
            return {names[b.id] for b in await concerning(session, clock(), **where)}

    assert await found() == {"all"}
    assert await found(service_point_id="sp_he_1") == {"all", "line", "zone", "place"}
    assert await found(service_point_id="sp_wan_1") == {"all", "valve", "zone"}
    assert await found(place_id="he") == {"all", "line", "zone", "place"}
    assert await found(place_id="wan") == {"all", "valve", "zone"}
    assert await found(service_point_id="sp_none") == {"all"}
    async with database.read() as session:
        assert {names[b.id] for b in await current(session, clock())} == set(ids)
    clock.advance(hours=1)
    assert await found() == {"all", "later"}
    await board.withdraw(ids["all"])
    assert await found() == {"later"}
