"""Sizes, joining, patience and states of deliveries."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.outbox import rules
from api.outbox.rules import BETWEEN, MOST_TRIES, Part, cut, fits, moves, next_group, parts, split, wait, widest, worded

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("attempts", "asked", "chance", "seconds"),
    [
        (1, None, 0.0, 0.5),
        (1, None, 1.0, 1.0),
        (2, None, 1.0, 2.0),
        (3, None, 1.0, 4.0),
        (4, None, 0.0, 4.0),
        (10, None, 1.0, 512.0),
        (11, None, 1.0, 600.0),
        (14, None, 1.0, 600.0),
        (10**9, None, 1.0, 600.0),
        (0, None, 1.0, 1.0),
        (1, 30.0, 0.0, 30.0),
        (1, 30.0, 1.0, 31.0),
        (12, 30.0, 1.0, 600.0),  # what the vendor asks for is the least
        (1, 3600.0, 0.5, 3600.5),  # and may be more than our own longest wait
    ],
)
def test_wait(attempts: int, asked: float | None, chance: float, seconds: float) -> None:
    assert wait(attempts, asked, chance) == seconds


@given(st.integers(1, 100), st.floats(0, 1))
def test_waits_grow_and_are_spread_over_half_of_themselves(attempts: int, chance: float) -> None:
    assert wait(attempts, None, 1.0) / 2 <= wait(attempts, None, chance) <= wait(attempts, None, 1.0)
    assert wait(attempts, None, chance) <= wait(attempts + 1, None, chance) <= rules.LONGEST_WAIT


def test_a_delivery_is_tried_for_over_an_hour() -> None:
    assert 3600 < sum(wait(n, None, 0.5) for n in range(1, MOST_TRIES)) < 2 * 3600


@pytest.mark.parametrize(
    ("state", "reported", "news"),
    [
        ("sent", "delivered", True),
        ("sent", "read", True),
        ("sent", "failed", True),
        ("sent", "sent", False),
        ("delivered", "sent", False),
        ("delivered", "read", True),
        ("delivered", "failed", False),
        ("read", "delivered", False),
        ("read", "failed", False),
        ("failed", "sent", False),
        ("failed", "delivered", False),
        ("unknown", "sent", True),
        ("unknown", "delivered", True),
        ("unknown", "failed", True),
        ("sending", "sent", True),
        ("queued", "sent", False),
        ("queued", "failed", False),
        ("dead", "delivered", False),
        ("parked", "read", False),
        ("sent", "nonsense", False),
        ("sent", "", False),
    ],
)
def test_moves(state: str, reported: str, news: bool) -> None:
    assert moves(state, reported) is news


def test_worded() -> None:
    assert worded("哪一个？", [(1, "是的"), (2, "不是")]) == "哪一个？\n1. 是的\n2. 不是"
    assert worded("", [(3, "Yes")]) == "3. Yes"
    assert worded("Past.", [(None, "Yes")]) == "Past.\nYes"
    assert worded("停电了", []) == "停电了"


def test_what_fits_stays_whole() -> None:
    assert parts("wechat", "停" * 682, []) == [Part("停" * 682)]  # 2,046 bytes
    assert parts("wechat", "a\nb", ["x", "y"]) == [Part("a\nb", ("x", "y"))]
    assert parts("web", "x" * 100_000, []) == [Part("x" * 100_000)]


def test_split_at_lines_then_sentences_then_anywhere() -> None:
    line = "我" * 500
    assert split("wechat", f"{line}\n{line}\n短") == [line, f"{line}\n短"]
    sentence = "我" * 400 + "。"
    assert split("wechat", sentence * 2) == [sentence, sentence]
    assert [len(piece) for piece in split("wechat", "我" * 1400)] == [682, 682, 36]
    words = ("word " * 600).strip()
    assert all(piece.endswith("word") for piece in split("wechat", words))
    assert split("wechat", "") == [""]


def test_choices_go_under_the_last_words() -> None:
    labels = ["是" * 100, "否" * 100, "都不是"]
    first, second = parts("wechat", "我" * 500, labels)
    assert (first.text, first.labels) == ("我" * 500, ("是" * 100,))
    assert (second.text, second.labels, second.start) == ("", ("否" * 100, "都不是"), 1)
    alone = parts("wechat", "我" * 682, ["好"])
    assert alone == [Part("我" * 682), Part("", ("好",), 0)]


@given(
    st.text(max_size=3000), st.lists(st.text(min_size=1, max_size=200), max_size=12), st.sampled_from(["wechat", "sms"])
)
def test_parts_fit_and_lose_nothing_but_blanks(text: str, labels: list[str], channel: str) -> None:
    made = parts(channel, text, labels)
    assert all(fits(channel, widest(part.text, part.labels)) for part in made)
    assert [label for part in made for label in part.labels] == labels
    assert [part.start + n for part in made for n in range(len(part.labels))] == list(range(len(labels)))
    assert "".join("".join(part.text for part in made).split()) == "".join(text.split())


@given(st.text(max_size=3000), st.sampled_from(["wechat", "sms"]))
def test_cut_fits_and_says_so(text: str, channel: str) -> None:
    kept = cut(channel, text)
    assert fits(channel, kept)
    assert kept == text or (kept.endswith("…") and text.startswith(kept[:-1]))


def test_cut_counts_bytes_for_wechat_and_units_for_text_messages() -> None:
    assert cut("wechat", "停" * 1000) == "停" * 681 + "…"
    assert cut("sms", "停" * 1600) == "停" * 1600
    assert cut("sms", "停" * 1601) == "停" * 1599 + "…"
    assert cut("sms", "😀" * 801) == "😀" * 799 + "…"


@dataclass
class Row:
    purpose: str = "reply"
    conversation_id: str | None = "cv_1"
    attempts: int = 0
    not_before: datetime = NOW


LATER = NOW + timedelta(hours=8)


@pytest.mark.parametrize(
    ("queue", "joins", "taken"),
    [
        ([], 10, []),
        ([Row()], 10, [0]),
        ([Row(), Row(), Row()], 10, [0, 1, 2]),
        ([Row(), Row(), Row()], 2, [0, 1]),
        ([Row(), Row(), Row()], 1, [0]),
        ([Row(), Row(conversation_id="cv_2"), Row()], 10, [0]),
        ([Row(conversation_id=None), Row(conversation_id=None)], 10, [0]),
        ([Row(not_before=LATER)], 10, []),
        ([Row(not_before=LATER), Row()], 10, []),  # order within a purpose
        ([Row(not_before=LATER, purpose="notice"), Row(), Row()], 10, [1, 2]),  # a notice for the morning
        ([Row(not_before=LATER, purpose="notice", attempts=1), Row()], 10, []),  # one that could not be sent
        ([Row(), Row(not_before=LATER), Row()], 10, [0]),
        ([Row(), Row(purpose="notice"), Row()], 10, [0, 1, 2]),
        ([Row(), Row(not_before=LATER, attempts=2, purpose="notice"), Row()], 10, [0]),
    ],
)
def test_next_group(queue: list[Row], joins: int, taken: list[int]) -> None:
    assert next_group("wechat", queue, ["words"] * len(queue), NOW, joins) == taken


def test_a_group_fits_into_one_message() -> None:
    words = ["我" * 300, "我" * 300, "我" * 300]
    assert next_group("wechat", [Row()] * 3, words, NOW, 10) == [0, 1]
    assert fits("wechat", BETWEEN.join(words[:2]))
    assert next_group("wechat", [Row()] * 2, ["我" * 2000, "x"], NOW, 10) == [0]  # too long alone: it is cut
