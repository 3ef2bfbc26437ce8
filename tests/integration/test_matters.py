"""What a verified customer has going on is known in every conversation, and nothing of it without verification."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from api.conversations.tables import Conversation
from api.customers.tables import Account
from api.db.engine import Database
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint

Headers = dict[str, str]
Bot = Callable[..., Headers]
NewConversation = Callable[..., Awaitable[Conversation]]
API = "/api/v1"
NUMBER, PHONE = "3300112233", "13812345678"
NEIGHBOUR = "13900001111"
REPORT: dict[str, Any] = {
    "kind": "fault_report",
    "utility": "power",
    "topic": "outage",
    "service_point_id": "sp-1",
    "contact_name": "李梅",
    "contact_phone": PHONE,
    "description": "停电了",
}


@pytest.fixture(autouse=True)
async def network(database: Database) -> None:
    """Two buildings on one line; a customer and a neighbour in the first."""
    rows: list[Any] = [
        Asset(id="line-1", utility="power", kind="line", name_zh="东罗线", name_en="Dongluo line", voltage_kv=10),
        AssetAncestor(asset_id="line-1", ancestor_id="line-1", depth=0),
        Place(id="pl-1", kind="estate", name_zh="海棠晓月", name_en="Haitang Xiaoyue", area_class="urban"),
        *(
            ServicePoint(id=f"sp-{n}", place_id="pl-1", number=str(n), address_zh=f"海棠晓月{n}栋",
                         address_en=f"{n} Haitang Xiaoyue", area_class="urban", power_asset_id="line-1")
            for n in (1, 2)
        ),
        Account(number=NUMBER, utility="power", holder_name="李梅", phone=PHONE, room="2单元501",
                service_point_id="sp-1"),
        Account(number="3300112299", utility="power", holder_name="王强", phone=NEIGHBOUR, service_point_id="sp-1"),
    ]  # fmt: skip
    async with database.write() as session, session.begin():
        for row in rows:
            session.add(row)
            await session.flush()


@pytest.fixture
async def first(conversation: NewConversation, bot: Bot) -> Headers:
    """The bot in a conversation where the customer reported, unverified."""
    await conversation("cv_1")
    return bot("cv_1")


@pytest.fixture
async def second(conversation: NewConversation, bot: Bot) -> Headers:
    """The bot in the same customer's next conversation, from the same source."""
    await conversation("cv_2")
    return bot("cv_2")


async def prove(client: httpx.AsyncClient, headers: Headers, number: str = NUMBER, factor: str = PHONE) -> None:
    path = f"{API}/conversations/{headers['X-Conversation-Id']}/verification"
    answer = await client.post(path, json={"account_number": number, "factor": factor}, headers=headers)
    assert answer.json() == {"verified": True}


async def ask(client: httpx.AsyncClient, headers: Headers, conversation_id: str = "") -> httpx.Response:
    path = f"{API}/conversations/{conversation_id or headers['X-Conversation-Id']}/account/matters"
    return await client.get(path, headers=headers)


async def numbers(client: httpx.AsyncClient, headers: Headers) -> list[str]:
    answer = await ask(client, headers)
    assert answer.status_code == 200, answer.text
    return [ticket["number"] for ticket in answer.json()["tickets"]]


async def file(client: httpx.AsyncClient, headers: Headers, **fields: Any) -> dict[str, Any]:
    answer = await client.post(f"{API}/tickets", json=REPORT | fields, headers=headers)
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    return ticket


async def test_without_verification_nothing_is_known(
    client: httpx.AsyncClient, first: Headers, second: Headers, service: Headers
) -> None:
    ticket = await file(client, first)
    for headers in (first, second):
        answer = await ask(client, headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "not-verified")
    assert (await ask(client, service, "cv_2")).status_code == 403
    assert (await client.get(f"{API}/tickets/{ticket['number']}", headers=second)).status_code == 404
    change = {"status": "cancelled"}
    assert (await client.patch(f"{API}/tickets/{ticket['number']}", json=change, headers=second)).status_code == 404


async def test_it_is_told_to_the_verified_conversation_alone(
    client: httpx.AsyncClient, first: Headers, second: Headers
) -> None:
    ticket = await file(client, first)
    await prove(client, second)
    assert (await ask(client, second)).json()["tickets"] == [
        {
            "number": ticket["number"],
            "kind": "fault_report",
            "utility": "power",
            "topic": "outage",
            "status": "received",
            "scope": "unknown",
            "service_point_id": "sp-1",
            "created_at": ticket["created_at"],
            "arrival_due_at": ticket["arrival_due_at"],
            "joined": False,
        }
    ]
    assert (await ask(client, first)).status_code == 403
    assert (await ask(client, first, "cv_2")).status_code == 404


async def test_whose_a_ticket_is(client: httpx.AsyncClient, first: Headers, second: Headers, service: Headers) -> None:
    """The account's, or the address with the phone on file; no neighbour's, nor any that names the phone."""
    await file(client, service, contact_phone=NEIGHBOUR)
    await file(client, service, service_point_id="sp-2", topic="meter_switch")
    closed = await file(client, service)
    await client.patch(f"{API}/tickets/{closed['number']}", json={"status": "cancelled"}, headers=service)
    for_account = await file(client, service, account_number=NUMBER, service_point_id="sp-2", contact_phone=NEIGHBOUR)
    complaint = await file(client, service, kind="complaint", account_number=NUMBER, contact_phone="")
    by_phone = await file(client, first, contact_phone="+86 138-1234-5678")
    await prove(client, second)
    found = await numbers(client, second)
    assert set(found) == {for_account["number"], complaint["number"], by_phone["number"]}


async def test_a_ticket_that_the_customer_was_added_to(
    client: httpx.AsyncClient, first: Headers, second: Headers, service: Headers
) -> None:
    street = await file(client, service, contact_phone=NEIGHBOUR, scope="surroundings")
    note = {"text": "我家也停了", "contact_phone": PHONE, "service_point_id": "sp-1"}
    await client.post(f"{API}/tickets/{street['number']}/notes", json=note, headers=first)
    await prove(client, second)
    tickets = (await ask(client, second)).json()["tickets"]
    assert [(ticket["number"], ticket["joined"]) for ticket in tickets] == [(street["number"], True)]
    change = {"status": "cancelled"}
    assert (await client.patch(f"{API}/tickets/{street['number']}", json=change, headers=second)).status_code == 404


async def test_the_outage_at_the_account_s_address(
    client: httpx.AsyncClient, second: Headers, service: Headers, clock: Any
) -> None:
    def hours(ahead: int) -> str:
        moment: datetime = clock() + timedelta(hours=ahead)
        return moment.isoformat()

    outage = {"kind": "planned", "asset_id": "line-1", "cause": "检修"}
    for start in (-1, 20):
        body = outage | {"starts_at": hours(start), "expected_end_at": hours(start + 5)}
        assert (await client.post(f"{API}/outages", json=body, headers=service)).status_code == 201
    await prove(client, second)
    told = (await ask(client, second)).json()
    assert told["service_point_id"] == "sp-1"
    assert [outage["phase"] for outage in told["outages"]] == ["current"]


async def test_the_next_report_is_added_to_the_first(
    client: httpx.AsyncClient, first: Headers, second: Headers, service: Headers
) -> None:
    ticket = await file(client, first)
    await prove(client, second)
    again = await file(client, second, description="还是没电", contact_phone="", contact_on_file=True)
    assert (again["number"], again["existing"]) == (ticket["number"], True)
    # Of what was said elsewhere the bot sees no more than it needs.
    assert (again["contact_phone"], again["description"], again["conversation_id"]) == ("138****5678", "", None)
    events = (await client.get(f"{API}/tickets/{ticket['number']}", headers=service)).json()["events"]
    assert [event["data"].get("text") for event in events if event["kind"] == "note"] == ["还是没电"]


@pytest.mark.parametrize(
    "other", [{"topic": "hazard", "priority": 1}, {"service_point_id": "sp-2"}, {"utility": "water"}]
)
async def test_another_trouble_is_another_report(
    client: httpx.AsyncClient, first: Headers, second: Headers, other: dict[str, Any]
) -> None:
    ticket = await file(client, first)
    await prove(client, second)
    again = await file(client, second, **other)
    assert (again["existing"], again["number"] == ticket["number"]) == (False, False)


async def test_the_phone_on_file_is_used_and_not_told(
    client: httpx.AsyncClient, second: Headers, service: Headers
) -> None:
    nameless = {"contact_name": "", "contact_phone": "", "contact_on_file": True}
    refused = await client.post(f"{API}/tickets", json=REPORT | nameless, headers=second)
    assert (refused.status_code, refused.json()["type"]) == (403, "not-verified")
    await prove(client, second)
    ticket = await file(client, second, **nameless)
    assert (ticket["contact_name"], ticket["contact_phone"]) == ("李梅", "138****5678")
    path = f"{API}/tickets/{ticket['number']}"
    assert (await client.get(path, headers=second)).json()["contact_phone"] == "138****5678"
    assert (await client.get(path, headers=service)).json()["contact_phone"] == PHONE
    # A number that the customer gives is read back whole.
    given = (await client.patch(path, json={"contact_phone": NEIGHBOUR}, headers=second)).json()
    assert given["contact_phone"] == NEIGHBOUR


async def test_the_verified_customer_may_withdraw_what_was_filed_elsewhere(
    client: httpx.AsyncClient, first: Headers, second: Headers
) -> None:
    ticket = await file(client, first)
    await prove(client, second)
    path = f"{API}/tickets/{ticket['number']}"
    read = (await client.get(path, headers=second)).json()
    assert (read["status"], "contact_phone" in read) == ("received", False)
    assert (await client.patch(path, json={"status": "cancelled"}, headers=second)).json()["status"] == "cancelled"


async def test_it_ends_with_the_verification(
    client: httpx.AsyncClient, first: Headers, second: Headers, clock: Any
) -> None:
    ticket = await file(client, first)
    await prove(client, second)
    clock.advance(minutes=29)
    assert await numbers(client, second) == [ticket["number"]]  # whoever asks is not idle
    clock.advance(minutes=30, seconds=1)
    assert (await ask(client, second)).status_code == 403
    assert (await client.get(f"{API}/tickets/{ticket['number']}", headers=second)).status_code == 404


async def test_the_same_follower_s_next_conversation_knows_nothing(
    client: httpx.AsyncClient, second: Headers, conversation: NewConversation, bot: Bot, database: Database, clock: Any
) -> None:
    """A WeChat follower after the idle time: the same sender, a new conversation, no identity."""
    await prove(client, second)
    await file(client, second)
    async with database.write() as session, session.begin():
        row = await session.get_one(Conversation, "cv_2")
        row.deliver_to, row.closed_at = "openid-1", clock()
    assert (await ask(client, second)).status_code == 403
    await conversation("cv_3")
    async with database.write() as session, session.begin():
        (await session.get_one(Conversation, "cv_3")).deliver_to = "openid-1"
    assert (await ask(client, bot("cv_3"))).status_code == 403


async def test_nobody_without_supply_is_added_to_a_hazard(
    client: httpx.AsyncClient, first: Headers, second: Headers
) -> None:
    hazard = await file(client, first, topic="hazard", priority=1, scope="surroundings")
    note = {"text": "我家也停电", "service_point_id": "sp-1"}
    answer = await client.post(f"{API}/tickets/{hazard['number']}/notes", json=note, headers=second)
    assert answer.status_code == 404
