"""The examples themselves: none twice, none under two intents, none of those held out (or nearly) among the learnt."""

import json
import re
from collections import Counter, defaultdict

import pytest
import yaml
from rapidfuzz import fuzz, process

from bot.nlu.text import normalise
from scripts.evaluation.data import HELD_OUT, KINDS, LANGUAGES, ROOT, Example, held_out, training_examples

#: Percent of equal characters (in their order) from which two utterances are the same one; short ones must be equal.
TOO_NEAR, SHORT = 90, 6
#: What most conversations are about; each needs so many examples in each language.
FREQUENT = (
    "report_outage", "ask_outage_status", "ask_planned_outage", "meter_switch_problem", "prepaid_card_problem",
    "low_water_pressure", "no_water", "water_quality", "ask_bill", "ask_price", "damage_claim", "make_complaint",
    "ask_ticket_status", "report_hazard", "report_for_others", "talk_to_human", "inform", "affirm", "deny", "cancel",
    "out_of_scope",
)  # fmt: skip
LEAST, LEAST_HELD_OUT = 60, 50


def bare(text: str) -> str:
    return re.sub(r"\W", "", normalise(text).text)


@pytest.fixture(scope="module")
def learnt() -> list[Example]:
    return training_examples()


@pytest.fixture(scope="module")
def kept() -> list[Example]:
    return held_out()


def test_no_example_stands_under_two_intents(learnt: list[Example]) -> None:
    intents = defaultdict(set)
    for example in learnt:
        intents[bare(example.text) or example.text].add(example.intent)
    assert {text: found for text, found in intents.items() if len(found) > 1} == {}


def test_no_example_stands_twice(learnt: list[Example]) -> None:
    counts = Counter(example.text for example in learnt)
    assert [text for text, count in counts.items() if count > 1] == []


def test_frequent_intents_have_many_examples(learnt: list[Example]) -> None:
    counts = Counter((example.intent, example.language) for example in learnt)
    few = {(i, lang): counts[i, lang] for i in FREQUENT for lang in LANGUAGES if counts[i, lang] < LEAST}
    assert few == {}


def test_nothing_held_out_is_learnt(learnt: list[Example], kept: list[Example]) -> None:
    known = {bare(example.text): example.text for example in learnt}
    same = [example.text for example in kept if bare(example.text) in known]
    texts = list(known)
    near = [
        (example.text, known[found[0]])
        for example in kept
        if len(said := bare(example.text)) > SHORT
        and (found := process.extractOne(said, texts, scorer=fuzz.ratio, score_cutoff=TOO_NEAR))
    ]
    assert (same, near) == ([], [])


def test_held_out_files_are_sound(kept: list[Example]) -> None:
    intents = set(yaml.safe_load((ROOT / "domain.yml").read_text("utf-8"))["intents"]) - {"nlu_fallback"}
    assert {example.intent for example in kept} == intents
    assert [example for example in kept if example.text != example.text.strip() or not example.text] == []
    assert {file.stem for file in HELD_OUT.glob("*/*")} == set(KINDS)
    counts = Counter((example.kind, example.language) for example in kept)
    assert {key: count for key, count in counts.items() if count < LEAST_HELD_OUT} == {}
    assert [text for text, count in Counter(example.text for example in kept).items() if count > 1] == []


def test_the_evaluation_is_of_these_utterances(kept: list[Example]) -> None:
    figures = json.loads((ROOT / "docs" / "evaluation.json").read_text("utf-8"))
    assert figures["held_out"] == Counter(example.language for example in kept)
