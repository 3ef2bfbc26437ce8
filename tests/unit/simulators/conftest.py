"""A desk and the two vendors' servers."""

from collections.abc import Iterator

import pytest

from tests.simulators.twilio import TwilioAccount, TwilioServer
from tests.simulators.wechat import Account, WechatServer

#: wechatpy's tests/test_crypto.py
from tests.unit.simulators.desk import FakeDesk


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    desk = FakeDesk()
    with desk:
        yield desk


@pytest.fixture
def wechat() -> Iterator[WechatServer]:
    server = WechatServer(Account())
    with server:
        yield server


@pytest.fixture
def twilio(desk: FakeDesk) -> Iterator[TwilioServer]:
    server = TwilioServer(TwilioAccount("https://desk.example.com/power", desk.url))
    with server:
        yield server
