"""One's own account at the console: language, telephone, password, second factor, sign-ins."""

import re
from typing import Any

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from api.agents import service as agents
from api.agents.passwords import hash_password, password_is
from api.agents.tables import Agent, AgentSession
from api.audit.tables import AuditEntry
from api.console.session import COOKIE
from api.db.engine import Database
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.console.conftest import Desk, SeatDesk

PASSWORD = "correct horse"
ACCOUNT = "/console/account"


async def fresh(database: Database, desk: Desk) -> Agent:
    async with database.read() as session:
        return await session.get_one(Agent, desk.agent.id)


async def seated(seat: SeatDesk, **has: Any) -> Desk:
    return await seat("mei", **({"password_hash": await hash_password(PASSWORD)} | has))


async def enrolled(desk: Desk, clock: Clock) -> tuple[str, list[str]]:
    """The secret and the recovery codes of a second factor that was just set up."""
    page = (await desk.get(f"{ACCOUNT}/second-factor")).text
    seal = re.search(r'name="enrolment" value="([^"]+)"', page)
    secret = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
    assert seal
    assert secret
    plain = secret[1].replace(" ", "")
    wrong = await desk.post(f"{ACCOUNT}/second-factor", {"enrolment": seal[1], "code": "000000"})
    assert wrong.status_code == 422
    assert secret[1] in wrong.text
    done = await desk.post(f"{ACCOUNT}/second-factor", {"enrolment": seal[1], "code": pyotp.TOTP(plain).at(clock())})
    return plain, re.findall(r"<code>([a-z0-9-]{11})</code>", done.text)


@pytest.mark.parametrize(("language", "words"), [("zh", "我的账号"), ("en", "My account")])
@pytest.mark.parametrize("role", ["agent", "supervisor", "dispatcher", "admin"])
async def test_everybody_has_the_page(seat: SeatDesk, language: str, words: str, role: str) -> None:
    desk = await seat("mei", role=role, language=language, skills=["power", "<b>own</b>"], name="<i>Mei</i>")
    page = await desk.get(ACCOUNT)
    assert (page.status_code, words in page.text) == (200, True)
    assert "<b>own" not in page.text
    assert "<i>Mei" not in page.text


async def test_language_and_telephone(seat: SeatDesk, database: Database) -> None:
    desk = await seated(seat)
    done = await desk.post(ACCOUNT, {"language": "en", "phone": "sip:mei@pbx.example.com"})
    assert done.headers["hx-redirect"] == f"{ACCOUNT}?done=own"
    assert "Saved." in (await desk.get(f"{ACCOUNT}?done=own")).text
    mei = await fresh(database, desk)
    assert (mei.language, mei.phone) == ("en", "sip:mei@pbx.example.com")
    wrong = await desk.post(ACCOUNT, {"language": "en", "phone": "12"})
    assert (wrong.status_code, "no telephone number" in wrong.text) == (422, True)
    assert (await fresh(database, desk)).phone == "sip:mei@pbx.example.com"


async def test_a_new_password_ends_all_other_sign_ins_and_renews_this_one(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    desk = await seated(seat)
    before = desk.client.cookies[COOKIE]
    async with database.write() as session, session.begin():
        await agents.sign_in(session, await session.get_one(Agent, desk.agent.id), "elsewhere", clock())
    change = {"current": PASSWORD, "password": "battery staple", "again": "battery staple"}
    for wrong, words in (
        ({"current": "wrong"}, "当前密码不对"),
        ({"again": "another one"}, "两次输入的新密码不一样"),
        ({"password": "mei12345", "again": "mei12345"}, "太常见"),
        ({"password": PASSWORD, "again": PASSWORD}, "不能和现在的一样"),
    ):
        answer = await desk.post(f"{ACCOUNT}/password", change | wrong)
        assert (answer.status_code, words in answer.text) == (422, True)
    done = await desk.post(f"{ACCOUNT}/password", change)
    assert done.headers["hx-redirect"] == f"{ACCOUNT}?done=password"
    now = desk.client.cookies.get(COOKIE, domain="desk.local") or done.cookies[COOKIE]
    assert now != before
    async with database.read() as session:
        assert [row.token_hash for row in await session.scalars(select(AgentSession))] == [agents.token_hash(now)]
        assert await password_is("battery staple", (await session.get_one(Agent, desk.agent.id)).password_hash)


async def test_nobody_else_can_lock_who_is_signed_in(seat: SeatDesk, client: httpx.AsyncClient) -> None:
    desk = await seated(seat)
    for _ in range(6):
        await client.post("/console/login", data={"username": "mei", "password": "wrong"})
    locked = await client.post("/console/login", data={"username": "mei", "password": PASSWORD})
    assert locked.status_code == 429
    assert (await desk.get("/console")).status_code == 200
    change = {"current": PASSWORD, "password": "battery staple", "again": "battery staple"}
    assert (await desk.post(f"{ACCOUNT}/password", change)).headers["hx-redirect"]


async def test_a_found_browser_cannot_guess_the_password(seat: SeatDesk) -> None:
    desk = await seated(seat)
    change = {"current": "wrong", "password": "battery staple", "again": "battery staple"}
    for _ in range(5):
        assert "当前密码不对" in (await desk.post(f"{ACCOUNT}/password", change)).text
    assert "尝试次数太多" in (await desk.post(f"{ACCOUNT}/password", change | {"current": PASSWORD})).text


async def test_a_second_factor_on_and_off(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seated(seat)
    secret, codes = await enrolled(desk, clock)
    assert len(codes) == 10
    page = (await desk.get(ACCOUNT)).text
    assert "还有 10 个备用码" in page
    assert (await desk.get(f"{ACCOUNT}/second-factor")).headers["location"] == ACCOUNT
    off = f"{ACCOUNT}/second-factor/off"
    used = {"current": PASSWORD, "code": pyotp.TOTP(secret).at(clock())}
    assert "验证码不对" in (await desk.post(off, used)).text
    assert "当前密码不对" in (await desk.post(off, {"current": "wrong", "code": codes[0]})).text
    assert (await fresh(database, desk)).second_factor
    done = await desk.post(off, {"current": PASSWORD, "code": codes[0]})
    assert done.headers["hx-redirect"] == f"{ACCOUNT}?done=factor"
    mei = await fresh(database, desk)
    assert (mei.totp_secret, mei.recovery_codes) == ("", [])
    async with database.read() as session:
        acts = list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert acts == [
        "agent.totp_on", "agent.sign_in_failed", "agent.sign_in_failed", "agent.recovery_code_used", "agent.totp_off"
    ]  # fmt: skip


async def test_one_that_is_on_is_not_replaced_without_its_code(
    seat: SeatDesk, clock: Clock, database: Database
) -> None:
    desk = await seated(seat)
    page = (await desk.get(f"{ACCOUNT}/second-factor")).text
    await enrolled(desk, clock)
    before = (await fresh(database, desk)).totp_secret
    seal, secret = re.search(r'value="(gAAA[^"]+)"', page), re.search(r'"secret">([A-Z2-7 ]+)<', page)
    assert seal
    assert secret
    code = pyotp.TOTP(secret[1].replace(" ", "")).at(clock())
    again = await desk.post(f"{ACCOUNT}/second-factor", {"enrolment": seal[1], "code": code})
    assert again.status_code == 409
    assert (await fresh(database, desk)).totp_secret == before


async def test_who_needs_one_and_turns_it_off_signs_in_anew(
    seat: SeatDesk, clock: Clock, app: FastAPI, settings: Settings
) -> None:
    app.state.settings = settings.model_copy(update={"require_otp": "supervisor"})
    desk = await seated(seat, role="supervisor")
    _, codes = await enrolled(desk, clock)
    await desk.post(f"{ACCOUNT}/second-factor/off", {"current": PASSWORD, "code": codes[0]})
    assert (await desk.get("/console")).headers["location"] == "/console/login"


async def test_signing_out_elsewhere(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await seated(seat)
    assert "退出其他登录" not in (await desk.get(ACCOUNT)).text
    async with database.write() as session, session.begin():
        await agents.sign_in(session, await session.get_one(Agent, desk.agent.id), "elsewhere", clock())
    page = (await desk.get(ACCOUNT)).text
    assert "退出其他登录" in page
    assert "接口" in page
    await desk.post(f"{ACCOUNT}/sign-ins")
    async with database.read() as session:
        left = [row.token_hash for row in await session.scalars(select(AgentSession))]
    assert left == [agents.token_hash(desk.client.cookies[COOKIE])]
    assert (await desk.get(ACCOUNT)).status_code == 200
