"""What follow-up calls ask and what answers mean (D8, D9)."""

import pytest

from api.surveys import rules
from api.surveys.service import all_questions, texts


@pytest.mark.parametrize(
    ("keys", "speech", "score"),
    [
        ("1", "", 1), ("5", "", 5), ("0", "", None), ("6", "", None), ("12", "", None), ("*", "", None), ("", "", None),
        ("", "五", 5), ("", "5分", 5), ("", "四分吧", 4), ("", "three", 3), ("", "I'd say four", 4), ("", "15", None),
        ("", "三四分", None), ("", "很满意", 5), ("", "满意", 4), ("", "不满意", 2), ("", "非常不满意", 1),
        ("", "一般", 3),
        ("", "very good", 5), ("", "not very good", 2), ("", "not satisfied", 2), ("", "dissatisfied", 2),
        ("", "satisfied", 4),
        ("", "很差", 1), ("", "差不多", 3), ("", "不差", 4), ("", "很好", 5),
        ("", "terrible", 1), ("", "喂喂", None), ("3", "五", 3),
    ],
)  # fmt: skip
def test_scores_by_key_and_by_word(keys: str, speech: str, score: int | None) -> None:
    assert rules.score_of(keys, speech) == score


@pytest.mark.parametrize(
    ("utility", "kind", "ids"),
    [
        ("power", "fault_report", "overall connection manner arrival_repair power_quality suggestions"),
        ("water", "fault_report", "overall connection manner arrival_repair water_quality suggestions"),
        ("power", "complaint", "overall connection manner power_quality suggestions"),
        ("water", "enquiry", "overall connection manner water_quality suggestions"),
    ],
)
def test_questions_fit_the_ticket(utility: str, kind: str, ids: str) -> None:
    assert [q.id for q in rules.questions_for(all_questions(), utility, kind)] == ids.split()


@pytest.mark.parametrize(
    ("answered", "asked", "state"), [(5, 5, "done"), (4, 5, "partial"), (1, 5, "partial"), (0, 5, "refused")]
)
def test_how_a_survey_ends(answered: int, asked: int, state: str) -> None:
    assert rules.ended_as(answered, asked) == state


def test_figures_of_a_question() -> None:
    assert rules.summary("overall", {5: 2, 2: 1}) == {
        "question": "overall",
        "answers": 3,
        "average": 4.0,
        "scores": {"1": 0, "2": 1, "3": 0, "4": 0, "5": 2},
    }
    assert rules.summary("manner", {})["average"] is None


def test_questions_are_short_and_one_at_a_time() -> None:
    for question in all_questions():
        for text, most in ((question.zh, 40), (question.en, 120)):
            assert 0 < len(text) <= most, question.id
            assert text.count("？") + text.count("?") <= 1, question.id
    opening = texts()["opening"]
    assert "对不起" in opening["zh"]  # the apology comes first
    assert "sorry" in opening["en"]
    assert "祝" in texts()["closing"]["zh"]  # a wish at the end
    assert "wish" in texts()["closing"]["en"]
    kinds = {"fault_report", "complaint", "damage_claim", "service_request", "enquiry"}
    assert set(texts()["matter"]) == kinds
