"""Tickets over HTTP: filing, finding, moving on, correcting, joining; what the bot may and may not."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.db.engine import Database
from api.outlets.tables import UtilityFact
from api.tickets.numbers import is_valid_number
from tests.integration.tickets.filing import REPORT, TICKETS, Headers, after, filed, moved


async def test_a_filed_ticket_has_all_that_the_contract_names(client: httpx.AsyncClient, service: Headers) -> None:
    ticket = await filed(client, service, service_point_id="sp-1", conversation_id="cv_9")
    assert is_valid_number(ticket["number"])
    assert ticket["created_at"] == "2026-03-04T06:00:00Z"
    expected = {
        "kind": "fault_report", "utility": "power", "status": "received", "priority": 4, "unit": "power-repair",
        "address": "海棠晓月3栋2单元501", "service_point_id": "sp-1", "contact_name": "曾先生",
        "contact_phone": "13399858370", "language": "zh", "conversation_id": "cv_9", "outage_id": None,
        "place_resolved": True, "existing": False,
    }  # fmt: skip
    assert {key: ticket[key] for key in expected} == expected
    assert ticket["description"] == "家里没电了，邻居有电"
    assert after(ticket, "dispatch_due_at") == timedelta(minutes=2)
    assert after(ticket, "arrival_due_at") == timedelta(minutes=45)


async def test_place_priority_and_unit_follow_from_the_data(
    client: httpx.AsyncClient, service: Headers, database: Database
) -> None:
    remote = await filed(client, service, service_point_id="sp-2", address="")
    assert (remote["unit"], remote["address"]) == ("village-power", "石坪村1号")
    assert after(remote, "arrival_due_at") == timedelta(minutes=120)
    assert (await filed(client, service, service_point_id="sp-3"))["priority"] == 2  # life support (C20)
    assert (await filed(client, service, scope="surroundings"))["priority"] == 3
    assert (await filed(client, service, account_number="3300112233", address=""))["service_point_id"] == "sp-3"
    outside = await filed(client, service, address="巴南区李家沱正街1号")
    assert (outside["unit"], outside["place_resolved"], outside["arrival_due_at"]) == ("yipin", False, None)
    assert (await filed(client, service, address="鹿角老街5号"))["unit"] == "lujiao"
    complaint = await filed(client, service, kind="complaint", utility="water", service_point_id="sp-1")
    assert (complaint["priority"], complaint["unit"], complaint["dispatch_due_at"]) == (5, "water-repair", None)
    async with database.write() as session, session.begin():
        session.add(UtilityFact(key="commitments_minutes", value={"urban": 30}))
    assert after(await filed(client, service, service_point_id="sp-1"), "arrival_due_at") == timedelta(minutes=30)


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"contact_phone": "12345"}, "body.contact_phone", "no such telephone number"),
        ({"contact_phone": "62801234"}, "body.contact_phone", "area code"),
        ({"service_point_id": "sp-x"}, "body.service_point_id", "no such service point"),
        ({"outage_id": "ou-x"}, "body.outage_id", "no such outage"),
        ({"account_number": "1"}, "body.account_number", "no such account"),
        ({"unit": "x"}, "body.unit", "no such unit"),
        ({"kind": "gas"}, "body.kind", "Input should be"),
        ({"contakt": "x"}, "body.contakt", "not permitted"),
    ],
)
async def test_a_field_that_is_wrong_is_named(
    client: httpx.AsyncClient, service: Headers, fields: dict[str, Any], field: str, says: str
) -> None:
    answer = await client.post(TICKETS, json=REPORT | fields, headers=service)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert says in answer.json()["errors"][0]["message"]
    assert fields.get("contact_phone", "62801234") not in answer.text  # what was sent is never echoed
    assert (await client.get(TICKETS, headers=service)).json() == {"items": [], "next": None}


async def test_a_key_is_needed_and_answers_once(client: httpx.AsyncClient, service: Headers) -> None:
    assert (await client.post(TICKETS, json=REPORT, headers=service | {"Idempotency-Key": ""})).status_code == 400
    keyed = service | {"Idempotency-Key": "k-1"}
    answers = await asyncio.gather(*(client.post(TICKETS, json=REPORT, headers=keyed) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    again = await client.post(TICKETS, json=REPORT | {"address": "4栋"}, headers=keyed)
    assert (again.status_code, again.json()["type"]) == (409, "idempotency-key-reused")
    assert len((await client.get(TICKETS, headers=service)).json()["items"]) == 1


async def test_lists_filter_and_page(client: httpx.AsyncClient, service: Headers, clock: Any) -> None:
    numbers = []
    for i in range(5):
        kind = "complaint" if i == 4 else "fault_report"
        numbers.append((await filed(client, service, kind=kind, conversation_id=f"cv_{i % 2}"))["number"])
        clock.advance(minutes=i % 2)  # some share their moment
    await moved(client, service, numbers[0], "dispatched")

    async def listed(**params: Any) -> set[str]:
        answer = await client.get(TICKETS, params=params, headers=service)
        assert answer.status_code == 200, answer.text
        return {ticket["number"] for ticket in answer.json()["items"]}

    assert await listed() == set(numbers)
    assert await listed(conversation_id="cv_1") == {numbers[1], numbers[3]}
    assert await listed(status="dispatched") == {numbers[0]}
    assert await listed(unit="power-repair") == set(numbers)
    assert await listed(unit="yipin") == set()
    assert await listed(status=["dispatched", "received"], kind="complaint") == {numbers[4]}
    assert await listed(since="2026-03-04T06:01:00Z") == set(numbers[2:])
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get(TICKETS, params={"limit": 2, **cursor}, headers=service)).json()
        seen += [ticket["number"] for ticket in page["items"]]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}
    assert len(seen) == len(numbers)
    assert set(seen) == set(numbers)
    for bad in ({"cursor": "???"}, {"limit": 201}, {"status": "gone"}, {"since": "2026-03-04T06:00:00"}):
        assert (await client.get(TICKETS, params=bad, headers=service)).status_code == 422


async def test_a_fault_is_moved_on_to_its_end(client: httpx.AsyncClient, service: Headers, clock: Any) -> None:
    number = (await filed(client, service, service_point_id="sp-1"))["number"]
    clock.advance(minutes=40)
    change = {"status": "dispatched", "reason": "派单", "details": {"crew": "二班"}}
    first = (await client.patch(f"{TICKETS}/{number}", json=change, headers=service)).json()
    assert (first["status"], first["updated_at"]) == ("dispatched", "2026-03-04T06:40:00Z")
    skipped = await client.patch(f"{TICKETS}/{number}", json={"status": "repaired"}, headers=service)
    assert (skipped.status_code, skipped.json()["type"]) == (409, "status-not-possible")
    await moved(
        client, service, number, "accepted", "on_site", "repaired", "customer_informed", "followed_up", "closed"
    )
    late = await client.patch(f"{TICKETS}/{number}", json={"address": "4栋"}, headers=service)
    assert (late.status_code, late.json()["type"]) == (409, "ticket-ended")
    events = (await client.get(f"{TICKETS}/{number}", headers=service)).json()["events"]
    assert [event["kind"] for event in events] == ["created"] + ["changed"] * 7
    assert events[1]["data"] == {
        "old": {"status": "received"}, "new": {"status": "dispatched"}, "reason": "派单", "details": {"crew": "二班"}
    }  # fmt: skip
    assert events[1]["by"] == "service"


async def test_a_corrected_place_brings_its_own_unit_and_times(client: httpx.AsyncClient, service: Headers) -> None:
    number = (await filed(client, service, address="不知道在哪"))["number"]
    answer = await client.patch(f"{TICKETS}/{number}", json={"service_point_id": "sp-2"}, headers=service)
    ticket = answer.json()
    assert (ticket["unit"], ticket["address"], ticket["place_resolved"]) == ("village-power", "石坪村1号", True)
    assert after(ticket, "arrival_due_at") == timedelta(minutes=120)
    by_hand = {"service_point_id": "sp-3", "unit": "yipin", "priority": 5}
    ticket = (await client.patch(f"{TICKETS}/{number}", json=by_hand, headers=service)).json()
    assert (ticket["unit"], ticket["priority"]) == ("yipin", 5)


async def test_an_unknown_number_is_404(client: httpx.AsyncClient, service: Headers) -> None:
    for answer in (
        await client.get(f"{TICKETS}/123456789012", headers=service),
        await client.patch(f"{TICKETS}/123456789012", json={"scope": "household"}, headers=service),
        await client.post(f"{TICKETS}/123456789012/notes", json={"text": "x"}, headers=service),
    ):
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found")


async def test_the_record_of_handling_is_checked_for_its_wording(client: httpx.AsyncClient, service: Headers) -> None:
    path = f"{TICKETS}/{(await filed(client, service, kind='complaint'))['number']}"
    handling = {"text": "客户反映的情况不存在，无人员责任", "confirmed_true": True, "liable": False, "handler": "王斌"}
    refused = await client.patch(path, json={"status": "customer_informed", "handling": handling}, headers=service)
    assert (refused.status_code, refused.json()["type"]) == (422, "wording")
    assert refused.json()["words"] == ["不存在", "无人员责任"]
    assert (await client.get(path, headers=service)).json()["status"] == "received"
    handling |= {"text": "10千伏线路故障，已恢复供电"}
    assert (await client.patch(path, json={"handling": handling}, headers=service)).status_code == 200
    kept = (await client.get(path, headers=service)).json()["events"][-1]["data"]["handling"]
    assert kept == handling | {"verifier": "", "satisfied": None}


async def test_a_number_that_is_taken_is_not_given_twice(
    client: httpx.AsyncClient, service: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    draws = iter([7, 7, 8])
    monkeypatch.setattr("api.tickets.service.secrets.randbelow", lambda _below: next(draws))
    numbers = [(await filed(client, service))["number"] for _ in range(2)]
    assert [number[:-1] for number in numbers] == ["10000000007", "10000000008"]
