"""WeChat's simulator keeps its rules: public vectors, quotas, retries."""

import httpx
import pytest

from tests.simulators.envelope import BadEnvelope, Envelope, cdata, fields_of, signature
from tests.simulators.follower import FAULT, Follower
from tests.simulators.server import Fault
from tests.simulators.wechat import Account, WechatServer, new_aes_key

#: wechatpy's tests/test_crypto.py
from tests.unit.simulators.desk import FakeDesk

#: wechatpy's tests/test_crypto.py
WECHATPY = Envelope("wx49f0ab532d5d035a", "123456", "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR")
ECHO = "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q=="


# the envelope


def test_public_vectors() -> None:
    assert signature("test", "1410685589", "test") == "f21891de399b4e33a1a93c9a7b8a8fffb5a443ff"
    assert WECHATPY.sign("1411443780", "437374425", ECHO) == "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96"
    assert WECHATPY.decrypt(ECHO).isdigit()


def test_what_is_encrypted_comes_back_and_any_change_is_seen() -> None:
    envelope = Envelope("wx1", "token", new_aes_key())
    text = "停电了 ]]> & <x> 😀" * 50
    sealed = envelope.encrypt(text)
    assert envelope.decrypt(sealed) == text
    assert fields_of(f"<xml><Content>{cdata(text)}</Content></xml>")["Content"] == text
    with pytest.raises(BadEnvelope, match="appid"):
        envelope.decrypt(envelope.encrypt(text, app_id="wx2"))
    with pytest.raises(BadEnvelope):
        envelope.decrypt(sealed[:-8])
    with pytest.raises(BadEnvelope, match="document type"):
        fields_of('<!DOCTYPE xml [<!ENTITY a "b">]><xml>&a;</xml>')


def reply_to(follower: Follower, text: str, **change: str) -> str:
    """An encrypted passive reply as a right desk makes it."""
    own = {
        "ToUserName": follower.open_id,
        "FromUserName": follower.server.account.original_id,
        "CreateTime": "1",
        "MsgType": "text",
        "Content": text,
    } | change
    inner = "<xml>" + "".join(f"<{name}>{cdata(value)}</{name}>" for name, value in own.items()) + "</xml>"
    sealed = follower.envelope.encrypt(inner)
    sign = follower.envelope.sign("1", "n", sealed)
    return (
        f"<xml><Encrypt>{cdata(sealed)}</Encrypt><MsgSignature>{cdata(sign)}</MsgSignature>"
        "<TimeStamp>1</TimeStamp><Nonce>n</Nonce></xml>"
    )


# a follower


def test_a_passive_reply_is_read(wechat: WechatServer, desk: FakeDesk) -> None:
    follower = Follower(wechat, desk.url)
    desk.put("/wechat", reply_to(follower, "您好"))
    sent = follower.send("你好")
    assert (sent.statuses, sent.reply) == ((200,), "您好")
    query = desk.requests[0].query
    assert query["encrypt_type"] == "aes"
    assert query["signature"] == signature(wechat.account.token, query["timestamp"], query["nonce"])
    inner = fields_of(follower.envelope.decrypt(fields_of(desk.requests[0].body.decode())["Encrypt"]))
    assert (inner["MsgType"], inner["Content"], inner["MsgId"]) == ("text", "你好", sent.message_id)


@pytest.mark.parametrize("body", ["", "success"])
def test_no_reply_is_no_fault(wechat: WechatServer, desk: FakeDesk, body: str) -> None:
    follower = Follower(wechat, desk.url)
    desk.put("/wechat", body)
    assert follower.send("你好").statuses == (200,)
    assert follower.hear() == []


def test_unanswered_messages_come_three_times_with_one_id(wechat: WechatServer, desk: FakeDesk) -> None:
    follower = Follower(wechat, desk.url)
    desk.put("/wechat", "", status=503)
    sent = follower.send("你好")
    assert sent.statuses == (503, 503, 503)
    inner = [
        fields_of(follower.envelope.decrypt(fields_of(request.body.decode())["Encrypt"])) for request in desk.requests
    ]
    assert {fields["MsgId"] for fields in inner} == {sent.message_id}
    assert len({request.query["nonce"] for request in desk.requests}) == 3
    assert [got.text for got in follower.hear()] == [FAULT]


def test_a_dropped_connection_is_tried_again(wechat: WechatServer, desk: FakeDesk) -> None:
    follower = Follower(wechat, desk.url)
    desk.put("/wechat", "success")
    desk.fail(Fault("/wechat", drop="after"))
    assert follower.send("你好").statuses == (0, 200)


@pytest.mark.parametrize(
    "change",
    [
        {"ToUserName": "someone"},
        {"FromUserName": "wx"},
        {"MsgType": "markdown"},
        {"Content": ""},
        {"Content": "长" * 700},
        {"CreateTime": "now"},
    ],
)
def test_a_wrong_reply_is_a_fault(wechat: WechatServer, desk: FakeDesk, change: dict[str, str]) -> None:
    follower = Follower(wechat, desk.url)
    desk.put("/wechat", reply_to(follower, "您好", **change))
    follower.send("你好")
    assert [got.way for got in follower.hear()] == ["fault"]
    assert len(follower.faults) == 1


# WeChat's server


def token_of(wechat: WechatServer) -> str:
    account = wechat.account
    query = {"grant_type": "client_credential", "appid": account.app_id, "secret": account.app_secret}
    token: str = httpx.get(f"{wechat.url}/cgi-bin/token", params=query, trust_env=False).json()["access_token"]
    return token


def write(wechat: WechatServer, token: str, to: str, text: str) -> int:
    body = {"touser": to, "msgtype": "text", "text": {"content": text}}
    answer = httpx.post(
        f"{wechat.url}/cgi-bin/message/custom/send", params={"access_token": token}, json=body, trust_env=False
    )
    code: int = answer.json()["errcode"]
    return code


def test_five_messages_for_one_of_the_users(wechat: WechatServer) -> None:
    token = token_of(wechat)
    assert write(wechat, token, "o1", "hello") == 40003
    wechat.act("o1", "message")
    assert write(wechat, token, "o1", "长" * 683) == 45002
    assert [write(wechat, token, "o1", str(number)) for number in range(6)] == [0, 0, 0, 0, 0, 45047]
    wechat.act("o1", "message")
    assert write(wechat, token, "o1", "6") == 0
    wechat.close_window("o1")
    assert write(wechat, token, "o1", "7") == 45015
    assert wechat.texts("o1") == ["0", "1", "2", "3", "4", "6"]


def test_three_messages_for_a_click_within_a_minute() -> None:
    now = [1000.0]
    with WechatServer(Account(), clock=lambda: now[0]) as wechat:
        token = token_of(wechat)
        wechat.act("o1", "click")
        assert [write(wechat, token, "o1", str(number)) for number in range(4)] == [0, 0, 0, 45047]
        wechat.act("o1", "click")
        now[0] += 61
        assert write(wechat, token, "o1", "late") == 45015
        wechat.act("o1", "message")
        wechat.act("o1", "unsubscribe")
        assert write(wechat, token, "o1", "gone") == 45015


def test_tokens_end_and_are_replaced(wechat: WechatServer) -> None:
    wechat.act("o1", "message")
    first, second = token_of(wechat), token_of(wechat)
    assert write(wechat, first, "o1", "1") == 0  # for five minutes both are good
    wechat.expire_tokens()
    assert write(wechat, second, "o1", "2") == 42001
    assert write(wechat, "never", "o1", "2") == 40001
    assert write(wechat, "", "o1", "2") == 41001
    third = token_of(wechat)
    wechat.invalidate_tokens()
    assert write(wechat, third, "o1", "2") == 40001


def test_faults_are_used_up(wechat: WechatServer) -> None:
    wechat.act("o1", "message")
    token = token_of(wechat)
    wechat.busy(1)
    wechat.fail(Fault("/custom/send", drop="after"))
    assert write(wechat, token, "o1", "1") == -1
    with pytest.raises(httpx.HTTPError):
        write(wechat, token, "o1", "2")
    assert write(wechat, token, "o1", "3") == 0
    assert wechat.texts("o1") == ["2", "3"]


def test_menu_and_media(wechat: WechatServer) -> None:
    token = token_of(wechat)
    query = {"access_token": token}
    entry = {"type": "click", "name": "停电", "key": "power"}
    url = f"{wechat.url}/cgi-bin/menu/create"
    assert httpx.post(url, params=query, json={"button": [entry] * 4}, trust_env=False).json()["errcode"] == 40016
    assert httpx.post(url, params=query, json={"button": [entry]}, trust_env=False).json()["errcode"] == 0
    shown = httpx.get(f"{wechat.url}/cgi-bin/menu/get", params=query, trust_env=False).json()
    assert shown["menu"]["button"] == [entry]
    media = wechat.add_media(b"\xff\xd8")
    got = httpx.get(f"{wechat.url}/cgi-bin/media/get", params=query | {"media_id": media}, trust_env=False)
    assert (got.content, got.headers["content-type"]) == (b"\xff\xd8", "image/jpeg")
