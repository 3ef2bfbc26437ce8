"""Signing in by an OpenID provider: who gets in, and every answer that does not fit."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from sqlalchemy import select

from api.agents.oidc import Provider, subject_hash
from api.agents.tables import Agent, AgentSession
from api.audit.tables import AuditEntry
from api.console.oidc import COOKIE
from api.console.session import COOKIE as SIGN_IN
from api.db.base import new_id
from api.db.engine import Database
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.console.provider import CLIENT, DISCOVERY, ISSUER, SECRET, FakeProvider

DESK = "https://desk.example.com"
MEI = subject_hash(ISSUER, "subject-1")


@pytest.fixture
def provider(app: FastAPI, settings: Settings, clock: Clock) -> FakeProvider:
    """The provider of this desk."""
    configured = {
        "oidc_issuer": ISSUER, "oidc_client_id": CLIENT, "oidc_client_secret": SecretStr(SECRET), "public_url": DESK
    }  # fmt: skip
    app.state.settings = settings.model_copy(update=configured)
    fake = FakeProvider(clock)
    app.state.oidc_provider = Provider(app.state.settings, fake.transport)
    return fake


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=DESK) as client:
        yield client


@pytest.fixture
def agent(database: Database, clock: Clock) -> Any:
    async def make(username: str = "mei@example.com", **has: Any) -> Agent:
        fields: dict[str, Any] = {"role": "agent", "password_hash": "", "oidc_subject": MEI} | has
        made = Agent(id=new_id("ag"), username=username, created_at=clock(), **fields)
        async with database.write() as session, session.begin():
            session.add(made)
        return made

    return make


async def through(browser: httpx.AsyncClient, provider: FakeProvider, **spoiled: str) -> httpx.Response:
    """To the provider and back."""
    start = await browser.get("/console/oidc/start", params={"lang": "en"})
    assert start.status_code == 303, start.text
    back = provider.approve(start.headers["location"]) | spoiled
    return await browser.get("/console/oidc/callback", params=back)


def is_in(answer: httpx.Response) -> bool:
    return answer.headers.get("location") == "/console" and f"__Host-{SIGN_IN}" in answer.headers["set-cookie"]


async def test_the_way_there_and_back(
    browser: httpx.AsyncClient, provider: FakeProvider, agent: Any, database: Database
) -> None:
    mei = await agent()
    assert "Sign in with your organisation" in (await browser.get("/console/login?lang=en")).text
    answer = await through(browser, provider)
    assert is_in(answer), answer.text
    asked = provider.asked
    assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"], asked["tenant"]) == (
        "code", CLIENT, "S256", "1"
    )  # fmt: skip
    assert asked["redirect_uri"] == f"{DESK}/console/oidc/callback"
    assert set(asked["scope"].split()) == {"openid", "email"}
    assert (await browser.get("/console")).status_code == 200
    async with database.read() as session:
        (signed_in,) = (await session.scalars(select(AgentSession))).all()
        entry = (await session.scalars(select(AuditEntry))).one()
    assert (signed_in.agent_id, signed_in.console) == (mei.id, True)
    assert (entry.action, entry.details["way"]) == ("agent.signed_in", "oidc")


async def test_nothing_is_fetched_before_it_is_needed_and_then_once(
    browser: httpx.AsyncClient, provider: FakeProvider, agent: Any
) -> None:
    await agent()
    await browser.get("/console/login")
    assert provider.calls == []
    for _ in range(2):
        assert is_in(await through(browser, provider))
    assert provider.calls.count(DISCOVERY) == provider.calls.count(f"{ISSUER}/keys") == 1


async def test_without_a_provider_there_is_no_such_page(client: httpx.AsyncClient) -> None:
    for path in ("start", "callback"):
        assert (await client.get(f"/console/oidc/{path}")).status_code == 404


def other_key(fake: FakeProvider) -> None:
    fake.signing = RSAKey.generate_key(2048)


def no_algorithm(fake: FakeProvider) -> None:
    fake.header = {"alg": "none"}


def public_key_as_secret(fake: FakeProvider) -> None:
    fake.header = {"alg": "HS256", "kid": "one"}


def forged(fake: FakeProvider) -> None:
    fake.spoil = lambda token: token[:-8] + ("AAAAAAAA" if not token.endswith("AAAAAAAA") else "BBBBBBBB")


def garbled(fake: FakeProvider) -> None:
    fake.spoil = lambda token: "not.a.token"


def says(**claims: Any) -> Any:
    return lambda fake: fake.claims.update(claims)


@pytest.mark.parametrize(
    "spoil",
    [
        other_key,
        no_algorithm,
        forged,
        garbled,
        public_key_as_secret,
        says(iss="https://evil.example.com"),
        says(iss=None),
        says(aud="another-desk"),
        says(aud=["another-desk"]),
        says(aud=None),
        says(aud=[CLIENT, "another-desk"], azp="another-desk"),
        says(exp=1_700_000_000),
        says(exp=None),
        says(nbf=1_900_000_000),
        says(nonce="another"),
        says(nonce=None),
        says(sub=None),
    ],
    ids=lambda spoil: getattr(spoil, "__name__", ""),
)
async def test_an_id_token_that_does_not_hold_signs_nobody_in(
    browser: httpx.AsyncClient, provider: FakeProvider, agent: Any, database: Database, spoil: Any
) -> None:
    await agent()
    spoil(provider)
    answer = await through(browser, provider)
    assert (answer.status_code, "did not work" in answer.text) == (401, True)
    assert SIGN_IN not in answer.headers["set-cookie"]
    async with database.read() as session:
        assert (await session.scalars(select(AgentSession))).all() == []
        assert [row.action for row in await session.scalars(select(AuditEntry))] == ["agent.sign_in_failed"]


@pytest.mark.parametrize(
    "spoiled",
    [{"state": "another"}, {"state": ""}, {"code": "another"}, {"code": ""}, {"iss": "https://evil.example.com"}],
)
async def test_an_answer_that_does_not_fit_signs_nobody_in(
    browser: httpx.AsyncClient, provider: FakeProvider, agent: Any, spoiled: dict[str, str]
) -> None:
    await agent()
    answer = await through(browser, provider, **spoiled)
    assert answer.status_code == 401
    assert SIGN_IN not in answer.headers["set-cookie"]


async def test_an_answer_is_for_the_browser_that_asked_once_and_for_ten_minutes(
    app: FastAPI, browser: httpx.AsyncClient, provider: FakeProvider, agent: Any, clock: Clock
) -> None:
    await agent()
    back = provider.approve((await browser.get("/console/oidc/start")).headers["location"])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=DESK) as other:
        assert (await other.get("/console/oidc/callback", params=back)).status_code == 401
    assert is_in(await browser.get("/console/oidc/callback", params=back))
    assert f"__Host-{COOKIE}" not in browser.cookies
    assert (await browser.get("/console/oidc/callback", params=back)).status_code == 401
    late = provider.approve((await browser.get("/console/oidc/start")).headers["location"])
    clock.advance(minutes=10, seconds=1)
    assert (await browser.get("/console/oidc/callback", params=late)).status_code == 401


async def test_new_keys_of_the_provider_are_fetched(
    browser: httpx.AsyncClient, provider: FakeProvider, agent: Any
) -> None:
    await agent()
    assert is_in(await through(browser, provider))
    provider.key = provider.signing = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    provider.published, provider.header = [provider.key], {"alg": "RS256", "kid": "two"}
    assert is_in(await through(browser, provider))


@pytest.mark.parametrize("has", [{"oidc_subject": None}, {"active": False}, {"oidc_subject": "another"}])
async def test_who_is_nobody_here_gets_no_account(
    browser: httpx.AsyncClient, provider: FakeProvider, agent: Any, database: Database, has: dict[str, Any]
) -> None:
    await agent(**has)
    provider.claims = {"email": "mei@example.com", "email_verified": True}
    answer = await through(browser, provider)
    assert (answer.status_code, "No agent belongs to this account" in answer.text) == (403, True)
    async with database.read() as session:
        assert len((await session.scalars(select(Agent))).all()) == 1


@pytest.fixture
def linking(app: FastAPI, provider: FakeProvider) -> FakeProvider:
    app.state.settings = app.state.settings.model_copy(update={"oidc_link_by_email": True})
    app.state.oidc_provider = Provider(app.state.settings, provider.transport)
    return provider


@pytest.mark.parametrize("where", ["claims", "userinfo"])
async def test_a_verified_address_links_once_where_that_is_allowed(
    browser: httpx.AsyncClient, linking: FakeProvider, agent: Any, database: Database, where: str
) -> None:
    mei = await agent(oidc_subject=None)
    setattr(linking, where, {"sub": "subject-1", "email": "Mei@Example.com", "email_verified": True})
    assert is_in(await through(browser, linking))
    async with database.read() as session:
        assert (await session.get_one(Agent, mei.id)).oidc_subject == MEI
    setattr(linking, where, {"sub": "subject-2", "email": "mei@example.com", "email_verified": True})
    linking.claims["sub"] = "subject-2"
    assert (await through(browser, linking)).status_code == 403
    linking.claims, linking.userinfo = {}, {}
    assert is_in(await through(browser, linking))  # the address is not asked for any more


@pytest.mark.parametrize(
    "said",
    [
        {"email": "mei@example.com"},
        {"email": "mei@example.com", "email_verified": False},
        {"email": "mei@example.com", "email_verified": "true"},
        {"email": "other@example.com", "email_verified": True},
        {},
    ],
)
async def test_no_other_address_links(
    browser: httpx.AsyncClient, linking: FakeProvider, agent: Any, said: dict[str, Any]
) -> None:
    await agent(oidc_subject=None)
    linking.claims = said
    linking.userinfo = {"sub": "somebody-else", "email": "mei@example.com", "email_verified": True}
    assert (await through(browser, linking)).status_code == 403


@pytest.mark.parametrize(("amr", "opens"), [(["pwd"], False), (["pwd", "mfa"], True), (None, False)])
async def test_our_second_factor_is_asked_for_unless_the_provider_asked(
    browser: httpx.AsyncClient, provider: FakeProvider, agent: Any, amr: Any, opens: bool
) -> None:
    await agent(totp_secret="sealed", must_change_password=True)
    provider.claims = {"amr": amr}
    answer = await through(browser, provider)
    assert is_in(answer) is opens
    assert ("Second factor" in answer.text) is not opens


async def test_a_provider_that_is_down_is_said(browser: httpx.AsyncClient, provider: FakeProvider) -> None:
    provider.down = True
    answer = await browser.get("/console/oidc/start", params={"lang": "en"})
    assert (answer.status_code, "cannot be reached" in answer.text) == (503, True)


async def test_a_description_of_another_issuer_is_not_used(browser: httpx.AsyncClient, provider: FakeProvider) -> None:
    provider.description = {"issuer": "https://evil.example.com"}
    assert (await browser.get("/console/oidc/start")).status_code == 503


async def test_made_up_answers_are_counted_against_their_address(
    browser: httpx.AsyncClient, provider: FakeProvider, database: Database
) -> None:
    for _ in range(30):
        assert (await browser.get("/console/oidc/callback", params={"state": "x", "code": "y"})).status_code == 401
    for _ in range(3):
        assert (await browser.get("/console/oidc/callback", params={"state": "x", "code": "y"})).status_code == 429
    async with database.read() as session:
        acts = [row.action for row in await session.scalars(select(AuditEntry).order_by(AuditEntry.id))]
    assert acts == ["agent.sign_in_failed"] * 30 + ["agent.locked_out"]


async def test_what_another_sites_page_fetches_locks_nobody_out(
    browser: httpx.AsyncClient, provider: FakeProvider, database: Database
) -> None:
    """An office shares one address: a picture whose address is ours must not count as its tries."""
    for _ in range(31):
        answer = await browser.get("/console/oidc/callback", headers={"Sec-Fetch-Dest": "image"})
        assert answer.status_code == 401
    async with database.read() as session:
        assert (await session.scalars(select(AuditEntry))).all() == []
