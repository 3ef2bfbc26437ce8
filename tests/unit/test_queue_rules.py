"""Who serves whom, what a silence leads to, when a place is told again: the pure rules, by table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from api.conversations import rules
from api.conversations.notes import mentioned
from api.conversations.rules import Seat, Waiting
from api.conversations.sentences import DATA

NOW = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)
SUITED = timedelta(minutes=3)


def seat(
    name: str = "li", languages: str = "zh", skills: str = "", open: int = 0, idle: int = 0, room: int = 5
) -> Seat:
    since = NOW - timedelta(minutes=idle)
    return Seat(name, frozenset(languages.split()), frozenset(skills.split()), open, room, since)


def waiting(
    id: str = "cv",
    language: str | None = "zh",
    skill: str = "",
    priority: int = 4,
    waited: int = 1,
    by: str | None = None,
) -> Waiting:
    return Waiting(id, priority, NOW - timedelta(minutes=waited), language, skill, by)


@pytest.mark.parametrize(
    ("languages", "skills", "language", "skill", "expected"),
    [
        ("zh", "", "zh", "", True),
        ("zh", "", "en", "", False),
        ("zh en", "", "en", "", True),
        ("zh", "", None, "", True),
        ("", "", "en", "power", True),  # nothing named: anything
        ("zh", "", "zh", "water", True),  # no skills: anything
        ("zh", "power", "zh", "water", False),
        ("zh", "power", "zh", "", True),
        ("zh", "power water", "zh", "water", True),
        ("zh", "water", "en", "water", False),
    ],
)
def test_whom_an_agent_suits(languages: str, skills: str, language: str | None, skill: str, expected: bool) -> None:
    assert rules.suits(seat("li", languages, skills), waiting("cv", language, skill)) is expected


@pytest.mark.parametrize(
    ("named", "expected"),
    [([], set()), (["power"], {"power"}), (["Complaints", "vip"], {"complaint"}), (["meter", 3], set())],
)
def test_the_skills_that_queues_know(named: list[Any], expected: set[str]) -> None:
    assert rules.skills_of(named) == expected


def test_the_order_in_which_an_agent_is_offered_what_waits() -> None:
    queue = [
        waiting("late", waited=2),
        waiting("let lie", priority=2, waited=9, by="li"),
        waiting("english", "en", waited=2),
        waiting("english, long", "en", waited=4),
        waiting("danger, english", "en", priority=1, waited=0),
        waiting("urgent", priority=3, waited=0),
    ]
    order = [each.conversation_id for each in rules.in_order(seat(), queue, NOW, SUITED)]
    assert order == ["danger, english", "urgent", "english, long", "late", "let lie"]


@pytest.mark.parametrize(
    ("seats", "who", "expected"),
    [
        ([], waiting(), None),
        ([seat("a", open=2), seat("b", open=1)], waiting(), "b"),
        ([seat("a", idle=1), seat("b", idle=9)], waiting(), "b"),
        ([seat("a", room=2, open=2)], waiting(), None),
        ([seat("a", room=2, open=2), seat("b", open=4)], waiting(), "b"),
        ([seat("a")], waiting(by="a"), None),
        ([seat("a")], waiting(language="en"), None),
        ([seat("a")], waiting(language="en", waited=3), "a"),
        ([seat("a"), seat("b", "en", open=4)], waiting(language="en", waited=3), "b"),
        ([seat("a")], waiting(language="en", priority=1, waited=0), "a"),
        ([seat("a", skills="water"), seat("b", skills="power", open=3)], waiting(skill="power"), "b"),
        ([seat("a", open=5), seat("b", "en", open=4)], waiting(priority=1), "b"),  # danger: who has room first,
        ([seat("a", open=5), seat("b", "en", open=5)], waiting(priority=1), "a"),  # else beyond it,
        ([seat("a", room=0)], waiting(priority=1), None),  # but to nobody who takes none at all
    ],
)
def test_who_gets_a_conversation(seats: list[Seat], who: Waiting, expected: str | None) -> None:
    best = rules.best_seat(seats, who, NOW, SUITED)
    assert (best.agent_id if best else None) == expected


@pytest.mark.parametrize(
    ("unanswered", "reminded", "gone", "expected"),
    [
        (119, None, False, ""),
        (120, None, False, "remind"),
        (299, 179, False, ""),
        (300, 180, False, "pass"),
        (300, None, False, "remind"),  # after a stop of the desk: nobody loses it unwarned
        (310, 10, False, ""),
        (490, 180, False, "pass"),
        (3, None, True, "pass"),
        (120, 5, True, "pass"),
    ],
)
def test_what_silence_leads_to(unanswered: int, reminded: int | None, gone: bool, expected: str) -> None:
    ago = None if reminded is None else timedelta(seconds=reminded)
    found = rules.silence(timedelta(seconds=unanswered), ago, gone=gone, remind_seconds=120, pass_seconds=300)
    assert found == expected


LIMIT = {"better_minutes": 2, "again_minutes": 10, "times": {"web": 3, "wechat": 1}}


@pytest.mark.parametrize(
    ("place", "told", "minutes", "times", "channel", "expected"),
    [
        (2, 3, 1, 0, "web", False),
        (2, 3, 2, 0, "web", True),
        (3, 3, 2, 0, "web", False),
        (4, 3, 9, 0, "web", False),
        (4, 3, 10, 0, "web", True),
        (1, 0, 2, 0, "web", True),
        (1, 9, 60, 3, "web", False),
        (1, 9, 60, 0, "wechat", True),
        (1, 9, 60, 1, "wechat", False),
        (1, 9, 60, 0, "voice", False),
    ],
)
def test_when_a_place_is_told_again(
    place: int, told: int, minutes: int, times: int, channel: str, expected: bool
) -> None:
    assert rules.tells_place(place, told, timedelta(minutes=minutes), times, LIMIT, channel) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@wang please", {"wang"}),
        ("@WANG, @Li: look", {"wang", "li"}),
        ("@wang请看一下", {"wang"}),
        ("@wangfang", set()),
        ("@wang_2", set()),
        ("ask wang", set()),
        ("@张三请看", {"张三"}),
        ("@li.na and @li.", {"li.na", "li"}),
        ("mail me at x@li", {"li"}),
        ("@@li", {"li"}),
        ("@", set()),
    ],
)
def test_who_is_named_in_a_note(text: str, expected: set[str]) -> None:
    assert mentioned(text, ["wang", "li", "li.na", "张三"]) == expected


def test_the_limits_make_sense() -> None:
    limits = yaml.safe_load((DATA / "limits.yml").read_text(encoding="utf-8"))
    silent = limits["agent_silent"]
    assert silent["remind_seconds"] < silent["pass_seconds"]
    assert silent["urgent_remind_seconds"] < silent["urgent_pass_seconds"] <= silent["pass_seconds"]
    assert limits["assignment"] in ("claim", "automatic")
    assert limits["waiting_place"]["times"]["wechat"] <= 1, "WeChat lets us write a few messages only"


@dataclass(frozen=True)
class Alike:
    """Some who wait and are the same to the queues; `before`: longer than the one who is looked at."""

    one: Waiting
    before: bool
    count: int


def alike(before: bool = True, count: int = 1, **one: Any) -> Alike:
    return Alike(waiting("", **one), before, count)


def ahead(me: Waiting, others: list[Alike], present: Sequence[Seat]) -> int:
    counts = {"always": (True, False), "longer": (True,), "never": ()}
    return sum(o.count for o in others if o.before in counts[rules.comes_before(o.one, me, present, NOW, SUITED)])


BOTH = [seat("li", "zh"), seat("ann", "en")]


@pytest.mark.parametrize(
    ("me", "others", "present", "expected"),
    [
        # Others' customers do not count, however long they have waited, as long as who has their language is there.
        ({"language": "en"}, [alike(language="zh", count=7), alike(language="en", count=2)], BOTH, 2),
        ({"language": "en"}, [alike(language="zh", count=7, waited=9)], BOTH, 0),
        ({"language": "zh"}, [alike(language="zh", count=7), alike(language="en", count=2)], BOTH, 7),
        # One who has both languages takes all of them by turns.
        ({"language": "en"}, [alike(language="zh", count=7)], [seat("li", "zh"), seat("wang", "zh en")], 7),
        # Whom nobody has the language of is everybody's; and everybody comes before him who came earlier.
        ({"language": "zh"}, [alike(language="en")], [seat("li", "zh")], 1),
        ({"language": "en"}, [alike(language="zh", count=3)], [seat("li", "zh")], 3),
        # Another matter: not before it has waited for so long.
        ({"skill": "power"}, [alike(skill="water")], [seat("a", "", "power"), seat("b", "", "water")], 0),
        ({"skill": "power"}, [alike(skill="water", waited=3)], [seat("a", "", "power"), seat("b", "", "water")], 1),
        ({"skill": "power"}, [alike(skill="complaint")], [seat("a", "", "power"), seat("b", "", "water")], 1),
        # Danger goes before all, in any language; what is urgent in one's own.
        ({"language": "en"}, [alike(False, language="zh", priority=1)], BOTH, 1),
        ({"language": "en", "priority": 1}, [alike(language="en", count=9)], BOTH, 0),
        ({"language": "en"}, [alike(False, language="en", priority=2), alike(False, language="en")], BOTH, 1),
        # What an agent let lie comes last to him, and in its turn to others.
        ({"language": "zh"}, [alike(language="zh", by="li")], [seat("li", "zh"), seat("ann", "en")], 1),  # his alone
        ({"language": "zh"}, [alike(language="zh", by="li")], [seat("li", "zh"), seat("mei", "zh")], 1),
        ({"language": "zh", "by": "li"}, [alike(False, language="zh", count=4)], [seat("li", "zh")], 0),
        # Nobody is there: as they came.
        ({"language": "zh"}, [alike(language="en"), alike(False, language="zh"), alike(False, priority=1)], [], 2),
    ],
)
def test_who_comes_before_a_customer(
    me: dict[str, Any], others: list[Alike], present: list[Seat], expected: int
) -> None:
    assert ahead(waiting("me", **me), others, present) == expected
    named = {me.get("by"), *(other.one.passed_by for other in others)}
    twins = [replace(each, agent_id=f"{each.agent_id} twin") for each in present]
    told_apart = rules.told_apart([*twins, *present], named)
    assert len(told_apart) <= len(present) + len(named - {None})
    if not named - {None}:
        assert ahead(waiting("me", **me), others, told_apart) == expected


def test_the_place_is_the_one_in_which_agents_take_them() -> None:
    """Agents take the next one by turns, none joining: nobody is taken later than he was told, and no agent of one
    language takes the other's as long as he has his own."""
    queue = [
        waiting(f"cv{n:02}", "en" if n % 3 == 0 else "zh", ("", "power", "water")[n % 2 * n % 3], 4, 40 - n)
        for n in range(30)
    ]
    for present in (BOTH, [*BOTH, seat("wang", "zh en", "water")]):
        left, taken = list(queue), list[str]()
        told = {
            w.conversation_id: ahead(w, [Alike(o, o.since < w.since, 1) for o in queue if o is not w], present)
            for w in queue
        }
        while left:
            for one in present:
                for got in rules.in_order(one, left, NOW, SUITED, present)[:1]:
                    own = any(rules.speaks(one, w.language) for w in left)
                    assert rules.speaks(one, got.language) or not own
                    left.remove(got)
                    taken.append(got.conversation_id)
        for w in queue:
            before = taken[: taken.index(w.conversation_id)]
            mine = rules.serving(present, w)
            rivals = [
                o for o in queue if o.conversation_id in before and any(rules.speaks(s, o.language) for s in mine)
            ]
            assert len(rivals) - len(present) <= told[w.conversation_id]


@pytest.mark.parametrize(
    ("waits", "standing", "expected"),
    [([60, 60], [], None), ([60, 240, 540], [], 4), ([60, 240, 540], [30, 100], 4), ([60, 60, 60], [600] * 4, 10)],
)
def test_who_still_waits_counts_where_it_is_longer(waits: list[float], standing: list[float], expected: int) -> None:
    assert rules.expected_wait(waits, standing) == expected
