"""What speech and keys mean, by what was asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.channels.voice import keys, prompts
from api.channels.voice.keys import Chose, Misheard, Prompt, Repeat, Said, Silence, Speak

ZH, EN = prompts.key_words("zh"), prompts.key_words("en")
OPTIONS = (("t1", "只有我家"), ("t2", "整栋楼"), ("t3", "不清楚"), ("t4", "别的"))
LANGUAGE = Prompt("language")
OPEN = Prompt("open", ("请问地址是？",), "place")
YES_NO = Prompt("yes_no", ("是这里吗？",), "yes_no")
CHOICES = Prompt("options", ("哪一种？",), "", OPTIONS)
NUMBER = Prompt("number", ("请告诉我户号。",), "account")
MENU = Prompt("menu")


@pytest.mark.parametrize(
    ("prompt", "digits", "meant"),
    [
        (LANGUAGE, "1", Speak("zh", chosen=True)),
        (LANGUAGE, "2", Speak("en", chosen=True)),
        (LANGUAGE, "3", Misheard()),
        (LANGUAGE, "0", Said("转人工")),
        (LANGUAGE, "*", Repeat()),
        (CHOICES, "1", Chose("t1")),
        (CHOICES, "3", Chose("t3")),
        (CHOICES, "4", Misheard()),  # only three are said
        (CHOICES, "9", Misheard()),
        (CHOICES, "0", Said("转人工")),
        (CHOICES, "*", Repeat()),
        (CHOICES, "#", Misheard()),
        (YES_NO, "1", Said("是的")),
        (YES_NO, "2", Said("不是")),
        (YES_NO, "3", Misheard()),
        (MENU, "1", Said("停电了")),
        (MENU, "2", Said("停水了")),
        (MENU, "3", Said("查费用")),
        (MENU, "4", Misheard()),
        (MENU, "0", Said("转人工")),
        (OPEN, "5", Misheard()),
        (OPEN, "0", Said("转人工")),
        (OPEN, "*", Repeat()),
        (OPEN, "13800138000", Said("13800138000", "13800138000")),
        (NUMBER, "0", Said("0", "0")),
        (NUMBER, "1002", Said("1002", "1002")),
        (NUMBER, "1002#", Said("1002", "1002")),
        (NUMBER, "123*456", Said("456", "456")),
        (NUMBER, "123*456#", Said("456", "456")),
        (NUMBER, "1*2*3", Said("3", "3")),
        (NUMBER, "*", Repeat()),
        (NUMBER, "123*", Repeat()),
        (NUMBER, "#", Repeat()),
    ],
)
def test_keys(prompt: Prompt, digits: str, meant: keys.Act) -> None:
    assert keys.read(prompt, digits, "", ZH, "zh") == meant


@pytest.mark.parametrize(
    ("prompt", "speech", "meant"),
    [
        (OPEN, None, Silence()),
        (CHOICES, None, Silence()),
        (OPEN, "", Misheard()),
        (OPEN, "  ", Misheard()),
        (OPEN, "洛河湾三栋", Said("洛河湾三栋")),
        (OPEN, "说慢一点", Repeat(slower=True)),
        (OPEN, "请再说一遍", Repeat()),
        (CHOICES, "整栋楼。", Chose("t2")),
        (CHOICES, "第二个", Chose("t2")),
        (CHOICES, "二", Chose("t2")),
        (CHOICES, "别的", Chose("t4")),  # was not said as one of three, and is an option
        (CHOICES, "我不知道", Said("我不知道")),
        (NUMBER, "二", Said("二")),
        (NUMBER, "一二三四", Said("一二三四")),
        (YES_NO, "是的", Said("是的")),
        (LANGUAGE, "", Speak("zh")),
        (LANGUAGE, None, Speak("zh")),
        (LANGUAGE, "中文", Speak("zh", chosen=True)),
        (LANGUAGE, "普通话吧", Speak("zh", chosen=True)),
        (LANGUAGE, "English please", Speak("en", chosen=True)),
        (LANGUAGE, "英语", Speak("en", chosen=True)),
        (LANGUAGE, "two", Speak("en", chosen=True)),
        (LANGUAGE, "一", Speak("zh", chosen=True)),
        (LANGUAGE, "我家停电了", Speak("zh", text="我家停电了")),
        (LANGUAGE, "there is no power here", Speak("en", text="there is no power here")),
    ],
)
def test_speech(prompt: Prompt, speech: str | None, meant: keys.Act) -> None:
    assert keys.read(prompt, "", speech, ZH, "zh") == meant


def test_what_is_not_sure_is_not_heard() -> None:
    assert keys.read(OPEN, "", "嗯哼", ZH, "zh", sure=False) == Misheard()
    assert keys.read(OPEN, "0", "嗯哼", ZH, "zh", sure=False) == Said("转人工")


def test_english_keys() -> None:
    assert keys.read(MENU, "1", "", EN, "en") == Said("My power is off")
    assert keys.read(YES_NO, "1", "", EN, "en") == Said("Yes")
    assert keys.read(OPEN, "0", "", EN, "en") == Said("I want to talk to a person")


@pytest.mark.parametrize(
    "text",
    [
        *("说慢一点", "慢点说", "请您说慢一点好吗", "讲慢点", "慢一点", "太快了", "你说得太快了", "能不能再慢一点"),
        *("slower please", "Could you speak more slowly, please?", "slow down", "please speak slowly", "too fast"),
    ],
)
def test_asks_slower(text: str) -> None:
    assert keys.asks_slower(text)


@pytest.mark.parametrize(
    "text",
    [
        *("水流得慢一点", "水慢", "水越来越慢", "来电太慢了", "你们修得太慢了", "电表走得太快", "电表太快了怎么办"),
        *("the water runs slower", "your crew is too slow", "the meter runs too fast"),
    ],
)
def test_other_slow_things(text: str) -> None:
    assert not keys.asks_slower(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "什么？",
            "啥",
            "你说什么",
            "再说一遍",
            "请再说一次",
            "没听清楚",
            "对不起，没听清",
            "重复一遍",
            "Pardon?",
            "What?",
        ),
        *("say that again", "Could you repeat that please", "sorry, what was that", "I didn't hear you"),
    ],
)
def test_asks_again(text: str) -> None:
    assert keys.asks_again(text)


@pytest.mark.parametrize("text", ["什么时候来电", "为什么停电", "又停了一次", "what about the water", "no water again"])
def test_other_questions(text: str) -> None:
    assert not keys.asks_again(text)


@pytest.mark.parametrize(
    ("expects", "options", "keys_only", "kind"),
    [
        ("account", (), False, "number"),
        ("phone", OPTIONS, False, "number"),
        ("ticket", (), True, "number"),
        ("reading", (), False, "number"),
        ("yes_no", (), False, "yes_no"),
        ("yes_no", OPTIONS, False, "options"),
        ("place", (), False, "open"),
        ("place", (), True, "menu"),
        ("", OPTIONS, True, "options"),
        ("", (), False, "open"),
    ],
)
def test_kind(expects: str, options: tuple[tuple[str, str], ...], keys_only: bool, kind: str) -> None:
    assert keys.kind_of(expects, options, keys_only=keys_only) == kind


def test_stages() -> None:
    assert [keys.stage(count, 2) for count in range(1, 6)] == ["again", "keys", "keys", "person", "person"]


@given(
    st.sampled_from([LANGUAGE, OPEN, YES_NO, CHOICES, NUMBER, MENU, Prompt("closing")]),
    st.text("0123456789*#", max_size=20) | st.text(max_size=10),
    st.none() | st.text(max_size=60),
    st.booleans(),
)
def test_reads_anything(prompt: Prompt, digits: str, speech: str | None, sure: bool) -> None:
    act = keys.read(prompt, digits, speech, ZH, "zh", sure=sure)
    if isinstance(act, Said):
        assert act.text
    assert Prompt.restored(prompt.stored()) == prompt


def test_a_prompt_survives_json() -> None:
    assert Prompt.restored({**CHOICES.stored(), "options": [list(option) for option in OPTIONS]}) == CHOICES
    assert Prompt.restored({}).kind == "open"


@pytest.mark.parametrize("said", ["I do not know", "I don\u2019t know.", "i don't know"])
def test_options_are_heard_in_long_and_short_forms(said: str) -> None:
    prompt = Prompt("options", (), "", (("t1", "It's only mine"), ("t2", "I don't know")))
    assert keys.read(prompt, "", said, EN, "en") == Chose("t2")
    assert keys.read(prompt, "", "it is only mine", EN, "en") == Chose("t1")


@pytest.mark.parametrize(
    ("text", "key"), [("按一", "1"), ("第二个。", "2"), ("press three", "3"), ("一栋", ""), ("", ""), ("四", "")]
)
def test_a_key_may_be_said(text: str, key: str) -> None:
    assert keys.spoken_key(text) == key
