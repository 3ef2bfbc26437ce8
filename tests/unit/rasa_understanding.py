"""Run with the bot environment's Python: what bot.understanding reads of trackers, and Rasa of reviewed examples.

`rasa_understanding.py FOLDER` reads FOLDER/zh.yml and prints its findings as JSON into FOLDER/seen.json.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader

from bot.history import SAVED, BoundedTrackerStore
from bot.understanding import known, understood_of

DOMAIN = Domain.from_path("domain.yml")
RESPONSES = {
    "utter_ask_place": [
        {"text": "哪里？", "channel": "voice", "condition": [{"type": "slot", "name": "language", "value": "zh"}]},
        {"text": "{name}几栋？", "condition": [{"type": "slot", "name": "language", "value": "zh"}]},
        {"text": "Which building of {name}?", "condition": [{"type": "slot", "name": "language", "value": "en"}]},
    ]
}


def heard(text: str, message_id: str, intent: str, confidence: float, *ranking: tuple[str, float]) -> UserUttered:
    guesses = [{"name": name, "confidence": one} for name, one in ranking]
    parsed = {"text": text, "intent": {"name": intent, "confidence": confidence}, "intent_ranking": guesses}
    return UserUttered(
        text,
        intent=parsed["intent"],
        parse_data=parsed,
        message_id=message_id,  # type: ignore[arg-type]
    )


def tracker_of(*events: Any) -> DialogueStateTracker:
    tracker = DialogueStateTracker.from_events("cv_1.1", [], DOMAIN.slots)
    for event in events:
        tracker.update(event)
    return tracker


def asked_back(response: str) -> list[Any]:
    return [
        ActionExecuted("action_talk"),
        BotUttered("?", metadata={"utter_action": response}),
        ActionExecuted("action_listen"),
    ]


def understandings() -> dict[str, Any]:
    unsure = heard(
        "hm", "1", "nlu_fallback", 0.3, ("nlu_fallback", 0.3), ("greet", 0.25), ("deny", 0.2), *[("thank", 0.1)] * 3
    )
    sure = heard("hello", "2", "greet", 0.98765432, ("greet", 0.98765432))
    choice = heard("/affirm", "3", "affirm", 1.0)
    pending = SlotSet("question", {"response": "utter_ask_place", "options": [], "values": {}})
    return {
        "unsure": understood_of(tracker_of(unsure, *asked_back("utter_which_reading")), "1"),
        "sure": understood_of(tracker_of(unsure, sure, *asked_back("utter_greet")), "2"),
        "earlier": understood_of(
            tracker_of(sure, *asked_back("utter_greet"), unsure, *asked_back("utter_rephrase")), "2"
        ),
        "answer": understood_of(tracker_of(pending, sure, SlotSet("question", None), *asked_back("utter_greet")), "2"),
        "asked again": understood_of(tracker_of(pending, sure, *asked_back("utter_not_understood")), "2"),
        "over": understood_of(tracker_of(pending, SlotSet("question", None), sure, *asked_back("utter_greet")), "2"),
        "choice": understood_of(tracker_of(choice, *asked_back("utter_greet")), "3"),
        "unknown": understood_of(tracker_of(sure), "9"),
    }


def sheets() -> dict[str, Any]:
    question = {"response": "utter_ask_place", "options": [], "values": {"name": {"zh": "和泰", "en": "Hetai"}}}
    asked = tracker_of(SlotSet("journey", "outage"), SlotSet("step", "place_number"), SlotSet("question", question))
    guide = tracker_of(SlotSet("question", {"texts": {"zh": "跳了吗？", "en": "Tripped?"}, "options": []}))
    return {"new": known(tracker_of(), RESPONSES), "asked": known(asked, RESPONSES), "guide": known(guide, RESPONSES)}


async def saved(folder: Path) -> bool:
    """Whether who asked for a turn gets the tracker that a task of it saved."""
    store = BoundedTrackerStore(DOMAIN, f"sqlite:///{folder / 'rasa.db'}")
    taken: list[DialogueStateTracker] = []
    SAVED.set(taken)
    tracker = tracker_of(heard("hello", "2", "greet", 0.9))
    await asyncio.wait_for(asyncio.create_task(store.save(tracker)), 10)
    return taken == [tracker]


def main(folder: Path) -> None:
    data = RasaYAMLReader().read(folder / "zh.yml")
    read = [[e.get("intent"), e.get("text"), e.get("entities", [])] for e in data.training_examples]
    seen = {"understood": understandings(), "sheets": sheets(), "read": read, "saved": asyncio.run(saved(folder))}
    (folder / "seen.json").write_text(json.dumps(seen), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
