"""Who may be asked, what, and what an answer means (D8). Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The customer knows that it is over: only then may he be asked how it was.
ASKABLE = frozenset({"customer_informed", "followed_up", "closed"})
LOWEST, HIGHEST = 1, 5
#: A score of this or less is told to staff in the ticket's history.
GRIEVANCE = 2
#: Characters of a suggestion that are kept.
LONGEST_WORDS = 1_000

_WORDS: Mapping[str, int] = {
    "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5,
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
}  # fmt: skip
_SCORES = re.compile(r"\b(?:one|two|three|four|five)\b|[一二两三四五]|(?<!\d)[1-5](?!\d)")
#: What people say instead of a number, more specific first.
_FEELINGS: Sequence[tuple[str, int]] = (
    ("非常不满意", 1), ("很不满意", 1), ("特别差", 1), ("not at all", 1), ("very dissatisfied", 1), ("very bad", 1),
    ("terrible", 1), ("不满意", 2), ("不太满意", 2), ("不好", 2), ("dissatisfied", 2), ("not satisfied", 2),
    ("not very", 2), ("not good", 2), ("非常满意", 5), ("很满意", 5), ("特别好", 5), ("非常好", 5),
    ("very satisfied", 5), ("excellent", 5), ("very good", 5), ("一般", 3), ("还行", 3), ("还可以", 3), ("so so", 3),
    ("average", 3), ("all right", 3), ("差不多", 3),
    ("不差", 4), ("很差", 1), ("差", 2), ("poor", 2), ("bad", 2), ("很好", 5),
    ("满意", 4), ("挺好", 4), ("不错", 4), ("satisfied", 4), ("good", 4),
)  # fmt: skip


def score_of(keys: str, speech: str) -> int | None:
    """The score of an answer in keys or words; None where it holds none, or more than one."""
    if keys:
        return int(keys) if keys in "12345" and len(keys) == 1 else None
    text = unicodedata.normalize("NFKC", speech).casefold()
    for words, score in _FEELINGS:
        if words in text:
            return score
    found = {_WORDS.get(number) or int(number) for number in _SCORES.findall(text)}
    return found.pop() if len(found) == 1 else None


@dataclass(frozen=True)
class Question:
    """One question of the call; `utility` and `ticket_kind` say whom it is for, empty for everybody."""

    id: str
    kind: str
    zh: str
    en: str
    utility: str = ""
    ticket_kind: str = ""

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Question":
        return cls(**data)


def questions_for(questions: Iterable[Question], utility: str, ticket_kind: str) -> list[Question]:
    """What a customer is asked whose ticket is of this kind and utility."""
    return [q for q in questions if q.utility in ("", utility) and q.ticket_kind in ("", ticket_kind)]


def ended_as(answered: int, asked: int) -> str:
    """State of a survey whose call is over: with all scores, with some, or with none at all."""
    if answered >= asked:
        return "done"
    return "partial" if answered else "refused"


def summary(question: str, counts: Mapping[int, int]) -> dict[str, Any]:
    """Figures of one question: answers, their mean to two places (None without any), and how often each score."""
    total = sum(counts.values())
    mean = round(sum(score * count for score, count in counts.items()) / total, 2) if total else None
    return {
        "question": question,
        "answers": total,
        "average": mean,
        "scores": {str(score): counts.get(score, 0) for score in range(LOWEST, HIGHEST + 1)},
    }
