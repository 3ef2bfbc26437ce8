"""The console has words in both languages for whatever the guides ask, and reads any sheet."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from api.console.pages import words
from api.console.sheet import SAFETY, in_brief, plain_steps, read_sheet, steps_of
from api.console.tickets import KINDS, STATUSES, TOPICS
from api.outages import rules as outage_rules
from api.tickets import rules

ROOT = Path(__file__).parents[2]
GUIDES = sorted((ROOT / "bot/data/guides").glob("*.yml"))


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_every_question_and_answer_of_a_guide_has_words(path: Path) -> None:
    guide = yaml.safe_load(path.read_text(encoding="utf-8"))
    name, wanted = guide["guide"], {f"steps.{guide['guide']}"}
    for step, parts in guide["steps"].items():
        if parts.get("ask") or parts.get("fetch"):
            wanted.add(f"steps.{name}.{step}")
        wanted |= {f"steps.{name}.{step}.{option['id']}" for option in parts.get("options", ())}
        wanted |= {f"steps.{name}.{step}.{case}" for case in parts.get("cases", ()) if case != "else"}
    assert not wanted - words().keys()


def test_every_code_has_words() -> None:
    assert set(STATUSES) == set(get_args(rules.Status))
    assert set(KINDS) == set(get_args(rules.Kind))
    wanted = {f"tickets.status_{one}" for one in STATUSES} | {f"tickets.kind_{one}" for one in KINDS}
    wanted |= {f"tickets.topic_{one}" for group in TOPICS.values() for one in group}
    wanted |= {f"outages.status_{one}" for one in get_args(outage_rules.Status)}
    wanted |= {f"outages.kind_{one}" for one in get_args(outage_rules.Kind)}
    wanted |= {f"tickets.act_{one}" for one in STATUSES if one != "received"}
    assert not wanted - words().keys()


def test_chinese_pages_have_no_english_words() -> None:
    rooms = ("tickets.", "panel.", "outages.", "fields.", "steps.")
    for key, pair in words().items():
        if key.startswith(rooms):
            left = re.sub(r"\{\w+\}|kV|[jk]、|、k|Enter|/", "", pair["zh"])
            assert not re.search(r"[A-Za-z]{2,}", left), key
            assert not re.search(r"[一-鿿]", pair["en"]), key
            assert set(re.findall(r"\{\w+\}", pair["zh"])) == set(re.findall(r"\{\w+\}", pair["en"])), key


def test_steps_in_words_with_those_of_safety_marked() -> None:
    tried = [
        {"guide": "household_dark", "step": "reset_once", "answer": "trips_again"},
        {"guide": "household_dark", "step": "main_switch", "answer": "unsure"},
        {"guide": "new_guide", "step": "new_step", "answer": "new_answer"},
        7,
    ]
    found = steps_of(tried, "en")
    assert [(one.asked, one.answer, one.safety) for one in found] == [
        ("Main switch pushed up once", "It trips again", True),
        ("Main switch", "Not sure or could not look", False),
        ("new_step", "new_answer", False),
    ]
    assert "trips_again" in SAFETY


@pytest.mark.parametrize(
    "sheet", [None, 7, [], "x", {"readings": 3, "later": {}, "symptom": 5, "tried": {}, "journey": []}]
)
def test_garbage_is_an_empty_sheet(sheet: Any) -> None:
    assert not read_sheet(sheet, "zh")


def test_steps_are_filed_as_a_ticket_keeps_them() -> None:
    long = {"guide": "g" * 200, "step": "s", "answer": "a", "journey": "outage"}
    assert plain_steps([long] * 200) == [{"guide": "g" * 60, "step": "s", "answer": "a"}] * 100
    assert plain_steps("x") == []


@pytest.mark.parametrize(
    ("journey", "earlier", "address", "told"),
    [
        (None, None, None, ""),
        ("human", [], None, ""),
        ("outage", ["outage"], None, "停电"),
        ("human", ["outage"], {"zh": "海棠晓月3栋"}, "停电 · 海棠晓月3栋"),
        ("water", ["bill", "outage"], None, "停电、用水问题"),
        (None, [], "路口", "路口"),
        (7, {"a": 1}, 3, ""),
        ("something_new", None, None, "something_new"),
    ],
)
def test_a_conversation_in_brief(journey: object, earlier: object, address: object, told: str) -> None:
    assert in_brief(journey, earlier, address, "zh") == told
