"""Agents over HTTP: who may create them, signing in and out, locks, forced changes of password, being on duty."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from api.agents import service as agents
from api.agents.tables import Agent, AgentSession
from api.db.base import Base
from api.db.engine import Database

Headers = dict[str, str]
AGENTS = "/api/v1/agents"
MEI: dict[str, Any] = {
    "username": "Mei",
    "password": "correct horse",
    "role": "agent",
    "languages": ["zh", "en"],
    "skills": ["water"],
}


async def created(client: httpx.AsyncClient, headers: Headers, **fields: Any) -> dict[str, Any]:
    answer = await client.post(AGENTS, json=MEI | fields, headers=headers)
    assert answer.status_code == 201, answer.text
    agent: dict[str, Any] = answer.json()
    return agent


async def sign_in(
    client: httpx.AsyncClient, username: str = "mei", password: str = "correct horse", **headers: str
) -> httpx.Response:
    return await client.post(f"{AGENTS}/login", json={"username": username, "password": password}, headers=headers)


async def token(client: httpx.AsyncClient, **who: str) -> Headers:
    answer = await sign_in(client, **who)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def test_the_service_and_admins_create_agents_others_do_not(
    client: httpx.AsyncClient, service: Headers, bot: Callable[..., Headers]
) -> None:
    mei = await created(client, service)
    assert {key: mei[key] for key in ("username", "role", "languages", "skills")} == {
        "username": "mei", "role": "agent", "languages": ["zh", "en"], "skills": ["water"]
    }  # fmt: skip
    assert "password" not in str(mei)
    await created(client, service, username="boss", role="admin")
    await created(client, await token(client, username="boss"), username="lin")
    for headers, status in ((await token(client), 403), (bot("cv_1"), 403), ({}, 401), ({"Authorization": "x"}, 401)):
        assert (await client.post(AGENTS, json=MEI | {"username": "x"}, headers=headers)).status_code == status
    twice = await client.post(AGENTS, json=MEI, headers=service)
    assert (twice.status_code, twice.json()["type"]) == (409, "username-taken")
    names = [agent["username"] for agent in (await client.get(AGENTS, headers=service)).json()["items"]]
    assert names == ["boss", "lin", "mei"]


@pytest.mark.parametrize(
    "fields", [{"password": "short"}, {"username": "a b"}, {"role": "king"}, {"languages": ["fr"]}]
)
async def test_what_an_agent_must_be(client: httpx.AsyncClient, service: Headers, fields: dict[str, Any]) -> None:
    answer = await client.post(AGENTS, json=MEI | fields, headers=service)
    assert answer.status_code == 422
    assert "short" not in answer.text.replace("shorter", "")


async def test_signing_in_gives_a_token_for_twelve_hours(
    client: httpx.AsyncClient, service: Headers, clock: Any, database: Database
) -> None:
    await created(client, service)
    answer = await sign_in(client, "MEI")
    assert answer.json()["role"] == "agent"
    mine = {"Authorization": f"Bearer {answer.json()['token']}"}
    assert (await client.get("/api/v1/tickets", headers=mine)).status_code == 200
    clock.advance(hours=11, minutes=59)
    assert (await client.get("/api/v1/tickets", headers=mine)).status_code == 200
    clock.advance(minutes=1)
    expired = await client.get("/api/v1/tickets", headers=mine)
    assert (expired.status_code, expired.headers["www-authenticate"]) == (401, "Bearer")
    await sign_in(client)
    async with database.read() as session:
        assert len((await session.scalars(select(AgentSession))).all()) == 1  # the expired one is gone


async def test_the_same_key_gives_the_same_token_which_no_table_holds(
    client: httpx.AsyncClient, service: Headers, database: Database
) -> None:
    await created(client, service)
    key = {"Idempotency-Key": "once"}
    first, again = await sign_in(client, **key), await sign_in(client, **key)
    assert first.json() == again.json()
    assert (await sign_in(client, password="another one", **key)).status_code == 409
    missing = await client.post(f"{AGENTS}/login", json={}, headers={"Idempotency-Key": ""})
    assert missing.status_code in (400, 422)
    async with database.read() as session:
        assert len((await session.scalars(select(AgentSession))).all()) == 1
        for table in Base.metadata.sorted_tables:
            rows = str((await session.execute(select(table))).all())
            assert first.json()["token"] not in rows
            assert "correct horse" not in rows
        agent = (await session.scalars(select(Agent))).one()
        assert agent.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize("username", ["mei", "nobody"])
async def test_five_wrong_passwords_lock_a_name_known_or_not(
    client: httpx.AsyncClient, service: Headers, clock: Any, username: str
) -> None:
    await created(client, service)
    answers = [await sign_in(client, username, "wrong") for _ in range(5)]
    assert {(answer.status_code, answer.json()["type"]) for answer in answers} == {(401, "wrong-credentials")}
    locked = await sign_in(client, username)
    assert (locked.status_code, locked.json()["type"], locked.json()["until"], locked.headers["retry-after"]) == (
        429, "locked", "2026-03-04T06:15:00Z", "900"
    )  # fmt: skip
    clock.advance(minutes=14, seconds=59)
    assert (await sign_in(client, username)).status_code == 429
    clock.advance(seconds=1)
    assert (await sign_in(client, username)).status_code == (200 if username == "mei" else 401)


async def test_many_tries_at_once_do_not_get_past_the_lock(client: httpx.AsyncClient, service: Headers) -> None:
    await created(client, service)
    answers = await asyncio.gather(*(sign_in(client, password="wrong") for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7
    assert (await sign_in(client)).status_code == 429


async def test_a_first_password_has_to_be_changed(client: httpx.AsyncClient, service: Headers) -> None:
    await created(client, service, must_change_password=True)
    refused = await sign_in(client)
    assert (refused.status_code, refused.json()["type"]) == (403, "password-change-required")
    assert "/api/v1/agents/password" in refused.json()["detail"]
    change = {"username": "mei", "password": "correct horse", "new_password": "battery staple"}
    path = f"{AGENTS}/password"
    assert (await client.post(path, json=change | {"password": "wrong"})).status_code == 401
    assert (await client.post(path, json=change | {"new_password": "correct horse"})).status_code == 422
    assert (await client.post(path, json=change)).json() == {"done": True}
    assert (await sign_in(client)).status_code == 401
    mine = await token(client, password="battery staple")
    again = {"username": "mei", "password": "battery staple", "new_password": "correct horse"}
    assert (await client.post(path, json=again)).status_code == 200
    assert (await client.get("/api/v1/tickets", headers=mine)).status_code == 401  # every sign-in has ended


async def test_signing_out_ends_this_sign_in_only(client: httpx.AsyncClient, service: Headers) -> None:
    await created(client, service)
    one, two = await token(client), await token(client)
    assert (await client.post(f"{AGENTS}/logout", headers=one)).status_code == 200
    assert (await client.get("/api/v1/tickets", headers=one)).status_code == 401
    assert (await client.get("/api/v1/tickets", headers=two)).status_code == 200
    assert (await client.post(f"{AGENTS}/logout", headers=service)).status_code == 403


async def test_presence_is_written_at_most_once_a_minute(
    client: httpx.AsyncClient, service: Headers, clock: Any, database: Database
) -> None:
    await created(client, service)
    mine = await token(client)
    start: datetime = clock()

    async def seen() -> float:
        assert (await client.post(f"{AGENTS}/presence", headers=mine)).status_code == 200
        async with database.read() as session:
            last: datetime = (await session.scalars(select(AgentSession.seen_at))).one()
            return (last - start).total_seconds()

    assert await seen() == 0
    clock.advance(seconds=59)
    assert await seen() == 0
    clock.advance(seconds=1)
    assert await seen() == 60


async def test_the_first_start_creates_admin_once(client: httpx.AsyncClient, database: Database, clock: Any) -> None:
    for password, made in (("", False), ("first", True), ("second password", False)):
        async with database.write() as session, session.begin():
            assert await agents.ensure_admin(session, password, clock()) is made
    refused = await sign_in(client, "admin", "first")
    assert (refused.status_code, refused.json()["type"]) == (403, "password-change-required")
    change = {"username": "admin", "password": "first", "new_password": "battery staple"}
    assert (await client.post(f"{AGENTS}/password", json=change)).status_code == 200
    answer = await sign_in(client, "admin", "battery staple")
    assert (answer.status_code, answer.json()["role"]) == (200, "admin")


async def test_old_tries_are_forgotten(
    client: httpx.AsyncClient, database: Database, service: Headers, clock: Any
) -> None:
    await sign_in(client, "nobody", "wrong")
    clock.advance(hours=2)
    await sign_in(client, "nobody", "wrong")
    async with database.read() as session:
        assert (await session.execute(text("SELECT count(*) FROM verification_tries"))).scalar_one() == 2
