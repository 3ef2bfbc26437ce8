"""The trained pipeline as Rasa runs it: one process parses everything that is asked here."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bot.nlu.text import has_han
from tests.nlu.asking import parse

pytestmark = pytest.mark.xdist_group("nlu")

UTTERANCES = Path(__file__).with_name("nlu_utterances.txt")
#: Share of `nlu_utterances.txt` that must be understood, in percent: what was measured, less 3 points.
FLOOR = {"zh": 95.0, "en": 96.0}

SHORT = {
    "affirm": [
        "是",
        "是的",
        "嗯",
        "对",
        "好",
        "好的",
        "可以",
        "行",
        "ok",
        "OK",
        "yes",
        "Yes.",
        "y",
        "yep",
        "sure",
        "有",
    ],
    "deny": ["不是", "不", "没有", "不用", "不要", "no", "No!", "nope", "不对"],
    "inform": ["3", "13800138000", "2单元501", "12栋", "482109375516", "5001000018", "两百块", "昨晚", "整栋楼"],
    "greet": ["你好", "hi", "Hello!"],
    "thank": ["谢谢", "唔該", "thanks"],
    "report_outage": ["停电了", "没电", "no power", "冇電", "wo jia ting dian le", "屋里听电了"],
    "cancel": ["算了", "suan le", "cancel", "forget it"],
    "talk_to_human": ["人工", "转人工", "agent"],
    "switch_language": ["English", "中文", "英文"],
}
DANGER = {"language": "zh", "danger": {"kind": "wire_down", "ticket_number": "482109375516", "utility": "power"}}
CASES: dict[str, dict[str, Any]] = {
    "metadata": {"text": "没电了", "metadata": {"language": "en"}},
    "script_zh": {"text": "没电了"},
    "script_en": {"text": "no power"},
    "no_script": {"text": "123"},
    "switch": {"text": "说英文可以吗", "metadata": {"language": "zh"}},
    "danger": {"text": "没电了，家里有点怪味", "metadata": DANGER},
    "choice": {"text": '/inform{"option": "sp_12"}', "metadata": {"language": "en"}},
    "bare_choice": {"text": "/affirm", "metadata": {"language": "en"}},
    "choice_before_language": {"text": "/affirm"},
    "phone": {"text": "我叫李华，电话幺三八零零幺三八零零零", "metadata": {"language": "zh"}},
    "long": {"text": ("我家停電咗,幾時有電啊 13800138000 海棠晓月三栋 my power is out 邻居 " * 40)[:1000]},
    "blank": {"text": " "},
    "signs": {"text": "?!。👍"},
}


def utterances() -> list[tuple[str, str]]:
    lines = [line for line in UTTERANCES.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return [(text.strip(), intent.strip()) for intent, _, text in (line.partition("|") for line in lines)]


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Key of CASES, or text → what the model makes of it."""
    asked = {text: {"text": text} for texts in SHORT.values() for text in texts}
    asked |= {text: {"text": text} for text, _ in utterances()} | CASES
    return dict(zip(asked, parse(list(asked.values()), tmp_path_factory.mktemp("parsed")), strict=True))


def entities(answer: dict[str, Any]) -> dict[str, Any]:
    return {entity["entity"]: entity["value"] for entity in answer["entities"]}


@pytest.mark.parametrize(("intent", "texts"), SHORT.items())
def test_short_answers(parsed: dict[str, dict[str, Any]], intent: str, texts: Sequence[str]) -> None:
    assert {text: parsed[text]["intent"]["name"] for text in texts} == dict.fromkeys(texts, intent)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_fresh_utterances(parsed: dict[str, dict[str, Any]], language: str) -> None:
    mine = [(text, intent) for text, intent in utterances() if has_han(text) is (language == "zh")]
    assert len(mine) >= 60
    wrong = [f"{text}: {parsed[text]['intent']}, not {i}" for text, i in mine if parsed[text]["intent"]["name"] != i]
    assert 100 * (1 - len(wrong) / len(mine)) >= FLOOR[language], "\n".join(wrong)


def test_ranking(parsed: dict[str, dict[str, Any]]) -> None:
    ranking = parsed["script_zh"]["intent_ranking"]
    assert len(ranking) == 10
    assert ranking[0] == parsed["script_zh"]["intent"]
    assert [r["confidence"] for r in ranking] == sorted((r["confidence"] for r in ranking), reverse=True)


@pytest.mark.parametrize(
    ("case", "language"),
    [
        ("metadata", "en"),
        ("script_zh", "zh"),
        ("script_en", "en"),
        ("no_script", None),
        ("switch", "en"),
        ("choice", "en"),
        ("bare_choice", "en"),
        ("choice_before_language", None),
    ],
)
def test_language(parsed: dict[str, dict[str, Any]], case: str, language: str | None) -> None:
    assert entities(parsed[case]).get("language") == language


def test_a_choice_keeps_its_intent_and_values(parsed: dict[str, dict[str, Any]]) -> None:
    assert parsed["choice"]["intent"] == {"name": "inform", "confidence": 1.0}
    assert entities(parsed["choice"]) == {"option": "sp_12", "language": "en"}
    assert parsed["bare_choice"]["intent"]["name"] == "affirm"


def test_danger_seen_by_the_desk_wins(parsed: dict[str, dict[str, Any]]) -> None:
    assert parsed["danger"]["intent"] == {"name": "report_hazard", "confidence": 1.0}
    assert len(parsed["danger"]["intent_ranking"]) >= 10


def test_values_are_those_of_the_rules(parsed: dict[str, dict[str, Any]]) -> None:
    assert entities(parsed["phone"])["phone"] == "13800138000"


def test_nothing_readable_is_not_understood(parsed: dict[str, dict[str, Any]]) -> None:
    assert parsed["blank"]["intent"]["name"] == "nlu_fallback"
    assert parsed["signs"]["intent"]["name"] in ("nlu_fallback", "out_of_scope", "affirm", "inform")


def test_the_longest_message_takes_no_longer_than_a_blink(parsed: dict[str, dict[str, Any]]) -> None:
    assert parsed["long"]["seconds"] < 0.25
