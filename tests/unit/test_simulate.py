"""`mainsdesk simulate`: what it writes, what it refuses in a sentence, and a talk with a desk that is none."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from api.settings import Settings, load_settings
from mainsdesk import simulate
from mainsdesk.cli import main
from tests.simulators.server import Answer, Request, Server

TWIML = (
    "<Response><Gather input='dtmf speech' action='/voice/turn'><Say>Hello</Say></Gather></Response>",
    "<Response><Say>Goodbye</Say><Hangup/></Response>",
)


class FakeDesk(Server):
    """Acknowledges WeChat's messages, and says hello and goodbye to callers."""

    def handle(self, request: Request) -> Answer:
        if request.path == "/voice/incoming" and "CallSid" in request.form:
            return Answer(200, TWIML[0].encode(), "text/xml")
        if request.path == "/voice/turn":
            return Answer(200, TWIML[1].encode(), "text/xml")
        return Answer(200 if request.path in ("/wechat", "/voice/status") and request.body else 403, b"success")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAINSDESK_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    with FakeDesk() as desk:
        yield desk


def type_lines(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Give these to `input`, then the end of the input."""
    left = iter(lines)

    def one(_prompt: str) -> str:
        for line in left:
            return line
        raise EOFError

    monkeypatch.setattr("builtins.input", one)


def set_up(monkeypatch: pytest.MonkeyPatch, desk: FakeDesk) -> Settings:
    monkeypatch.setenv("MAINSDESK_PORT", str(desk.port))
    assert main(["simulate", "wechat", "--setup"]) == 0
    assert main(["simulate", "call", "--setup"]) == 0
    return load_settings()


def test_off_says_what_to_set(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind, name in (("wechat", "MAINSDESK_WECHAT_AES_KEY"), ("call", "MAINSDESK_TWILIO_AUTH_TOKEN")):
        assert main(["simulate", kind]) == 1
        said = capsys.readouterr().err
        assert name in said
        assert f"simulate {kind} --setup" in said


def test_set_up_writes_whole_channels_that_do_not_share_a_port(
    home: Path, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = set_up(monkeypatch, desk)
    assert settings.wechat_on
    assert settings.voice_on
    assert settings.public_url == f"http://127.0.0.1:{desk.port}"
    assert settings.wechat_api_base != settings.twilio_api_base
    assert (home / ".env").stat().st_mode & 0o777 == 0o600


def test_set_up_leaves_real_secrets_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".env").write_text("MAINSDESK_WECHAT_TOKEN=real\n")
    assert main(["simulate", "wechat", "--setup"]) == 1
    assert "MAINSDESK_WECHAT_TOKEN" in capsys.readouterr().err
    assert "APP_SECRET" not in (home / ".env").read_text()


def test_without_a_desk(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    desk = FakeDesk()
    set_up(monkeypatch, desk)
    desk.start()
    desk.stop()
    assert main(["simulate", "wechat"]) == 1
    assert "make run" in capsys.readouterr().err


def test_messages_never_go_to_wechat_itself(home: Path, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(monkeypatch, desk)
    monkeypatch.setenv("MAINSDESK_WECHAT_API_BASE", "https://api.weixin.qq.com")
    with pytest.raises(simulate.Trouble, match="loopback"):
        simulate.simulate("wechat", load_settings())


def test_a_talk_on_wechat(
    home: Path, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, desk)
    monkeypatch.setattr(simulate, "PATIENCE", 0.0)
    type_lines(monkeypatch, "家里没电", "/picture", "/help")
    assert main(["simulate", "wechat", "--as", "oSomebody"]) == 0
    assert "oSomebody" in capsys.readouterr().out
    assert sum(request.path == "/wechat" and bool(request.body) for request in desk.requests) == 2


def test_a_call(
    home: Path, desk: FakeDesk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up(monkeypatch, desk)
    type_lines(monkeypatch, "k 2", "never typed")
    assert main(["simulate", "call"]) == 0
    said = capsys.readouterr().out
    assert "desk> Hello" in said
    assert "desk> Goodbye" in said
    assert [request.form.get("Digits") for request in desk.requests if request.path == "/voice/turn"] == ["2"]


def test_lines_are_taken_as_the_call_stands() -> None:
    done: list[tuple[str, object]] = []

    def doing(name: str) -> object:
        return lambda *values: done.append((name, *values)) or []

    names = ("say", "press", "wait", "leave_message", "agent_hangs_up")
    caller = SimpleNamespace(state="gathering", **{name: doing(name) for name in names})
    for line in ("no power", "k 12 #", ""):
        simulate.act_call(caller, line)  # type: ignore[arg-type]
    for caller.state in ("waiting", "recording", "bridged"):
        simulate.act_call(caller, "hello")  # type: ignore[arg-type]
    assert [act[0] for act in done] == ["say", "press", "wait", "wait", "leave_message", "agent_hangs_up"]
    assert done[1] == ("press", "12#")
