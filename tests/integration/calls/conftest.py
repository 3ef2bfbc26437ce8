"""Calls on both databases, with a stand-in for Rasa."""

import httpx
import pytest

from api.channels.voice import steps
from api.conversations.engine import Engine
from api.danger import scan
from api.settings import Settings
from tests.integration.caller import Caller, with_voice
from tests.integration.stand_in import Server


@pytest.fixture
def settings(settings: Settings, server: Server) -> Settings:
    return with_voice(settings, port=server.port - 10_000, turn_seconds=4.0)


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> float:
    """A busy machine makes no apologies, except where a test is about them; the deadline that is set."""
    scan("")  # loads its words, as the start of a desk does
    deadline = steps.DEADLINE
    monkeypatch.setattr(steps, "DEADLINE", 30.0)
    return deadline


@pytest.fixture
def caller(client: httpx.AsyncClient) -> Caller:
    return Caller(client)


@pytest.fixture
async def zh(caller: Caller, engine: Engine) -> Caller:
    """A caller who has chosen Chinese."""
    return await (await caller.dial()).press("1")
