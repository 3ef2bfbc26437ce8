"""Agents at their consoles, customers who wait for them, and the desk's own watch over both."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest

from api.agents.tables import Agent, AgentSession
from api.conversations.tables import Conversation
from api.conversations.transcript import lock_conversation
from api.db.engine import Database
from api.outlets.tables import UtilityFact
from tests.integration.conftest import Clock
from tests.integration.test_ownership import HOURS, Desk, Headers
from tests.integration.test_web_channel import Chat, open_chat

#: name → role, languages, skills
PEOPLE: dict[str, tuple[str, list[str], list[str]]] = {
    "li": ("agent", ["zh"], []),
    "wang": ("agent", ["zh", "en"], ["power"]),
    "zhao": ("agent", ["en"], ["water", "complaints"]),
    "boss": ("supervisor", ["zh", "en"], []),
    "disp": ("dispatcher", ["zh", "en"], []),
}


@pytest.fixture(autouse=True)
async def people(database: Database, clock: Clock) -> None:
    """Nobody is there yet."""
    async with database.write() as session, session.begin():
        for name, (role, languages, skills) in PEOPLE.items():
            agent = Agent(id=f"ag_{name}", username=name, password_hash="-", role=role, created_at=clock())
            agent.languages, agent.skills = list(languages), list(skills)
            session.add(agent)
        session.add(UtilityFact(key="agent_hours", value=HOURS))
        session.add(UtilityFact(key="hotline", value="95598"))


@pytest.fixture
async def chat(client: httpx.AsyncClient) -> Chat:
    return await open_chat(client)


@pytest.fixture
def desk(client: httpx.AsyncClient, service: Headers) -> Desk:
    return Desk(client, service)


SignIn = Callable[..., Awaitable[None]]


@pytest.fixture
def at_console(database: Database, clock: Clock) -> SignIn:
    """`await at_console("li", "wang", presence="busy")`: their consoles are seen now."""

    async def sign_in(*names: str, presence: str = "available", console: bool = True) -> None:
        async with database.write() as session, session.begin():
            for name in names:
                agent = await session.get_one(Agent, f"ag_{name}")
                agent.presence = presence
                seen = await session.get(AgentSession, name)
                if seen is None:
                    ends = clock() + timedelta(hours=12)
                    seen = AgentSession(token_hash=name, agent_id=agent.id, created_at=clock(), expires_at=ends)
                    session.add(seen)
                seen.seen_at, seen.console = clock(), console

    return sign_in


Row = Callable[..., Awaitable[Conversation]]


@pytest.fixture
def row(database: Database) -> Row:
    """`await row(chat.id)`: the conversation's row; with columns, after setting them."""

    async def read(conversation_id: str, **columns: object) -> Conversation:
        async with database.write() as session, session.begin():
            found = await lock_conversation(session, conversation_id)
            assert found is not None
            for name, value in columns.items():
                setattr(found, name, value)
            return found

    return read


async def said(chat: Chat, after: int = 1) -> list[tuple[str, str]]:
    return [(m["from"], m["text"]) for m in (await chat.news(after))["messages"]]
