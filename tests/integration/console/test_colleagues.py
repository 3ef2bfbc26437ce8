"""What an agent may do about a colleague's conversation: at the API nothing that the console refuses; and odd names."""

from collections.abc import Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.agents.service import sign_in
from api.agents.tables import Agent
from api.audit.tables import AuditEntry
from api.conversations.tables import Alarm, Callback, Conversation
from api.db.engine import Database
from tests.integration.conftest import Clock
from tests.integration.console.conftest import SeatDesk

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
