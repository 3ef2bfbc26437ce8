"""The glossary: its data, the forms of words, and which terms it finds where."""

import re
import time
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from api.translation.base import Language
from api.translation.glossary import glossary
from api.translation.words import form_of, key_of, simplified

ENTRIES: list[dict[str, list[str]]] = yaml.safe_load(Path("api/translation/glossary.yml").read_text(encoding="utf-8"))
HAN = re.compile("[\u4e00-\u9fff]")


def found(text: str, source: Language) -> dict[str, str]:
    return {term.source: term.target for term in glossary().terms(text, source)}


def test_there_are_enough_pairs_and_each_has_both_languages() -> None:
    assert len(ENTRIES) >= 200
    for entry in ENTRIES:
        assert set(entry) == {"zh", "en"}
        assert all(HAN.search(word) for word in entry["zh"]), entry
        assert all(re.fullmatch(r"[A-Za-z' -]+", word) for word in entry["en"]), entry


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_word_stands_for_two_things(language: str) -> None:
    forms: dict[tuple[str, ...], str] = {}
    for entry in ENTRIES:
        for word in entry[language]:
            assert forms.setdefault(key_of(word), entry["zh"][0]) == entry["zh"][0], word


def test_every_word_is_found_as_itself_and_shown_as_the_first_of_the_other_side() -> None:
    for entry in ENTRIES:
        for language, other in (("zh", "en"), ("en", "zh")):
            for word in entry[language]:
                (term,) = glossary().terms(word, "zh" if language == "zh" else "en")
                assert (term.source, term.target) == (word, entry[other][0])


@pytest.mark.parametrize(
    "forms",
    [
        ("trip", "trips", "tripped", "tripping", "TRIPS"),
        ("leak", "leaks", "leaked", "leaking"),
        ("supply", "supplies", "supplied"),
        ("charge", "charges", "charged", "charging"),
        ("bill", "bills", "billed", "billing"),
        ("switch", "switches", "switched"),
        ("fuse", "fuses", "fused"),
        ("meter", "meters", "meter's", "meter’s"),
        ("box", "boxes"),
    ],
)
def test_forms_of_a_word_are_one(forms: tuple[str, ...]) -> None:
    assert len({form_of(form) for form in forms}) == 1, [form_of(form) for form in forms]


@pytest.mark.parametrize(("one", "another"), [("bus", "bu"), ("pressure", "press"), ("off", "of"), ("bring", "br")])
def test_other_words_stay_others(one: str, another: str) -> None:
    assert form_of(one) != form_of(another)


@pytest.mark.parametrize(
    ("text", "source", "terms"),
    [
        ("我家停电了，表箱里一直跳闸", "zh", {"停电": "power cut", "表箱": "meter box", "跳闸": "tripped"}),
        ("我家停電，錶箱冒煙", "zh", {"停電": "power cut", "錶箱": "meter box", "冒煙": "smoke"}),
        ("水压低还是欠费停电了", "zh", {"水压低": "low pressure", "欠费停电": "cut off for arrears"}),
        ("表内开关", "zh", {"表内开关": "meter switch"}),
        ("配电变压器坏了", "zh", {"配电变压器": "distribution transformer"}),
        ("The breakers in my meter box keep tripping.", "en",
         {"breakers": "空气开关", "meter box": "表箱", "keep tripping": "跳闸"}),
        ("LOW WATER PRESSURE, and you overcharged me", "en",
         {"LOW WATER PRESSURE": "水压低", "overcharged": "多收"}),
        ("cut off the power? my power's out, pay the bills", "en", {"power's out": "停电", "pay the bills": "缴费"}),
        ("I don’t understand", "en", {"don’t understand": "听不懂"}),
        ("Something else entirely, of course", "en", {}),
        ("今天天气不错", "zh", {"今天": "today"}),
        ("", "zh", {}),
        ("🙂 #1 [] ---", "en", {}),
    ],
)  # fmt: skip
def test_terms_in_sentences(text: str, source: Language, terms: dict[str, str]) -> None:
    assert found(text, source) == terms


def test_spans_are_places_in_the_original() -> None:
    text = "😀 錶箱：停電了"
    terms = glossary().terms(text, "zh")
    assert terms
    assert [text[term.start : term.end] for term in terms] == [term.source for term in terms]
    assert all(one.end <= two.start for one, two in pairwise(terms))


@pytest.mark.parametrize("text", ["頭髮裡面乾淨", "İstanbul ﬁre", "\ud83d broken", "a\u0301b"])
def test_simplifying_keeps_the_places(text: str) -> None:
    assert len(simplified(text)) == len(text)


def test_the_longest_text_takes_no_time() -> None:
    glossary()
    began = time.perf_counter()
    glossary().terms("停电了，表箱里的漏电保护器一推就跳闸。" * 200, "zh")
    glossary().terms("the power is off and the breaker trips again " * 90, "en")
    assert time.perf_counter() - began < 1
