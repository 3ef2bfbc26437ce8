"""Which place and which number a customer's words name."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.demo.network import build
from api.network.address import read_numbers, to_number
from api.network.index import Named, PlaceIndex
from api.network.rules import TreeError, ancestors, candidate_score, number_order
from api.network.words import LONGEST, normalise, sound


@pytest.fixture(scope="module")
def index() -> PlaceIndex:
    """The demo utility's names."""
    return PlaceIndex.build(
        Named(p["id"], p["kind"], (p["name_zh"], p["name_en"], *p["aliases"].split("|")), (p["district_zh"],))
        for p in build()["places"]
    )


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("海棠晓月3栋", "haitang_xiaoyue"),
        ("海堂小月", "haitang_xiaoyue"),
        ("海棠曉月三棟", "haitang_xiaoyue"),
        ("haitang xiao yue 3 dong", "haitang_xiaoyue"),
        ("HAITANG XIAOYUE, BUILDING 3", "haitang_xiaoyue"),
        ("the power's gone off at haitang xiaoyue building 7", "haitang_xiaoyue"),
        ("hai tan xiao yue 3", "haitang_xiaoyue"),
        ("海棠小区3栋", "haitang_xiaoyue"),
        ("珊瑚路21号", "shanhu"),
        ("２１ Shanhu Road", "shanhu"),
        ("shanhu rd", "shanhu"),
        ("sanhu road 21", "shanhu"),
        ("Coral Road 21", "shanhu"),
        ("南岸珊湖路这边路灯和房子全黑了", "shanhu"),
        ("万达广场", "wanda"),
        ("wanda", "wanda"),
        ("晚达", "wanda"),
        ("Our shop at Wanda Plaza has lost electricity, please send someone.", "wanda"),
        ("弹子石正街18号没有水", "danzishi_main"),
        ("18 danzishi main street", "danzishi_main"),
        ("学富苑3栋", "xuefu"),
        ("一品镇老街12号", "yipin"),
        ("building 3 hetai", "hetai"),
        ("songlinpo building 2", "songlin"),
    ],
)
def test_place_is_found(index: PlaceIndex, words: str, place: str) -> None:
    assert [match.place_id for match in index.find(normalise(words))] == [f"pl_{place}"]


@pytest.mark.parametrize(
    ("words", "places"),
    [
        ("南湖花园3栋停电了", ["pl_nanhu_1", "pl_nanhu_2"]),
        ("Nanhu Garden building 3", ["pl_nanhu_1", "pl_nanhu_2"]),
        ("南湖花园二期3栋", ["pl_nanhu_2"]),
        ("Nanhu Garden phase two, building 3", ["pl_nanhu_2"]),
        ("jin xiu yuan", ["pl_jinxiu", "pl_jinxiu_gold"]),
        ("锦绣苑5栋", ["pl_jinxiu"]),
        ("金秀苑5栋", ["pl_jinxiu_gold"]),
    ],
)
def test_alike_names(index: PlaceIndex, words: str, places: list[str]) -> None:
    assert sorted(match.place_id for match in index.find(normalise(words))) == places


@pytest.mark.parametrize(
    "words",
    [
        "",
        "？",
        "我家停电了",
        "the power is out",
        "小区",
        "我们小区停电了",
        "road",
        "garden",
        "村里没有水",
        "3栋",
        "501",
        "昨晚大家都停电了",
        "放假玩手机的时候停电了",
        "我要买一瓶水，停电了",
        "又断电？你们搞什么啊，我正开会呢",
        "transformer blew with a loud boom and now the whole street has no electricity",
        "I am the landlord of three flats in Nan'an and my tenants tell me that they have no electricity.",
        "Hello, this is the property management of Golden Bay Estate, blocks 3 to 6 have no supply.",
        "解放碑步行街8号",
        "8 Jiefangbei Street",
    ],
)
def test_no_place_is_invented(index: PlaceIndex, words: str) -> None:
    assert index.find(normalise(words)) == []


def test_every_name_finds_its_own_place_first(index: PlaceIndex) -> None:
    for place in build()["places"]:
        for name in (place["name_zh"], place["name_en"], sound(normalise(place["name_zh"]))):
            assert place["id"] in [match.place_id for match in index.find(normalise(name))], name


@pytest.mark.parametrize(
    ("words", "name", "building", "detail"),
    [
        ("海棠晓月三栋二单元501", "海棠晓月", "3", "2单元501"),
        ("海棠晓月3-2-501", "海棠晓月", "3", "2单元501"),
        ("海棠晓月3栋2-501停电了", "海棠晓月", "3", "2单元501"),
        ("海棠曉月三棟二單元五零一", "海棠晓月", "3", "2单元501"),
        ("海棠晓月五栋五零一室", "海棠晓月", "5", "501室"),
        ("海棠晓月3号楼", "海棠晓月", "3", ""),
        ("海棠晓月12a栋", "海棠晓月", "12A", ""),
        ("海棠晓月A座", "海棠晓月", "A", ""),
        ("海棠晓月3", "海棠晓月", "3", ""),
        ("海棠晓月 building 5", "海棠晓月", "5", ""),
        ("海棠晓月21号停电吗", "海棠晓月", "", ""),
        ("3月5号海棠晓月停电吗", "海棠晓月", "", ""),
        ("明天8点海棠晓月停电吗", "海棠晓月", "", ""),
        ("海棠晓月停了3个小时", "海棠晓月", "", ""),
        ("海棠晓月，电话13812345678", "海棠晓月", "", ""),
        ("万达广场二楼", "万达广场", "", "2楼"),
        ("haitang xiao yue er shi yi dong er dan yuan", "haitang xiao yue", "21", "2单元"),
        ("block b haitang xiaoyue", "haitang xiaoyue", "B", ""),
        ("haitang xiaoyue 3rd building", "haitang xiaoyue", "3", ""),
        ("building three, haitang xiaoyue", "haitang xiaoyue", "3", ""),
        ("3# haitang xiaoyue", "haitang xiaoyue", "3", ""),
    ],
)
def test_numbers_of_an_estate(words: str, name: str, building: str, detail: str) -> None:
    text = normalise(words)
    numbers = read_numbers(text, (text.index(name), text.index(name) + len(name)))
    assert (numbers.building, numbers.detail(english=False)) == (building, detail)


@pytest.mark.parametrize(
    ("words", "name", "number"),
    [
        ("珊瑚路21号停电了吗", "珊瑚路", "21"),
        ("珊瑚路二十一号", "珊瑚路", "21"),
        ("珊瑚路 21", "珊瑚路", "21"),
        ("21 shanhu road", "shanhu road", "21"),
        ("twenty-one shanhu road please", "shanhu road", "21"),
        ("no. 21 shanhu rd", "shanhu rd", "21"),
        ("house no 27, shanhu road", "shanhu road", "27"),
        ("shanhu lu 21 hao", "shanhu lu", "21"),
        ("call me at 8:30, shanhu road", "shanhu road", ""),
    ],
)
def test_numbers_of_a_street(words: str, name: str, number: str) -> None:
    text = normalise(words)
    start = text.index(name)
    assert read_numbers(text, (start, start + len(name)), estate=False).building == number


def test_detail_in_english() -> None:
    text = normalise("Haitang Xiaoyue building 3 unit 2 room 501")
    assert read_numbers(text, (0, 15)).detail(english=True) == "unit 2, room 501"


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("三", "3"),
        ("五零一", "501"),
        ("幺零二", "102"),
        ("两", "2"),
        ("twenty one", "21"),
        ("b", "B"),
        ("007", "7"),
        ("x1", ""),
    ],
)
def test_to_number(words: str, number: str) -> None:
    assert to_number(words) == number


def test_long_words_are_cut() -> None:
    assert len(normalise("停电" * 1000)) == LONGEST


def test_scores_tell_clear_from_doubtful() -> None:
    assert candidate_score(100, rivals=False, needs_number=False) == 100
    assert candidate_score(100, rivals=True, needs_number=False) == 84
    assert candidate_score(100, rivals=False, needs_number=True) == 70


def test_numbers_stand_in_human_order() -> None:
    assert sorted(["10", "2", "3A", "3", ""], key=number_order) == ["", "2", "3", "3A", "10"]


def test_tree_of_assets() -> None:
    assert ancestors({"line": "station", "station": None}) == [
        ("line", "line", 0),
        ("line", "station", 1),
        ("station", "station", 0),
    ]
    with pytest.raises(TreeError, match="circle"):
        ancestors({"a": "b", "b": "a"})
    with pytest.raises(TreeError, match="unknown parent x"):
        ancestors({"a": "x"})


#: What addresses are made of, and what breaks careless readers of them.
PIECES = st.sampled_from(
    [
        *"海棠晓月珊瑚路栋号楼单元室零一二三十百万两幺第的0123456789-#.:,，。 \n\x00'",
        *" san er shi yi dong hao lou ",
        *("building ", "no. ", "unit ", "floor ", "twenty ", "-one ", "A座", "一百", "十", "😀", "ß", "３", "②", "é"),
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_text_can_be_read(index: PlaceIndex, words: str) -> None:
    text = normalise(words)
    for match in index.find(text) or [None]:
        span = match.span if match else (0, 0)
        numbers = read_numbers(text, span)
        assert 0 <= span[0] <= span[1] <= len(text)
        assert len(numbers.building) < 12
        assert not numbers.building or re.fullmatch(r"\d+[A-Z]?|[A-Z]", numbers.building)
