"""What callers hear on the way to a person, and what their words mean there."""

import re
from datetime import timedelta

import pytest

from api.channels.voice import hearing, status, waiting
from api.channels.voice.moment import _texts, as_dialled, words
from api.channels.voice.voicemail import means_water


@pytest.mark.parametrize("key", list(_texts()))
def test_sentences_are_for_the_ear(key: str) -> None:
    texts = _texts()[key]
    assert set(texts) == {"zh", "en"}
    zh, en = texts["zh"], texts["en"]
    assert len(zh) <= 80
    assert len(en) <= 240
    assert zh.count("？") <= 1
    assert en.count("?") <= 1
    assert len(re.findall(r"按[0-9]", zh)) <= 3
    assert re.findall(r"按([0-9])", zh) == re.findall(r"\b(?:[Pp]ress|message press|or) ([0-9])\b", en) or key in (
        "offer", "offer_danger", "notice_keys",
    )  # fmt: skip
    assert not re.search(r"点击|按钮|下面|click|button|below|http(?!s?\{)", zh + en)
    assert set(re.findall(r"\{\w+\}", zh)) == set(re.findall(r"\{\w+\}", en))


@pytest.mark.parametrize("key", ["offer", "offer_danger", "notice_keys"])
def test_the_same_keys_in_both_languages(key: str) -> None:
    assert sorted(re.findall(r"\d", _texts()[key]["zh"])) == sorted(re.findall(r"\d", _texts()[key]["en"]))


@pytest.mark.parametrize(
    ("ahead", "told", "keys", "minutes", "rounds", "key"),
    [
        (0, -1, "", 0, 0, "queue_next"),
        (1, -1, "", 0, 0, "queue_one_ahead"),
        (4, -1, "", 0, 0, "queue_ahead"),
        (3, 4, "", 1, 5, "queue_ahead"),
        (4, 4, "", 1, 4, "queue_patience"),
        (4, 4, "*", 1, 5, "queue_ahead"),
        (4, 4, "", 4, 12, "queue_long"),
        (4, 4, "", 4, 8, "queue_patience"),
    ],
)
def test_the_place_is_told_when_it_is_news(
    ahead: int, told: int, keys: str, minutes: int, rounds: int, key: str
) -> None:
    assert waiting._place_words(ahead, told, keys, timedelta(minutes=minutes), rounds) == key


@pytest.mark.parametrize(
    ("lines", "water"),
    [
        (["家里没电"], False),
        (["没有水"], True),
        (["没水", "停电了"], False),
        (["停电了", "水也没有"], True),
        (["水表和电表"], False),
        (["我打过电话"], False),
        (["there is no water"], True),
        (["no power", "转人工"], False),
        ([], False),
    ],
)
def test_whose_matter_a_message_is(lines: list[str], water: bool) -> None:
    assert means_water(lines) is water


@pytest.mark.parametrize(
    ("number", "said"), [("+8613812345678", "13812345678"), ("+862362801234", "02362801234"), ("", ""), ("x", "")]
)
def test_numbers_are_said_as_they_are_dialled(number: str, said: str) -> None:
    assert as_dialled(number) == said


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (hearing.CALL_BACK, ["给我回电", "call me back", "打给我"], ["留言", "好"]),
        (hearing.MESSAGE, ["我要留言", "leave a message"], ["回电"]),
        (hearing.ASSISTANT, ["回到自助服务", "the assistant"], ["回电"]),
        (hearing.NO, ["不是", "换一个号码", "another number", "No"], ["可以", "yes"]),
        (hearing.YES, ["可以", "好的", "Yes please"], ["换号码"]),
        (hearing.SAME, ["不用换，就这个", "没问题", "this number is fine"], ["不是就这个", "别的号码"]),
        (hearing.PERSON, ["我就要人工", "I want a person"], ["停电了", "personal"]),
    ],
)
def test_answers_in_words(pattern: re.Pattern[str], yes: list[str], no: list[str]) -> None:
    assert all(pattern.search(text) for text in yes)
    assert not any(pattern.search(text) for text in no)


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        ("queued", "ringing", True),
        ("ringing", "in-progress", True),
        ("in-progress", "completed", True),
        ("completed", "ringing", False),
        ("completed", "failed", False),
        ("busy", "completed", False),
        ("ringing", "ringing", False),
        ("ringing", "nonsense", False),
    ],
)
def test_calls_move_forward_only(old: str, new: str, moves: bool) -> None:
    assert status.moves(old, new) is moves


def test_words_of_no_language_are_chinese() -> None:
    assert words("goodbye", None) == words("goodbye", "zh")


@pytest.mark.parametrize(
    ("speech", "matter"),
    [
        ("和泰花园四栋停电了", True),
        ("my power is off at home", True),
        ("我就要找人工客服啊", False),
        ("I want to talk to a person", False),
        ("喂喂", False),
        ("hello there", False),
        ("", False),
    ],
)
def test_a_matter_is_told_apart(speech: str, matter: bool) -> None:
    assert hearing.tells_a_matter(speech) is matter
