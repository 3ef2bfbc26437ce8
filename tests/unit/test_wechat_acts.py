"""What followers do, out of the fields of callbacks; their windows; replies as text."""

from datetime import UTC, datetime, timedelta

import pytest

from api.channels.wechat.followers import Window
from api.channels.wechat.normalise import NOT_PASSED_ON, NotAnAct, act_of
from api.channels.wechat.replies import fitting, text_xml
from api.channels.wechat.words import mark, say, sentences
from api.outbox.rules import fits
from tests.simulators.envelope import fields_of

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
BASE = {"ToUserName": "gh_1", "FromUserName": "oA", "CreateTime": "1772604000", "MsgId": "42"}


@pytest.mark.parametrize(
    ("fields", "kind", "text", "window"),
    [
        ({"MsgType": "text", "Content": "停电了"}, "words", "停电了", "message"),
        ({"MsgType": "text", "Content": NOT_PASSED_ON}, "unread", "", "message"),
        ({"MsgType": "voice", "MediaId": "m", "Recognition": "停电了。"}, "words", "停电了。", "message"),
        ({"MsgType": "voice", "MediaId": "m", "Recognition": ""}, "voice", "", "message"),
        ({"MsgType": "voice", "MediaId": "m"}, "voice", "", "message"),
        ({"MsgType": "image", "MediaId": "m", "PicUrl": "http://x"}, "image", "", "message"),
        ({"MsgType": "location", "Label": "重庆市南岸区江南大道8号"}, "words", "重庆市南岸区江南大道8号", "message"),
        ({"MsgType": "location", "Label": " "}, "unread", "", "message"),
        ({"MsgType": "video", "MediaId": "m"}, "unread", "", "message"),
        ({"MsgType": "shortvideo"}, "unread", "", "message"),
        ({"MsgType": "link", "Url": "http://x"}, "unread", "", "message"),
        ({"MsgType": "file"}, "unread", "", "message"),
        ({"MsgType": "something new"}, "unread", "", "message"),
        ({"MsgType": "event", "Event": "subscribe", "EventKey": "qrscene_1"}, "subscribe", "qrscene_1", "subscribe"),
        ({"MsgType": "event", "Event": "unsubscribe"}, "unsubscribe", "", ""),
        ({"MsgType": "event", "Event": "CLICK", "EventKey": "bill"}, "click", "bill", "click"),
        ({"MsgType": "event", "Event": "SCAN", "EventKey": "1"}, "scan", "1", "scan"),
        ({"MsgType": "event", "Event": "VIEW", "EventKey": "http://x"}, "ignored", "http://x", ""),
        ({"MsgType": "event", "Event": "LOCATION"}, "ignored", "", ""),
        ({"MsgType": "event", "Event": "MASSSENDJOBFINISH"}, "ignored", "", ""),
    ],
)
def test_acts(fields: dict[str, str], kind: str, text: str, window: str) -> None:
    act = act_of(BASE | fields)
    assert (act.kind, act.text, act.window, act.open_id, act.account) == (kind, text, window, "oA", "gh_1")
    assert act.media_id == ("m" if kind in ("image", "voice") else "")


@pytest.mark.parametrize(
    "change",
    [
        {"FromUserName": ""},
        {"FromUserName": "o A"},
        {"ToUserName": "x" * 65},
        {"CreateTime": "soon"},
        {"CreateTime": "１"},
        {"MsgId": ""},
        {"MsgId": "1;2"},
        {"MsgType": ""},
        {"MsgType": "event"},
        {"MsgType": "image", "MediaId": "m" * 201},
    ],
)
def test_what_is_no_act(change: dict[str, str]) -> None:
    with pytest.raises(NotAnAct):
        act_of(BASE | {"MsgType": "text", "Content": "x"} | change)


def test_events_are_told_apart_by_follower_time_and_what_they_are() -> None:
    event = BASE | {"MsgType": "event", "Event": "CLICK", "EventKey": "bill"}
    keys = {
        act_of(event | change).key
        for change in ({}, {"FromUserName": "oB"}, {"CreateTime": "1772604001"}, {"EventKey": "person"})
    }
    assert len(keys) == 4
    assert act_of(event).key == act_of(dict(event)).key
    long = act_of(BASE | {"FromUserName": "o" * 64, "MsgType": "event", "Event": "CLICK", "EventKey": "k" * 999})
    assert len(long.key) <= 160
    assert len(long.provider_id) <= 80


def test_a_message_opens_a_window_anew_and_a_click_never_narrows_it() -> None:
    fresh = Window().after("message", NOW)
    assert fresh == Window(NOW + timedelta(hours=48), 5, 0)
    clicked = Window().after("click", NOW)
    assert clicked == Window(NOW + timedelta(minutes=1), 3, 0)
    assert fresh.after("click", NOW) == fresh
    used = Window(fresh.ends_at, 5, 4)
    assert used.after("scan", NOW) == Window(fresh.ends_at, 3, 0)
    assert used.after("message", NOW + timedelta(hours=1)) == Window(NOW + timedelta(hours=49), 5, 0)
    over = Window(NOW - timedelta(seconds=1), 5, 0)
    assert over.after("subscribe", NOW) == Window(NOW + timedelta(minutes=1), 3, 0)
    assert Window(fresh.ends_at, 5, 5).after("click", NOW) == Window(NOW + timedelta(minutes=1), 3, 0)


def test_parts_are_joined_while_they_fit() -> None:
    assert fitting([]) == 0
    assert fitting(["一", "二"]) == 2
    assert fitting(["a" * 2048, "b"]) == 1
    assert fitting(["a" * 2046, "b"]) == 1
    assert fitting(["a" * 2045, "b"]) == 2
    assert fitting(["电" * 682, "b"]) == 1
    assert fitting(["a" * 1000, "b" * 1000], ["c" * 50]) == 1
    assert fitting(["a" * 2048], ["c"]) == 0


def test_a_reply_survives_what_would_end_it() -> None:
    fields = fields_of(text_xml("oA", "gh_1", "a ]]> <b> & c", NOW))
    assert fields == {
        "ToUserName": "oA",
        "FromUserName": "gh_1",
        "CreateTime": str(int(NOW.timestamp())),
        "MsgType": "text",
        "Content": "a ]]> <b> & c",
    }


def test_every_sentence_stands_in_both_languages() -> None:
    for key, texts in sentences().items():
        assert set(texts) == {"zh", "en"}, key
        assert not any("\u4e00" <= c <= "\u9fff" for c in texts["en"]), key
        assert fits("wechat", say(key, None, most=1000, page="https://desk"))
    assert mark("image", None) == "[图片]"
    assert mark("nothing known", "en") == "[other message]"
