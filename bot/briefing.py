"""What a colleague tells the bot on handing a conversation back, as it comes with the next message. Pure.

{"summary": str, "slots": {"ticket": "12 digits", "outage_id", "contact_phone", "service_point_id", "address_zh",
"address_en", "detail", "area_class", "name", "place_id"}}. Whatever is not as it should be is left out; who may
know what, the API has decided.
"""

import re
from dataclasses import dataclass, field
from typing import Any

LONGEST_SUMMARY, LONGEST_VALUE = 1000, 200
_TICKET = re.compile(r"\d{12}")
#: Of bot.actions.turn.Turn.place.
_PLACE = ("service_point_id", "place_id", "address_zh", "address_en", "area_class", "detail", "name")


@dataclass(frozen=True)
class Briefing:
    """`place` is empty unless it names a service point and its address."""

    summary: str = ""
    ticket: str | None = None
    outage: str | None = None
    phone: str | None = None
    place: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Any) -> "Briefing | None":
        """Read the metadata's `briefing`; None where there is none."""
        if not isinstance(given, dict) or not given:
            return None
        slots = given["slots"] if isinstance(given.get("slots"), dict) else {}
        number = re.sub(r"\D", "", _text(slots.get("ticket")))
        place = {name: value for name in _PLACE if (value := _text(slots.get(name)))}
        known = "service_point_id" in place and {"address_zh", "address_en"} <= place.keys()
        return cls(
            summary=_text(given.get("summary"), LONGEST_SUMMARY),
            ticket=number if _TICKET.fullmatch(number) else None,
            outage=_text(slots.get("outage_id")) or None,
            phone=_text(slots.get("contact_phone")) or None,
            place={**place, "resolved": True, "words": ""} if known else {},
        )


def _text(value: Any, longest: int = LONGEST_VALUE) -> str:
    return " ".join(value.split())[:longest] if isinstance(value, str) else ""
