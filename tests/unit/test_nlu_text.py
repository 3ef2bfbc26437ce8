"""The standard form of a message, and which language it wishes for."""

import pytest

from bot.nlu.language import wished, written
from bot.nlu.pinyin import sounds, typed
from bot.nlu.text import normalise


@pytest.mark.parametrize(
    ("text", "standard"),
    [
        ("我家停電咗", "我家停电了"),
        ("ＡＢＣ　１２３", "abc 123"),
        ("屋企冇水，幾時有？", "家里没有水,什么时候有?"),
        ("My Power’s OUT", "my power's out"),
        ("①㎡", "1m2"),
        ("唔該", "谢谢"),
        ("no pwoer, jsut me", "no power, just me"),
        ("from here", "from here"),
        ("", ""),
        ("👍", "👍"),
    ],
)
def test_standard_form(text: str, standard: str) -> None:
    assert normalise(text).text == standard


@pytest.mark.parametrize("text", ["我屋企冇電", "㎡①２ ok", "唔該晒，幾時有電？", "plain"])
def test_every_character_leads_back_to_the_message_as_sent(text: str) -> None:
    normal = normalise(text)
    assert len(normal.origin) == len(normal.text) + 1
    assert list(normal.origin) == sorted(normal.origin)
    assert normal.span(0, len(normal.text)) == (0, len(text))


def test_the_span_of_a_replaced_word_is_the_word_as_sent() -> None:
    text = "我屋企冇電啊"
    normal = normalise(text)
    start = normal.text.index("没有")
    first, last = normal.span(start, start + 2)
    assert text[first:last] == "冇"


@pytest.mark.parametrize(
    ("text", "language"), [("没电", "zh"), ("no power", "en"), ("wifi断了", "zh"), ("123 👍", None)]
)
def test_written_language(text: str, language: str | None) -> None:
    assert written(text) == language


@pytest.mark.parametrize(
    ("text", "current", "language"),
    [
        ("English please", "zh", "en"),
        ("说英文", "zh", "en"),
        ("换成英語可以吗", "zh", "en"),
        ("can we speak Chinese", "en", "zh"),
        ("普通话", "en", "zh"),
        ("我不会说中文", "zh", "en"),
        ("I don't speak English", "en", "zh"),
        ("please don't use chinese, use english", "zh", "en"),
        ("不要英文，讲中文", "en", "zh"),
        ("another language please", "en", "zh"),
        ("换个语言", "zh", "en"),
        ("my English is bad", "en", "zh"),
        ("english", "en", "en"),
    ],
)
def test_wished_language(text: str, current: str, language: str) -> None:
    assert wished(text, current) == language


@pytest.mark.parametrize(
    ("text", "syllables"),
    [
        ("wo jia tingdian le", "wo jia ting dian le"),
        ("zhuan rengong", "zhuan ren gong"),
        ("nihao", "ni hao"),
        ("no power", ""),
        ("my wifi is down", ""),
        ("123", ""),
        ("le", ""),
    ],
)
def test_messages_typed_in_pinyin(text: str, syllables: str) -> None:
    assert typed(text) == syllables.split()


def test_homophones_sound_alike() -> None:
    assert sounds("停垫了") == sounds("停电了") == ["ting", "dian", "le"]
