"""Translations over HTTP: the glossary that is always there, and a provider that answers, refuses, or fails."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from api.settings import Settings
from api.translation import registry, service
from tests.integration.test_agents import created, token
from tests.integration.translator_at_large import Acme

Headers = dict[str, str]
URL = "/api/v1/translations"
TEXT = "我家停电了，请给我回电，电话13812345678，户号 5001000018。"


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, sqlite_template: Any, tmp_path: Any) -> str:
    """Nothing is kept, so one database does for all."""
    (tmp_path / "desk.db").write_bytes(sqlite_template.read_bytes())
    return f"sqlite+aiosqlite:///{tmp_path / 'desk.db'}"


async def translated(client: httpx.AsyncClient, headers: Headers, text: str = TEXT, **more: str) -> dict[str, Any]:
    body = {"text": text, "source": "zh", "target": "en", **more}
    answer = await client.post(URL, json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_the_glossary_names_terms_and_translates_nothing(client: httpx.AsyncClient, service: Headers) -> None:
    made = await translated(client, service)
    assert (made["kind"], made["provider"], made["text"], made["failure"]) == ("glossary", "glossary", None, "")
    assert made["original"] == TEXT
    assert {term["source"]: term["target"] for term in made["terms"]} == {
        "停电": "power cut", "请": "please", "给我回电": "call back", "户号": "account number",
    }  # fmt: skip
    assert all(TEXT[term["start"] : term["end"]] == term["source"] for term in made["terms"])
    back = await translated(client, service, "No water on the upper floors", source="en", target="zh")
    assert [term["target"] for term in back["terms"]] == ["停水", "高层"]


async def test_who_may_and_what_is_refused(
    client: httpx.AsyncClient, service: Headers, bot: Callable[..., Headers]
) -> None:
    await created(client, service)
    await translated(client, await token(client))
    good = {"text": "停电", "source": "zh", "target": "en"}
    for headers, status in ((bot("cv_1"), 403), ({}, 401)):
        assert (await client.post(URL, json=good, headers=headers)).status_code == status
    for wrong in ({"text": ""}, {"text": "x" * 4001}, {"target": "zh"}, {"source": "fr"}, {"text": None}):
        assert (await client.post(URL, json=good | wrong, headers=service)).status_code == 422
    assert (await client.post(URL, json=good, headers=service | {"Idempotency-Key": ""})).status_code == 400
    # No customer's words in an address.
    assert (await client.get(URL, params=good, headers=service)).status_code == 405


def test_an_unknown_translator_stops_the_start(settings: Settings) -> None:
    with pytest.raises(ValidationError, match="MAINSDESK_TRANSLATOR names no translator; there are: glossary"):
        Settings(home=settings.home, translator="acme")


Give = Callable[[httpx.Request], Awaitable[httpx.Response]]


class Provider:
    """Acme, answering as a test says."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.give: Give = self.translate

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(json.loads(request.content))
        return await self.give(request)

    async def translate(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"result": "My power is off, phone [# 1], account [#2] [#9]."})


@pytest.fixture
def provider(app: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """The desk with `MAINSDESK_TRANSLATOR=acme`."""
    provider = Provider()
    made = {"acme": lambda _: Acme("http://acme", "key", transport=httpx.MockTransport(provider))}
    monkeypatch.setattr(registry, "TRANSLATORS", registry.TRANSLATORS | made)
    monkeypatch.setattr(service, "SECONDS", 0.2)
    named = Settings(home=settings.home, translator="acme")
    app.state.translator = registry.translator_of(named)
    yield provider
    asyncio.run(app.state.translator.close())


async def test_a_provider_s_translation_beside_the_terms(
    provider: Provider, client: httpx.AsyncClient, service: Headers
) -> None:
    made = await translated(client, service)
    assert (made["kind"], made["provider"], made["failure"]) == ("machine", "acme", "")
    assert made["text"] == "My power is off, phone 13812345678, account 5001000018 [#9]."
    assert made["original"] == TEXT
    assert [term["source"] for term in made["terms"]] == ["停电", "请", "给我回电", "户号"]
    # Numbers that may name a person stay in the house.
    assert provider.asked == [{"text": "我家停电了，请给我回电，电话[#1]，户号 [#2]。", "from": "zh", "to": "en"}]


async def never(request: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def cut_off(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody there")


def status(code: int, **body: Any) -> Give:
    async def give(request: httpx.Request) -> httpx.Response:
        return httpx.Response(code, json=body)

    return give


@pytest.mark.parametrize(
    ("give", "failure"),
    [
        (never, "timeout"),
        (cut_off, "failed"),
        (status(403), "refused"),
        (status(429), "refused"),
        (status(500), "failed"),
        (status(200, something="else"), "failed"),
        (status(200, result="  "), "failed"),
    ],
)
async def test_what_fails_is_said_and_the_glossary_is_there(
    provider: Provider, client: httpx.AsyncClient, service: Headers, capsys: pytest.CaptureFixture[str],
    give: Give, failure: str,
) -> None:  # fmt: skip
    provider.give = give
    made = await translated(client, service)
    assert (made["kind"], made["provider"], made["text"], made["failure"]) == ("glossary", "glossary", None, failure)
    assert made["original"] == TEXT
    assert len(made["terms"]) == 4
    assert len(provider.asked) == 1
    logged = capsys.readouterr()
    assert "translation.fell_back" in logged.out + logged.err
    assert "停电" not in logged.out + logged.err
