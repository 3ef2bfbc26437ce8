"""Calls to WeChat, its server played at the HTTP edge: one token for all processes, errors, and nothing secret told."""

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api.channels.wechat.client import WechatClient
from api.channels.wechat.errors import AnswerLost, NotReached, TooLarge, WechatError
from api.channels.wechat.tables import AccessToken
from api.channels.wechat.token import token_state
from api.db.engine import Database, open_database
from api.logs import configure_logging
from api.settings import Settings
from tests.integration.conftest import Clock

SECRET = "app-secret-0123456789"
OK = {"errcode": 0, "errmsg": "ok"}


class Server:
    """WeChat's server as its pages describe it: the newest token is valid, and the one before it no more."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.raw: list[bytes] = []
        self.menus: list[dict[str, Any]] = []
        self.refused = 0
        self.lifetime = 7200
        #: Answers given instead, in order, by path.
        self.script: dict[str, list[httpx.Response | Exception | dict[str, Any]]] = {}
        self.media: dict[str, httpx.Response] = {}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.01)
        path = request.url.path
        if self.script.get(path):
            answer = self.script[path].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)
        if path == "/cgi-bin/token":
            asked = dict(request.url.params)
            assert asked["grant_type"] == "client_credential"
            if asked["secret"] != SECRET:
                return httpx.Response(200, json={"errcode": 40125, "errmsg": f"invalid appsecret {SECRET}"})
            self.given.append(f"token-{len(self.given) + 1}-{'x' * 100}")
            return httpx.Response(200, json={"access_token": self.given[-1], "expires_in": self.lifetime})
        token = request.url.params.get("access_token")
        if not self.given or token != self.given[-1]:
            self.refused += 1
            return httpx.Response(
                200, json={"errcode": 40001, "errmsg": f"invalid credential, access_token is {token} or not latest"}
            )
        return self._do(path, request)

    def _do(self, path: str, request: httpx.Request) -> httpx.Response:
        match path:
            case "/cgi-bin/message/custom/send":
                self.raw.append(request.content)
                self.sent.append(json.loads(request.content))
                return httpx.Response(200, json=OK)
            case "/cgi-bin/menu/create":
                self.raw.append(request.content)
                self.menus.append(json.loads(request.content))
                return httpx.Response(200, json=OK)
            case "/cgi-bin/menu/get":
                return httpx.Response(200, json={"menu": self.menus[-1]})
            case _:
                return self.media[request.url.params["media_id"]]

    def break_tokens(self) -> None:
        """As when another program fetches one: all of ours are invalid."""
        self.given.append("somebody else's")


def with_wechat(settings: Settings) -> Settings:
    return settings.model_copy(
        update={
            "wechat_app_id": "wx1",
            "wechat_app_secret": SecretStr(SECRET),
            "wechat_api_base": "https://api.weixin.example",
        }
    )


@pytest.fixture
def server() -> Server:
    return Server()


NewClient = Callable[..., WechatClient]


@pytest.fixture
async def new_client(settings: Settings, database: Database, clock: Clock, server: Server) -> AsyncIterator[NewClient]:
    """`new_client()`: a client; `new_client(another_database)`: that of another process."""
    opened: list[WechatClient] = []

    def new(on: Database = database) -> WechatClient:
        opened.append(WechatClient(with_wechat(settings), on, clock, httpx.MockTransport(server)))
        return opened[-1]

    yield new
    for client in opened:
        await client.close()


async def test_a_message_goes_as_utf8_and_one_token_serves_all(new_client: NewClient, server: Server) -> None:
    client = new_client()
    await client.send_text("o1", "您好：停电了？")
    await client.send_text("o1", "second")
    assert server.sent[0] == {"touser": "o1", "msgtype": "text", "text": {"content": "您好：停电了？"}}
    assert "停电了" in server.raw[0].decode()
    assert len(server.given) == 1


async def test_numbers_that_came_as_text(new_client: NewClient, server: Server) -> None:
    server.script["/cgi-bin/token"] = [httpx.Response(200, json={"access_token": "text", "expires_in": "7200"})]
    server.script["/cgi-bin/message/custom/send"] = [
        httpx.Response(200, json={"errcode": "0", "errmsg": "ok"}),
        httpx.Response(200, json={"errcode": None}),
    ]
    client = new_client()
    await client.send_text("o1", "x")
    await client.send_text("o1", "y")


async def test_processes_share_the_token(
    new_client: NewClient, server: Server, database_url: str, database: Database
) -> None:
    other = open_database(database_url)
    clients = [new_client(), new_client(other), new_client(), new_client(other)]
    await asyncio.gather(*(client.send_text(f"o{n}", "x") for n, client in enumerate(clients * 5)))
    assert (len(server.given), len(server.sent), server.refused) == (1, 20, 0)
    await other.close()


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_one_refusal_brings_one_new_token(new_client: NewClient, server: Server, code: int) -> None:
    client = new_client()
    await client.send_text("o1", "x")
    server.script["/cgi-bin/message/custom/send"] = [{"errcode": code, "errmsg": "access_token"}]
    await client.send_text("o1", "y")
    assert (len(server.given), [m["text"]["content"] for m in server.sent]) == (2, ["x", "y"])


async def test_many_refusals_at_once_bring_one_new_token(
    new_client: NewClient, server: Server, database_url: str
) -> None:
    other = open_database(database_url)
    clients = [new_client(), new_client(other)]
    await clients[0].send_text("o1", "x")
    server.break_tokens()
    await asyncio.gather(*(client.send_text(f"o{n}", "y") for n, client in enumerate(clients * 6)))
    assert len(server.sent) == 13
    assert len(server.given) == 3, "the first, somebody else's, and one more"
    await other.close()


async def test_a_second_refusal_is_the_end_of_it(new_client: NewClient, server: Server) -> None:
    refusal = {"errcode": 40001, "errmsg": "invalid credential"}
    server.script["/cgi-bin/message/custom/send"] = [refusal, refusal, refusal]
    with pytest.raises(WechatError) as caught:
        await new_client().send_text("o1", "x")
    assert caught.value.code == 40001
    assert (len(server.given), len(server.script["/cgi-bin/message/custom/send"])) == (2, 1)


async def test_it_is_renewed_five_minutes_before_its_end(new_client: NewClient, server: Server, clock: Clock) -> None:
    client = new_client()
    await client.send_text("o1", "x")
    clock.advance(seconds=7200 - 301)
    await client.send_text("o1", "x")
    assert len(server.given) == 1
    clock.advance(seconds=1)
    await asyncio.gather(*(client.send_text("o1", "x") for _ in range(5)))
    assert len(server.given) == 2


async def test_the_old_one_serves_while_a_new_one_cannot_be_had(
    new_client: NewClient, server: Server, clock: Clock
) -> None:
    client = new_client()
    await client.send_text("o1", "x")
    clock.advance(seconds=7200 - 200)
    server.script["/cgi-bin/token"] = [httpx.ConnectError("x"), {"errcode": -1, "errmsg": "system error"}]
    await client.send_text("o1", "x")
    await client.send_text("o1", "x")
    assert (len(server.sent), len(server.given)) == (3, 1)
    assert len(server.script["/cgi-bin/token"]) == 1, "not asked again at once"
    clock.advance(seconds=11)
    await client.send_text("o1", "x")
    assert server.script["/cgi-bin/token"] == []
    clock.advance(seconds=11)
    await client.send_text("o1", "x")
    assert len(server.given) == 2


async def test_without_a_token_nothing_is_sent(
    new_client: NewClient, server: Server, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.channels.wechat.token.PATIENCE", 0.2)
    server.script["/cgi-bin/token"] = [httpx.ReadTimeout("x"), {"errcode": 40164, "errmsg": "invalid ip"}, {}]
    client = new_client()
    for why in ("ReadTimeout", "access token", "access token"):
        with pytest.raises(NotReached, match=why):
            await client.send_text("o1", "x")
    assert len(server.script["/cgi-bin/token"]) == 2, "within the pause nobody asks again"
    clock.advance(seconds=11)
    with pytest.raises(NotReached, match="40164 invalid ip"):
        await client.send_text("o1", "x")
    clock.advance(seconds=11)
    with pytest.raises(NotReached, match="without a token"):
        await client.send_text("o1", "x")
    assert (await token_state(database, "wx1", clock()))["state"] == "renewing"
    clock.advance(seconds=11)
    assert (await token_state(database, "wx1", clock()))["state"] == "none"
    await client.send_text("o1", "x")
    state = await token_state(database, "wx1", clock())
    assert state == {"state": "valid", "expires_at": clock() + timedelta(seconds=7200)}
    assert server.sent


async def test_who_died_while_renewing_is_followed_by_another(
    new_client: NewClient, server: Server, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.channels.wechat.token.PATIENCE", 0.2)
    async with database.write() as session, session.begin():
        session.add(AccessToken(app_id="wx1", token="", version=0, refreshing_until=clock() + timedelta(seconds=20)))
    with pytest.raises(NotReached):
        await new_client().send_text("o1", "x")
    clock.advance(seconds=20)
    await new_client().send_text("o1", "x")
    assert len(server.given) == 1


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.ConnectError("x"), NotReached, "ConnectError"),
        (httpx.ConnectTimeout("x"), NotReached, "ConnectTimeout"),
        (httpx.PoolTimeout("x"), NotReached, "PoolTimeout"),
        (httpx.Response(500), NotReached, "HTTP 500"),
        (httpx.Response(502, text="<html>"), NotReached, "HTTP 502"),
        (httpx.Response(429, headers={"Retry-After": "7"}), NotReached, "HTTP 429"),
        (httpx.Response(302, headers={"Location": "https://else.example/"}), NotReached, "HTTP 302"),
        (httpx.ReadTimeout("x"), AnswerLost, "ReadTimeout"),
        (httpx.ReadError("x"), AnswerLost, "ReadError"),
        (httpx.WriteError("x"), AnswerLost, "WriteError"),
        (httpx.RemoteProtocolError("x"), AnswerLost, "RemoteProtocolError"),
        (httpx.Response(200, text="<html>"), AnswerLost, "no JSON"),
        (httpx.Response(200, json=[1]), AnswerLost, "no JSON object"),
        ({"errcode": 45015, "errmsg": "response out of time limit"}, WechatError, "45015 response out of time limit"),
        ({"errcode": "45047", "errmsg": "out of response count limit"}, WechatError, "45047 out of response"),
        ({"errcode": "x"}, AnswerLost, "no number"),
    ],
)
async def test_errors(new_client: NewClient, server: Server, answer: Any, error: type[Exception], words: str) -> None:
    server.script["/cgi-bin/message/custom/send"] = [answer]
    with pytest.raises(error) as caught:
        await new_client().send_text("o1", "x")
    assert words in str(caught.value)
    if isinstance(caught.value, NotReached):
        assert caught.value.after == (7.0 if "429" in words else None)


async def test_media(new_client: NewClient, server: Server) -> None:
    client = new_client()
    server.media = {
        "picture": httpx.Response(200, content=b"\xff\xd8" * 50, headers={"Content-Type": "image/jpeg; x=y"}),
        "gone": httpx.Response(
            200, text='{"errcode":40007,"errmsg":"invalid media_id"}', headers={"Content-Type": "text/plain"}
        ),
        "odd": httpx.Response(200, json={"video_url": "http://x"}),
    }
    found = await client.media("picture")
    assert (found.content, found.content_type) == (b"\xff\xd8" * 50, "image/jpeg")
    with pytest.raises(TooLarge):
        await client.media("picture", most=99)
    with pytest.raises(WechatError) as caught:
        await client.media("gone")
    assert caught.value.code == 40007
    with pytest.raises(AnswerLost):
        await client.media("odd")


async def test_nothing_secret_is_told(
    new_client: NewClient,
    server: Server,
    clock: Clock,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither in an error with its whole traceback nor in any log is the token, the app's secret, or a URL."""
    monkeypatch.setattr("api.channels.wechat.token.PATIENCE", 0.2)
    configure_logging()
    caplog.set_level(logging.DEBUG)
    client, said, send = new_client(), [], "/cgi-bin/message/custom/send"

    async def fails() -> None:
        with pytest.raises((NotReached, AnswerLost, WechatError)) as caught:
            await client.send_text("o1", "x")
        said.append("".join(traceback.format_exception(caught.value)))

    await client.send_text("o1", "x")
    token = server.given[-1]
    server.script[send] = [httpx.ReadTimeout("x"), httpx.Response(503), {"errcode": 45002, "errmsg": f"{token}"}]
    for _ in range(3):
        await fails()
    server.break_tokens()
    server.script["/cgi-bin/token"] = [{"errcode": 40125, "errmsg": f"invalid appsecret {SECRET}"}]
    await fails()
    clock.advance(seconds=11)
    server.script["/cgi-bin/token"] = [httpx.ReadTimeout("x")]
    await fails()
    clock.advance(seconds=11)
    server.script[send] = [{"errcode": 40001, "errmsg": "x"}, {"errcode": 40001, "errmsg": "x"}]
    await fails()
    told = "".join(said) + capsys.readouterr().out + caplog.text
    assert len(said) == 6
    assert "token_failed" in told
    for secret in (SECRET, token, server.given[-1], "access_token=", "secret=", "api.weixin.example"):
        assert secret not in told, secret
