"""The quality form: what scores come to, what is refused, what a spreadsheet gets."""

from collections.abc import Mapping

import pytest

from api.quality import rules

IDS = [criterion.id for criterion in rules.form()]


def scores(points: int | None = 2, **others: int | None) -> dict[str, int | None]:
    return {**dict.fromkeys(IDS, points), **others}


@pytest.mark.parametrize(
    ("given", "percent"),
    [
        ({"a": 2, "b": 2}, 100),
        ({"a": 0, "b": 0}, 0),
        ({"a": 1, "b": 1}, 50),
        ({"a": 2, "b": None}, 100),
        ({"a": 0, "b": None, "c": 2}, 50),
        ({"a": 2, "b": 1, "c": 1}, 67),
        ({"a": 1, "b": 0, "c": 0}, 17),
        ({"a": 1, "b": 0, "c": 0, "d": 0}, 13),  # 12.5
        ({"a": None}, 0),
        ({}, 0),
    ],
)
def test_percent_is_of_what_came_up(given: Mapping[str, int | None], percent: int) -> None:
    assert rules.total(given) == percent


def test_a_whole_form_is_taken() -> None:
    assert rules.complaint_about(scores(), rules.form()) is None
    assert rules.complaint_about(scores(None, greeting=0), rules.form()) is None


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({k: v for k, v in scores().items() if k != "safety"}, "safety"),
        (scores(greeting=3), "greeting"),
        (scores(greeting=-1), "greeting"),
        (scores(greeting=True), "greeting"),
        (scores(charm=2), "charm"),
        (scores(None), "scores"),
        ({}, IDS[0]),
    ],
)
def test_others_are_not(given: Mapping[str, int | None], wrong: str) -> None:
    assert rules.complaint_about(given, rules.form()) == wrong


def test_the_form_is_whole_in_both_languages() -> None:
    assert len(IDS) == len(set(IDS)) >= 7
    for criterion in rules.form():
        assert all((criterion.zh, criterion.en, criterion.hint_zh, criterion.hint_en, criterion.processes))
        assert "抱歉" not in criterion.hint_zh


def test_a_report_line_leaves_out_what_never_came_up() -> None:
    reviews = [(100, scores(2, safety=None)), (50, scores(1, safety=None))]
    line = rules.line("ag_1", reviews, rules.form())
    assert (line.reviews, line.average) == (2, 75)
    assert line.criteria["safety"] is None
    assert line.criteria["greeting"] == 75


def test_old_reviews_may_lack_a_new_criterion() -> None:
    assert rules.line("ag_1", [(100, {"greeting": 2})], rules.form()).criteria["record"] is None


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", "＠x"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert rules.guarded(cell) == f"'{cell}"


@pytest.mark.parametrize(("cell", "shown"), [("李梅", "李梅"), (75, "75"), (None, ""), ("a=b", "a=b")])
def test_other_cells_stay(cell: object, shown: str) -> None:
    assert rules.guarded(cell) == shown
