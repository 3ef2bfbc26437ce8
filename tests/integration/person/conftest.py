"""A telephone, the people who answer it, and the line of a caller."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from api.agents.tables import Agent, AgentSession
from api.danger import scan
from api.db.engine import Database
from api.outlets.tables import UtilityFact
from api.settings import Settings
from tests.integration.caller import with_voice
from tests.integration.conftest import Clock
from tests.integration.person.line import HOURS, PHONE, Desk, Line

Headers = dict[str, str]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_voice(settings, twilio_from="+862395598000")


@pytest.fixture(autouse=True)
async def people(database: Database, clock: Clock) -> None:
    """Li has a telephone, Wang writes; nobody is on duty."""
    scan("")  # loads its words, as the app does when it starts
    async with database.write() as session, session.begin():
        for name, phone in (("li", PHONE), ("wang", "")):
            session.add(
                Agent(
                    id=f"ag_{name}",
                    username=name,
                    password_hash="-",
                    role="agent",
                    languages=["zh"],
                    phone=phone,
                    created_at=clock(),
                )
            )
        session.add(UtilityFact(key="agent_hours", value=HOURS))
        session.add(UtilityFact(key="hotline", value="95598"))
        session.add(
            UtilityFact(key="name", value={"zh": "南岸供电供水服务中心", "en": "Nan'an power and water service"})
        )


@pytest.fixture
def line(client: httpx.AsyncClient) -> Line:
    return Line(client)


@pytest.fixture
def duty(database: Database, clock: Clock) -> Callable[..., Awaitable[None]]:
    """`await duty()`: agents are there (until ten years from now)."""

    async def come(*names: str) -> None:
        async with database.write() as session, session.begin():
            for name in names or ("li",):
                session.add(
                    AgentSession(
                        token_hash=name,
                        agent_id=f"ag_{name}",
                        created_at=clock(),
                        expires_at=clock().replace(year=2036),
                        seen_at=clock().replace(year=2035),
                    )
                )

    return come


@pytest.fixture
def desk(client: httpx.AsyncClient, database: Database, service: Headers) -> Desk:
    return Desk(client, database, service)
