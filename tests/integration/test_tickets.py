"""Tickets over HTTP: filing, finding, moving on, correcting, joining; what the bot may and may not."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.conversations.tables import Conversation
from api.customers.tables import Account
from api.db.engine import Database
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint
from api.outlets.tables import UtilityFact
from api.tickets.numbers import is_valid_number
from api.tickets.service import file_danger_ticket
from api.tickets.tables import RoutingRule, Ticket, TicketEvent, Unit

Headers = dict[str, str]
Bot = Callable[..., Headers]
NewConversation = Callable[..., Awaitable[Conversation]]
TICKETS = "/api/v1/tickets"
REPORT: dict[str, Any] = {
    "kind": "fault_report",
    "utility": "power",
    "topic": "outage",
    "address": "海棠晓月3栋2单元501",
    "contact_name": "曾先生",
    "contact_phone": "133 9985 8370",
    "description": "家里没电了，强烈要求，请核实。邻居有电",
    "language": "zh",
}


@pytest.fixture(autouse=True)
async def network(database: Database) -> None:
    """Two places, an urban and a remote one, units, and a routing table."""
    rows: list[Any] = [
        Asset(id="line-1", utility="power", kind="line", name_zh="东罗线", name_en="Dongluo line", voltage_kv=10),
        AssetAncestor(asset_id="line-1", ancestor_id="line-1", depth=0),
        Place(id="pl-1", kind="estate", name_zh="海棠晓月", name_en="Haitang Xiaoyue", district_zh="南岸区",
              district_en="Nan'an", area_class="urban"),
        Place(id="pl-2", kind="village", name_zh="石坪村", name_en="Shiping", district_zh="南岸区",
              district_en="Nan'an", area_class="remote"),
        Unit(id="lujiao", name_zh="鹿角供电站", name_en="Lujiao supply station"),
        Place(id="pl-3", kind="village", name_zh="鹿角镇", name_en="Lujiao Town", aliases="鹿角|Lujiao",
              area_class="rural", served_by="lujiao"),
        ServicePoint(id="sp-1", place_id="pl-1", number="3", address_zh="海棠晓月3栋", address_en="3 Haitang Xiaoyue",
                     area_class="urban", power_asset_id="line-1"),
        ServicePoint(id="sp-2", place_id="pl-2", number="1", address_zh="石坪村1号", address_en="1 Shiping",
                     area_class="remote", power_asset_id="line-1"),
        ServicePoint(id="sp-3", place_id="pl-1", number="4", address_zh="海棠晓月4栋", address_en="4 Haitang Xiaoyue",
                     area_class="urban", power_asset_id="line-1"),
        *(Unit(id=u, name_zh=u, name_en=u) for u in ("power-repair", "water-repair", "village-power", "yipin")),
        RoutingRule(id=1, unit_id="power-repair", utility="power"),
        RoutingRule(id=2, unit_id="water-repair", utility="water"),
        RoutingRule(id=3, unit_id="village-power", utility="power", area_class="remote"),
        RoutingRule(id=4, unit_id="yipin", district="巴南区"),
        Account(number="3300112233", utility="power", holder_name="李梅", phone="13812345678", service_point_id="sp-3",
                flags=["life_support"]),
    ]  # fmt: skip
    async with database.write() as session, session.begin():
        for row in rows:
            session.add(row)
            await session.flush()


async def filed(client: httpx.AsyncClient, headers: Headers, **fields: Any) -> dict[str, Any]:
    answer = await client.post(TICKETS, json=REPORT | fields, headers=headers)
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    return ticket


async def moved(client: httpx.AsyncClient, headers: Headers, number: str, *statuses: str) -> httpx.Response:
    for status in statuses:
        answer = await client.patch(f"{TICKETS}/{number}", json={"status": status}, headers=headers)
        assert answer.status_code == 200, answer.text
    return answer


def after(ticket: dict[str, Any], field: str) -> timedelta:
    return datetime.fromisoformat(ticket[field]) - datetime.fromisoformat(ticket["created_at"])


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


async def test_the_bot_files_in_its_own_conversation_and_never_twice(
    client: httpx.AsyncClient, service: Headers, bot: Bot, conversation: NewConversation
) -> None:
    await conversation("cv_1", language="en")
    mine = bot("cv_1")
    first = await filed(client, mine, service_point_id="sp-1", language=None, unit="yipin", contact_phone="")
    assert (first["conversation_id"], first["language"], first["unit"]) == ("cv_1", "en", "power-repair")
    again = await filed(client, mine, service_point_id="sp-1", description="邻居也停电了", address="")
    assert (again["number"], again["existing"]) == (first["number"], True)
    assert again["contact_phone"] == "13399858370"
    history = (await client.get(f"{TICKETS}/{first['number']}", headers=service)).json()["events"]
    assert history[-1]["data"] == {"text": "邻居也停电了"}
    water = await filed(client, mine, service_point_id="sp-1", utility="water")
    elsewhere = await filed(client, mine, service_point_id="sp-3")
    assert len({first["number"], water["number"], elsewhere["number"]}) == 3
    await moved(client, service, first["number"], "cancelled")
    assert (await filed(client, mine, service_point_id="sp-1"))["existing"] is False
    foreign = await client.post(TICKETS, json=REPORT | {"conversation_id": "cv_2"}, headers=mine)
    assert foreign.status_code == 404


async def test_the_bot_sees_its_own_only(
    client: httpx.AsyncClient, service: Headers, bot: Bot, conversation: NewConversation
) -> None:
    await conversation("cv_1")
    await conversation("cv_2")
    other = (await filed(client, bot("cv_2"), service_point_id="sp-1"))["number"]
    mine = (await filed(client, bot("cv_1"), service_point_id="sp-3"))["number"]
    listed = (await client.get(TICKETS, headers=bot("cv_1"))).json()["items"]
    assert [ticket["number"] for ticket in listed] == [mine]
    assert (await client.get(TICKETS, params={"conversation_id": "cv_2"}, headers=bot("cv_1"))).status_code == 404
    assert (await client.get(f"{TICKETS}/{mine}", headers=bot("cv_1"))).json()["events"] == []
    unknown = await client.get(f"{TICKETS}/123456789012", headers=bot("cv_1"))
    foreign = await client.get(f"{TICKETS}/{other}", headers=bot("cv_1"))
    assert (foreign.status_code, foreign.json()) == (unknown.status_code, unknown.json()) == (404, foreign.json())
    cancel = {"status": "cancelled", "reason": "来电了"}
    assert (await client.patch(f"{TICKETS}/{other}", json=cancel, headers=bot("cv_1"))).status_code == 404


async def test_the_bot_may_cancel_or_correct_until_the_crew_is_there(
    client: httpx.AsyncClient, service: Headers, bot: Bot, conversation: NewConversation
) -> None:
    await conversation("cv_1")
    mine = bot("cv_1")
    path = f"{TICKETS}/{(await filed(client, mine, service_point_id='sp-1'))['number']}"
    correction = {"service_point_id": "sp-2", "contact_phone": "023-62801234", "description": "整栋楼"}
    ticket = (await client.patch(path, json=correction, headers=mine)).json()
    assert (ticket["unit"], ticket["contact_phone"], ticket["description"]) == (
        "village-power", "02362801234", "整栋楼"
    )  # fmt: skip
    for forbidden in ({"status": "dispatched"}, {"priority": 1}, {"unit": "yipin"}):
        assert (await client.patch(path, json=forbidden, headers=mine)).status_code == 403
    await moved(client, service, ticket["number"], "dispatched", "accepted", "on_site")
    late = await client.patch(path, json={"status": "cancelled"}, headers=mine)
    assert (late.status_code, late.json()["type"]) == (409, "too-late")
    other = (await filed(client, mine, service_point_id="sp-3"))["number"]
    cancelled = await client.patch(f"{TICKETS}/{other}", json={"status": "cancelled", "reason": "来电了"}, headers=mine)
    assert cancelled.json()["status"] == "cancelled"


async def test_a_turn_that_was_given_up_writes_nothing(
    client: httpx.AsyncClient, service: Headers, bot: Bot, conversation: NewConversation
) -> None:
    await conversation("cv_1")
    answer = await client.post(TICKETS, json=REPORT, headers=bot("cv_1", fence=2))
    assert (answer.status_code, answer.json()["type"]) == (409, "turn-given-up")
    assert (await client.get(TICKETS, headers=service)).json()["items"] == []


async def test_notes_and_further_callers(
    client: httpx.AsyncClient, service: Headers, bot: Bot, conversation: NewConversation
) -> None:
    await conversation("cv_1")
    await conversation("cv_2")
    number = (await filed(client, bot("cv_1"), service_point_id="sp-1"))["number"]
    path = f"{TICKETS}/{number}/notes"
    due = {"arrival_due_at": "2026-03-04T06:45:00Z"}
    own = await client.post(path, json={"text": "总闸没跳"}, headers=bot("cv_1"))
    assert (own.status_code, own.json()) == (201, {"number": number, "joined": False, **due})
    caller = {
        "text": "我家也停电",
        "contact_name": "叶女士",
        "contact_phone": "13308327030",
        "service_point_id": "sp-1",
    }
    joined = await client.post(path, json=caller, headers=bot("cv_2"))
    assert (joined.status_code, joined.json()) == (201, {"number": number, "joined": True, **due})
    wrong = await client.post(path, json=caller | {"service_point_id": "sp-3"}, headers=bot("cv_2"))
    assert wrong.status_code == 404
    events = (await client.get(f"{TICKETS}/{number}", headers=service)).json()["events"]
    assert [event["kind"] for event in events] == ["created", "note", "caller"]
    assert (events[2]["by"], events[2]["data"]["contact_phone"]) == ("bot:cv_2", "13308327030")
    seen = (await client.get(f"{TICKETS}/{number}", headers=bot("cv_2"))).json()
    assert (seen["status"], seen["arrival_due_at"]) == ("received", due["arrival_due_at"])
    assert not {"contact_name", "contact_phone", "description", "address", "events"} & seen.keys()
    cancel = {"status": "cancelled"}
    assert (await client.patch(f"{TICKETS}/{number}", json=cancel, headers=bot("cv_2"))).status_code == 404
    await moved(client, service, number, "cancelled")
    assert (await client.post(path, json=caller, headers=bot("cv_2"))).status_code == 404


@dataclass
class Found:
    kind: str
    utility: str


async def test_a_danger_message_files_one_ticket_while_it_is_open(
    client: httpx.AsyncClient, service: Headers, conversation: NewConversation, database: Database, clock: Any
) -> None:
    await conversation("cv_1")

    async def shout(words: str) -> str:
        async with database.write() as session, session.begin():
            row = await session.get_one(Conversation, "cv_1")
            number = await file_danger_ticket(session, row, words, Found("wires", "power"), clock())
            assert row.danger_ticket == number
            return number

    number = await shout("电线掉下来冒火花" + "！" * 100_000)
    ticket = (await client.get(f"{TICKETS}/{number}", headers=service)).json()
    expected = {
        "kind": "fault_report", "utility": "power", "topic": "hazard", "priority": 1, "unit": "power-repair",
        "place_resolved": False, "conversation_id": "cv_1", "language": "zh", "arrival_due_at": None,
    }  # fmt: skip
    assert {key: ticket[key] for key in expected} == expected
    assert ticket["description"].startswith("电线掉下来冒火花")
    assert len(ticket["description"]) == 1_000
    assert await shout("有人触电了") == number
    async with database.read() as session:
        notes = (await session.scalars(select(TicketEvent).where(TicketEvent.kind == "note"))).all()
        assert [note.data for note in notes] == [{"text": "有人触电了"}]
    await moved(client, service, number, "cancelled")
    assert await shout("又冒火花了") != number
    async with database.read() as session:
        assert len((await session.scalars(select(Ticket))).all()) == 2


async def test_a_place_found_later_never_lowers_a_dangers_priority(
    client: httpx.AsyncClient, service: Headers, bot: Bot, conversation: NewConversation
) -> None:
    await conversation("cv_1")
    number = (await filed(client, bot("cv_1"), priority=1, address="", topic="hazard"))["number"]
    answer = await client.patch(f"{TICKETS}/{number}", json={"service_point_id": "sp-1"}, headers=bot("cv_1"))
    assert answer.json()["priority"] == 1


async def test_phones_stay_out_of_the_log(
    client: httpx.AsyncClient, service: Headers, capfd: pytest.CaptureFixture[str]
) -> None:
    number = (await filed(client, service, service_point_id="sp-1"))["number"]
    await client.patch(f"{TICKETS}/{number}", json={"contact_phone": "13308327030"}, headers=service)
    written = "".join(capfd.readouterr())
    assert "ticket.filed" in written
    assert "ticket.changed" in written
    assert "13399858370" not in written
    assert "13308327030" not in written


async def test_reports_of_neighbours_add_up_to_an_outage(
    client: httpx.AsyncClient, bot: Bot, conversation: NewConversation
) -> None:
    tickets = []
    for i in range(6):
        await conversation(f"cv_{i}")
        tickets.append(await filed(client, bot(f"cv_{i}"), service_point_id="sp-1", scope="surroundings"))
    inferred = [ticket["outage_id"] for ticket in tickets if ticket["outage_id"]]
    assert tickets[0]["outage_id"] is None
    assert len(inferred) == 1  # from then on the outage is known
