"""Corrections of a place in the customer's own words, and what only sounds like one (D6)."""

import pytest

from bot.actions.place_words import _ADDRESS, after_no, as_number, by_position, corrected_words, gives_up

CORRECTIONS = [
    ("不是三栋，是五栋", "五栋"),
    ("不是3栋是5栋", "5栋"),
    ("不是茉莉花园，是茉莉家园", "茉莉家园"),
    ("不是三栋，而是五栋", "五栋"),
    ("我不是住在3栋，是在5栋。", "5栋"),
    ("不是张伟，是章伟", "章伟"),
    ("不是停电，是跳了", "跳了"),
    ("地址错了，应该是珊瑚路21号", "珊瑚路21号"),
    ("地址不对，是珊瑚路21号", "珊瑚路21号"),
    ("地址写错了，在湖滨路12号", "湖滨路12号"),
    ("位置有误，应该是5栋", "5栋"),
    ("说错了，是5栋", "5栋"),
    ("我说错了，5栋2单元", "5栋2单元"),
    ("搞错了，我家在湖滨路12号", "我家在湖滨路12号"),
    ("应该是珊瑚路21号", "珊瑚路21号"),
    ("改成5栋", "5栋"),
    ("我说的是茉莉家园", "茉莉家园"),
    ("5栋，不是3栋", "5栋"),
    ("刚才说3栋，不对，是5栋", "5栋"),
    ("不好意思，应该是5栋", "5栋"),
    ("it's Coral Road 21, not Lakeside", "Coral Road 21"),
    ("是五栋不是三栋", "五栋"),
    ("不对，是5栋", "5栋"),
    ("not building 3, building 5", "building 5"),
    ("not 3, 5", "5"),
    ("It's not building 3, it's building 5", "building 5"),
    ("not Lakeside Road but Lakeview Road", "Lakeview Road"),
    ("no it's number 12", "number 12"),
    ("No, it’s building 5.", "building 5"),
    ("sorry, it's 12 Lakeside Road", "12 Lakeside Road"),
    ("actually I'm at building 5", "building 5"),
    ("building 5, not 3", "building 5"),
    ("I meant building 5", "building 5"),
    ("Correction: 12 Lakeside Road", "12 Lakeside Road"),
    ("wrong address, it should be 12 Lakeside Road", "12 Lakeside Road"),
    ("the address is wrong. It's Coral Road 21", "Coral Road 21"),
]

NO_CORRECTIONS = [
    "是不是停电了",
    "是不是停电了，我家是3栋",
    "不是停电，是跳闸",
    "不是零，是35块",
    "不是吧，是什么时候的事",
    "我不是说了吗",
    "应该是跳闸了",
    "地址错了",
    "不是三栋",
    "不是这个小区",
    "请问一下，幸福里8号楼是不是停电了",
    "弄错了，是没交费，不报了",
    "是我自己搞错了，取消",
    "电话写错了，是13912345678",
    "家里电又有了，不好意思，取消一下",
    "not good, please check",
    "不对",
    "没有，还是没电",
    "停电了",
    "茉莉花园3栋",
    "not sure, please send someone",
    "not yet, thanks",
    "it's not working, please help",
    "no it's still dark",
    "no, it's fine",
    "actually it's back",
    "not zero, 35 yuan left",
    "not only me, the neighbours too",
    "no",
    "why not?",
    "",
]


@pytest.mark.parametrize(("words", "instead"), CORRECTIONS)
def test_a_correction_gives_what_is_meant(words: str, instead: str) -> None:
    assert corrected_words(words) == instead


@pytest.mark.parametrize("words", NO_CORRECTIONS)
def test_what_corrects_nothing_gives_nothing(words: str) -> None:
    assert corrected_words(words) is None


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ("不是，是五栋", "五栋"),
        ("不是的，五栋", "五栋"),
        ("不对，在湖滨路12号", "湖滨路12号"),
        ("不，5栋", "5栋"),
        ("不夜城小区", "不夜城小区"),
        ("No, building 5", "building 5"),
        ("no it's number 12", "number 12"),
        ("North Road 5", "North Road 5"),
        ("nope, Lakeside Road", "Lakeside Road"),
        ("五栋", "五栋"),
    ],
)
def test_what_is_denied_is_not_looked_up(words: str, rest: str) -> None:
    assert after_no(words) == rest


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("3", "3栋"),
        ("3。", "3栋"),
        ("十二", "十二栋"),
        ("12A", "12A栋"),
        ("是5", "5栋"),
        ("number 12", "12栋"),
        ("building 5", "5栋"),
        ("it's 7", "7栋"),
        ("No. 8", "8栋"),
        ("三号", "三栋"),
        ("21号", "21号"),
        ("3栋2单元", " 3栋2单元"),
        ("不知道", " 不知道"),
    ],
)
def test_a_bare_number_is_a_building(words: str, number: str) -> None:
    assert as_number(words) == number


@pytest.mark.parametrize(
    ("words", "index"),
    [
        ("第一个", 0),
        ("第2个", 1),
        ("2", 1),
        ("二", 1),
        ("the first one", 0),
        ("Second", 1),
        ("third please", 2),
        ("第三", 2),
        ("最后一个", 2),
        ("the last one", 2),
        ("option 2", 1),
        ("just a second", None),
        ("第一单元", None),
        ("第四个", None),
        ("都不是", None),
        ("12", None),
    ],
)
def test_a_choice_by_position(words: str, index: int | None) -> None:
    guesses = ["a", "b", "c"]
    assert by_position(words, guesses) == (None if index is None else guesses[index])


@pytest.mark.parametrize(
    ("words", "intent", "given_up"),
    [
        ("不知道", "inform", True),
        ("我也不太清楚", "inform", True),
        ("门牌号忘了", "inform", True),
        ("I don’t know the number", "inform", True),
        ("算了", "cancel", True),
        ("5栋", "inform", False),
        ("Lakeside Road", "inform", False),
    ],
)
def test_giving_up_on_the_place(words: str, intent: str, given_up: bool) -> None:
    assert gives_up(words, intent) is given_up


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("茉莉花园3栋", True),
        ("珊瑚路21号", True),
        ("湖滨路12", True),
        ("二单元", True),
        ("12", True),
        ("building 5", True),
        ("Lakeside Road", True),
        ("number 12", True),
        ("我不知道", False),
        ("知道了", False),
        ("一个人", False),
        ("still dark", False),
        ("fine now", False),
    ],
)
def test_what_reads_like_an_address(words: str, address: bool) -> None:
    assert bool(_ADDRESS.search(words)) is address
