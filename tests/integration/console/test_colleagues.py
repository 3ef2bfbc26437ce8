"""What an agent may do about a colleague's conversation: at the API nothing that the console refuses; and odd names."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.agents.service import sign_in
from api.agents.tables import Agent
from api.audit.tables import AuditEntry
from api.conversations.notes import add_note
from api.conversations.tables import Alarm, Callback, Conversation
from api.db.engine import Database
from tests.integration.conftest import Clock
from tests.integration.console.conftest import SeatDesk
from tests.integration.console.desk import nonce, seed

Headers = dict[str, str]


async def bearer(database: Database, clock: Clock, agent: Agent) -> Headers:
    """A sign-in at the API."""
    async with database.write() as session, session.begin():
        await sign_in(session, agent, f"token-{agent.username}", clock())
    return {"Authorization": f"Bearer token-{agent.username}"}


async def acts(database: Database) -> Sequence[str]:
    async with database.read() as session:
        return (await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))).all()


async def test_the_api_refuses_what_the_console_refuses(
    client: httpx.AsyncClient, seat: SeatDesk, database: Database, clock: Clock
) -> None:
    mei, wu, boss = [(await seat(name, role=role)).agent for name, role in
                     (("mei", "agent"), ("wu", "agent"), ("boss", "supervisor"))]  # fmt: skip
    async with database.write() as session, session.begin():
        row = Conversation(id="cv_1", channel="web", owner="agent", agent_id=mei.id, language="zh", created_at=clock())
        session.add(row)
        await session.flush()
        session.add(Alarm(id="al_1", conversation_id="cv_1", provider_id="p", kind="fire", owner="agent", at=clock()))
        session.add(
            Callback(id="cb_1", conversation_id="cv_1", phone="13800138000", due_at=clock(), created_at=clock())
        )
    tried: list[tuple[str, str, dict[str, Any]]] = [
        ("PATCH", "/api/v1/conversations/cv_1", {"language": "en"}),
        ("POST", "/api/v1/conversations/cv_1/callbacks", {"phone": "13900139000"}),
        ("POST", "/api/v1/alarms/al_1/seen", {}),
    ]
    for agent, expected in ((wu, {409}), (mei, {200, 201}), (boss, {200, 201})):
        headers = await bearer(database, clock, agent)
        for method, path, body in tried:
            answer = await client.request(method, path, json=body, headers=headers)
            assert answer.status_code in expected, (agent.username, path, answer.text)
        async with database.read() as session:
            phone = (await session.get_one(Callback, "cb_1")).phone
            assert (phone == "13800138000") is (agent is wu)


async def test_the_log_tells_a_wrong_proof_from_a_right_one(
    seat: SeatDesk, client: httpx.AsyncClient, database: Database, clock: Clock
) -> None:
    desk = await seat()
    async with database.write() as session, session.begin():
        session.add(Conversation(id="cv_1", channel="web", language="zh", created_at=clock()))
    wrong = {"account_number": "5001000026", "factor": "000000"}
    await desk.post("/console/c/cv_1/verification", wrong)
    headers = await bearer(database, clock, desk.agent)
    answer = await client.post("/api/v1/conversations/cv_1/verification", json=wrong, headers=headers)
    assert answer.json() == {"verified": False}
    found = await acts(database)
    assert found.count("account.not_verified") == 2
    assert "account.verified" not in found


async def test_more_rights_take_a_new_sign_in(seat: SeatDesk) -> None:
    boss, wu = await seat("boss", role="admin"), await seat("wu")
    form = {"name": "", "capacity": "5", "active": "true"}
    await boss.post("/console/admin/agents/wu", form | {"role": "dispatcher"})
    assert (await wu.get("/console/account")).status_code == 200
    await boss.post("/console/admin/agents/wu", form | {"role": "admin"})
    assert (await wu.get("/console/account")).status_code == 303


async def test_a_name_of_any_letters(seat: SeatDesk) -> None:
    boss = await seat("boss", role="admin")
    await seat("王芳")
    form = {"name": "", "capacity": "5", "active": "true", "role": "agent"}
    for htmx, header in ((True, "hx-redirect"), (False, "location")):
        answer = await boss.post("/console/admin/agents/王芳", form, htmx=htmx)
        assert answer.status_code < 400, answer.text
        assert (await boss.get(answer.headers[header])).status_code == 200


@pytest.mark.parametrize("written", ["0001-01-01T00:00", "9999-12-31T23:59-12:00", "x"])
async def test_a_time_that_no_calendar_has(seat: SeatDesk, written: str) -> None:
    desk = await seat("ding", role="dispatcher")
    form = {"nonce": "nc_12345678", "kind": "power", "asset_id": "x", "starts_at": written}
    assert (await desk.post("/console/outages", form)).status_code == 422


async def test_a_whisper_is_for_the_agent_who_has_the_conversation(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    mei, wu, boss = await seat("mei"), await seat("wu"), await seat("boss", role="supervisor")
    await seed(database, clock(), owner="agent", agent_id=mei.agent.id)
    form = {"text": "先安抚客户", "kind": "whisper", "nonce": nonce()}
    assert (await boss.post("/console/c/cv_1/note", form)).status_code == 200
    assert "先安抚客户" in (await mei.get("/console/c/cv_1")).text
    assert "先安抚客户" in (await boss.get("/console/c/cv_1")).text
    assert "先安抚客户" not in (await wu.get("/console/c/cv_1")).text


@pytest.mark.parametrize(
    "path",
    [
        "lines?after=99999999999999",
        "lines?after=0&noted=2026-03-04T06:00:00|x",
        "earlier?before=99999999999999",
        "translation/99999999999999",
    ],
)
async def test_odd_numbers_are_no_faults_of_ours(seat: SeatDesk, database: Database, clock: Clock, path: str) -> None:
    desk = await seat()
    await seed(database, clock())
    async with database.write() as session, session.begin():
        await add_note(session, await session.get_one(Conversation, "cv_1"), desk.agent.id, "note", "一", clock())
    assert (await desk.get(f"/console/_/c/cv_1/{path}")).status_code in (200, 404, 422)


async def test_the_inbox_holds_conversations_of_which_little_is_known(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    mei, boss = await seat("mei"), await seat("boss", role="supervisor")
    for name in ("cv_1", "cv_2"):
        await seed(database, clock(), name, owner="agent", agent_id=mei.agent.id)
    async with database.write() as session, session.begin():
        (await session.get_one(Conversation, "cv_1")).last_message_at = None
    assert (await boss.get("/console")).status_code == 200
