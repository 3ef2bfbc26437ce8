"""Every sentence of the bot as a caller hears it: short, one question, numbers in words, nothing of a screen."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.channels.voice.speech import spoken
from bot.actions.guides import Text, load_guides
from bot.actions.outlets import outlet_lines
from bot.actions.spoken import EXPECTS, of_guide

RESPONSES = Path("bot/data/responses")
LONGEST = {"zh": 70, "en": 220}
#: What a caller cannot do or see.
ON_A_SCREEN = re.compile(
    r"点击|点选|按钮|下面的|下方|页面|屏幕上方|输入框|这里发|发在|写下|打字|链接|网址|\b(?:click|button|type|below|write)\b",
    re.IGNORECASE,
)
#: What responses are filled with, as long as it usually gets.
VALUES: dict[str, dict[str, str]] = {
    "zh": {
        "address": "海棠晓月3栋2单元", "amount": "213.50", "at": "3月4日10:00", "cause": "施工挖断电缆",
        "choices": "“只有我家”、“周围都停了”、“不清楚”",
        "created": "昨天18:05", "digits": "10", "due": "今天15:30", "end": "今天16:30", "ended": "今天13:05",
        "hotline": "95598", "hours": "每天 8:00 至 22:00", "length": "约2小时30分钟", "minutes": "12", "name": "王建国",
        "number": "1234 5678 9012", "outlets": "", "phone": "13800138000", "position": "2", "reading": "12345",
        "start": "今天14:00", "status": "抢修人员已到现场", "unit": "长生供电站", "until": "今天15:30",
        "what": "停电的事", "when": "近七天", "words": "大桥旁边那家超市",
    },
    "en": {
        "address": "Building 3, unit 2, Haitang Xiaoyue", "amount": "213.50", "at": "4 March at 10:00",
        "cause": "a cable dug up by roadworks",
        "choices": "“Only my home”, “The neighbours too”, “I don't know”",
        "created": "yesterday at 18:05", "digits": "10",
        "due": "today at 15:30", "end": "today at 16:30", "ended": "today at 13:05", "hotline": "95598",
        "hours": "every day from 8:00 to 22:00", "length": "about 2 h 30 min", "minutes": "12",
        "name": "Nick Cole", "number": "1234 5678 9012", "outlets": "", "phone": "13800138000", "position": "2",
        "reading": "12345", "start": "today at 14:00", "status": "a crew is on site",
        "unit": "Changsheng supply station", "until": "today at 15:30", "what": "the power cut",
        "when": "in the next seven days", "words": "the supermarket by the bridge",
    },
}  # fmt: skip
MASKED = {"utter_bill_prepaid", "utter_bill_arrears", "utter_bill_credit"}


def variants(entry: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """(language, channel, text) of a response."""
    for variant in entry:
        yield variant["condition"][0]["value"], variant.get("channel", ""), variant["text"]


def responses() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(RESPONSES.glob("*.yml")):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))["responses"]
    return found


def heard(name: str, language: str, text: str) -> str:
    """A response as it is spoken, filled in."""
    values = VALUES[language] | ({"number": "******0018"} if name in MASKED else {})
    return spoken(re.sub(r"\{(\w+)\}", lambda found: values[found[1]], text), language)


def voice_forms() -> Iterator[tuple[str, str, str]]:
    """(name, language, text) of whatever the bot can say on the telephone."""
    for name, entry in responses().items():
        texts = {(language, channel): text for language, channel, text in variants(entry)}
        for language in ("zh", "en"):
            text = texts.get((language, "voice"), texts.get((language, "")))
            assert text is not None, f"{name} has no {language}"
            yield name, language, heard(name, language, text)
    for guide in load_guides().values():
        for step_name, step in guide.steps.items():
            for text in (step.say, step.ask):
                for language, written in text.on(voice=True).items() if text else ():
                    yield f"{guide.guide}.{step_name}", language, spoken(written, language)


FORMS = list(voice_forms())


@pytest.mark.parametrize(("name", "language", "said"), FORMS, ids=[f"{name}-{language}" for name, language, _ in FORMS])
def test_it_can_be_said_on_the_telephone(name: str, language: str, said: str) -> None:
    assert 0 < len(said) <= LONGEST[language], f"{len(said)}: {said}"
    assert len(re.findall("[?？]", said)) <= 1, said
    assert not ON_A_SCREEN.search(said), said
    assert not re.search(r"https?:|www\.|[{}]", said), said
    if language == "zh":
        assert not re.search("[0-9]", said), said


def test_a_voice_variant_exists_in_both_languages() -> None:
    """Where a channel has a variant, Rasa picks only among the channel's."""
    for name, entry in responses().items():
        channels = {(channel, language) for language, channel, _ in variants(entry)}
        assert channels in (
            {("", "zh"), ("", "en")},
            {("", "zh"), ("", "en"), ("voice", "zh"), ("voice", "en")},
        ), name


def test_a_voice_variant_names_nothing_else() -> None:
    for name, entry in responses().items():
        written = {
            value for _, channel, text in variants(entry) if not channel for value in re.findall(r"\{\w+\}", text)
        }
        for language, channel, text in variants(entry):
            assert not channel or set(re.findall(r"\{\w+\}", text)) <= written, (name, language)


def test_a_caller_is_promised_no_call_back_that_is_not_stored() -> None:
    """On the telephone the desk offers one, after these words."""
    entry = responses()["utter_handover_nobody"]
    assert [text for _, channel, text in variants(entry) if channel == "voice" and "{due}" in text] == []


def steps_asked() -> Iterator[tuple[str, str]]:
    """(file, step) of every question of the actions."""
    for path in sorted(Path("bot/actions").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("ask", "ask_text")
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                yield path.name, node.args[0].value


def test_every_question_tells_what_it_waits_for() -> None:
    asked = set(steps_asked())
    assert len(asked) > 20
    assert {(file, step) for file, step in asked if step not in EXPECTS} == set()
    assert {step for _, step in asked} >= EXPECTS.keys(), "a step that is asked nowhere"


def test_what_is_waited_for_is_known_to_the_desk() -> None:
    known = {"", "yes_no", "place", "phone", "account", "ticket", "reading", "factor", "count", "free"}
    assert set(EXPECTS.values()) <= known


@pytest.mark.parametrize(
    ("means", "expects"),
    [
        (["no", "yes"], "yes_no"),
        (["yes", "no"], "yes_no"),
        (["no", "yes", None], ""),
        ([None, None], ""),
        (["yes"], ""),
    ],
)
def test_a_guides_question(means: list[str | None], expects: str) -> None:
    assert of_guide(means) == expects


def test_a_text_without_a_voice_form_is_said_as_it_is_written() -> None:
    assert Text(zh="好", en="All right").on(voice=True) == {"zh": "好", "en": "All right"}
    assert Text(zh="好", en="x", voice=Text(zh="好的", en="y")).on(voice=True) == {"zh": "好的", "en": "y"}


def test_the_tariffs_are_short_enough() -> None:
    tariffs = yaml.safe_load(Path("api/demo/utility.yml").read_text(encoding="utf-8"))["facts"]["tariffs"]
    for tariff in tariffs.values():
        for language, longest in LONGEST.items():
            assert 0 < len(spoken(tariff[language], language)) <= longest


def test_what_the_desk_itself_says_names_no_screen() -> None:
    sentences = yaml.safe_load(Path("api/conversations/sentences.yml").read_text(encoding="utf-8"))
    for name, texts in sentences.items():
        for language in LONGEST:
            assert not ON_A_SCREEN.search(spoken(texts[language], language)), name


def test_outlets_are_named_for_the_ear() -> None:
    hall = {
        "name_zh": "南坪营业厅",
        "address_zh": "江南大道18号",
        "name_en": "Nanping hall",
        "address_en": "18 Jiangnan Avenue",
    }
    lines = outlet_lines([hall, {**hall, "round_the_clock": True}])
    assert spoken(lines["zh"], "zh") == "南坪营业厅，江南大道十八号。南坪营业厅，江南大道十八号，二十四小时"
    assert spoken(lines["en"], "en") == "Nanping hall, 18 Jiangnan Avenue. Nanping hall, 18 Jiangnan Avenue, 24 hours"
