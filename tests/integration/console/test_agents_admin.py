"""The admins' page: adding agents, changing them, resetting what they lost."""

import re
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.agents import service as agents
from api.agents.passwords import hash_password
from api.agents.tables import Agent, AgentSession
from api.audit.tables import AuditEntry
from api.db.engine import Database
from tests.integration.console.conftest import SeatDesk

ADMIN = "/console/admin"
NEW: dict[str, Any] = {
    "username": "Lin", "name": "小林", "role": "supervisor", "languages": ["zh", "en"], "skills": ["water", "power"],
    "capacity": "3", "phone": "138 1234 5678",
}  # fmt: skip


async def named(database: Database, username: str) -> Agent:
    async with database.read() as session:
        found = await agents.agent_named(session, username)
    assert found is not None
    return found


async def acts(database: Database) -> list[str]:
    async with database.read() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def password_in(page: httpx.Response) -> str:
    found = re.search(r'<code class="secret">([a-z0-9-]{19})</code>', page.text)
    assert found, page.text
    return found[1]


@pytest.mark.parametrize(("language", "words"), [("zh", "坐席账号"), ("en", "Add an agent")])
async def test_the_pages_in_both_languages(seat: SeatDesk, language: str, words: str) -> None:
    desk = await seat("boss", role="admin", language=language)
    await seat("wu", name="<b>Wu</b>", skills=["billing<i>"], phone="sip:wu@pbx.example.com")
    page = (await desk.get(ADMIN)).text
    assert words in page
    assert "&lt;b&gt;Wu" in page
    assert "billing&lt;i&gt;" in page
    one = await desk.get(f"{ADMIN}/agents/wu")
    assert 'value="billing&lt;i&gt;" checked' in one.text
    assert "sip:wu@pbx.example.com" in one.text
    assert (await desk.get(f"{ADMIN}/agents/nobody")).status_code == 404


@pytest.mark.parametrize("role", ["agent", "supervisor", "dispatcher"])
async def test_only_admins_have_them(seat: SeatDesk, role: str) -> None:
    desk = await seat(role=role)
    await seat("wu")
    for path in (ADMIN, f"{ADMIN}/agents/wu"):
        assert (await desk.get(path)).status_code == 403
    for path in ("", "/wu", "/wu/password", "/wu/second-factor", "/wu/unlink"):
        assert (await desk.post(f"{ADMIN}/agents{path}", NEW)).status_code == 403


async def test_an_agent_is_added_with_a_password_for_once(
    seat: SeatDesk, database: Database, client: httpx.AsyncClient
) -> None:
    desk = await seat("boss", role="admin")
    page = await desk.post(f"{ADMIN}/agents", NEW)
    assert page.headers["cache-control"] == "no-store"
    lin = await named(database, "lin")
    assert (lin.name, lin.role, lin.languages, lin.skills, lin.capacity, lin.phone, lin.must_change_password) == (
        "小林", "supervisor", ["zh", "en"], ["water", "power"], 3, "13812345678", True
    )  # fmt: skip
    signed = await client.post("/console/login", data={"username": "lin", "password": password_in(page)})
    assert "请设置自己的密码" in signed.text
    assert "尚未设置密码" in (await desk.get(ADMIN)).text
    assert "agent.created" in await acts(database)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"username": "boss"}, "这个用户名已经有人用了"),
        ({"username": "a b"}, "填写不对"),
        ({"role": "king"}, "填写不对"),
        ({"capacity": "-1"}, "填写不对"),
        ({"phone": "12"}, "电话号码不对"),
    ],
)
async def test_what_cannot_be_added_is_said_and_the_form_kept(
    seat: SeatDesk, database: Database, wrong: dict[str, Any], words: str
) -> None:
    desk = await seat("boss", role="admin")
    answer = await desk.post(f"{ADMIN}/agents", NEW | wrong)
    assert (answer.status_code, words in answer.text, 'value="小林"' in answer.text) == (422, True, True)
    async with database.read() as session:
        assert len((await session.scalars(select(Agent))).all()) == 1


async def test_changing_an_agent(seat: SeatDesk, database: Database) -> None:
    desk, wu = await seat("boss", role="admin"), await seat("wu")
    form = {"name": "老吴", "role": "dispatcher", "languages": ["zh"], "skills": [], "capacity": "0", "phone": ""}
    assert (await desk.post(f"{ADMIN}/agents/wu", form | {"active": "true"})).headers["hx-redirect"]
    changed = await named(database, "wu")
    assert (changed.name, changed.role, changed.skills, changed.capacity, changed.active) == (
        "老吴",
        "dispatcher",
        [],
        0,
        True,
    )
    assert (await wu.get("/console/account")).status_code == 200
    await desk.post(f"{ADMIN}/agents/wu", form)  # the box is not ticked
    assert not (await named(database, "wu")).active
    assert (await wu.get("/console/account")).status_code == 303
    assert {"agent.role_changed", "agent.changed", "agent.activity_changed"} <= set(await acts(database))
    wrong = await desk.post(f"{ADMIN}/agents/wu", form | {"phone": "12"})
    assert (wrong.status_code, "电话号码不对" in wrong.text) == (422, True)


@pytest.mark.parametrize("change", [{"role": "agent", "active": "true"}, {"role": "admin"}])
async def test_the_last_admin_stays(seat: SeatDesk, database: Database, change: dict[str, str]) -> None:
    desk = await seat("boss", role="admin")
    await seat("gone", role="admin", active=False)
    refused = await desk.post(f"{ADMIN}/agents/boss", {"name": "", "capacity": "5", **change})
    assert (refused.status_code, "至少要有一位在用的管理员" in refused.text) == (422, True)
    boss = await named(database, "boss")
    assert (boss.role, boss.active) == ("admin", True)


async def test_resetting_what_was_lost(seat: SeatDesk, database: Database, client: httpx.AsyncClient) -> None:
    desk = await seat("boss", role="admin")
    await seat("wu", password_hash=await hash_password("forgotten one"), totp_secret="sealed", oidc_subject="x")
    for _ in range(6):
        await client.post("/console/login", data={"username": "wu", "password": "wrong"})
    page = await desk.post(f"{ADMIN}/agents/wu/password")
    async with database.read() as session:
        wu = await named(database, "wu")
        assert not (await session.scalars(select(AgentSession).where(AgentSession.agent_id == wu.id))).all()
    await desk.post(f"{ADMIN}/agents/wu/second-factor")
    await desk.post(f"{ADMIN}/agents/wu/unlink")
    wu = await named(database, "wu")
    assert (wu.second_factor, wu.oidc_subject, wu.must_change_password) == (False, None, True)
    signed = await client.post("/console/login", data={"username": "wu", "password": password_in(page)})
    assert "请设置自己的密码" in signed.text  # the lock is lifted, too
    assert {"agent.password_reset", "agent.totp_reset", "agent.unlinked"} <= set(await acts(database))


@pytest.mark.parametrize("act", ["password", "second-factor", "unlink"])
async def test_ones_own_is_changed_on_ones_own_page(seat: SeatDesk, database: Database, act: str) -> None:
    desk = await seat("boss", role="admin", password_hash="kept", totp_secret="kept")
    assert (await desk.post(f"{ADMIN}/agents/boss/{act}")).status_code == 409
    boss = await named(database, "boss")
    assert (boss.password_hash, boss.totp_secret) == ("kept", "kept")
    assert f"agents/boss/{act}" not in (await desk.get(f"{ADMIN}/agents/boss")).text
