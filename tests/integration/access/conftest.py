"""A desk with every channel on, and everybody who might knock at its endpoints."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import Row
from api.agents.service import token_hash
from api.agents.tables import Agent, AgentSession
from api.console.session import COOKIE, csrf_of
from api.db.engine import Database
from api.settings import Settings
from tests.integration.conftest import Clock, Headers, NewConversation

PEOPLE = ("agent", "supervisor", "dispatcher", "admin")


class Cut(Exception):
    """A stream that would never end has begun."""


class FirstWords:
    """The app, of whose event streams only the beginning is heard."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cut = False

        async def listen(message: Message) -> None:
            nonlocal cut
            await send(message)
            if message["type"] == "http.response.start" and any(b"event-stream" in v for _, v in message["headers"]):
                cut = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                raise Cut

        try:
            await self._app(scope, receive, listen)
        except (Cut, BaseExceptionGroup):  # noqa: F821 (Python 3.11 has it)
            if not cut:
                raise


@dataclass
class Knocker:
    """Somebody who calls; `role` is the column of the matrix, '' for nobody of ours. `csrf` belongs to a console."""

    name: str
    role: str
    headers: Headers = field(default_factory=dict)
    csrf: str = ""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Everything configured, so that every route is there."""
    return settings.model_copy(
        update={
            "wechat_app_id": "wx0123456789abcdef",
            "wechat_app_secret": SecretStr("app-secret"),
            "wechat_token": SecretStr("token"),
            "wechat_aes_key": SecretStr("k" * 43),
            "twilio_account_sid": "AC0123456789",
            "twilio_auth_token": SecretStr("auth-token"),
            "public_url": "http://desk",
        }
    )


@pytest.fixture
async def knockers(
    app: FastAPI,
    settings: Settings,
    database: Database,
    clock: Clock,
    conversation: NewConversation,
    service: Headers,
    bot: Callable[..., Headers],
) -> dict[str, Knocker]:
    """By name: each role at the API, and at the console as `agent@console`; and who has no business anywhere."""
    await conversation("cv_1")
    async with database.write() as session, session.begin():
        for role in PEOPLE:
            session.add(
                Agent(id=f"ag_{role}", username=role, role=role, password_hash="", created_at=clock(), languages=["zh"])
            )
        await session.flush()
        for role in PEOPLE:
            for token, console in ((f"api-{role}", False), (f"console-{role}", True)):
                signed_in = AgentSession(token_hash=token_hash(token), agent_id=f"ag_{role}", console=console)
                signed_in.created_at = signed_in.seen_at = signed_in.acted_at = clock()
                signed_in.expires_at = clock().replace(year=2036)
                session.add(signed_in)
    found = [Knocker("nobody", ""), Knocker("service", "service", service), Knocker("bot", "bot", bot("cv_1"))]
    found += [Knocker("a false token", "", {"Authorization": "Bearer x"})]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        token = (await client.post("/web/conversations")).json()["token"]
    found += [Knocker("customer", "", {"Authorization": f"Bearer {token}"})]
    for role in PEOPLE:
        found.append(Knocker(role, role, {"Authorization": f"Bearer api-{role}"}))
        cookie = f"console-{role}"
        found.append(Knocker(f"{role}@console", role, {"Cookie": f"{COOKIE}={cookie}"}, csrf_of(settings, cookie)))
    found.append(Knocker("a cookie's value as a token", "", {"Authorization": "Bearer console-admin"}))
    return {knocker.name: knocker for knocker in found}


@pytest.fixture
async def door(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that follows no redirects, reads no endless stream and adds nothing to what it is given."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(FirstWords(app), raise_app_exceptions=False), base_url="http://desk"
    ) as opened:
        yield opened


async def knock(door: httpx.AsyncClient, knocker: Knocker, method: str, path: str, **options: Any) -> httpx.Response:
    """A request to an endpoint; what its path names is filled in, with things that are mostly not there."""
    given = {"conversation_id": "cv_1", "username": "nobody", "delivery_id": "1"}
    path = re.sub(r"\{(\w+)(:\w+)?\}", lambda found: given.get(found[1], "1"), path)
    headers = {"Idempotency-Key": "1", **knocker.headers}
    if knocker.csrf:
        headers["X-CSRF-Token"] = knocker.csrf
    if method not in ("GET", "DELETE") and not knocker.csrf:
        options.setdefault("json", {})
    door.cookies.clear()
    return await door.request(method, path, headers=headers, **options)


def turned_away(row: Row, answer: httpx.Response) -> bool:
    """Whether an answer says: not you. The console leads who is not signed in to its sign-in page.

    Signing out leads there too, and takes the cookie.
    """
    if row.path.startswith("/console") and answer.status_code in (200, 303):
        if "set-cookie" in answer.headers:
            return False
        return "/console/login" in (answer.headers.get("location", ""), answer.headers.get("hx-redirect", ""))
    return answer.status_code in (401, 403)
