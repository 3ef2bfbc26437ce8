"""Signing in at the console, step by step, as a browser without JavaScript does."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pyotp
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from api.agents import service as agents
from api.agents.passwords import hash_password
from api.agents.sealing import seal
from api.agents.tables import Agent, AgentSession
from api.console import known
from api.console.session import COOKIE
from api.db.base import new_id
from api.db.engine import Database
from api.settings import Settings
from tests.integration.conftest import Clock

PASSWORD = "correct horse"


def fields(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return dict(found)


def secret_in(page: httpx.Response) -> str:
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page.text)
    assert found, page.text
    return found[1].replace(" ", "")


class Browser:
    """A browser at the console's door."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def sign_in(self, password: str = PASSWORD, username: str = "mei", **more: str) -> httpx.Response:
        return await self.client.post("/console/login", data={"username": username, "password": password, **more})

    async def step(self, page: httpx.Response, name: str, **typed: str) -> httpx.Response:
        return await self.client.post(f"/console/login/{name}", data=fields(page) | typed)


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[Browser]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        yield Browser(client)


@pytest.fixture
def agent(database: Database, clock: Clock) -> Any:
    async def make(username: str = "mei", **has: Any) -> Agent:
        made = Agent(
            id=new_id("ag"), username=username, password_hash=await hash_password(PASSWORD), created_at=clock(),
            **({"role": "agent"} | has),
        )  # fmt: skip
        async with database.write() as session, session.begin():
            session.add(made)
        return made

    return make


@pytest.fixture
def strict(app: FastAPI, settings: Settings) -> None:
    """Admins need a second factor."""
    app.state.settings = settings.model_copy(update={"require_otp": "admin"})


async def sessions(database: Database) -> list[AgentSession]:
    async with database.read() as session:
        return list((await session.scalars(select(AgentSession))).all())


@pytest.mark.parametrize(("lang", "title"), [("zh", "登录坐席台"), ("en", "Sign in to the console")])
async def test_the_page_in_both_languages(browser: Browser, lang: str, title: str) -> None:
    assert title in (await browser.client.get("/console/login", params={"lang": lang})).text
    asked = await browser.client.get("/console/login", headers={"Accept-Language": f"{lang}-X,{lang};q=0.9"})
    assert title in asked.text
    assert "oidc" not in asked.text


async def test_name_and_password_open_the_console(browser: Browser, agent: Any, database: Database) -> None:
    await agent()
    answer = await browser.sign_in(username=" MEI ")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert (await browser.client.get("/console")).status_code == 200
    (signed_in,) = await sessions(database)
    assert signed_in.console
    assert answer.cookies[COOKIE] not in signed_in.token_hash


async def test_behind_tls_the_cookie_is_the_hosts_own(app: FastAPI, agent: Any) -> None:
    await agent()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://desk") as client:
        answer = await client.post("/console/login", data={"username": "mei", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"__Host-{COOKIE}=")
        assert "Secure" in cookie
        assert (await client.get("/console")).status_code == 200
        plain = {"Cookie": f"{COOKIE}={answer.cookies[f'__Host-{COOKIE}']}"}
        client.cookies.clear()
        assert (await client.get("/console", headers=plain)).status_code == 303


async def test_every_sign_in_has_a_new_token_and_ends_the_one_before(
    browser: Browser, agent: Any, database: Database
) -> None:
    await agent()
    browser.client.cookies.set(COOKIE, "fixed-by-somebody-else", domain="desk")
    first = (await browser.sign_in()).cookies[COOKIE]
    assert first != "fixed-by-somebody-else"
    browser.client.cookies.clear()
    second = (await browser.client.post("/console/login", data={"username": "mei", "password": PASSWORD},
                                        headers={"Cookie": f"{COOKIE}={first}"})).cookies[COOKIE]  # fmt: skip
    assert second != first
    assert [row.token_hash for row in await sessions(database)] == [agents.token_hash(second)]


async def test_what_is_wrong_is_said_and_the_sixth_try_is_locked(browser: Browser, agent: Any) -> None:
    await agent()
    for _ in range(5):
        wrong = await browser.sign_in("wrong", lang="en")
        assert (wrong.status_code, "The name or the password is wrong." in wrong.text) == (401, True)
        assert "set-cookie" not in wrong.headers
    locked = await browser.sign_in()
    assert (locked.status_code, locked.headers["retry-after"], "尝试次数太多" in locked.text) == (429, "900", True)


def from_address(app: FastAPI, address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 1)), base_url="http://desk")


async def test_strangers_wrong_tries_do_not_lock_a_browser_that_the_agent_knows(
    app: FastAPI, agent: Any, clock: Clock
) -> None:
    """Behind a proxy that nobody named, all come from one address: that and the name are locked, the browser is not."""
    await agent()
    await agent("wu")
    async with from_address(app, "10.0.0.1") as mine, from_address(app, "10.0.0.1") as theirs:
        usual, stranger = Browser(mine), Browser(theirs)
        await usual.sign_in()
        for i in range(30):
            await stranger.sign_in("wrong", username="mei" if i < 5 else f"name{i}")
        assert (await stranger.sign_in()).status_code == 429
        assert (await stranger.sign_in(username="wu")).status_code == 429
        assert (await usual.sign_in(username="wu")).status_code == 429  # it is mei's
        assert (await usual.sign_in()).status_code == 303
        for _ in range(5):
            assert (await usual.sign_in("wrong")).status_code == 401
        assert (await usual.sign_in()).status_code == 429  # its own wrong tries count
        clock.advance(minutes=15)
        assert (await stranger.sign_in()).status_code == 303
        assert (await usual.sign_in()).status_code == 303


async def test_a_browser_is_known_for_two_months_and_by_our_cookie_alone(
    browser: Browser, app: FastAPI, agent: Any, clock: Clock, settings: Settings
) -> None:
    await agent()
    await browser.sign_in()
    cookie = browser.client.cookies[known.COOKIE]
    assert "mei" not in cookie
    async with from_address(app, "10.0.0.1") as client:
        for made_up in ("", "x", cookie[:-2] + "AA", seal(settings, "oidc", ["mei", "x"], clock())):
            client.cookies.set(known.COOKIE, made_up)
            await Browser(client).sign_in("wrong")
    clock.advance(days=61)
    for _ in range(5):
        await browser.sign_in("wrong")
    async with from_address(app, "10.0.0.2") as client:
        assert (await Browser(client).sign_in()).status_code == 429  # the name was locked by them


@pytest.mark.parametrize("header", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_another_site_cannot_sign_a_browser_in(browser: Browser, agent: Any, header: dict[str, str]) -> None:
    await agent()
    form = {"username": "mei", "password": PASSWORD}
    answer = await browser.client.post("/console/login", data=form, headers=header)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_a_first_password_is_changed_on_the_way(browser: Browser, agent: Any, database: Database) -> None:
    await agent(must_change_password=True)
    page = await browser.sign_in()
    assert "请设置自己的密码" in page.text
    assert await sessions(database) == []
    assert (await browser.client.get("/console")).status_code == 303
    for typed, words in (
        ({"password": "battery staple", "again": "battery stapel"}, "两次输入的新密码不一样"),
        ({"password": PASSWORD, "again": PASSWORD}, "新密码不能和现在的一样"),
        ({"password": "password1", "again": "password1"}, "太常见"),
    ):
        page = await browser.step(page, "password", **typed)
        assert (page.status_code, words in page.text) == (422, True)
    done = await browser.step(page, "password", password="battery staple", again="battery staple")
    assert (done.status_code, done.headers["location"]) == (303, "/console")
    spent = await browser.step(page, "password", password="third password", again="third password")
    assert spent.status_code == 401
    assert (await browser.sign_in("battery staple")).status_code == 303


async def test_a_role_that_needs_one_sets_up_the_second_factor_first(
    browser: Browser, agent: Any, strict: None, clock: Clock, database: Database
) -> None:
    await agent(role="admin", must_change_password=True)
    page = await browser.sign_in(lang="en")
    page = await browser.step(page, "password", password="battery staple", again="battery staple")
    assert "Set up the second factor" in page.text
    assert "<svg" in page.text
    assert "style=" not in page.text
    assert await sessions(database) == []
    secret = secret_in(page)
    page = await browser.step(page, "enrol", code="000000")
    assert (page.status_code, secret_in(page)) == (422, secret)
    async with database.read() as session:
        assert (await session.scalars(select(Agent))).one().language == "en"
    codes = await browser.step(page, "enrol", code=pyotp.TOTP(secret).at(clock()))
    assert codes.status_code == 200
    assert len(re.findall(r"<li><code>[a-z0-9]{5}-[a-z0-9]{5}</code></li>", codes.text)) == 10
    assert (await browser.client.get("/console")).status_code == 200

    browser.client.cookies.clear()
    page = await browser.sign_in("battery staple")
    assert "两步验证" in page.text
    used = await browser.step(page, "otp", code=pyotp.TOTP(secret).at(clock()))
    assert used.status_code == 422  # setting it up has taken this one
    clock.advance(seconds=30)
    done = await browser.step(page, "otp", code=pyotp.TOTP(secret).at(clock()))
    assert done.headers["location"] == "/console"


async def test_a_second_factor_cannot_be_stepped_over(browser: Browser, agent: Any, strict: None, clock: Clock) -> None:
    await agent(role="admin")
    page = await browser.sign_in()
    secret = secret_in(page)
    await browser.step(page, "enrol", code=pyotp.TOTP(secret).at(clock()))
    browser.client.cookies.clear()
    asked = await browser.sign_in()
    for name in ("password", "enrol"):
        typed = {"password": "battery staple", "again": "battery staple", "enrolment": "x", "code": "1"}
        assert (await browser.step(asked, name, **typed)).status_code == 401
    assert (await browser.step(page, "enrol", code="000000")).status_code == 401  # an older page's seal
    for _ in range(5):
        assert (await browser.step(asked, "otp", code="000000")).status_code == 422
    assert (await browser.step(asked, "otp", code=pyotp.TOTP(secret).at(clock.advance(seconds=30)))).status_code == 429


@pytest.mark.parametrize("seal", ["", "nonsense", "gAAAAA=="])
async def test_a_step_without_its_seal_is_none(browser: Browser, agent: Any, seal: str) -> None:
    await agent()
    answer = await browser.client.post("/console/login/otp", data={"seal": seal, "code": "000000"})
    assert answer.status_code in (401, 422)


async def test_a_step_lasts_ten_minutes(browser: Browser, agent: Any, clock: Clock) -> None:
    await agent(must_change_password=True)
    page = await browser.sign_in()
    clock.advance(minutes=10, seconds=1)
    late = await browser.step(page, "password", password="battery staple", again="battery staple")
    assert (late.status_code, "请重新登录" in late.text) == (401, True)


async def test_a_sign_in_lasts_twelve_hours_however_busy_and_ends_with_signing_out(
    browser: Browser, agent: Any, clock: Clock
) -> None:
    await agent()
    await browser.sign_in()
    for _ in range(12 * 60 // 25):
        clock.advance(minutes=25)
        assert (await browser.client.get("/console")).status_code == 200
    clock.advance(minutes=25)
    assert (await browser.client.get("/console")).status_code == 303
    await browser.sign_in()
    page = await browser.client.get("/console/account")
    out = await browser.client.post("/console/logout", data={"csrf": fields(page)["csrf"]})
    assert out.headers["location"] == "/console/login"
    assert (await browser.client.get("/console")).status_code == 303


async def test_who_is_deactivated_is_out(browser: Browser, agent: Any, database: Database) -> None:
    mei = await agent()
    await browser.sign_in()
    async with database.write() as session, session.begin():
        (await session.get_one(Agent, mei.id)).active = False
    assert (await browser.client.get("/console")).status_code == 303
    assert (await browser.sign_in()).status_code == 401


@pytest.mark.parametrize(("role", "presence"), [("agent", "available"), ("supervisor", "away")])
async def test_an_agent_who_signs_in_is_there_for_customers(
    browser: Browser, agent: Any, database: Database, role: str, presence: str
) -> None:
    made = await agent(role=role)
    assert (await browser.sign_in()).headers["location"] == "/console"
    async with database.read() as session:
        assert (await session.get_one(Agent, made.id)).presence == presence
