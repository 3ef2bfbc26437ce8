"""Tickets of the bot: its own conversation's only, never twice; dangers, notes, neighbours."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.conversations.tables import Conversation
from api.db.engine import Database
from api.tickets.service import file_danger_ticket
from api.tickets.tables import Ticket, TicketEvent
from tests.integration.tickets.filing import REPORT, TICKETS, Bot, Headers, NewConversation, filed, moved


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
