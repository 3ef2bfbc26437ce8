"""One desk with its vendors' simulators and one browser for all tests of the console."""

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.dialogue.customer import Customer
from tests.dialogue.vendors import Channels, open_channels
from tests.e2e.console.seat import PASSWORD, Seat
from tests.e2e.desk import Desk
from tests.e2e.page import ChatPage, a_browser


@pytest.fixture(scope="session")
def channels(prepared_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Channels]:
    home = tmp_path_factory.mktemp("console") / "home"
    shutil.copytree(prepared_home, home)
    yield from open_channels(Desk(home))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Ends with its module: while it lives, its thread has a running event loop, and no asynchronous test can run."""
    with a_browser() as made:
        yield made


def new_agent(channels: Channels, role: str = "agent", **fields: Any) -> str:
    """The name of a new agent who knows his password."""
    username = fields.pop("username", f"{role}-{uuid.uuid4().hex[:6]}")
    body = {"username": username, "password": PASSWORD, "role": role, "languages": ["zh", "en"], "skills": []}
    channels.send("POST", "/api/v1/agents", body | fields)
    return str(username)


def put_down(channels: Channels, seat: Seat) -> None:
    """The agent ends what he has and goes, so that no later customer comes to him."""
    open_ones = (
        "select c.id from conversations c join agents a on a.id = c.agent_id"
        " where a.username = ? and c.owner = 'agent' and c.closed_at is null"
    )
    for (conversation_id,) in channels.rows(open_ones, seat.username):
        channels.send("POST", f"/api/v1/conversations/{conversation_id}/close", {"agent": seat.username})
    channels.send("PATCH", f"/api/v1/agents/{seat.username}", {"active": False})


TakeSeat = Callable[..., Seat]


@pytest.fixture
def seat(channels: Channels, browser: Browser, tmp_path: Path) -> Iterator[TakeSeat]:
    """`seat("supervisor", "en")`: a new agent of that role, signed in and present; more are fields of the agent."""
    taken: list[Seat] = []

    def take(role: str = "agent", language: str = "zh", *, width: int = 1440, **fields: Any) -> Seat:
        username = new_agent(channels, role, language=language, **fields)
        one = Seat(browser, channels.desk.base_url, username, language, width)
        taken.append(one)
        one.sign_in()
        if role != "dispatcher":
            one.at_inbox()
            one.present()
        return one

    yield take
    problems = []
    for number, one in enumerate(taken):
        one.page.screenshot(path=tmp_path / f"seat{number}.png")
        try:
            one.check()
        except AssertionError as problem:
            problems.append(str(problem))
        one.close()
        put_down(channels, one)
    assert problems == []


@pytest.fixture
def open_chat(channels: Channels, browser: Browser) -> Iterator[Callable[[str], ChatPage]]:
    """`open_chat("zh")`: a customer in a browser of his own."""
    opened: list[ChatPage] = []

    def make(language: str) -> ChatPage:
        opened.append(ChatPage(browser, channels.desk.base_url, language))
        return opened[-1]

    yield make
    for tab in opened:
        left = (tab.dialogs, tab.errors)
        tab.close()
        assert left == ([], [])


@pytest.fixture
def customer(channels: Channels) -> Callable[..., Customer]:
    """`customer("zh")`: somebody on the web chat, without a browser, who waits for a person."""

    def make(language: str = "zh") -> Customer:
        one = Customer(channels.client, language)
        one.send("转人工" if language == "zh" else "I want to talk to a human")
        assert one.owner == "waiting"
        return one

    return make
