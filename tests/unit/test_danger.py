"""Danger in a customer's words: what is found, what is not, how fast, and the fixed words to answer with (A9, B11)."""

import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from api.danger import Danger, load, safety_words, scan
from api.danger.load import WORDS
from api.danger.rules import Scanner

SETS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("danger_phrases.yml").read_text(encoding="utf-8"))
DANGERS = [(c, p) for s in SETS.values() for c, phrases in s["danger"].items() for p in phrases]
HARMLESS = [p for s in SETS.values() for p in s["harmless"]]
CATEGORIES = load().categories
DATA = yaml.safe_load(WORDS.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("category", "phrase"), DANGERS, ids=[p for _, p in DANGERS])
def test_danger_is_found(category: str, phrase: str) -> None:
    danger = scan(phrase)
    assert danger is not None
    assert category in danger.categories


@pytest.mark.parametrize("phrase", HARMLESS)
def test_what_is_harmless_is_left_alone(phrase: str) -> None:
    assert scan(phrase) is None


def test_there_are_enough_phrases_in_both_languages() -> None:
    def chinese(phrases: list[str]) -> int:
        return sum(bool(re.search("[\u3400-\u9fff]", p)) for p in phrases)

    dangers = [p for _, p in DANGERS]
    assert chinese(dangers) >= 50
    assert len(dangers) - chinese(dangers) >= 50
    assert chinese(HARMLESS) >= 40
    assert len(HARMLESS) - chinese(HARMLESS) >= 40
    assert {c for c, _ in DANGERS} == set(CATEGORIES)


@pytest.mark.parametrize(
    ("text", "kind", "language"),
    [
        ("有人触电了，电表箱还在冒烟", "shock", "zh"),
        ("smoke from the pole and a wire down", "fire", "en"),
        ("transformer 冒烟了", "fire", "zh"),
        ("停电了，呼吸机没电了，电梯里还困了人", "life_support", "zh"),
        ("没有触电，但是冒烟了", "fire", "zh"),
        ("no sparks but I smell burning", "fire", "en"),
    ],
)
def test_the_most_urgent_comes_first(text: str, kind: str, language: str) -> None:
    danger = scan(text)
    assert danger is not None
    assert (danger.kind, danger.language) == (kind, language)
    ranks = [CATEGORIES.index(c) for c in danger.categories]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("喂，電錶箱 冒煙了！", "冒煙了"),
        ("WATER.. my Fuse Box is on FIIIRE ok", "on FIIIRE"),
        ("你好 电 线 断 了 呀", "电 线 断 了"),
        ("please: there\u200b is smo\u200bke here", "smo\u200bke"),
    ],
)
def test_spans_point_into_the_customers_own_text(text: str, said: str) -> None:
    danger = scan(text)
    assert danger is not None
    assert [text[a:b] for a, b in danger.spans] == [said]


@given(st.text(st.sampled_from("没不电线冒烟断了漏水 ，。😀no fire't\n\u200b電Ａ会吗去年"), max_size=80))
def test_any_text_is_scanned(text: str) -> None:
    danger = scan(text)
    if danger:
        assert all(0 <= a < b <= len(text) for a, b in danger.spans)
        assert len(danger.spans) == len(danger.categories) == len(set(danger.categories))


def test_danger_far_into_a_long_message_is_found() -> None:
    danger = scan("请问什么时候来电？" * 12_000 + "电表箱着火了")
    assert danger is not None
    assert danger.kind == "fire"


@pytest.mark.parametrize(
    "unit",
    ["请问今天停电吗，电费是多少？", "电线", "没", "没有冒烟或", "断 ", "怕触电", "去年着火", "会冒火吗", "the ", "a ",
     "no smoke or ", "smell of something ", "is it a fire or not, ", "transformer 冒 ", "aaaa", "\u200b", "    "],
)  # fmt: skip
def test_time_grows_with_length_and_no_faster(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        times = []
        for _ in range(3):
            start = time.process_time()
            scan(text)
            times.append(time.process_time() - start)
        return min(times)

    half, whole = seconds(50_000), seconds(100_000)
    assert whole < 4 * half + 0.05
    assert whole < 2


def _all_words() -> list[tuple[str, str, bool, str]]:
    return [
        (category, language, voice, safety_words(Danger((category,), language, ((0, 1),)), language, voice=voice))
        for category in CATEGORIES
        for language in ("zh", "en")
        for voice in (False, True)
    ]


@pytest.mark.parametrize(("category", "language", "voice", "words"), _all_words())
def test_safety_words_exist_in_each_form(category: str, language: str, voice: bool, words: str) -> None:
    assert bool(re.search("[\u3400-\u9fff]", words)) == (language == "zh"), category
    assert "{" not in words
    assert "请" in words if language == "zh" else "Please" in words
    limit = {("zh", False): 140, ("zh", True): 70, ("en", False): 420, ("en", True): 220}[language, voice]
    assert len(words) <= limit
    numbers = [n["dial"] if not voice else n[f"{language}_voice"] for n in DATA["numbers"].values()]
    assert any(n in words for n in numbers), "no emergency number"
    if voice and language == "zh":
        assert not re.search(r"\d", words)  # a Chinese voice would read 119 as a quantity


# An instruction to work on electricity, unless the same clause forbids it.
_WORK = re.compile(
    r"拉闸|合闸|拔(?:掉|下|出)?插头|推上|关(?:闭|掉)?(?:电源|总闸|开关|电闸|阀门)|切断电源|断开|挑开|拉开他|剪断|操作电闸|动任何(?:电器)?开关"
    r"|switch(?:ing)? (?:it |the \w+ )?off|turn(?:ing)? (?:it |the \w+ )?(?:off|on)|unplug|pull (?:the|out|them|him|it)"
    r"|touch|reset|push (?:the|it)|trip the|cut the|go to the fuse box|throw water|climb in|force the doors|wade",
)
_FORBIDS = re.compile(r"不要|请勿|切勿|不可|别|do not|don't|never|keep out|without", re.IGNORECASE)


@pytest.mark.parametrize(("category", "language", "voice", "words"), _all_words())
def test_no_safety_words_tell_anyone_to_touch_or_switch(category: str, language: str, voice: bool, words: str) -> None:
    for sentence in re.split(r"[。；;]|\. ", words):
        for work in _WORK.finditer(sentence):
            assert _FORBIDS.search(sentence[: work.start()]), f"{category}: {sentence}"


def test_the_distance_from_a_fallen_wire_is_at_least_eight_metres() -> None:
    assert int(DATA["numbers"]["metres"]["dial"]) >= 8
    danger = scan("电线断了掉在地上")
    assert danger is not None
    assert "至少 8 米" in safety_words(danger, "zh")
    assert "at least 8 metres" in safety_words(danger, "en")
    assert "八米" in safety_words(danger, "zh", voice=True)


def test_the_two_most_urgent_are_answered_in_writing_and_by_voice() -> None:
    danger = scan("有人触电了 电线断在地上 还冒烟")
    assert danger is not None
    assert danger.categories == ("shock", "fire", "wires")
    for voice in (False, True):
        first, second = (safety_words(Danger((c,), "zh", ()), "zh", voice=voice) for c in danger.categories[:2])
        assert safety_words(danger, "zh", voice=voice) == f"{first}\n{second}"


def test_the_utilitys_own_number_is_named() -> None:
    danger = scan("the transformer exploded")
    assert danger is not None
    assert "0531-114" in safety_words(danger, "en", hotline="0531-114")


def test_every_category_names_its_sources() -> None:
    for category in DATA["categories"]:
        assert category["sources"], category["id"]
        assert set(category["sources"]) <= set(DATA["sources"]), category["id"]
    assert all(s["url"].startswith("http") and s["by"] and s["says"] for s in DATA["sources"].values())
    assert set(DATA["sources"]) == {s for c in DATA["categories"] for s in c["sources"]}


def test_a_words_file_that_contradicts_itself_is_refused() -> None:
    broken = {**DATA, "rules": [*DATA["rules"], {"category": "fire", "all": ["dragon"]}]}
    with pytest.raises(ValueError, match="dragon"):
        Scanner(broken, {})
