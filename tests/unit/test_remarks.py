"""Remarks beside a wish: told before, past and over, only asking, why, the other utility (table)."""

from collections.abc import Callable

import pytest

from bot.actions.remarks import (
    asks_arrears,
    asks_length,
    asks_why,
    denies_danger,
    flickers,
    is_number,
    only_tell,
    other_utility,
    past_and_over,
    says_there_is_none,
    supposes,
    takes_back,
    told_before,
    wants_crew,
    wants_notice,
)

TABLE: list[tuple[Callable[[str], bool], list[str], list[str]]] = [
    (
        asks_length,
        [
            "停多久",
            "要停多久？",
            "那大概停几个小时",
            "停到几点",
            "多久才好",
            "how long",
            "and how long?",
            "until when?",
        ],
        ["停多久了也没人管", "停电了", "how long have you worked there", "多久抄一次表", "how long is the queue"],
    ),
    (
        says_there_is_none,
        ["没有电线掉下来", "没看到冒烟", "没有火花，也没有烧焦味", "no wires are down", "I don't see any sparks"],
        [
            "没有电",
            "没有人来",
            "没有电线掉下来，但是在冒烟",
            "no power",
            "no water since noon",
            "没电了",
            "没有绝缘皮的电线掉在路上",
            "没有盖子的配电箱",
            "没有意识了",
            "没有火了可是还在冒烟",
            "no insulation on the wire outside",
            "no cover on the live cable",
            "no fire but lots of smoke",
        ],
    ),
    (
        asks_why,
        [
            "为什么停",
            "为什么会这样",
            "为什么停电",
            "怎么回事？",
            "那为什么呢",
            "什么原因",
            "为啥",
            "原因是什么",
            "why?",
            "Why is that?",
            "why is the power off",
            "but why",
            "what happened",
            "what's the reason?",
            "why is there no water",
        ],
        [
            "为什么电费这么高",
            "why is my bill so high",
            "没电了怎么回事",
            "为什么总要核对户号",
            "为什么没人来",
            "停电了",
        ],
    ),
    (
        wants_notice,
        [
            "来电了通知我一下",
            "恢复了请告诉我",
            "来电的话发个短信给我",
            "修好了说一声",
            "来水后麻烦通知我",
            "please tell me when it is back",
            "let me know when it's restored",
            "can you text me once the power is on again",
        ],
        [
            "什么时候来电告诉我一声",
            "告诉我什么时候来电",
            "来电了",
            "来电了，谢谢",
            "你们停电没有通知我",
            "不用派人，来电了告诉我就行",
            "tell me when it will be back",
            "tell me when the crew comes",
            "call me back",
        ],
    ),
    (
        is_number,
        ["12", "187", "８１３０", "一八七", "one eight seven", "是187", "88", "138 0000", "1,2"],
        ["", "12栋", "88路", "没有", "no one", "二单元", "-", "it's 12 people", "7 Hetai Garden"],
    ),
    (
        takes_back,
        ["取消", "请撤销", "没有这回事", "cancel it", "please withdraw it", "that never happened"],
        ["不要取消", "我只是问问", "I was only asking", "don't cancel it", "算了不用来了", "never mind"],
    ),
    (
        only_tell,
        [
            "不用派人，告诉我什么时候来电就行",
            "海棠晓月6栋停电了，不用派人，告诉我什么时候来电就行",
            "别派人来，我就想知道几点来电",
            "Don't send anyone, just tell me when it is back",
            "no need to send a crew, I only want to know when it's back",
            "不用登记，几点恢复告诉我一声",
        ],
        [
            "派人来",
            "什么时候来电",
            "不用派人了",
            "send someone please, and tell me when",
            "告诉我什么时候来电，快派人来",
        ],
    ),
    (
        told_before,
        [
            "我之前打过电话",
            "微信上报过了",
            "我之前打过电话报修了，海棠晓月9栋停电",
            "昨天已经报过修了",
            "早上我打过95598",
            "我昨天在微信上登记过了",
            "I called before about my power cut",
            "I already reported this on WeChat",
            "I reported it yesterday",
            "we have already called",
            "我老公打过电话了",
            "公众号上报过了",
        ],
        [
            "我要投诉，打过三次电话没人来",
            "电话打不通",
            "我没报过",
            "你们昨天打过电话给我",
            "停电了",
            "I want to report a power cut",
            "昨天停电了",
            "我打过电话没人接",
            "报修",
            "我要报修",
        ],
    ),
    (
        past_and_over,
        [
            "昨天停了一天，今天好了",
            "昨天停电停了一天，今天来电了",
            "we had no power all day yesterday, it's fine today",
            "the power was off last night but it's back now",
            "昨晚停水，现在恢复了",
            "前天停电，后来修好了",
        ],
        [
            "昨天停电，今天又停了",
            "昨天停了一天，现在还没来",
            "来电了",
            "停电了",
            "昨天开始停电",
            "the power has been off since yesterday and is still out",
            "no power since last night",
            "现在来电了",
            "the power came back but went off again yesterday",
        ],
    ),
    (
        asks_arrears,
        [
            "是不是因为欠费",
            "我家停电了，是不是因为欠费",
            "is it because I didn't pay?",
            "my power is off, is it because I didn't pay?",
            "是不是没交电费停的",
            "会不会是欠费了",
            "欠费停的吗",
            "could it be an unpaid bill",
        ],
        [
            "停电了",
            "我没欠费",
            "我要交电费",
            "电费多少",
            "I paid my bill",
            "there is no power in my house, the television stopped",
            "我是没有欠费的",
            "我想查余额",
        ],
    ),
    (
        flickers,
        [
            "电压不稳",
            "我家电压不稳，灯一闪一闪的",
            "灯老是闪",
            "my lights keep flickering",
            "the voltage is very low",
            "灯忽明忽暗",
            "电压太低，空调带不动",
            "没停电，就是灯一直闪",
            "the lights are dimming",
        ],
        ["停电了", "灯闪了几下就停电了", "灯不亮了", "水压低", "lights flickered and then went off", "水忽大忽小"],
    ),
    (
        supposes,
        [
            "如果电线掉下来了我该怎么办",
            "if a wire fell down what should I do?",
            "要是漏电怎么办",
            "气得我头都冒烟了",
            "what would I do if the meter caught fire",
        ],
        [
            "电线掉下来了",
            "电线掉下来了怎么办",
            "着火了！",
            "a wire fell down, what should I do",
            "刚才电线掉下来了，如果碰到怎么办",
        ],
    ),
    (
        denies_danger,
        [
            "没有这回事，我就问问",
            "我只是问问",
            "I was only asking",
            "just asking",
            "开玩笑的",
            "没有，只是问一下",
            "nothing happened, hypothetical",
        ],
        ["算了不用来了", "已经灭了", "还在冒烟", "没有电话", "no one is hurt"],
    ),
]
ROWS = [
    (rule, words, wanted) for rule, yes, no in TABLE for wanted, told in ((True, yes), (False, no)) for words in told
]


@pytest.mark.parametrize(("rule", "words", "wanted"), ROWS)
def test_what_words_say_beside_their_wish(rule: Callable[[str], bool], words: str, wanted: bool) -> None:
    assert rule(words) is wanted


@pytest.mark.parametrize(
    ("words", "utility"),
    [
        ("那水呢", "water"),
        ("水呢？", "water"),
        ("那电呢", "power"),
        ("what about the water?", "water"),
        ("and the power?", "power"),
        ("how about the electricity", "power"),
        ("is the water affected too?", "water"),
        ("停水了", None),
        ("水", None),
        ("the water is brown", None),
    ],
)
def test_the_other_utility_is_asked_after(words: str, utility: str | None) -> None:
    assert other_utility(words) == utility


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("派人来", True),
        ("快来人啊", True),
        ("不要再问了，派人来", True),
        ("send someone", True),
        ("不用派人", False),
        ("别来人了", False),
        ("don't send anyone", False),
        ("no need to send a technician", False),
    ],
)
def test_whether_somebody_is_to_come(words: str, wanted: bool) -> None:
    assert wants_crew(words) is wanted
