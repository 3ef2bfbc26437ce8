"""Which numbered option a follower means."""

import pytest

from api.channels.wechat.options import chosen

LABELS = ["是的", "不是", "不清楚"]
ENGLISH = ["Yes", "No, thanks", "Talk to a person"]


@pytest.mark.parametrize(
    ("said", "index"),
    [
        ("1", 0),
        ("１", 0),
        (" 2。", 1),
        ("3.", 2),
        ("(1)", 0),
        ("一", 0),
        ("二", 1),
        ("第一个", 0),
        ("第2个", 1),
        ("第三项", 2),
        ("选1", 0),
        ("我选2", 1),
        ("选择第三个", 2),
        ("选项2", 1),
        ("是的", 0),
        ("不清楚。", 2),
        ("option 1", 0),
        ("Option two", 1),
        ("number 3 please", 2),
        ("the first one", 0),
        ("I'll take the second one, please", 1),
        ("2nd", 1),
        ("third", 2),
    ],
)
def test_an_option_is_taken(said: str, index: int) -> None:
    assert chosen(said, LABELS) == index


@pytest.mark.parametrize(
    "said",
    ["", "4", "0", "12", "1号楼", "一号楼没电", "第一次停电", "2 hours", "1 2", "两天了", "-1", "1.5", "好", "十一"],
)
def test_what_takes_no_option_is_a_message(said: str) -> None:
    assert chosen(said, LABELS) is None


def test_an_english_label_is_taken_in_any_case() -> None:
    assert chosen("talk to a PERSON", ENGLISH) == 2
    assert chosen("No, thanks.", ENGLISH) == 1


@pytest.mark.parametrize("expects", ["account", "phone", "ticket", "reading", "count"])
def test_where_a_number_is_asked_for_a_number_is_one(expects: str) -> None:
    assert chosen("100021", LABELS, expects) is None
    assert chosen("8", LABELS, expects) is None
    assert chosen("一", LABELS, expects) is None
    assert [chosen(said, LABELS, expects) for said in ("2", "２", "2.", "2、")] == [1] * 4  # it stands before an option
    assert chosen("选2", LABELS, expects) == 1


def test_without_options_there_is_nothing_to_take() -> None:
    assert chosen("1", []) is None


def test_there_may_be_more_than_ten() -> None:
    assert chosen("第十二个", [f"小区{n}" for n in range(1, 16)]) == 11
