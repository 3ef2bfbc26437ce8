"""Phrases that steer a journey: still off, all said, a rule behind a grievance, supply is back, no account at hand."""

import re

import pytest

from bot.actions import complaint, contact, information, tickets, verify
from bot.actions.wishes import besides_supply, instead, is_vague, supply_besides, wants_to_complain, wishes_in

TABLE: list[tuple[str, re.Pattern[str], list[str], list[str]]] = [
    (
        "off now",
        complaint._OFF_NOW,
        [
            "现在还没电",
            "现在还没有电",
            "到现在都没电",
            "又停电了",
            "还没来电",
            "一直没来水",
            "没电三天了",
            "停了三天了还没修好",
            "停电到现在",
            "the power is still off",
            "still no water",
            "we still have no power",
            "there is no power right now",
            "without power for 3 days now",
            "it's out again",
            "we have no water at the moment",
        ],
        [
            "昨天停了两个小时",
            "现在不停电了",
            "现在来电了，但是我要投诉",
            "现在有电了",
            "上周停电没有通知",
            "你们的人态度很差",
            "I'm still waiting for an answer about last week",
            "the power was off yesterday",
            "it's not dark any more",
            "your man was rude",
        ],
    ),
    (
        "all said",
        complaint._DONE,
        [
            "说完了",
            "就这些",
            "没了",
            "没有了",
            "暂时没有了",
            "就这样吧",
            "好了，就这些。",
            "完了",
            "that's all",
            "That’s it.",
            "nothing else",
            "no, that's all",
            "done",
            "I'm done",
            "no more",
        ],
        [
            "水没了",
            "一下子电就没了",
            "钱没了",
            "修完了又坏",
            "nothing was done about it",
            "it has not been done",
            "no more water",
            "that's all they said to me, then they left",
            "你们说完就走了",
            "没有人来",
        ],
    ),
    (
        "rule: proof",
        complaint._RULES["proof"],
        ["补卡还要房产证", "要我拿产权证", "they want proof of ownership", "补办电卡要房本"],
        ["电卡坏了", "they want proof of payment"],
    ),
    (
        "rule: arrears",
        complaint._RULES["arrears"],
        [
            "欠费就给我停电",
            "因为欠费断了我的电",
            "没交电费就停我的电",
            "停电说是欠费",
            "you cut me off for arrears",
            "they cut the power because I had not paid",
            "I was disconnected for an unpaid bill",
        ],
        [
            "我没欠费，你们凭什么停我的电",
            "没有欠费还停电",
            "your hotline disconnected me",
            "the call keeps getting disconnected",
            "停电三次了",
            "the power was cut three times",
        ],
    ),
    (
        "supply is back",
        tickets._BACK,
        [
            "来电了",
            "有电了",
            "已经有水了",
            "恢复了",
            "好了，不用来了",
            "灯亮了",
            "水通了",
            "it's back",
            "the power is back on",
            "working again",
            "fixed now",
            "it's on again",
            "back to normal",
            "the lights came back",
        ],
        [
            "没有电了",
            "没有水了",
            "还没来电了吗",
            "不来电了",
            "说好了今天来",
            "电话打通了没人接",
            "没好了",
            "call me back",
            "it's not back",
            "it isn't fixed",
            "not working again",
            "I'll be back",
            "get back to me",
            "nobody came back",
        ],
    ),
    (
        "no account at hand",
        verify._SKIPS,
        [
            "跳过",
            "不想核对",
            "不记得户号",
            "没有户号",
            "手头没有",
            "找不到了",
            "忘了",
            "不方便",
            "不用核对了",
            "skip",
            "I don’t have it",
            "don't remember",
            "I can't find it",
            "I lost the bill",
            "not now",
            "I forgot",
        ],
        ["12345678", "户号是12345678", "yes", "稍等我找一下", "one moment"],
    ),
    (
        "account number",
        verify._ACCOUNT,
        ["户号12345678", "5001234567", "1234567890123"],
        ["1234567", "12345678901234", "12 34"],
    ),
    (
        "second factor",
        verify._FACTOR,
        ["13800138000", "138 0013 8000", "12345X", "后六位是123456", "12345x"],
        ["1234", "不知道", "xx"],
    ),
]


@pytest.mark.parametrize(
    ("what", "pattern", "words"), [(what, pattern, words) for what, pattern, said, _ in TABLE for words in said]
)
def test_it_is_recognised(what: str, pattern: re.Pattern[str], words: str) -> None:
    assert pattern.search(words), what


@pytest.mark.parametrize(
    ("what", "pattern", "words"), [(what, pattern, words) for what, pattern, _, other in TABLE for words in other]
)
def test_what_only_sounds_like_it_is_not(what: str, pattern: re.Pattern[str], words: str) -> None:
    assert not pattern.search(words), what


@pytest.mark.parametrize(
    ("words", "journeys"),
    [
        ("停电了，而且我要投诉", ["complaint"]),
        ("我家没电，顺便查一下电费", ["bill"]),
        ("停电把冰箱里的东西都弄坏了要赔，我还要投诉你们", ["damage_claim", "complaint"]),
        ("没电了是不是欠费", []),
        ("no power since six, also how much do I owe", ["bill"]),
        ("power is out and I want to complain and who pays for the food", ["damage_claim", "complaint"]),
        ("the lights are off", []),
    ],
)
def test_what_a_message_about_supply_names_besides(words: str, journeys: list[str]) -> None:
    """Danger first, then supply, then the rest (B13)."""
    assert besides_supply(words) == journeys


@pytest.mark.parametrize(
    ("words", "supply"),
    [
        ("水是黄的，而且还停电了", "outage"),
        ("check my bill please, also there is no water", "water"),
        ("停电是什么时候的事", None),
        ("why is my bill so high", None),
    ],
)
def test_supply_named_beside_another_wish(words: str, supply: str | None) -> None:
    assert supply_besides(words) == supply


@pytest.mark.parametrize(
    ("words", "wishes"),
    [
        ("我不投诉，就问什么时候来电", False),
        ("这不是投诉啊，就问一下", False),
        ("it's not a complaint, I only want to know when it's back", False),
        ("I don't want to complain, just tell me", False),
        ("I dont have a complaint", False),
        ("I want to complain", True),
        ("我要投诉", True),
        ("I have a complaint", True),
    ],
)
def test_a_complaint_denied_is_none(words: str, wishes: bool) -> None:
    assert wants_to_complain(words) is wishes


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("停水了，哦不，是停电了", "outage"),
        ("停电了，说错了，是停水", "water"),
        ("no water, sorry I mean no power", "outage"),
        ("停电了", None),
        ("我家停水了，是不是停电了", None),
    ],
)
def test_a_slip_of_the_tongue_is_put_right(words: str, meant: str | None) -> None:
    assert instead(words) == meant


def test_both_supplies_off_are_two_wishes() -> None:
    for words in ("we've got neither water nor electricity", "no water or power", "没电没水"):
        assert wishes_in(words) == {"outage", "water"}


@pytest.mark.parametrize("words", ["坏了", "坏了坏了", "我家那个又来了", "it's not working", "nothing works"])
def test_vague_words_tell_nothing(words: str) -> None:
    assert is_vague(words)


@pytest.mark.parametrize("words", ["停电了", "没水", "冰箱坏了要赔", "the tap is not working", "it is dark here", ""])
def test_what_tells_something_is_not_vague(words: str) -> None:
    assert not is_vague(words)


@pytest.mark.parametrize(
    ("words", "factor"),
    [
        ("幺九九零零零零零零零幺", "19900000001"),
        ("零三幺五二叉", "03152X"),
        ("zero three one five two x", "03152X"),
        ("六位是幺零二六幺八", "102618"),
        ("03152x", "03152X"),
    ],
)
def test_a_spoken_factor_is_read_as_digits(words: str, factor: str) -> None:
    found = verify._FACTOR.search(verify._in_digits(words))
    assert found is not None
    assert found.group() == factor


@pytest.mark.parametrize(
    "words", ["没有", "没有了", "不用", "no", "Nope.", "no, sorry", "I don't have one", "对不起，没有"]
)
def test_a_plain_no(words: str) -> None:
    assert contact._PLAIN_NO.fullmatch(words)


@pytest.mark.parametrize(
    "words", ["没有跳闸", "没有停水", "不是", "不知道", "not now", "no power", "no, it did not trip"]
)
def test_a_no_to_something_else(words: str) -> None:
    assert not contact._PLAIN_NO.fullmatch(words)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("那和泰花园5栋呢", "和泰花园5栋"),
        ("和泰花园五栋呢", "和泰花园五栋"),
        ("and Building 7 Hetai Garden?", "Building 7 Hetai Garden"),
        ("what about Wanda Plaza", "Wanda Plaza"),
        ("和泰花园5栋停电了", None),
        ("Building 7", None),
    ],
)
def test_the_same_question_elsewhere(words: str, place: str | None) -> None:
    said = information._ELSEWHERE.fullmatch(words)
    assert (said and (said["zh"] or said["en"])) == place
