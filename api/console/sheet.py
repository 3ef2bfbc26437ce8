"""The bot's sheet in an agent's words: what was asked, what the customer answered, what was read off. Pure.

A sheet comes from another process: whatever in it is not as expected is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.console.pages import say_or

#: Answers after which nobody may touch it again before a crew has come, or drink the water.
SAFETY = frozenset({"trips_again", "trips", "stays_off", "foul", "leak", "visit"})
READINGS = ("reading", "balance")


@dataclass(frozen=True)
class Step:
    """One step tried: what was asked and what came of it. `safety`: the crew should know before anybody touches it."""

    guide: str
    asked: str
    answer: str
    safety: bool


@dataclass(frozen=True)
class Sheet:
    """What is known of a customer's trouble; '' and empty where it is not."""

    journey: str = ""
    question: str = ""
    symptom: str = ""
    scope: str = ""
    utility: str = ""
    topic: str = ""
    danger: str = ""
    steps: Sequence[Step] = ()
    readings: Sequence[tuple[str, str]] = ()
    verifying: str = ""
    later: Sequence[str] = ()
    earlier: Sequence[str] = ()
    briefing: str = ""
    tried: Sequence[Mapping[str, str]] = field(default=(), repr=False)

    def __bool__(self) -> bool:
        told = (self.journey, self.question, self.symptom, self.scope, self.steps, self.readings, self.danger)
        return any(told) or any((self.later, self.earlier, self.briefing))


def both(value: Any, language: str) -> str:
    """A text, or a pair of them by language."""
    if isinstance(value, Mapping):
        value = value.get(language) or value.get("zh") or value.get("en")
    return value.strip() if isinstance(value, str) else ""


def part(sheet: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = sheet.get(name)
    return found if isinstance(found, Mapping) else {}


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str) and text] if isinstance(value, list) else []


def steps_of(tried: Any, language: str) -> list[Step]:
    """Steps in words; a code that no words are known for is shown as it is."""
    found = []
    for one in tried if isinstance(tried, list) else ():
        if not isinstance(one, Mapping):
            continue
        guide, step, answer = (str(one.get(name, "")) for name in ("guide", "step", "answer"))
        asked = say_or(f"steps.{guide}.{step}", step, language)
        words = say_or(f"steps.{guide}.{step}.{answer}", say_or(f"steps.{answer}", answer, language), language)
        found.append(Step(say_or(f"steps.{guide}", guide, language), asked, words, answer in SAFETY))
    return found


def plain_steps(tried: Any) -> list[dict[str, str]]:
    """Steps as a ticket keeps them."""
    keys = ("guide", "step", "answer")
    given = [one for one in tried if isinstance(one, Mapping)] if isinstance(tried, list) else []
    return [{key: str(one.get(key, ""))[:60] for key in keys} for one in given][:100]


def in_brief(journey: Any, earlier: Any, address: Any, language: str) -> str:
    """What a customer wants and where, for a line of a list: "投诉、停电 · 海棠晓月3栋"; '' where neither is known.

    Who asks for a person does so about what was talked of before.
    """
    told = [*_texts(earlier), *([journey] if isinstance(journey, str) and journey != "human" else [])]
    names = [say_or(f"panel.journey_{one}", one, language) for one in dict.fromkeys(told)]
    matters = ("、" if language == "zh" else ", ").join(names[-2:])
    return " · ".join(filter(None, (matters, both(address, language))))


def read_sheet(sheet: Any, language: str) -> Sheet:
    """The sheet in words."""
    if not isinstance(sheet, Mapping):
        return Sheet()

    def code(name: str, room: str) -> str:
        value = sheet.get(name)
        return say_or(f"{room}_{value}", value, language) if isinstance(value, str) and value else ""

    def journeys(name: str) -> list[str]:
        return [say_or(f"panel.journey_{one}", one, language) for one in _texts(sheet.get(name))]

    readings = part(sheet, "readings")
    return Sheet(
        journey=code("journey", "panel.journey"),
        question=both(sheet.get("question"), language),
        symptom=both(sheet.get("symptom"), language),
        scope=code("scope", "tickets.scope"),
        utility=code("utility", "tickets.utility"),
        topic=code("topic", "tickets.topic"),
        danger=code("danger", "panel.danger"),
        steps=steps_of(sheet.get("tried"), language),
        readings=[
            (say_or(f"panel.{name}", name, language), str(readings[name])) for name in READINGS if readings.get(name)
        ],
        verifying=both(sheet.get("verifying"), language),
        later=journeys("later"),
        earlier=list(dict.fromkeys(journeys("earlier"))),
        briefing=both(sheet.get("briefing"), language),
        tried=plain_steps(sheet.get("tried")),
    )
