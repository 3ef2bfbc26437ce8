"""Guides: answers in free words find their option; an unsafe or broken guide is refused (B9, B14, C14, E5, E6)."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.actions.guide import choose
from bot.actions.guides import Guide, GuideError, Step, load_guides

GUIDES = load_guides()
ANSWERS = yaml.safe_load((Path(__file__).parent / "guide_answers.yml").read_text(encoding="utf-8"))
ROWS = [
    (question.strip(), option, words)
    for questions, options in ANSWERS.items()
    for question in questions.split(",")
    for option, answers in options.items()
    for words in answers
]
QUESTIONS = {f"{g.guide}.{name}": step for g in GUIDES.values() for name, step in g.steps.items() if step.ask}


def chosen(step: Step, words: str, option: str | None = None, *, yes: bool = False, no: bool = False) -> str | None:
    found = choose(step, words, option, yes=yes, no=no)
    return found[0] if found else None


@pytest.mark.parametrize(("question", "option", "words"), ROWS)
def test_an_answer_in_free_words_finds_its_option(question: str, option: str, words: str) -> None:
    step = QUESTIONS[question]
    followers = {o.id: o.next for o in step.options} | {"unsure": step.unsure}
    assert choose(step, words, None, yes=False, no=False) == (option, followers[option])


def test_every_option_of_every_question_has_six_answers_or_more() -> None:
    counts: dict[tuple[str, str], int] = {}
    for question, option, _ in ROWS:
        counts[question, option] = counts.get((question, option), 0) + 1
    wanted = {(question, o.id) for question, step in QUESTIONS.items() for o in step.options}
    assert {pair for pair in wanted if counts.get(pair, 0) < 6} == set()
    assert {question for question, _ in counts} == set(QUESTIONS)


@pytest.mark.parametrize("question", QUESTIONS)
def test_buttons_and_labels_mean_their_option(question: str) -> None:
    step = QUESTIONS[question]
    for option in step.options:
        assert chosen(step, "", option.id) == option.id
        # A label typed instead of pressed; a bare yes or no is left to the intent.
        for label in (option.label.zh, option.label.en):
            assert chosen(step, label, yes=option.means == "yes", no=option.means == "no") == option.id
    assert chosen(step, "", "an_option_of_another_question") is None


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_plain_yes_or_no_means_what_the_guide_says(question: str) -> None:
    step = QUESTIONS[question]
    for option in step.options:
        if option.means:
            assert chosen(step, "嗯", yes=option.means == "yes", no=option.means == "no") == option.id
    assert chosen(step, "今天天气真好") is None


def a_guide() -> dict[str, Any]:
    """A sound guide to be broken."""
    text = {"zh": "请看一下。", "en": "Please look."}
    return {
        "guide": "sample",
        "utility": "power",
        "source": ["B9"],
        "start": "look",
        "steps": {
            "look": {
                "ask": dict(text),
                "options": [
                    {"id": "a", "label": dict(text), "next": "done"},
                    {"id": "b", "label": dict(text), "next": "file"},
                ],
                "unsure": "file",
            },
            "done": {"say": dict(text), "end": "solved"},
            "file": {"end": "ticket", "topic": "outage", "symptom": dict(text)},
        },
    }


def load(folder: Path, guide: dict[str, Any], name: str = "sample") -> dict[str, Guide]:
    (folder / f"{name}.yml").write_text(yaml.safe_dump(guide, allow_unicode=True), encoding="utf-8")
    return load_guides(folder)


def test_a_sound_guide_is_taken(tmp_path: Path) -> None:
    assert list(load(tmp_path, a_guide())) == ["sample"]


def broken(path: str, value: Any) -> dict[str, Any]:
    """The sample with one value set; `None` removes it."""
    guide = a_guide()
    *parents, last = path.split("/")
    at: Any = guide
    for key in parents:
        at = at[int(key)] if isinstance(at, list) else at[key]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return guide


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("steps/look/options/0/next", "nowhere", "there is no step nowhere"),
        ("steps/look/unsure", "nowhere", "there is no step nowhere"),
        ("steps/look/unsure", None, "`unsure`"),
        ("steps/done/end", None, "exactly one of"),
        ("steps/done/say", None, "an end without a ticket needs words"),
        ("steps/file/symptom", None, "a ticket needs a symptom"),
        ("steps/file/topic", "", "a ticket needs a symptom"),
        ("steps/look/ask", {"zh": "请看一下。"}, "en"),
        ("steps/look/ask", {"en": "Please look."}, "zh"),
        ("steps/look/ask", {"zh": "请看一下。", "en": ""}, "at least 1 character"),
        ("steps/look/options/0/label", {"zh": "好"}, "en"),
        (
            "steps/look/options",
            [{"id": "a", "label": {"zh": "好", "en": "Yes"}, "next": "done"}],
            "at least two options",
        ),
        ("steps/look/options/0/words", ["("], "no regular expression"),
        ("steps/look/options/0/means", False, "means"),
        ("steps/lost", {"end": "person"}, "step lost: cannot be reached"),
        ("steps/look/fetch", "balance", "exactly one of"),
        ("steps/done", {"fetch": "balance", "cases": {"zero": "file"}}, "needs an `else`"),
        ("steps/done", {"fetch": "balance", "cases": {"else": "done"}}, "step done: a dead end"),
        ("start", "nowhere", "there is no step nowhere"),
        ("source", [], "source"),
        ("guide", "another", "names itself another"),
        ("colour", "blue", "colour"),
    ],
)
def test_a_broken_guide_is_refused(tmp_path: Path, path: str, value: Any, complaint: str) -> None:
    with pytest.raises(GuideError, match=r"sample\.yml") as refusal:
        load(tmp_path, broken(path, value))
    assert complaint in str(refusal.value)


DANGEROUS_ZH = [
    "请把闸刀合上。",
    "请检查一下接线有没有松动。",
    "请摸一下电线是否发热。",
    "请把插头插到插座上试一试。",
    "请换一个插座试试。",
    "请拆开铅封。",
    "请打开表箱看看。",
    "请把电表盖打开。",
    "别怕，请把电线接上。",
    "不要紧，请拉下闸刀。",
    "您可以换一下保险丝。",
]
DANGEROUS_EN = [
    "Please pull the knife switch.",
    "Please check the wiring.",
    "Please touch the wire.",
    "Try another plug in the socket.",
    "Please break the seal.",
    "Please open the meter box.",
    "Don't worry, just push the wire back.",
    "You may replace the fuse.",
]
WARNINGS_ZH = [
    "请不要碰插座。",
    "不要碰电线、闸刀和插座。",
    "请勿打开表箱，等我们的人来。",
    "电线掉在地上时，请远离。",
    "家里的电线可能漏电。",
    "插座进水后切勿使用。",
]
WARNINGS_EN = [
    "Please do not touch the socket.",
    "Never open the meter box.",
    "Keep away from the wire.",
    "Don't touch wires, sockets or seals.",
    "The wiring may leak current.",
]


@pytest.mark.parametrize("field", ["say", "ask"])
@pytest.mark.parametrize(
    ("language", "sentence"), [("zh", s) for s in DANGEROUS_ZH] + [("en", s) for s in DANGEROUS_EN]
)
def test_an_instruction_to_handle_something_dangerous_is_refused(
    tmp_path: Path, field: str, language: str, sentence: str
) -> None:
    text = {"zh": "请看一下。", "en": "Please look."} | {language: sentence}
    with pytest.raises(GuideError, match="handle something dangerous"):
        load(tmp_path, broken(f"steps/look/{field}", text))


def test_a_warning_does_not_cover_the_next_sentence(tmp_path: Path) -> None:
    text = {"zh": "不要着急。请把插头拔下来。", "en": "Please look."}
    with pytest.raises(GuideError, match="handle something dangerous"):
        load(tmp_path, broken("steps/look/ask", text))


@pytest.mark.parametrize(("language", "sentence"), [("zh", s) for s in WARNINGS_ZH] + [("en", s) for s in WARNINGS_EN])
def test_a_warning_is_allowed(tmp_path: Path, language: str, sentence: str) -> None:
    text = {"zh": "请看一下。", "en": "Please look."} | {language: sentence}
    assert load(tmp_path, broken("steps/look/ask", text))
