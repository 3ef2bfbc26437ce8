"""What Rasa took a message for, and what it knows now, read from the tracker: for the people at the desk."""

import re
from collections.abc import Mapping
from typing import Any

from rasa.shared.core.events import BotUttered, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.sheet import sheet_of

Json = dict[str, Any]

#: Runners-up that are told, the best included.
RANKED = 3
FALLBACK = "nlu_fallback"
#: Responses by which the bot says that it did not understand, or asks back what was meant.
MISSED = frozenset(
    {
        *("utter_which_reading", "utter_rephrase", "utter_not_understood", "utter_not_understood_again"),
        "utter_what_is_it",
    }
)
_SLOT = re.compile(r"\{(\w+)\}")


def understood_of(tracker: DialogueStateTracker, message_id: str) -> Json | None:
    """{"intent", "confidence", "ranking", "missed", "answer"} of a message; None for a choice, or one not there.

    `confidence` is that of the best guess, also where it was too small to act on (`nlu_fallback`). `answer`: the bot
    had asked something, so that the message may be the reply to it, whatever its intent.
    """
    events = list(tracker.events)
    start = next((i for i in range(len(events) - 1, -1, -1) if _is(events[i], message_id)), None)
    if start is None or (events[start].text or "").startswith("/"):
        return None
    said = []
    for event in events[start + 1 :]:
        if isinstance(event, UserUttered):
            break
        if isinstance(event, BotUttered):
            said.append(str((event.metadata or {}).get("utter_action") or ""))
    missed = not MISSED.isdisjoint(said)
    asked = next((e.value for e in reversed(events[:start]) if isinstance(e, SlotSet) and e.key == "question"), None)
    parsed = events[start].parse_data or {}
    intent = str((parsed.get("intent") or {}).get("name") or FALLBACK)
    ranking = [
        _guess(guess) for guess in parsed.get("intent_ranking") or () if guess.get("name") not in (None, FALLBACK)
    ]
    confidence = (parsed.get("intent") or {}).get("confidence") or 0.0
    if intent == FALLBACK:
        confidence = ranking[0]["confidence"] if ranking else 0.0
    return {
        "intent": intent,
        "confidence": round(float(confidence), 4),
        "ranking": ranking[:RANKED],
        "missed": missed,
        "answer": bool(asked) and not missed,
    }


def known(tracker: DialogueStateTracker, responses: Mapping[str, list[Json]]) -> Json:
    """The sheet (bot/sheet.py) as the tracker's slots are now. `responses`: the domain's."""
    slots = {name: slot.value for name, slot in tracker.slots.items()}
    return sheet_of(slots, _question(slots.get("question"), responses))


def _is(event: Any, message_id: str) -> bool:
    return isinstance(event, UserUttered) and event.message_id == message_id


def _guess(guess: Json) -> Json:
    return {"name": str(guess["name"]), "confidence": round(float(guess.get("confidence") or 0), 4)}


def _question(question: Any, responses: Mapping[str, list[Json]]) -> Json | None:
    """The pending question in both languages: {"name", "zh", "en"}."""
    if not isinstance(question, dict):
        return None
    if "texts" in question:
        return {"name": "guide", **question["texts"]}
    name, values = str(question.get("response") or ""), question.get("values") or {}
    return {"name": name, **{lang: text for lang in ("zh", "en") if (text := _worded(responses, name, lang, values))}}


def _worded(responses: Mapping[str, list[Json]], name: str, language: str, values: Json) -> str:
    """A response as it is written in a language, filled in."""
    for variant in responses.get(name) or ():
        conditions = variant.get("condition") or ()
        if not variant.get("channel") and all(one.get("value") == language for one in conditions):
            return _SLOT.sub(
                lambda found: _in(language, values.get(found[1], found[0])), str(variant.get("text") or "")
            )
    return ""


def _in(language: str, value: Any) -> str:
    return str(value.get(language, "")) if isinstance(value, dict) else str(value)
