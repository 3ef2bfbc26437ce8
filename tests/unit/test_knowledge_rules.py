"""Articles and canned replies: wording (B1), safety (B9, B14), both languages, validity, and how they are said."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from api.channels.voice.speech import spoken
from api.knowledge.drafts import ArticleChange, ReplyChange, changed_article, changed_reply, in_words
from api.knowledge.files import load
from api.knowledge.model import Article, Reply, Text, Words, fill, placeholders, tellable
from api.knowledge.wording import FORBIDDEN, SAMPLE, WARNING, article_faults, reply_faults
from api.knowledge.wording import SENTENCES as SENTENCE_ENDS
from bot.actions import guides

KNOWN = load()


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


@pytest.mark.parametrize("one", KNOWN.articles, ids=lambda one: one.id)
def test_an_article_is_worded_as_customers_are_spoken_to(one: Article) -> None:
    assert article_faults(one) == []


@pytest.mark.parametrize("one", KNOWN.replies, ids=lambda one: one.id)
def test_a_reply_is_worded_as_customers_are_spoken_to(one: Reply) -> None:
    assert reply_faults(one.text) == []


@pytest.mark.parametrize(("name", "text"), SENTENCES, ids=[name for name, _ in SENTENCES])
def test_no_figure_is_left_for_the_chinese_voice(name: str, text: Text) -> None:
    assert not re.search("[0-9{]", spoken(text.aloud["zh"], "zh"))


def test_the_bots_guides_and_the_articles_call_the_same_things_dangerous() -> None:
    ours, theirs = (FORBIDDEN, WARNING, SENTENCE_ENDS), (guides._FORBIDDEN, guides._WARNING, guides._SENTENCES)
    assert [one.pattern for one in ours] == [one.pattern for one in theirs]


GOOD = {"zh": "请到营业厅办理。", "en": "Please come to a service hall."}


@pytest.mark.parametrize(
    ("changed", "field", "code"),
    [
        ({"zh": "抱歉，请到营业厅。"}, "body.zh", "words"),
        ({"en": "You must come to a hall."}, "body.en", "words"),
        ({"zh": "请核实后再来。"}, "body.zh", "words"),
        ({"zh": "Please come."}, "body.zh", "not_chinese"),
        ({"en": "请来。"}, "body.en", "not_english"),
        ({"en": "Come 营业厅."}, "body.en", "not_english"),
        ({"en": "12345."}, "body.en", "not_english"),
        ({"en": "<b>Please</b> come."}, "body.en", "markup"),
        ({"en": "Please **come**."}, "body.en", "markup"),
        ({"zh": "请看[这里](http://x)。"}, "body.zh", "markup"),
        ({"zh": "请{name}到营业厅。"}, "body.zh", "braces"),
        ({"zh": "请您把闸刀合上。"}, "body.zh", "dangerous"),
        ({"en": "Please pull the plug."}, "body.en", "dangerous"),
        ({"zh": "请看下方的页面。"}, "body.zh", "screen"),
        ({"zh": "请来。好吗？行吗？"}, "body.zh", "questions"),
        ({"zh": "请" + "来" * 80}, "body.zh", "needs_spoken"),
        ({"zh": "请来" * 40, "spoken": GOOD | {"zh": "请来" * 40}}, "body.spoken.zh", "too_long_aloud"),
        ({"spoken": GOOD | {"en": "Click here."}}, "body.spoken.en", "screen"),
    ],
)
def test_what_no_customer_is_told(changed: dict[str, object], field: str, code: str) -> None:
    found = article_faults(article(title=GOOD, body=GOOD | changed, source={"document": GOOD}))
    assert (field, code) in {(fault.field, fault.code) for fault in found}
    assert all(in_words(fault, language)[1] for fault in found for language in ("zh", "en"))


def test_a_longer_text_needs_its_form_for_the_telephone_only() -> None:
    long = GOOD | {"zh": "请来" * 60, "spoken": GOOD}
    assert article_faults(article(title=GOOD, body=long, source={"document": GOOD})) == []


def test_a_safety_article_has_to_warn() -> None:
    unsafe = article(title=GOOD, body=GOOD, source={"document": GOOD}, safety=True)
    assert {fault.code for fault in article_faults(unsafe)} == {"no_warning"}


@pytest.mark.parametrize(
    ("zh", "en", "codes"),
    [
        ("您好，{name}。", "Hello, {name}.", set()),
        ("您好，{name}。", "Hello.", {"placeholders_differ"}),
        ("您好，{nmae}。", "Hello, {nmae}.", {"placeholder"}),
        ("您好，{。", "Hello.", {"placeholder"}),
        ("您好，{}。", "Hello, {}.", {"placeholder"}),
    ],
)
def test_placeholders_of_a_reply(zh: str, en: str, codes: set[str]) -> None:
    assert {fault.code for fault in reply_faults(Text(zh=zh, en=en))} == codes


EXPIRED, SOON, PARTICULAR = (
    {"valid_until": date(2026, 1, 1)},
    {"valid_from": date(2026, 12, 1)},
    {"when": {"zh": ["甲"]}},
)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ([{}], ["a0"]),
        ([EXPIRED], []),
        ([SOON], []),
        ([PARTICULAR, {}], ["a0", "a1"]),
        ([PARTICULAR | EXPIRED, {}], []),
        ([PARTICULAR | SOON, {}], ["a1"]),
        ([PARTICULAR | EXPIRED, PARTICULAR, {}], ["a1", "a2"]),
        ([PARTICULAR, EXPIRED], ["a0"]),
        ([], []),
    ],
)
def test_nothing_general_stands_in_for_a_rule_that_has_expired(known: list[dict[str, object]], told: list[str]) -> None:
    found = [article(id=f"a{number}", **changes) for number, changes in enumerate(known)]
    assert [one.id for one in tellable(found, date(2026, 6, 1))] == told


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


def test_every_shipped_text_can_be_saved_and_renewed() -> None:
    """What stands already must not keep a supervisor from changing a date."""
    today = date(2026, 12, 1)
    for one in KNOWN.articles:
        change = ArticleChange(version=0, valid_until=date(2027, 12, 1), reviewed_on=today)
        assert changed_article(one, change, today)[1] == [], one.id
    for reply in KNOWN.replies:
        assert changed_reply(reply, ReplyChange(version=0, text=reply.text))[1] == [], reply.id
