"""`mainsdesk menu`: against a server that keeps WeChat's rules about menus."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.channels.wechat.menu import as_sent
from mainsdesk.cli import main
from tests.simulators.server import Fault
from tests.simulators.wechat import Account, WechatServer


@pytest.fixture
def account() -> Account:
    return Account()


@pytest.fixture
def server(account: Account) -> Iterator[WechatServer]:
    with WechatServer(account) as running:
        yield running


@pytest.fixture
def desk(account: Account, server: WechatServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The settings of a home whose WeChat is the server."""
    for name, value in {
        "HOME": str(tmp_path),
        "WECHAT_APP_ID": account.app_id,
        "WECHAT_APP_SECRET": account.app_secret,
        "WECHAT_TOKEN": account.token,
        "WECHAT_AES_KEY": account.aes_key,
        "WECHAT_API_BASE": server.url,
    }.items():
        monkeypatch.setenv(f"MAINSDESK_{name}", value)
    return monkeypatch


@pytest.mark.usefixtures("desk")
def test_publish_and_show(server: WechatServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["menu", "show"]) == 1
    assert "46003" in capsys.readouterr().err
    assert main(["menu", "publish"]) == 0
    assert json.loads(capsys.readouterr().out) == {"errcode": 0, "errmsg": "ok"}
    assert server.menu == as_sent()
    assert main(["menu", "show"]) == 0
    shown = capsys.readouterr().out
    assert "停电 Power cut" in shown
    assert len(server.tokens) == 1, "the token is kept in the database from one command to the next"
    assert server.latest not in shown


@pytest.mark.usefixtures("desk")
def test_what_goes_wrong_is_said_in_a_sentence(server: WechatServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.fail(Fault("/menu/create", drop="after"))
    assert main(["menu", "publish"]) == 1
    assert "menu show" in capsys.readouterr().err
    server.broken(path="/menu/create")
    assert main(["menu", "publish"]) == 1
    assert "was not reached: HTTP 502" in capsys.readouterr().err


def test_a_wrong_secret(server: WechatServer, desk: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    desk.setenv("MAINSDESK_WECHAT_APP_SECRET", "wrong-secret-0123456789")
    assert main(["menu", "publish"]) == 1
    said = capsys.readouterr()
    assert "40125" in said.err
    assert "wrong-secret" not in said.err + said.out
    assert server.menu is None


def test_without_wechat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MAINSDESK_HOME", str(tmp_path))
    assert main(["menu", "publish"]) == 1
    assert "MAINSDESK_WECHAT_APP_ID" in capsys.readouterr().err
