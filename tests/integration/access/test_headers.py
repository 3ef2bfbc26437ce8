"""What every answer tells browsers to refuse."""

import httpx
import pytest
from fastapi import FastAPI

from api.middleware import Guard
from api.settings import Settings

PAGES = ("/", "/privacy", "/console/login", "/api/v1/tickets", "/docs", "/static/index.html", "/nowhere")


def directives(answer: httpx.Response) -> dict[str, str]:
    parts = answer.headers["content-security-policy"].split(";")
    return {name: value for name, _, value in (part.strip().partition(" ") for part in parts)}


@pytest.mark.parametrize("path", PAGES)
async def test_no_page_runs_anything_but_the_desks_own_files(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    policy = directives(answer)
    assert policy["default-src"] == policy["script-src"] == "'self'"
    assert policy["script-src-attr"] == policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["form-action"] == "'self'"
    assert "unsafe-inline" not in policy["script-src"]
    assert ("unsafe-inline" in policy["style-src"]) is (path == "/docs")
    expected = {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin" if path.startswith("/console") else "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    assert {name: answer.headers[name] for name in expected} == expected
    assert "camera=()" in answer.headers["permissions-policy"]
    assert "access-control-allow-origin" not in answer.headers


async def test_the_customers_pages_make_no_markup_of_strings(client: httpx.AsyncClient) -> None:
    for path in ("/", "/privacy"):
        policy = directives(await client.get(path))
        assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "'none'")


async def test_what_is_somebodys_own_is_kept_nowhere(client: httpx.AsyncClient) -> None:
    for path in ("/console/login", "/api/v1/tickets", "/web/conversations/cv_1/messages"):
        assert (await client.get(path)).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("https", [False, True])
async def test_browsers_are_told_to_stay_with_https_where_the_desk_has_it(app: FastAPI, https: bool) -> None:
    transport = httpx.ASGITransport(Guard(app, https=https))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        assert ("strict-transport-security" in (await client.get("/healthz")).headers) is https


async def test_the_public_address_decides_about_that(settings: Settings) -> None:
    from api.main import create_app

    secure = create_app(settings.model_copy(update={"public_url": "https://desk.example.com"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(secure), base_url="http://desk") as client:
        assert (await client.get("/healthz")).headers["strict-transport-security"] == "max-age=31536000"
    await secure.state.database.close()
