"""WeChat's envelope against vectors that others have published, and against what must be refused."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from api.channels.wechat.envelope import Envelope, fields_of, signature
from api.errors import Problem
from tests.simulators import envelope as published

TOKEN, KEY, APP_ID = "desk-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx0123456789abcdef"
NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
ours = Envelope(TOKEN, KEY, APP_ID)
theirs = published.Envelope(APP_ID, TOKEN, KEY)
MESSAGE = (
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oA]]></FromUserName>"
    "<CreateTime>1</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{}]]></Content>"
    "<MsgId>1</MsgId></xml>"
)

#: Of wechatpy (tests of its crypto): token, key and app id are the same in all of them.
WECHATPY = Envelope("123456", "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR", "wx49f0ab532d5d035a")
WECHATPY_ECHO = "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q=="
WECHATPY_CIPHER = (
    "RgqEoJj5A4EMYlLvWO1F86ioRjZfaex/gePD0gOXTxpsq5Yj4GNglrBb8I2BAJVODGajiFnXBu7mCPatfjsu6IHCrsTyeDXzF6Bv283dGymzxh6y"
    "dJRvZsryDyZbLTE7rhnus50qGPMfp2wASFlzEgMW9z1ef/RD8XzaFYgm7iTdaXpXaG4+BiYyolBug/gYNx410cvkKR2/nPwBiT+P4hIiOAQqGp/T"
    "ywZBtDh1yCF2KOd0gpiMZ5jSw3e29mTvmUHzkVQiMS6td7vXUaWOMZnYZlF3So2SjHnwh4jYFxdgpkHHqIrH/54SNdshoQgWYEvccTKe7FS709/5"
    "t6NMxuGhcUGAPOQipvWTT4dShyqio7mlsl5noTrb++x6En749zCpQVhDpbV6GDnTbcX2e8K9QaNWHp91eBdCRxthuL0="
)
#: Of EasyWeChat (tests/Kernel/EncryptorTest.php).
EASYWECHAT_CIPHER = (
    "rTNFcsut4LfGuAFKEUVVpwcaCOTJzOd9twZdIW910jb3k+iicx2uvhttIZ3Qg9Qgty3BEF2xbOrz6boTfb30dMomcgrkTqdFPwnhqbk+kIQ7rZiw"
    "ny9D7NUrTgA5kpX3KsZvrXzUZyP2x9YOlxbgm572lmxKvM7HAQQhIQ/p6HBmoY30bGXFK0BtIu1pW9TjhOYrLQoU18nWYjWqDA1ynkmOytpv7QRI"
    "1P1+0NoxL0q2zO1DgeSvnE8CZGo/o5Ap/WHK5W2RAsinpzN4/LjPnmB6U01I5XCoJoC0GK/yMZycd2Oh8Nq6+wBkC1U85oy0ktOY4nLvsQMLrour"
    "mMGdZHuTbqpeJ8Ao/5PRYJ+WBvRUwPfGKBL2+2IKZF49vAJqkcGWSHGE76ZN2erXeuNazf/o9o3lIE3q739o4c8t9QGPe31GT2Go/rOz1BsrASwv"
    "auNulCh+++yz+CQzBIuikA=="
)


def test_the_plain_signature_of_the_public_vector() -> None:
    assert signature("test", "1410685589", "test") == "f21891de399b4e33a1a93c9a7b8a8fffb5a443ff"


def test_wechatpys_vectors() -> None:
    moment = datetime.fromtimestamp(1411443780, UTC)
    query = {
        "msg_signature": "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96",
        "timestamp": "1411443780",
        "nonce": "437374425",
        "echostr": WECHATPY_ECHO,
    }
    assert WECHATPY.echo(urlencode(query), moment) == "5927782489442352469"
    assert status(lambda: WECHATPY.echo(urlencode({**query, "nonce": "437374424"}), moment)) == 403
    sent = {
        "msg_signature": "74d92dfeb87ba7c714f89d98870ae5eb62dff26d",
        "timestamp": "1411525903",
        "nonce": "461056294",
        "encrypt_type": "aes",
    }
    body = (
        f"<xml><ToUserName><![CDATA[wx49f0ab532d5d035a]]></ToUserName>\n"
        f"<Encrypt><![CDATA[{WECHATPY_CIPHER}]]></Encrypt>\n<AgentID><![CDATA[1]]></AgentID>\n</xml>"
    )
    opened = WECHATPY.open(urlencode(sent), body.encode(), datetime.fromtimestamp(1411525903, UTC))
    assert (opened.fields["Content"], opened.fields["FromUserName"]) == ("test", "messense")


def test_easywechats_vectors() -> None:
    query = urlencode(
        {
            "msg_signature": "4f3ad57b6989f09f4eb392acce4f9e93942ed890",
            "timestamp": "1458300676",
            "nonce": "260774613",
            "encrypt_type": "aes",
        }
    )
    body = (
        f"<xml>\n    <ToUserName><![CDATA[asdasdasd]]></ToUserName>\n"
        f"    <Encrypt><![CDATA[{EASYWECHAT_CIPHER}]]></Encrypt>\n</xml>\n"
    ).encode()
    moment = datetime.fromtimestamp(1458300676, UTC)
    opened = Envelope("pamtest", KEY, "wxb11529c136998cb6").open(query, body, moment)
    assert {name: opened.fields[name] for name in ("ToUserName", "FromUserName", "CreateTime", "Content")} == {
        "ToUserName": "asdasdasd",
        "FromUserName": "asdasdasdsadasd",
        "CreateTime": "1234567898",
        "Content": "hello",
    }
    assert status(lambda: Envelope("pamtest", KEY, "wx0").open(query, body, moment)) == 403
    changed = query.replace("4f3ad57b", "4f3ad57c")
    assert status(lambda: Envelope("pamtest", KEY, "wxb11529c136998cb6").open(changed, body, moment)) == 403


def status(do: object) -> int:
    with pytest.raises(Problem) as problem:
        do()  # type: ignore[operator]
    return problem.value.status


def posted(content: str = "停电了", *, now: datetime = NOW, message: str | None = None) -> tuple[dict[str, str], bytes]:
    timestamp = str(int(now.timestamp()))
    cipher = theirs.encrypt(message if message is not None else MESSAGE.format(content))
    query = {
        "signature": published.signature(TOKEN, timestamp, "77"),
        "timestamp": timestamp,
        "nonce": "77",
        "openid": "oA",
        "encrypt_type": "aes",
        "msg_signature": theirs.sign(timestamp, "77", cipher),
    }
    body = f"<xml>\n<ToUserName><![CDATA[gh_1]]></ToUserName>\n<Encrypt><![CDATA[{cipher}]]></Encrypt>\n</xml>"
    return query, body.encode()


def test_a_message_is_opened_and_a_reply_is_read_by_independent_code() -> None:
    query, body = posted("家里停电了 <b>&amp;")
    opened = ours.open(urlencode(query), body, NOW)
    assert opened.fields["Content"] == "家里停电了 <b>&amp;"
    assert opened.encrypted
    reply = "<xml><Content><![CDATA[好的]]></Content></xml>"
    assert theirs.open_reply(ours.seal(reply, "77", NOW)) == {"Content": "好的"}


def test_every_mutation_of_a_byte_is_refused() -> None:
    """Of the query's and the body's every byte; but what changes nothing: blanks between the tags of the envelope."""
    given, body = posted()
    query = urlencode(given)
    ours.open(query, body, NOW)
    for at, old in enumerate(query.encode()):
        for new in (old ^ 1, old ^ 4, ord("&"), ord("="), ord("%"), 0x80):
            if new != old:
                changed = (query.encode()[:at] + bytes([new]) + query.encode()[at + 1 :]).decode("latin-1")
                assert status(lambda query=changed: ours.open(query, body, NOW)) in (400, 403), changed  # type: ignore[misc]
    for at, old in enumerate(body):
        for new in (old ^ 1, old ^ 0x20, old ^ 0x80, 0, ord("<")):
            changed_body = body[:at] + bytes([new]) + body[at + 1 :]
            if new != old and not (old in b"\n" and new in b" \t\r\n"):
                assert status(lambda sent=changed_body: ours.open(query, sent, NOW)) in (400, 403), (at, new)  # type: ignore[misc]


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_an_old_or_future_timestamp_is_refused(seconds: int) -> None:
    query, body = posted(now=datetime.fromtimestamp(NOW.timestamp() + seconds, UTC))
    assert status(lambda: ours.open(urlencode(query), body, NOW)) == 403


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_clock_may_be_off_by_five_minutes(seconds: int) -> None:
    query, body = posted(now=datetime.fromtimestamp(NOW.timestamp() + seconds, UTC))
    assert ours.open(urlencode(query), body, NOW).fields["MsgType"] == "text"


BOMB = '<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'


@pytest.mark.parametrize(
    "document",
    [
        BOMB + MESSAGE.format("&b;"),
        "<!DOCTYPE xml>" + MESSAGE.format("x"),
        "<?xml version='1.0' encoding='UTF-7'?>+ADwAIQ-DOCTYPE xml+AD4-" + MESSAGE.format("x"),
        "<!DOCTYPE xml SYSTEM 'http://127.0.0.1/x'>" + MESSAGE.format("x"),
        "<\x00!DOCTYPE xml>" + MESSAGE.format("x"),
    ],
)
def test_a_document_type_is_refused_inside_and_outside(document: str) -> None:
    query, body = posted(message=document)
    assert status(lambda: ours.open(urlencode(query), body, NOW)) == 400
    for encoding in ("utf-8", "utf-16", "utf-32", "utf-7"):
        assert status(lambda: ours.open(urlencode(query), document.encode(encoding), NOW)) in (400, 403)  # noqa: B023


def test_typed_markup_is_no_document_type() -> None:
    query, body = posted("<!DOCTYPE html> &lt;")
    assert ours.open(urlencode(query), body, NOW).fields["Content"] == "<!DOCTYPE html> &lt;"


def test_a_control_character_that_a_customer_typed_does_not_lose_the_message() -> None:
    query, body = posted("停\x08电\x00了")
    assert ours.open(urlencode(query), body, NOW).fields["Content"] == "停电了"


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"<xml/>", b"<xml>", b"\xff\xfe", b"<a><ToUserName/></a>", b"<xml>" * 9000]
)
def test_garbage_is_garbage(body: bytes) -> None:
    assert status(lambda: ours.open(urlencode(posted()[0]), body, NOW)) == 400


def test_another_accounts_message_is_refused() -> None:
    other = Envelope(TOKEN, KEY, "wxffffffffffffffff")
    query, body = posted()
    assert status(lambda: other.open(urlencode(query), body, NOW)) == 403


def test_a_message_under_another_followers_name_is_refused() -> None:
    query, body = posted()
    assert status(lambda: ours.open(urlencode({**query, "openid": "oB"}), body, NOW)) == 403


def test_plain_messages_need_the_setting() -> None:
    query, _body = posted()
    plain = {name: query[name] for name in ("signature", "timestamp", "nonce")}
    body = MESSAGE.format("hi").encode()
    assert status(lambda: ours.open(urlencode(plain), body, NOW)) == 403
    assert Envelope(TOKEN, KEY, APP_ID, plain=True).open(urlencode(plain), body, NOW).fields["Content"] == "hi"
    wrong = {**plain, "signature": "0" * 40}
    assert status(lambda: Envelope(TOKEN, KEY, APP_ID, plain=True).open(urlencode(wrong), body, NOW)) == 403


def test_the_address_check_in_both_forms() -> None:
    timestamp = str(int(NOW.timestamp()))
    plain = {"signature": published.signature(TOKEN, timestamp, "9"), "timestamp": timestamp, "nonce": "9"}
    assert ours.echo(urlencode({**plain, "echostr": "12345"}), NOW) == "12345"
    assert status(lambda: ours.echo(urlencode(plain), NOW)) == 400
    assert status(lambda: ours.echo(urlencode({**plain, "echostr": "1", "nonce": "8"}), NOW)) == 403
    cipher = theirs.encrypt("12345")
    sealed = {"timestamp": timestamp, "nonce": "9", "echostr": cipher}
    signed = {**sealed, "msg_signature": theirs.sign(timestamp, "9", cipher)}
    assert ours.echo(urlencode(signed), NOW) == "12345"
    assert status(lambda: ours.echo(urlencode({**sealed, "msg_signature": "0" * 40}), NOW)) == 403


def test_repeated_fields_are_refused() -> None:
    with pytest.raises(Problem):
        fields_of("<xml><Content>1</Content><Content>2</Content></xml>")


def test_blanks_around_values_and_a_bare_envelope_change_nothing() -> None:
    query, body = posted(message=MESSAGE.format("停电了").replace("<![CDATA[oA]]>", "\n  <![CDATA[oA]]>\n  "))
    assert ours.open(urlencode(query), body, NOW).fields["FromUserName"] == "oA"
    spaced = body.replace(b"<Encrypt>", b"<Encrypt>\n\t").replace(b"</Encrypt>", b"\n</Encrypt>")
    assert ours.open(urlencode(query), spaced, NOW).fields["Content"] == "停电了"
    bare = body.replace(b"<ToUserName><![CDATA[gh_1]]></ToUserName>", b"")
    assert ours.open(urlencode(query), bare, NOW).fields["Content"] == "停电了"


def test_a_retry_may_be_encrypted_and_dated_anew_and_is_the_same_then() -> None:
    first, body = posted("停电了")
    later, again = posted("停电了", now=NOW + timedelta(seconds=5))
    assert body != again
    one, two = ours.open(urlencode(first), body, NOW), ours.open(urlencode(later), again, NOW)
    assert (one.nonce, one.content_hash) == (two.nonce, two.content_hash)
    padded = ours.open(urlencode(first), body + b"\n", NOW)
    other = ours.open(*(lambda q, b: (urlencode(q), b))(*posted("停水了")), NOW)
    assert len({one.content_hash, padded.content_hash, other.content_hash}) == 3
