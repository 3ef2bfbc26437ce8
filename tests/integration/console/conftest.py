"""The console as a browser without JavaScript meets it: signed-in clients by role, forms with their token."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.agents.service import token_hash
from api.agents.tables import Agent, AgentSession
from api.console.session import COOKIE, csrf_of
from api.db.base import new_id
from api.db.engine import Database
from api.settings import Settings
from tests.integration.conftest import Clock


@dataclass
class Desk:
    """An agent's browser."""

    agent: Agent
    client: httpx.AsyncClient
    csrf: str

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(path, **options)

    async def post(self, path: str, form: dict[str, Any] | None = None, *, htmx: bool = True) -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf, **({"HX-Request": "true"} if htmx else {})}
        return await self.client.post(path, data=form or {}, headers=headers)


SeatDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture
async def seat(app: FastAPI, settings: Settings, database: Database, clock: Clock) -> AsyncIterator[SeatDesk]:
    """`await seat("mei", role="supervisor", language="en")`: a signed-in agent of that name at a console."""
    clients: list[httpx.AsyncClient] = []

    async def make(username: str = "mei", role: str = "agent", **fields: Any) -> Desk:
        agent = Agent(
            id=new_id("ag"),
            username=username,
            role=role,
            created_at=clock(),
            **(
                {
                    "password_hash": "",
                    "languages": ["zh", "en"],
                    "skills": [],
                    "language": "zh",
                    "presence": "available",
                }
                | fields
            ),
        )
        token = secrets.token_urlsafe(32)
        async with database.write() as session, session.begin():
            session.add(agent)
            await session.flush()
            session.add(
                AgentSession(
                    token_hash=token_hash(token),
                    agent_id=agent.id,
                    created_at=clock(),
                    expires_at=clock.now.replace(year=clock.now.year + 1),
                    seen_at=clock(),
                    acted_at=clock(),
                    console=True,
                )
            )
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app), base_url="http://desk", cookies={COOKIE: token}
        )
        clients.append(client)
        return Desk(agent, client, csrf_of(settings, token))

    yield make
    for client in clients:
        await client.aclose()
