"""api.learning.masking: customers' words become examples without anything personal, valid for Rasa."""

import pytest

from api.learning.masking import bare, example_of, impersonal

PERSONAL = {
    "我的电话13812345678": "我的电话13900139000",
    "call me on 138-1234-5678 please": "call me on 139-0013-9000 please",
    "户号 3100 4567 8901": "户号 1234 5678 9012",
    "身份证51010119900101123X": "身份证12345678901234567X",
    "last six 12345x": "last six 12345x",
    "last six 123450": "last six 123456",
    "工单号202603041234没有消息": "工单号123456789012没有消息",
    "我住12栋305": "我住12栋305",
    "我家95598打不通": "我家95598打不通",
    "号码是幺三八零零一二三四五六": "号码是一二三四五六七八九一二",
    "it is one three eight, zero zero one two": "it is one two three, four five six seven",
    "write to ann.lee@mail.example.org": "write to name@example.com",
    "我叫陈建国，家里没电": "我叫李明，家里没电",
    "联系人：欧阳小红 电话没有": "联系人：李明 电话没有",
    "Hello, my name is Mary Jane Watson, no water": "Hello, my name is Tom Baker, no water",
    "my name is Ann and my power is off": "my name is Tom Baker and my power is off",
    "我叫你们来修，没人来": "我叫你们来修，没人来",
    "没电一二三楼都没有": "没电一二三楼都没有",
    "电费213.50元": "电费213.50元",
}
LINES = {
    "[停电](intent) 了": "［停电］（intent） 了",
    'no {"x": 1} and ${HOME}': 'no ｛"x": 1｝ and $｛HOME｝',
    "/restart": "restart",
    "- - 停电": "停电",
    "first line\n- second line\r\n\tthird": "first line - second line third",
    "no\u2028power\u0000\u200b now": "no power now",
    "<script>停电</script>": "＜script＞停电＜/script＞",
    "  ？！ ": "",
    "/": "",
    "停" * 400: "停" * 300,
}


@pytest.mark.parametrize("text", PERSONAL, ids=range(len(PERSONAL)))
def test_what_is_personal_is_made_up(text: str) -> None:
    assert impersonal(text) == PERSONAL[text]


@pytest.mark.parametrize("text", PERSONAL, ids=range(len(PERSONAL)))
def test_made_up_again_it_is_the_same(text: str) -> None:
    assert impersonal(impersonal(text)) == PERSONAL[text]


def test_known_names_are_made_up_wherever_they_stand() -> None:
    said = "王建国家停电了, this is for NICK COLE"
    assert impersonal(said, ["王建国", "Nick Cole", "", "x"]) == "李明家停电了, this is for Tom Baker"


def test_messages_that_differ_in_their_number_are_one_example() -> None:
    assert impersonal("查13812345678的单") == impersonal("查15999999999的单")


@pytest.mark.parametrize("text", LINES, ids=range(len(LINES)))
def test_an_example_is_one_plain_line(text: str) -> None:
    assert example_of(text) == LINES[text]
    assert example_of(LINES[text]) == LINES[text]


def test_the_same_wording_is_known_however_it_is_typed() -> None:
    assert bare("No power, AGAIN！") == bare("no power again")
    assert bare("停电了。") == bare("停电 了")
    assert bare("？") != bare("！")
