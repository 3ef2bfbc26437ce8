"""Values that no database keeps, and bodies that never end, are the sender's mistake: told so, and no error of ours."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api import middleware
from api.middleware import Guard
from tests.integration.access.conftest import Knocker

HUGE, LATE = 10**30, "9999-12-31T23:59:59-14:00"
NUL, HALF = "a\0b", "\ud800abcdefgh"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/api/v1/agents/mei", {"name": NUL}),
        ("PATCH", "/api/v1/agents/agent", {"name": NUL}),
        ("PATCH", "/api/v1/agents/agent", {"skills": [NUL]}),
        ("PATCH", "/api/v1/agents/agent", {"password": HALF}),
        ("POST", "/api/v1/agents", {"username": "x", "password": HALF}),
        ("POST", "/api/v1/agents/login", {"username": "agent", "password": HALF}),
        ("POST", "/api/v1/conversations/cv_1/notes", {"text": NUL}),
        ("POST", "/api/v1/tickets", {"kind": "complaint", "utility": "power", "description": NUL}),
        ("GET", f"/api/v1/audit?since={LATE}", None),
        ("GET", f"/api/v1/tickets?since={LATE}", None),
        ("GET", f"/api/v1/quality?since={LATE}", None),
        ("GET", f"/api/v1/conversations/cv_1/transcript?cursor={HUGE}", None),
        ("GET", f"/api/v1/deliveries?conversation_id={'x' * 5000}", None),
    ],
    ids=lambda value: str(value)[:60].replace("\0", ""),
)
async def test_a_value_that_cannot_be_kept_is_no_error_of_ours(
    method: str, path: str, body: Any, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    options = {} if body is None else {"json": body}
    headers = {"Idempotency-Key": "1", **knockers["admin"].headers}
    if body is not None:  # httpx itself refuses half of a surrogate pair
        options = {
            "content": str(body).replace("'", '"').replace("\\x00", "\\u0000").encode("ascii", "backslashreplace")
        }
        headers["Content-Type"] = "application/json"
    answer = await door.request(method, path, headers=headers, **options)
    assert answer.status_code < 500, answer.text
    assert "\\ud800" not in answer.text


@pytest.mark.parametrize("path", ["/console/c/cv_1/note", "/console/_/search", "/console/account"])
async def test_nor_is_one_in_a_form(path: str, door: httpx.AsyncClient, knockers: dict[str, Knocker]) -> None:
    form = {"nonce": "nonce-nonce", "text": NUL, "q": NUL, "language": "zh", "phone": NUL}
    mei = knockers["agent@console"]
    answer = await door.post(path, data=form, headers={**mei.headers, "X-CSRF-Token": mei.csrf})
    assert answer.status_code == 422


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.05)
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await Request(scope, receive).body()
        except middleware.BodyTooSlow as error:
            await PlainTextResponse("", error.status_code)(scope, receive, send)

    pieces = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Message:
        if pieces:
            return pieces.pop()
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": [], "client": None}
    async with asyncio.timeout(5):
        await Guard(app)(scope, receive, send)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_who_has_sent_it_whole_may_stay_as_long_as_he_likes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.0)
    gone = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        asyncio.get_running_loop().call_later(0.05, gone.set)
        assert (await receive())["type"] == "http.disconnect"

    pieces = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> Message:
        if pieces:
            return pieces.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], "client": None}
    await Guard(app)(scope, receive, send)
