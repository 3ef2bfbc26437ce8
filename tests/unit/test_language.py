"""Which language a message asks for."""

import pytest

from api.conversations.language import language_of

CASES = [
    # nothing known yet
    (None, "停电了", "zh"),
    (None, "My power is out", "en"),
    (None, "hello", "en"),
    (None, "Hi", "en"),
    (None, "no water", "en"),
    (None, "OK", "zh"),
    (None, "13800000000", "zh"),
    (None, "👍", "zh"),
    (None, "", "zh"),
    (None, "我家 wifi 断了", "zh"),
    (None, "Jasmine Garden 3", "zh"),
    # an English conversation goes on in English
    ("en", "OK", "en"),
    ("en", "ok 👍", "en"),
    ("en", "2", "en"),
    ("en", "yes", "en"),
    ("en", "Lakeside Road 12", "en"),
    ("en", "茉莉花园3号楼", "en"),
    ("en", "湖滨路12号", "en"),
    ("en", "锦绣家园2单元501室", "en"),
    ("en", "张伟", "en"),
    ("en", "No power at 茉莉花园 3", "en"),
    ("en", "I live at 湖滨路, it's dark here", "en"),
    ("en", "13800000000", "en"),
    ("en", "https://example.com/停电", "en"),
    # … until the customer writes Chinese
    ("en", "停电了", "zh"),
    ("en", "没水", "zh"),
    ("en", "漏水", "zh"),
    ("en", "人工", "zh"),
    ("en", "转人工客服", "zh"),
    ("en", "电费多少", "zh"),
    ("en", "请说中文", "zh"),
    ("en", "你好", "zh"),
    ("en", "我家在湖滨路12号", "zh"),
    ("en", "湖滨路停电了吗", "zh"),
    ("en", "停電了，請問什麼時候恢復", "zh"),
    # a Chinese conversation goes on in Chinese
    ("zh", "OK", "zh"),
    ("zh", "ok好的", "zh"),
    ("zh", "yes", "zh"),
    ("zh", "bye", "zh"),
    ("zh", "APP打不开", "zh"),
    ("zh", "Lakeside Garden 5-2", "zh"),
    ("zh", "wo jia mei you dian", "zh"),
    ("zh", "我的power没了please help", "zh"),
    ("zh", "bill不对", "zh"),
    ("zh", "220V", "zh"),
    ("zh", "DDZY1296 001", "zh"),
    ("zh", "!!!", "zh"),
    # … until the customer writes English
    ("zh", "When will the power be back?", "en"),
    ("zh", "how much is my bill", "en"),
    ("zh", "please speak English", "en"),
    ("zh", "I'd like to talk to a person", "en"),
    ("zh", "There’s no water at Lakeside Garden 5", "en"),
    ("zh", "english please", "en"),
    ("zh", "THE METER KEEPS TRIPPING", "en"),
]


@pytest.mark.parametrize(("current", "text", "expected"), CASES)
def test_language_of(current: str | None, text: str, expected: str) -> None:
    assert language_of(text, current) == expected


@pytest.mark.parametrize(
    ("text", "current", "language"),
    [
        ("yes please", "zh", "zh"),
        ("OK thanks", "zh", "zh"),
        ("谢谢", "en", "en"),
        ("好的", "en", "en"),
        ("no power", "zh", "en"),
    ],
)
def test_borrowed_manners_ask_for_no_other_language(text: str, current: str, language: str) -> None:
    assert language_of(text, current) == language
