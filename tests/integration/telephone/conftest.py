"""A desk that listens, Twilio's servers, callers on the line, and agents at consoles with a telephone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from api.channels.voice.calls_out import CallDeliverer
from api.danger import scan
from api.db.engine import Database
from api.outbox.worker import Outbox
from api.outlets.tables import UtilityFact
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.console.conftest import seat  # noqa: F401 (a fixture)
from tests.integration.person.line import HOURS
from tests.integration.telephone.exchange import Exchange
from tests.simulators.twilio import TwilioAccount, TwilioServer

PUBLIC = "http://desk.example.com/power"


@pytest.fixture
def door() -> Iterator[socket.socket]:
    """Where the desk listens."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        yield opened


@pytest.fixture
def twilio(door: socket.socket) -> Iterator[TwilioServer]:
    with TwilioServer(TwilioAccount(PUBLIC, f"http://127.0.0.1:{door.getsockname()[1]}")) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, twilio: TwilioServer) -> Settings:
    return settings.model_copy(
        update={
            "twilio_account_sid": twilio.account.sid,
            "twilio_auth_token": SecretStr(twilio.account.auth_token),
            "twilio_from": twilio.account.number,
            "twilio_api_base": twilio.url,
            "public_url": PUBLIC,
        }
    )


@pytest.fixture
async def exchange(
    app: FastAPI, settings: Settings, database: Database, clock: Clock, door: socket.socket, twilio: TwilioServer
) -> AsyncIterator[Exchange]:
    """The desk, listening; calls that it places go out when the test says so."""
    scan("")
    async with database.write() as session, session.begin():
        session.add(UtilityFact(key="agent_hours", value=HOURS))
        session.add(UtilityFact(key="name", value={"zh": "南岸供电供水服务中心", "en": "Nan'an power and water"}))
    server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="error"))
    running = asyncio.create_task(server.serve(sockets=[door]))
    outbox = Outbox(database, clock, [CallDeliverer(settings, clock=clock)])
    yield Exchange(app, settings, database, clock, twilio, outbox)
    await outbox.stop()
    server.should_exit = True
    await running


SeatAgent = Callable[..., Awaitable[Any]]


@pytest.fixture
def agent(seat: SeatAgent) -> SeatAgent:  # noqa: F811
    """`await agent("mei")`: an agent at a console, with a telephone of his own."""

    async def make(username: str = "mei", phone: str = "02362801234", **fields: Any) -> Any:
        return await seat(username, phone=phone, name=username.title(), **fields)

    return make
