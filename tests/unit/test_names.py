"""The name a customer gives, with or without a phone number, and what only looks like one (A1, D6)."""

import pytest

from bot.actions.contact import _ROOM, name_in

NAMED = [
    ("我叫张伟", "张伟"),
    ("我叫张伟我的电话是13800138000", "张伟"),
    ("我叫张伟电话13800138000", "张伟"),
    ("我是李秀英，13800138000", "李秀英"),
    ("张三 13800138000", "张三"),
    ("13800138000 张三", "张三"),
    ("13800138000，王小明", "王小明"),
    ("王小明，电话是13800138000", "王小明"),
    ("张三，我的手机13800138000", "张三"),
    ("李师傅", "李师傅"),
    ("李师傅 13800138000", "李师傅"),
    ("我是3栋的李阿姨，电话13800138000", "李阿姨"),
    ("我是王女士", "王女士"),
    ("我姓王，13800138000", "王"),
    ("免贵姓李", "李"),
    ("姓欧阳", "欧阳"),
    ("我姓欧阳", "欧阳"),
    ("我姓陈，陈先生", "陈"),
    ("欧阳娜娜 13800138000", "欧阳娜娜"),
    ("叫我老王就行", "老王"),
    ("老周 13800138000", "老周"),
    ("小陈，13800138000", "小陈"),
    ("姓名：赵敏，电话：13800138000", "赵敏"),
    ("名字是刘洋", "刘洋"),
    ("联系人：周杰，手机13800138000", "周杰"),
    ("我叫阿依古丽·买买提", "阿依古丽·买买提"),
    ("陈女士吧，13800138000", "陈女士"),
    ("打13800138000，找刘大爷", "刘大爷"),
    ("my name is Tom", "Tom"),
    ("My name is Tom Brown, 13800138000", "Tom Brown"),
    ("my name is tom and my phone is 13800138000", "tom"),
    ("I'm Maria Lopez, 13800138000", "Maria Lopez"),
    ("I’m Maria, 13800138000", "Maria"),
    ("This is Wang Li", "Wang Li"),
    ("Mr Wang", "Mr Wang"),
    ("Mr. Wang 13800138000", "Mr. Wang"),
    ("It's Mrs Smith, 13800138000", "Mrs Smith"),
    ("ms lee 13800138000", "ms lee"),
    ("zhang wei 13800138000", "zhang wei"),
    ("zhangwei 13800138000", "zhangwei"),
    ("13800138000 wang xiaoming", "wang xiaoming"),
    ("Zhang Wei, 13800138000", "Zhang Wei"),
    ("Chris Miles 13800138000", "Chris Miles"),
    ("Alexandra, phone 13800138000", "Alexandra"),
    ("Tom Brown, my number is 13800138000", "Tom Brown"),
    ("name: Ana", "Ana"),
    ("Call me Bob, 13800138000", "Bob"),
    ("Anna", "Anna"),
    ("O'Brien 13800138000", "O'Brien"),
    ("i'm tom, 13800138000", "tom"),
]

NAMELESS = [
    "我是3栋的",
    "我是业主",
    "我是租户",
    "我是物业",
    "我是他邻居",
    "本人",
    "我是老业主了",
    "叫我等了半天",
    "我叫你们来",
    "我叫了师傅",
    "名字不方便说",
    "13800138000",
    "电话13800138000",
    "手机号是13800138000",
    "马上",
    "马上 13800138000",
    "方便",
    "任何时候",
    "白天打",
    "高层",
    "石桥路",
    "江南里",
    "上次是李师傅来修的",
    "我要投诉张师傅",
    "没有电话",
    "不用了",
    "好的",
    "this is urgent",
    "This is urgent",
    "I'm at work",
    "I am waiting",
    "I'm home 13800138000",
    "I AM WAITING",
    "I'm not telling you",
    "it's dark",
    "It's number 12",
    "call me back",
    "Call me later, 13800138000",
    "Call me on 13800138000",
    "call me please 13800138000",
    "i'm the tenant",
    "I'm Chinese",
    "no power 13800138000",
    "Please hurry",
    "Hello",
    "Yes",
    "No",
    "Thanks",
    "Ok",
    "Nobody",
    "my number is 13800138000",
    "I have no phone",
    "Why?",
    "Lakeside Road",
    "",
]


@pytest.mark.parametrize(("words", "name"), NAMED)
def test_a_name_is_taken(words: str, name: str) -> None:
    assert name_in(words) == name


@pytest.mark.parametrize("words", NAMELESS)
def test_what_is_no_name_is_not_taken(words: str) -> None:
    assert name_in(words) is None


@pytest.mark.parametrize(
    ("words", "room"),
    [
        ("2单元501室，张三", "2单元501室"),
        ("张三 13800138000 501室", "501室"),
        ("我在三单元 602", "三单元 602"),
        ("3楼302房", "3楼302房"),
        ("Tom, flat 4B, 13800138000", "flat 4B"),
        ("apt. 12, Ana", "apt. 12"),
        ("room 301", "room 301"),
        ("张三 13800138000", None),
        ("a roomy flat", None),
    ],
)
def test_the_room_named_beside_it(words: str, room: str | None) -> None:
    match = _ROOM.search(words)
    assert (match.group() if match else None) == room
