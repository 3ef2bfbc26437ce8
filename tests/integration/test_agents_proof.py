"""Agents over HTTP: second factors, weak passwords, locks by address, changes by admins, what the audit log gets."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from api.agents import otp
from api.agents import service as agents
from api.agents.tables import Agent, AgentSession
from api.audit.tables import AuditEntry
from api.db.engine import Database
from api.settings import Settings
from tests.integration.conftest import Clock

Headers = dict[str, str]
AGENTS = "/api/v1/agents"
PASSWORD = "correct horse"


class Device:
    """An agent's authenticator, set up at the desk."""

    def __init__(self, secret: str, codes: list[str], clock: Clock) -> None:
        self.codes, self._totp, self._clock = codes, pyotp.TOTP(secret), clock

    def code(self) -> str:
        """The next code that was not shown before."""
        self._clock.advance(seconds=30)
        return self._totp.at(self._clock())


@pytest.fixture
def device(database: Database, settings: Settings, clock: Clock) -> Callable[[str], Any]:
    async def set_up(username: str) -> Device:
        async with database.write() as session, session.begin():
            agent = await agents.agent_named(session, username)
            assert agent is not None
            begun = otp.begin(settings, agent, clock())
            secret = otp.secret_of(settings, agent, begun, clock())
            codes = await agents.turn_on_second_factor(
                session, settings, agent, begun, pyotp.TOTP(secret).at(clock()), clock()
            )
        return Device(secret, codes or [], clock)

    return set_up


async def created(client: httpx.AsyncClient, headers: Headers, username: str = "mei", **fields: Any) -> dict[str, Any]:
    body = {"username": username, "password": PASSWORD, "role": "agent", "languages": ["zh"], "skills": []} | fields
    answer = await client.post(AGENTS, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    agent: dict[str, Any] = answer.json()
    return agent


async def sign_in(client: httpx.AsyncClient, username: str = "mei", password: str = PASSWORD, **more: str) -> Any:
    return await client.post(f"{AGENTS}/login", json={"username": username, "password": password, **more})


async def token(client: httpx.AsyncClient, username: str = "mei") -> Headers:
    answer = await sign_in(client, username)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def noted(database: Database) -> list[tuple[str, str, str]]:
    """The audit log: by, action, subject."""
    async with database.read() as session:
        rows = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    return [(row.by, row.action, row.subject) for row in rows]


async def test_a_second_factor_is_asked_for_and_taken_once(
    client: httpx.AsyncClient, service: Headers, device: Any
) -> None:
    await created(client, service)
    mei = await device("mei")
    asked = await sign_in(client)
    assert (asked.status_code, asked.json()["type"]) == (403, "otp-required")
    code = mei.code()
    assert (await sign_in(client, otp=code)).status_code == 200
    again = await sign_in(client, otp=code)
    assert (again.status_code, again.json()["type"]) == (401, "wrong-otp")
    assert (await sign_in(client, password="wrong", otp=mei.code())).json()["type"] == "wrong-credentials"
    assert (await sign_in(client, otp=mei.codes[0])).status_code == 200
    assert (await sign_in(client, otp=mei.codes[0])).status_code == 401
    (shown,) = (await client.get(AGENTS, headers=service)).json()["items"]
    assert shown["second_factor"] is True


async def test_the_same_code_twice_at_once_signs_in_once(
    client: httpx.AsyncClient, service: Headers, device: Any
) -> None:
    await created(client, service)
    code = (await device("mei")).code()
    answers = await asyncio.gather(*(sign_in(client, otp=code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_wrong_codes_lock_like_wrong_passwords(client: httpx.AsyncClient, service: Headers, device: Any) -> None:
    await created(client, service)
    mei = await device("mei")
    for _ in range(5):
        assert (await sign_in(client, otp="000000")).status_code == 401
    assert (await sign_in(client, otp=mei.code())).status_code == 429


async def test_asking_which_code_is_no_try(client: httpx.AsyncClient, service: Headers, device: Any) -> None:
    await created(client, service)
    mei = await device("mei")
    for _ in range(8):
        assert (await sign_in(client)).status_code == 403
    assert (await sign_in(client, otp=mei.code())).status_code == 200


async def test_the_password_is_changed_with_the_code(client: httpx.AsyncClient, service: Headers, device: Any) -> None:
    await created(client, service)
    mei = await device("mei")
    change = {"username": "mei", "password": PASSWORD, "new_password": "battery staple"}
    assert (await client.post(f"{AGENTS}/password", json=change)).json()["type"] == "otp-required"
    done = await client.post(f"{AGENTS}/password", json=change | {"otp": mei.code()})
    assert done.status_code == 200
    assert (await sign_in(client, password="battery staple", otp=mei.code())).status_code == 200


async def test_a_role_that_needs_a_second_factor_sets_it_up_at_the_console(
    client: httpx.AsyncClient, service: Headers, app: FastAPI, settings: Settings, device: Any
) -> None:
    app.state.settings = settings.model_copy(update={"require_otp": "admin"})
    await created(client, service, "boss", role="admin")
    await created(client, service)
    assert (await sign_in(client)).status_code == 200
    refused = await sign_in(client, "boss")
    assert (refused.status_code, refused.json()["type"]) == (403, "otp-enrolment-required")
    assert (await sign_in(client, "boss", otp=(await device("boss")).code())).status_code == 200


@pytest.mark.parametrize("weak", ["password1", "mei20261", "12345678"])
async def test_weak_passwords_are_refused(client: httpx.AsyncClient, service: Headers, weak: str) -> None:
    body = {"username": "mei", "password": weak}
    answer = await client.post(AGENTS, json=body, headers=service)
    assert (answer.status_code, answer.json()["type"]) == (422, "weak-password")
    await created(client, service)
    change = {"username": "mei", "password": PASSWORD, "new_password": weak}
    assert (await client.post(f"{AGENTS}/password", json=change)).json()["type"] == "weak-password"


async def test_who_has_to_change_the_first_password(client: httpx.AsyncClient, service: Headers) -> None:
    await created(client, service, "boss", role="admin")
    boss = await token(client, "boss")
    await created(client, boss, "lin")
    assert (await sign_in(client, "lin")).json()["type"] == "password-change-required"
    await created(client, boss, "wu", must_change_password=False)
    assert (await sign_in(client, "wu")).status_code == 200
    await created(client, service, "hua", must_change_password=True)
    assert (await sign_in(client, "hua")).json()["type"] == "password-change-required"


async def test_thirty_wrong_tries_lock_an_address_for_all_names_but_not_who_is_signed_in(
    client: httpx.AsyncClient, service: Headers, app: FastAPI, clock: Clock
) -> None:
    await created(client, service)
    mine = await token(client)
    attacker = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=("203.0.113.9", 1)), base_url="http://desk")
    async with attacker:
        for i in range(30):
            wrong = {"username": f"name{i}", "password": "wrong"}
            answer = await attacker.post(f"{AGENTS}/login", json=wrong, headers={"Idempotency-Key": f"k{i}"})
            assert answer.status_code == 401
        right = {"username": "mei", "password": PASSWORD}
        locked = await attacker.post(f"{AGENTS}/login", json=right, headers={"Idempotency-Key": "right"})
        assert (locked.status_code, locked.headers["retry-after"]) == (429, "900")
        page = await attacker.post("/console/login", data=right)
        assert (page.status_code, page.headers["retry-after"]) == (429, "900")
    assert (await sign_in(client)).status_code == 200  # from elsewhere
    for _ in range(6):
        await sign_in(client, password="wrong")
    assert (await sign_in(client)).status_code == 429
    assert (await client.get("/api/v1/tickets", headers=mine)).status_code == 200
    clock.advance(minutes=15)
    assert (await sign_in(client)).status_code == 200


async def test_who_does_not_work_here_any_more_is_out_at_once(
    client: httpx.AsyncClient, service: Headers, database: Database
) -> None:
    await created(client, service)
    mine = await token(client)
    gone = await client.patch(f"{AGENTS}/mei", json={"active": False}, headers=service)
    assert gone.json()["active"] is False
    assert (await client.get("/api/v1/tickets", headers=mine)).status_code == 401
    assert (await sign_in(client)).json() == (await sign_in(client, password="wrong")).json()
    async with database.read() as session:
        assert (await session.scalars(select(AgentSession))).all() == []


async def test_a_console_sign_in_is_no_bearer_token(
    client: httpx.AsyncClient, service: Headers, database: Database, clock: Clock
) -> None:
    await created(client, service)
    async with database.write() as session, session.begin():
        mei = (await session.scalars(select(Agent))).one()
        session.add(
            AgentSession(
                token_hash=agents.token_hash("cookie"), agent_id=mei.id, created_at=clock(), seen_at=clock(),
                expires_at=clock.now.replace(year=2027), acted_at=clock(), console=True,
            )
        )  # fmt: skip
    assert (await client.get(AGENTS, headers={"Authorization": "Bearer cookie"})).status_code == 401


async def test_admins_change_agents_and_agents_little_of_themselves(
    client: httpx.AsyncClient, service: Headers, database: Database
) -> None:
    await created(client, service)
    boss = await created(client, service, "boss", role="admin")
    mine, theirs = await token(client), await token(client, "boss")
    for body in ({"role": "admin"}, {"capacity": 9}, {"active": True}, {"name": "Mei"}, {"phone": "", "skills": []}):
        assert (await client.patch(f"{AGENTS}/mei", json=body, headers=mine)).status_code == 403
    assert (await client.patch(f"{AGENTS}/boss", json={"phone": ""}, headers=mine)).status_code == 403
    assert (await client.patch(f"{AGENTS}/nobody", json={"phone": ""}, headers=mine)).status_code == 403
    own = {"phone": "sip:mei@pbx.example.com", "language": "en", "presence": "available"}
    answer = await client.patch(f"{AGENTS}/mei", json=own, headers=mine)
    assert (answer.status_code, answer.json()["phone"], answer.json()["presence"]) == (
        200, "sip:m***@pbx.example.com", "available"
    )  # fmt: skip
    all_of_it: dict[str, Any] = {
        "name": "小梅",
        "role": "supervisor",
        "languages": ["zh", "en"],
        "skills": ["water"],
        "capacity": 3,
    }
    changed = (await client.patch(f"{AGENTS}/mei", json=all_of_it, headers=theirs)).json()
    assert {key: changed[key] for key in all_of_it} == all_of_it
    for body, status in (
        ({"presence": "away"}, 403),
        ({"capacity": 99}, 422),
        ({"role": "king"}, 422),
        ({"x": 1}, 422),
    ):
        assert (await client.patch(f"{AGENTS}/mei", json=body, headers=theirs)).status_code == status
    assert (await client.patch(f"{AGENTS}/nobody", json={"name": "x"}, headers=theirs)).status_code == 404
    log = [(action, by) for by, action, _ in await noted(database)]
    assert ("agent.role_changed", f"agent:{boss['id']}") in log
    assert ("agent.changed", f"agent:{boss['id']}") in log


@pytest.mark.parametrize("by", ["service", "boss"])
async def test_an_admin_resets_a_colleagues_password(
    client: httpx.AsyncClient, service: Headers, database: Database, by: str
) -> None:
    mei = await created(client, service)
    boss = await created(client, service, "boss", role="admin")
    mine, theirs = await token(client), service if by == "service" else await token(client, "boss")
    for _ in range(5):
        await sign_in(client, password="wrong")
    change = {"password": "for the first time", "name": "小梅"}
    refused = await client.patch(f"{AGENTS}/mei", json=change, headers=mine)
    assert refused.status_code == 403
    for weak in ("password1", "mei", "short"):
        answer = await client.patch(f"{AGENTS}/mei", json={"password": weak}, headers=theirs)
        assert answer.status_code == 422
        assert weak not in answer.text.replace("password-", "").replace("shorter", "")
    assert (await client.get("/api/v1/tickets", headers=mine)).status_code == 200
    answer = await client.patch(f"{AGENTS}/mei", json=change, headers=theirs)
    assert (answer.status_code, answer.json()["name"]) == (200, "小梅")
    assert "for the first time" not in answer.text
    assert (await client.get("/api/v1/tickets", headers=mine)).status_code == 401
    assert (await sign_in(client)).json()["type"] == "wrong-credentials"
    assert (await sign_in(client, password="for the first time")).json()["type"] == "password-change-required"
    who = "service" if by == "service" else f"agent:{boss['id']}"
    assert (who, "agent.password_reset", f"agent:{mei['id']}") in await noted(database)


async def test_nobody_gets_past_the_own_old_password(client: httpx.AsyncClient, service: Headers) -> None:
    await created(client, service, "boss", role="admin")
    mine = await token(client, "boss")
    answer = await client.patch(f"{AGENTS}/boss", json={"password": "for the first time"}, headers=mine)
    assert (answer.status_code, answer.json()["type"]) == (409, "own-account")
    assert (await sign_in(client, "boss")).status_code == 200


@pytest.mark.parametrize("body", [{"role": "agent"}, {"active": False}])
async def test_there_is_always_an_active_admin(
    client: httpx.AsyncClient, service: Headers, body: dict[str, Any]
) -> None:
    await created(client, service, "boss", role="admin")
    refused = await client.patch(f"{AGENTS}/boss", json=body, headers=service)
    assert (refused.status_code, refused.json()["type"]) == (409, "last-admin")
    await created(client, service, "other", role="admin")
    answers = await asyncio.gather(
        *(client.patch(f"{AGENTS}/{name}", json=body, headers=service) for name in ("boss", "other"))
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_what_the_audit_log_gets(client: httpx.AsyncClient, service: Headers, database: Database) -> None:
    mei = await created(client, service)
    mine = await token(client)
    await client.post(f"{AGENTS}/logout", headers=mine)
    for _ in range(6):
        await sign_in(client, password="wrong")
    await sign_in(client, "13812345678", "wrong")
    log = await noted(database)
    who = f"agent:{mei['id']}"
    assert log[0] == ("service", "agent.created", who)
    assert log[1:3] == [(who, "agent.signed_in", who), (who, "agent.signed_out", who)]
    assert log[3:9] == [("nobody", "agent.sign_in_failed", who)] * 5 + [("nobody", "agent.locked_out", who)]
    assert log[9][:2] == ("nobody", "agent.sign_in_failed")
    assert log[9][2].startswith("name:")
    assert "13812345678" not in str(log)
    assert len(log) == 10
