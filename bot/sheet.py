"""What the bot knows of a customer, in plain JSON for the person who takes over. Pure: standard library only.

Read from the slots of bot.actions.turn. Nothing secret is in it: an account number is masked, a second factor never
stands in a slot.
"""

import re
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

#: Journeys put away, and steps kept of each, so that the sheet stays small.
MOST_PAST, MOST_TRIED = 5, 40
#: What a journey's memory tells somebody else, under the name that the sheet gives it.
_FACTS = {"scope": "scope", "utility": "utility", "topic": "topic", "symptom": "symptom", "kind": "danger"}
#: Values read off a meter, or that an account told.
_READINGS = ("reading", "balance")
#: What a journey is about, for the skill of whoever takes over.
SKILLS = {
    "outage": "power",
    "voltage": "power",
    "meter": "power",
    "card": "power",
    "water": "water",
    "water_quality": "water",
    "complaint": "complaint",
    "damage_claim": "complaint",
}


def put_away(past: list[Json], journey: str | None, memory: Mapping[str, Any]) -> list[Json]:
    """The journeys that are over, with one more; the newest last. One that was taken up again stands once."""
    if not journey or journey == "human":
        return past
    facts = facts_of(journey, memory)
    earlier = [one for one in past if not (one["journey"] == journey and (one == facts or len(one) == 1))]
    return [*earlier, facts][-MOST_PAST:]


def facts_of(journey: str, memory: Mapping[str, Any]) -> Json:
    """What a journey's memory tells somebody else: {"journey", "tried"?, "readings"?, "symptom"?, …}."""
    found: Json = {"journey": journey}
    found |= {name: memory[key] for key, name in _FACTS.items() if memory.get(key)}
    if tried := [step for step in memory.get("tried") or [] if isinstance(step, dict)]:
        found["tried"] = tried[-MOST_TRIED:]
    if readings := {name: str(memory[name]) for name in _READINGS if memory.get(name)}:
        found["readings"] = readings
    if memory.get("account_number"):
        found["verifying"] = masked(str(memory["account_number"]))
    return found


def sheet_of(slots: Mapping[str, Any], question: Json | None = None) -> Json:
    """The sheet: journey, step, question, place, contact, ticket, outage, tried, readings, symptom, … where known.

    `question`: the pending one, {"name", "zh"?, "en"?}. `tried` holds what was tried in earlier journeys too.
    """
    past: list[Json] = [one for one in slots.get("past") or [] if isinstance(one, dict)]
    journey, memory = slots.get("journey"), slots.get("memory") or {}
    now = facts_of(str(journey), memory) if journey else {}
    told = [*past, now] if now else past
    sheet: Json = {
        "journey": journey,
        "step": slots.get("step"),
        "question": question,
        "place": _place(slots.get("place") or {}),
        "contact": _contact(slots.get("contact") or {}),
        "ticket": slots.get("ticket"),
        "outage": slots.get("outage"),
        "tried": [{"journey": one["journey"], **step} for one in told for step in one.get("tried", [])][-MOST_TRIED:],
        "later": [one.get("name") for one in slots.get("later") or [] if isinstance(one, dict)],
        "earlier": [one["journey"] for one in past],
        "briefing": (slots.get("briefing") or {}).get("summary"),
    }
    # What one trouble is like says nothing of another.
    present = now or next((one for one in reversed(past) if len(one) > 1), {})
    sheet |= {name: present[name] for name in (*_FACTS.values(), "verifying") if present.get(name)}
    readings: Json = {}
    for one in told:
        readings |= one.get("readings", {})
    sheet["readings"] = readings
    return {name: value for name, value in sheet.items() if value not in (None, "", [], {})}


def skill_of(slots: Mapping[str, Any], wish: str | None = None, utility: str | None = None) -> str:
    """power | water | complaint, by the message's `wish` or what the conversation was about last; '' if unclear."""
    now = SKILLS.get(wish or "")
    if now:
        return now
    memory = slots.get("memory") or {}
    journeys = [*(slots.get("past") or []), {"journey": slots.get("journey"), "utility": memory.get("utility")}]
    for one in reversed(journeys):
        if skill := SKILLS.get(str(one.get("journey") or "")):
            return skill
        if one.get("utility") in ("power", "water"):
            return str(one["utility"])
    return utility if utility in ("power", "water") else ""


def utility_of(slots: Mapping[str, Any]) -> str | None:
    """power | water, by what the conversation was about last; None where that does not tell."""
    of_journey = {"outage": "power", "voltage": "power", "meter": "power", "card": "power"}
    of_journey |= {"water": "water", "water_quality": "water"}
    for one in reversed(slots.get("past") or []):
        found = of_journey.get(str(one.get("journey"))) or one.get("utility")
        if found in ("power", "water"):
            return str(found)
    return None


def masked(number: str) -> str:
    """A number with all but its last four characters hidden."""
    plain = re.sub(r"\s", "", number)
    return "*" * max(len(plain) - 4, 0) + plain[-4:] if len(plain) > 4 else "*" * len(plain)


def _place(place: Mapping[str, Any]) -> Json:
    address = {"zh": place.get("address_zh") or place.get("words"), "en": place.get("address_en") or place.get("words")}
    found = {"address": address if any(address.values()) else None, "resolved": bool(place.get("resolved"))}
    found |= {name: place.get(name) for name in ("service_point_id", "place_id", "detail")}
    return {name: value for name, value in found.items() if value} if any(place.values()) else {}


def _contact(contact: Mapping[str, Any]) -> Json:
    names = {"name": "name", "phone": "phone", "on_file": "phone_on_file", "danger": "danger_confirmed"}
    return {new: contact[old] for old, new in names.items() if contact.get(old)}
