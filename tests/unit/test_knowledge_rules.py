"""Articles and canned replies: wording (B1), safety (B9, B14), both languages, validity, and how they are said."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from api.channels.voice.speech import spoken
from api.knowledge.files import load
from api.knowledge.model import Article, Reply, Text, Words, fill, placeholders
from bot.actions.guides import _FORBIDDEN, _SENTENCES, _WARNING

KNOWN = load()
LONGEST = {"zh": 70, "en": 220}
SAMPLE = {
    "name": {"zh": "王建国", "en": "Nick Cole"},
    "ticket": "1234 5678 9012",
    "agent": "李梅",
    "address": {"zh": "海棠晓月3栋", "en": "Building 3, Haitang Xiaoyue"},
}
#: B1: 对不起 for 抱歉, 请讲 for 你说, whole words, no command.
BAD_ZH = re.compile(r"抱歉|你说|你(?!们好)|漏保|招商|农业|工商|必须|不许|不准|赶紧|快点|一卡通")
BAD_EN = re.compile(r"\b(?:you must|you have to|hurry|asap|pls|RCD|calm down|unfortunately)\b|!", re.IGNORECASE)
ON_A_SCREEN = re.compile(
    r"点击|点选|按钮|下面的|下方|页面|输入框|链接|网址|\b(?:click|button|type|below|link)\b", re.IGNORECASE
)
#: A sentence that asks or allows the customer to do something.
TELLS_TO = re.compile(r"请|您可以|\b(?:please|you (?:can|may))\b", re.IGNORECASE)


def article(**changes: object) -> Article:
    """A small sound article with changes."""
    both = {"zh": "甲", "en": "a"}
    sound: dict[str, object] = {
        "id": "sample",
        "utility": "power",
        "title": both,
        "body": both,
        "keywords": {"zh": ["甲"], "en": ["a"]},
        "source": {"document": both},
        "reviewed_on": date(2026, 1, 1),
    }
    return Article.model_validate(sound | changes)


def texts() -> Iterator[tuple[str, Text]]:
    """Every customer sentence with the name of its place; replies are filled in."""
    for one in KNOWN.articles:
        yield one.id, one.body
        for number, step in enumerate(one.steps, 1):
            yield f"{one.id} step {number}", step
    for reply in KNOWN.replies:
        yield reply.id, Text(**fill(reply, SAMPLE), spoken=reply.text.spoken)


SENTENCES = list(texts())


@pytest.mark.parametrize(("name", "text"), SENTENCES, ids=[name for name, _ in SENTENCES])
def test_the_wording_is_polite_and_whole(name: str, text: Text) -> None:
    for form in (text.both, text.aloud):
        assert not (found := BAD_ZH.search(form["zh"])), found
        assert not (found := BAD_EN.search(form["en"])), found
        assert not re.search("[\u3400-\u9fff]", form["en"].replace("李梅", "")), form["en"]
        assert re.search("[\u3400-\u9fff]", form["zh"])
        assert "{" not in form["zh"] + form["en"]


@pytest.mark.parametrize(("name", "text"), SENTENCES, ids=[name for name, _ in SENTENCES])
def test_it_can_be_said_on_the_telephone(name: str, text: Text) -> None:
    for language, longest in LONGEST.items():
        said = spoken(text.aloud[language], language)
        assert 0 < len(said) <= longest, f"{len(said)}: {said}"
        assert len(re.findall("[?？]", said)) <= 1, said
        assert not ON_A_SCREEN.search(said), said
        assert language == "en" or not re.search("[0-9]", said), said


@pytest.mark.parametrize(("name", "text"), SENTENCES, ids=[name for name, _ in SENTENCES])
def test_nobody_is_told_to_handle_what_is_dangerous(name: str, text: Text) -> None:
    for form in (text.both, text.aloud):
        for sentence in _SENTENCES.split(f"{form['zh']}\n{form['en']}"):
            if _FORBIDDEN.search(sentence) and TELLS_TO.search(sentence):
                assert _WARNING.search(sentence), sentence


@pytest.mark.parametrize("one", KNOWN.articles, ids=lambda one: one.id)
def test_a_safety_article_warns_in_every_form(one: Article) -> None:
    warning = re.compile(r"请(?:先)?不要|不要|保持断开|报警|do not|leave it off|have the police", re.IGNORECASE)
    if one.safety:
        for form in (one.body.both, one.body.aloud):
            assert warning.search(form["zh"]), form["zh"]
            assert warning.search(form["en"]), form["en"]


def test_every_article_names_its_source_and_dates() -> None:
    for one in KNOWN.articles:
        assert one.source.processes, one.id
        assert one.valid_from is not None, one.id
        assert one.valid_from <= one.reviewed_on, one.id


def test_every_topic_has_its_article() -> None:
    told = {process for one in KNOWN.articles for process in one.source.processes}
    assert told >= {
        "B2",
        "B6",
        "B7",
        "B8",
        "B9",
        "B10",
        "B12",
        "B13",
        "B14",
        "B15",
        "D3",
        "E5",
        "E6",
        "E7",
        "E8",
        "E10",
    }
    assert len([one for one in KNOWN.articles if "water_quality" in one.intents and "E5" in one.source.processes]) == 4


def test_every_article_belongs_to_intents_of_the_domain() -> None:
    domain = yaml.safe_load(Path("domain.yml").read_text(encoding="utf-8"))["intents"]
    answered = {intent for one in KNOWN.articles for intent in one.intents}
    assert answered <= set(domain)
    assert {intent for intent in domain if intent.startswith("faq_")} <= answered


def test_there_are_replies_for_every_occasion() -> None:
    groups = {reply.group for reply in KNOWN.replies}
    assert len(KNOWN.replies) >= 40
    assert groups >= {"greeting", "apology", "wait", "verify", "power", "water", "safety", "complaint", "closing"}


@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2026, 2, 28), "upcoming"),
        (date(2026, 3, 1), "current"),
        (date(2026, 3, 31), "current"),
        (date(2026, 4, 1), "expired"),
    ],
)
def test_an_article_is_valid_from_its_first_to_its_last_day(today: date, state: str) -> None:
    assert article(valid_from=date(2026, 3, 1), valid_until=date(2026, 3, 31)).state(today) == state
    assert article().state(today) == "current"


@pytest.mark.parametrize(
    ("words", "answers"),
    [
        ("我家的水表不准", True),
        ("水表不准，电表也不准", False),
        ("my WATER Meter is wrong", True),
        ("watermeter", False),
        ("freshwater meter", False),
        ("", False),
    ],
)
def test_phrases_decide_which_article_answers(words: str, answers: bool) -> None:
    one = article(when={"zh": ["水表"], "en": ["water meter"]}, unless={"zh": ["电表"], "en": []})
    assert one.answers(words) is answers


def test_without_phrases_it_answers_anything() -> None:
    assert article().answers("")
    assert not Words().within("anything")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"title": {"zh": "甲"}}, "title.en"),
        ({"body": {"zh": "甲", "en": "  "}}, "body.en"),
        ({"body": {"zh": "长" * 501, "en": "a"}}, "body.zh"),
        ({"keywords": {"zh": ["甲"]}}, "both languages"),
        ({"valid_from": date(2026, 2, 1), "valid_until": date(2026, 1, 1)}, "before"),
        ({"source": {"processes": ["Z9"], "document": {"zh": "甲", "en": "a"}}}, "source"),
        ({"id": "Bad Id"}, "id"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_broken_article_is_refused(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        article(**changes)
    assert complaint in str(refusal.value)


def reply(zh: str, en: str) -> Reply:
    return Reply.model_validate({"id": "sample", "key": "s", "group": "wait", "text": {"zh": zh, "en": en}})


@pytest.mark.parametrize(
    ("zh", "en"), [("您好{name}", "Hello"), ("您好", "Hello {name}"), ("{colour}", "{colour}"), ("{}", "{}")]
)
def test_a_reply_with_uneven_or_unknown_placeholders_is_refused(zh: str, en: str) -> None:
    with pytest.raises(ValidationError):
        reply(zh, en)


def test_a_reply_is_filled_in_both_languages() -> None:
    one = reply("{name}，工单{ticket}，地址{address}", "{name}, ticket {ticket}, {address}")
    filled = fill(one, {"ticket": "1234", "address": {"zh": "甲路", "en": "A Road"}, "agent": "x"})
    assert filled == {"zh": "{name}，工单1234，地址甲路", "en": "{name}, ticket 1234, A Road"}
    assert placeholders(filled["zh"]) == ["name"]


def test_a_fact_is_never_taken_for_a_placeholder() -> None:
    assert fill(reply("{name}", "{name}"), {"name": "{ticket}", "ticket": "1"}) == {"zh": "{ticket}", "en": "{ticket}"}
