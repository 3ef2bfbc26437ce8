"""Verification, the verified customer's account, ticket look-ups, contact records, accounts for staff."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from sqlalchemy import event, select

from api.audit.service import reference
from api.audit.tables import AuditEntry
from api.conversations.tables import Conversation
from api.customers.tables import Account, VerificationTry
from api.db.engine import Database
from api.network.tables import Place, ServicePoint

Headers = dict[str, str]
Bot = Callable[..., Headers]
NewConversation = Callable[..., Awaitable[Conversation]]
API = "/api/v1"
NUMBER, PHONE, LAST6 = "3300112233", "13812345678", "04123X"


@pytest.fixture(autouse=True)
async def accounts(database: Database) -> None:
    """Two accounts of one customer (power, water) and one of a neighbour."""
    rows: list[Any] = [
        Place(id="pl-1", kind="estate", name_zh="海棠晓月", name_en="Haitang Xiaoyue", area_class="urban"),
        ServicePoint(id="sp-1", place_id="pl-1", number="3", address_zh="海棠晓月3栋", address_en="3 Haitang Xiaoyue",
                     area_class="urban"),
        Account(number=NUMBER, utility="power", holder_name="李梅", phone=PHONE, id_last6=LAST6, room="2单元501",
                service_point_id="sp-1", state="cut_off", balance=Decimal("-123.40"), flags=["low_income"],
                last_bill=Decimal("123.40"), last_bill_at=datetime(2026, 2, 10, tzinfo=UTC)),
        Account(number="5500112233", utility="water", holder_name="李梅", phone=PHONE, service_point_id="sp-1"),
        Account(number="3300112299", utility="power", holder_name="王强", phone="13900001111", service_point_id="sp-1"),
    ]  # fmt: skip
    async with database.write() as session, session.begin():
        for row in rows:
            session.add(row)
            await session.flush()


@pytest.fixture
async def mine(conversation: NewConversation, bot: Bot) -> Headers:
    await conversation("cv_1")
    return bot("cv_1")


async def prove(
    client: httpx.AsyncClient, headers: Headers, number: str = NUMBER, factor: str = PHONE
) -> httpx.Response:
    path = f"{API}/conversations/{headers['X-Conversation-Id']}/verification"
    return await client.post(path, json={"account_number": number, "factor": factor}, headers=headers)


async def account(client: httpx.AsyncClient, headers: Headers) -> httpx.Response:
    return await client.get(f"{API}/conversations/{headers['X-Conversation-Id']}/account", headers=headers)


def is_locked(answer: httpx.Response, until: str) -> bool:
    return (answer.status_code, answer.json().get("type"), answer.json().get("until")) == (429, "locked", until)


@pytest.mark.parametrize("factor", [PHONE, "+86 138-1234-5678", LAST6, LAST6.lower(), "１３８１２３４５６７８"])
async def test_number_and_factor_open_the_account(client: httpx.AsyncClient, mine: Headers, factor: str) -> None:
    closed = await account(client, mine)
    assert (closed.status_code, closed.json()["type"]) == (403, "not-verified")
    assert (await prove(client, mine, " 3300-1122 33", factor)).json() == {"verified": True}
    assert (await account(client, mine)).json() == {
        "number_masked": "******2233",
        "holder_name": "李梅",
        "utility": "power",
        "state": "cut_off",
        "prepaid": False,
        "balance": "-123.40",
        "service_point_id": "sp-1",
        "address_zh": "海棠晓月3栋",
        "address_en": "3 Haitang Xiaoyue",
        "room": "2单元501",
        "flags": ["low_income"],
        "last_bill": "123.40",
        "last_bill_at": "2026-02-10T00:00:00Z",
        "last_reading": None,
        "last_reading_at": None,
        "contact_phone_masked": "138****5678",
    }


@pytest.mark.parametrize(
    ("number", "factor"),
    [
        (NUMBER, "13900001111"),
        (NUMBER, "5678"),
        (NUMBER, "2345678"),
        ("3300112234", PHONE),
        ("5500112233", LAST6),
        ("x", "x"),
    ],
)
async def test_anything_else_does_not(client: httpx.AsyncClient, mine: Headers, number: str, factor: str) -> None:
    answer = await prove(client, mine, number, factor)
    assert (answer.status_code, answer.json()) == (200, {"verified": False})
    assert (await account(client, mine)).status_code == 403


async def test_it_ends_after_thirty_idle_minutes(client: httpx.AsyncClient, mine: Headers, clock: Any) -> None:
    await prove(client, mine)
    for _ in range(3):
        clock.advance(minutes=30)
        assert (await account(client, mine)).status_code == 200
    clock.advance(minutes=30, seconds=1)
    assert (await account(client, mine)).json()["type"] == "not-verified"


async def test_it_ends_with_the_conversation(
    client: httpx.AsyncClient, mine: Headers, clock: Any, database: Database
) -> None:
    await prove(client, mine)
    async with database.write() as session, session.begin():
        (await session.get_one(Conversation, "cv_1")).closed_at = clock.advance(minutes=1)
    assert (await account(client, mine)).status_code == 403


async def test_only_the_own_conversation(
    client: httpx.AsyncClient, mine: Headers, conversation: NewConversation, bot: Bot
) -> None:
    await conversation("cv_2")
    await prove(client, mine)
    foreign = bot("cv_2")
    assert (await account(client, foreign)).status_code == 403
    for path in ("cv_1", "cv_404"):
        stolen = await client.get(f"{API}/conversations/{path}/account", headers=foreign)
        assert (stolen.status_code, stolen.json()["detail"]) == (404, "There is no such conversation.")
        proof = {"account_number": NUMBER, "factor": PHONE}
        tried = await client.post(f"{API}/conversations/{path}/verification", json=proof, headers=foreign)
        assert tried.status_code == 404


@pytest.mark.parametrize("number", [NUMBER, "9999999999"])
async def test_five_tries_lock_an_account_from_everywhere_known_or_not(
    client: httpx.AsyncClient, conversation: NewConversation, bot: Bot, clock: Any, number: str
) -> None:
    for i in range(7):
        await conversation(f"cv_{i}", source=f"source-{i}")
    for i in range(5):
        assert (await prove(client, bot(f"cv_{i}"), number, "000000")).json() == {"verified": False}
        clock.advance(minutes=1)
    assert is_locked(await prove(client, bot("cv_5"), number), "2026-03-04T06:34:00Z")
    other = await prove(client, bot("cv_5"), "3300112299", "13900001111")
    assert other.json() == {"verified": True}  # another account is not concerned
    clock.advance(minutes=28, seconds=59)
    assert is_locked(await prove(client, bot("cv_6"), number), "2026-03-04T06:34:00Z")
    clock.advance(seconds=1)
    assert (await prove(client, bot("cv_6"), number)).json() == {"verified": number == NUMBER}


async def test_five_tries_lock_the_conversation_and_twenty_its_source(
    client: httpx.AsyncClient, mine: Headers, conversation: NewConversation, bot: Bot
) -> None:
    await conversation("elsewhere", source="another")
    for i in range(5):
        await prove(client, mine, f"900000000{i}", "000000")
    until = "2026-03-04T06:30:00Z"
    assert is_locked(await prove(client, mine), until)
    for n in range(3):  # the same source: others behind it are not locked out yet
        await conversation(f"cv_2{n}")
        for i in range(5):
            answer = await prove(client, bot(f"cv_2{n}"), f"80000000{n}{i}", "000000")
            assert answer.json() == {"verified": False}
    await conversation("cv_30")
    assert is_locked(await prove(client, bot("cv_30")), until)
    assert (await prove(client, bot("elsewhere"))).json() == {"verified": True}


async def test_simultaneous_tries_do_not_get_past_the_lock(
    client: httpx.AsyncClient, conversation: NewConversation, bot: Bot
) -> None:
    for i in range(10):
        await conversation(f"cv_{i}", source=f"source-{i}")
    answers = await asyncio.gather(*(prove(client, bot(f"cv_{i}"), NUMBER, "000000") for i in range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 5


async def test_an_unknown_account_and_a_wrong_factor_are_the_same_work(
    client: httpx.AsyncClient, conversation: NewConversation, bot: Bot, database: Database
) -> None:
    statements: list[str] = []
    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    seen = []
    for name, number in (("cv_1", NUMBER), ("cv_2", "9999999999")):
        await conversation(name, source=name)
        statements.clear()
        answer = await prove(client, bot(name), number, "000000")
        seen.append((answer.status_code, answer.json(), sorted(answer.headers), list(statements)))
    assert seen[0] == seen[1]
    assert seen[0][3]


async def test_tries_are_kept_without_what_was_tried(
    client: httpx.AsyncClient, mine: Headers, database: Database
) -> None:
    await prove(client, mine, NUMBER, "13700000000")
    async with database.read() as session:
        subjects = (await session.scalars(select(VerificationTry.subject))).all()
    assert sorted(name.partition(":")[0] for name in subjects) == ["account", "conversation", "source"]
    assert not any(NUMBER in name or "cv_1" in name for name in subjects)


async def filed(client: httpx.AsyncClient, headers: Headers) -> str:
    ticket = {"kind": "fault_report", "utility": "power", "contact_phone": PHONE, "service_point_id": "sp-1"}
    answer = await client.post(f"{API}/tickets", json=ticket, headers=headers)
    assert answer.status_code == 201
    return str(answer.json()["number"])


async def look_up(client: httpx.AsyncClient, headers: Headers, number: str, phone: str) -> httpx.Response:
    path = f"{API}/conversations/{headers['X-Conversation-Id']}/ticket-lookups"
    return await client.post(path, json={"number": number, "phone": phone}, headers=headers)


async def test_a_ticket_is_told_to_who_knows_number_and_phone(
    client: httpx.AsyncClient, mine: Headers, service: Headers
) -> None:
    number = await filed(client, service)
    spaced = f"{number[:4]} {number[4:8]} {number[8:]}"
    assert (await look_up(client, mine, spaced, "+86 138 1234 5678")).json() == {
        "found": True,
        "ticket": {
            "number": number,
            "status": "received",
            "kind": "fault_report",
            "utility": "power",
            "created_at": "2026-03-04T06:00:00Z",
            "arrival_due_at": "2026-03-04T06:45:00Z",
            "updated_at": "2026-03-04T06:00:00Z",
        },
    }
    nothing = {"found": False, "ticket": None}
    assert (await look_up(client, mine, number, "5678")).json() == nothing
    assert (await look_up(client, mine, "123456789012", PHONE)).json() == nothing


async def test_a_further_caller_may_ask_with_the_own_phone(
    client: httpx.AsyncClient, mine: Headers, service: Headers
) -> None:
    number = await filed(client, service)
    joined = {"text": "也停电", "contact_phone": "13308327030"}
    assert (await client.post(f"{API}/tickets/{number}/notes", json=joined, headers=mine)).json()["joined"] is True
    assert (await look_up(client, mine, number, "133 0832 7030")).json()["found"] is True
    assert (await look_up(client, mine, number, "13308327031")).json()["found"] is False


async def test_a_ticket_without_a_phone_is_told_to_nobody(
    client: httpx.AsyncClient, mine: Headers, service: Headers
) -> None:
    body = {"kind": "enquiry", "utility": "power"}
    number = (await client.post(f"{API}/tickets", json=body, headers=service)).json()["number"]
    assert (await look_up(client, mine, number, "0")).json()["found"] is False


async def test_wrong_look_ups_lock_too_and_count_with_verification(
    client: httpx.AsyncClient, mine: Headers, service: Headers
) -> None:
    number = await filed(client, service)
    for _ in range(3):
        await look_up(client, mine, number, "13700000000")
    for _ in range(2):
        await prove(client, mine, factor="000000")
    assert is_locked(await look_up(client, mine, number, PHONE), "2026-03-04T06:30:00Z")
    assert is_locked(await prove(client, mine), "2026-03-04T06:30:00Z")


async def test_a_verified_customers_ticket_is_the_accounts(client: httpx.AsyncClient, mine: Headers) -> None:
    body = {"kind": "complaint", "utility": "power", "account_number": "3300112299"}
    before = await client.post(f"{API}/tickets", json=body, headers=mine)
    assert (before.json()["account_number"], before.json()["service_point_id"]) == (None, None)
    await prove(client, mine)
    after = await client.post(f"{API}/tickets", json=body, headers=mine)
    assert (after.json()["account_number"], after.json()["service_point_id"]) == (NUMBER, "sp-1")


async def test_staff_read_an_account_with_all_points_of_its_customer(
    client: httpx.AsyncClient, service: Headers, mine: Headers
) -> None:
    answer = await client.get(f"{API}/accounts/{NUMBER}", headers=service)
    body = answer.json()
    assert (body["holder_name"], body["phone"], body["balance"]) == ("李梅", PHONE, "-123.40")
    assert LAST6 not in answer.text
    assert [point["account_number"] for point in body["service_points"]] == [NUMBER, "5500112233"]
    assert (await client.get(f"{API}/accounts/1", headers=service)).status_code == 404
    assert (await client.get(f"{API}/accounts/{NUMBER}", headers=mine)).status_code == 403


@pytest.fixture
async def agent(client: httpx.AsyncClient, service: Headers) -> Headers:
    """Headers of an agent's token."""
    new = {"username": "mei", "password": "correct horse"}
    await client.post(f"{API}/agents", json=new, headers=service)
    answer = await client.post(f"{API}/agents/login", json=new)
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def test_people_see_masked_numbers_until_they_open_an_account(
    client: httpx.AsyncClient, service: Headers, agent: Headers, database: Database
) -> None:
    found = await client.get(f"{API}/accounts", params={"q": "李梅"}, headers=agent)
    assert [one["number"] for one in found.json()["items"]] == ["******2233", "******2233"]
    assert NUMBER not in found.text
    ref = found.json()["items"][0]["ref"]
    assert NUMBER not in base64.b64decode(ref.encode() + b"==", altchars=b"-_").decode("latin-1")
    again = await client.get(f"{API}/accounts", params={"q": NUMBER[:7]}, headers=service)
    assert [(one["number"], one["ref"] == ref) for one in again.json()["items"]] == [
        (NUMBER, True),
        ("3300112299", False),
    ]
    opened = (await client.get(f"{API}/accounts/{ref}", headers=agent)).json()
    assert (opened["number"], opened["phone"]) == (NUMBER, PHONE)
    assert [point["account_number"] for point in opened["service_points"]] == [NUMBER, "******2233"]
    other = (await client.get(f"{API}/accounts/{opened['service_points'][1]['ref']}", headers=agent)).json()
    assert other["number"] == "5500112233"
    assert (await client.get(f"{API}/accounts/{NUMBER}", headers=agent)).json()["number"] == NUMBER
    for forged in (ref[:-4] + "AAAA", "ar_", "ar_%C3%A9", "ar_AAAA"):
        assert (await client.get(f"{API}/accounts/{forged}", headers=agent)).status_code == 404
    async with database.read() as session:
        subjects = list(await session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "read")))
    assert {reference("account", NUMBER), reference("account", "5500112233")} <= set(subjects)
    assert subjects.count(reference("account", NUMBER)) == 1  # by whichever name it was opened
    assert NUMBER not in str(subjects)


async def test_people_see_masked_numbers_in_lists_tickets_and_contacts(
    client: httpx.AsyncClient, service: Headers, agent: Headers, mine: Headers, database: Database, clock: Any
) -> None:
    await prove(client, mine)
    conversations = f"{API}/conversations"
    for headers, listed in ((agent, "******2233"), (service, NUMBER)):
        rows = (await client.get(conversations, headers=headers)).json()["items"]
        assert [row["verified_account"] for row in rows] == [listed]
        assert (await client.get(f"{conversations}/cv_1", headers=headers)).json()["verified_account"] == NUMBER
    body = {"kind": "complaint", "utility": "power"}
    number = (await client.post(f"{API}/tickets", json=body, headers=mine)).json()["number"]
    await client.post(f"{conversations}/cv_1/contact-records", json={"kind": "told"}, headers=mine)
    paths = (f"{API}/tickets", f"{API}/tickets/{number}", f"{API}/contact-records")
    for headers, shown in ((agent, "******2233"), (service, NUMBER)):
        for path in paths:
            answer = (await client.get(path, headers=headers)).json()
            assert answer.get("items", [answer])[0]["account_number"] == shown, path
    ref = (await client.get(f"{API}/accounts", params={"q": NUMBER}, headers=agent)).json()["items"][0]["ref"]
    listed = await client.get(f"{API}/contact-records", params={"account_number": ref}, headers=agent)
    assert [row["account_number"] for row in listed.json()["items"]] == ["******2233"]
    async with database.write() as session, session.begin():
        (await session.get_one(Conversation, "cv_1")).owner = "waiting"
    clock.advance(minutes=31)  # the customer is not verified any more
    later = (await client.get(f"{conversations}/cv_1", headers=agent)).json()
    assert later["verified_account"] == "******2233"


async def test_contacts_are_kept_and_listed(
    client: httpx.AsyncClient, service: Headers, mine: Headers, clock: Any
) -> None:
    path = f"{API}/conversations/cv_1/contact-records"
    told = {"kind": "planned_outage_told", "summary": "3月5日8点到18点", "service_point_id": "sp-1"}
    stranger = await client.post(path, json=told | {"account_number": NUMBER}, headers=mine)
    assert (stranger.status_code, stranger.json()["account_number"]) == (201, None)
    await prove(client, mine)
    clock.advance(minutes=1)
    known = (await client.post(path, json=told, headers=mine)).json()
    assert (known["account_number"], known["at"]) == (NUMBER, "2026-03-04T06:01:00Z")
    listed = await client.get(f"{API}/contact-records", params={"account_number": NUMBER}, headers=service)
    assert listed.json() == {"items": [known], "next": None}
    first = (await client.get(f"{API}/contact-records", params={"limit": 1}, headers=service)).json()
    rest = {"limit": 1, "cursor": first["next"]}
    second = (await client.get(f"{API}/contact-records", params=rest, headers=service)).json()
    assert [page["items"][0]["id"] for page in (first, second)] == [known["id"], stranger.json()["id"]]
    assert second["next"] is None
    assert (await client.post(path, json=told | {"service_point_id": "x"}, headers=mine)).status_code == 404
    assert (await client.get(f"{API}/contact-records", headers=mine)).status_code == 403


async def test_numbers_and_factors_stay_out_of_the_log(
    client: httpx.AsyncClient, mine: Headers, capfd: pytest.CaptureFixture[str]
) -> None:
    await prove(client, mine, factor=LAST6)
    await prove(client, mine, factor="13700000000")
    await account(client, mine)
    written = "".join(capfd.readouterr())
    assert not any(secret in written for secret in (NUMBER, PHONE, LAST6, "13700000000"))
