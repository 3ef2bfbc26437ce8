"""Filing a ticket and saying so: every word here is built from the API's answer (design: no unbacked word)."""

import re
from datetime import UTC, datetime

from bot.actions.desk import DeskRefused, Json
from bot.actions.journey import MEANT
from bot.actions.place import address_of
from bot.actions.times import parse_time, spoken_number, spoken_time
from bot.actions.turn import Turn

LONGEST_DESCRIPTION = 1_000


#: Intents whose words tell a crew nothing.
_NO_FACTS = frozenset(
    {"ask_outage_status", "ask_ticket_status", "greet", "thank", "goodbye", "affirm", "talk_to_human"}
)


#: An account, a phone or what proves one.
ONLY_A_NUMBER = re.compile(r"[\dXx\s-]{4,}")
#: Characters of a message that go onto an order.
LONGEST_SAID = 300


def remember_words(turn: Turn) -> None:
    """Keep what the customer says about the trouble, for the order's text."""
    said = turn.memory.setdefault("said", [])
    no_facts = turn.intent in _NO_FACTS and turn.confidence >= MEANT
    # Numbers alone are an account or what proves it: no business of the crew's.
    # When it began is a fact, whatever else the message asks.
    no_facts = no_facts and not turn.entity("time")
    words = turn.raw[:LONGEST_SAID]
    if words and words not in said and not no_facts and not ONLY_A_NUMBER.fullmatch(turn.words):
        said.append(words)


def uses_phone_on_file(turn: Turn) -> bool:
    """Whether the customer is called at the verified account's number, having named no other."""
    return bool(turn.contact.get("on_file")) and "phone" not in turn.contact


def can_be_called(turn: Turn) -> bool:
    """Whether there is a number to call the customer at."""
    return bool(turn.contact.get("phone")) or uses_phone_on_file(turn)


def said_so_far(turn: Turn) -> str:
    """The customer's words in one line."""
    return turn.pick("；", "; ").join(turn.memory.get("said", []))


async def file_ticket(
    turn: Turn,
    *,
    kind: str,
    utility: str,
    topic: str,
    symptom: str,
    scope: str = "unknown",
    outage_id: str | None = None,
    response: str = "utter_ticket_filed",
) -> Json:
    """POST the ticket (C19, B16) and read back its number and due time. Returns the ticket.

    `symptom` is the dispatcher's line; the customer's own words follow it. Raises DeskDown, DeskRefused: then nothing
    was confirmed.
    """
    said = said_so_far(turn)
    address = address_of(turn.place)[turn.language]
    ticket = await turn.desk.post(
        "/tickets",
        {
            "kind": kind,
            "utility": utility,
            "topic": topic,
            "scope": scope,
            "address": address,
            "service_point_id": turn.place.get("service_point_id"),
            "place_resolved": bool(turn.place.get("resolved")),
            "contact_name": turn.contact.get("name", ""),
            "contact_phone": turn.contact.get("phone", ""),
            "contact_on_file": uses_phone_on_file(turn),
            "description": f"{symptom}{turn.pick('。', '. ') if said else ''}{said}"[:LONGEST_DESCRIPTION],
            "tried": turn.memory.get("tried", []),
            "language": turn.language,
            "outage_id": outage_id,
            "priority": 1 if topic == "hazard" else None,
        },
    )
    turn.slots["ticket"] = ticket["number"]
    say_ticket(turn, ticket, response)
    return ticket


def say_ticket(turn: Turn, ticket: Json, response: str) -> None:
    """Read back number, address, phone and due time."""
    turn.say(
        f"{response}_existing" if ticket.get("existing") else response,
        number=spoken_number(ticket["number"]),
        address=ticket.get("address") or turn.pick("（未定位）", "(not located)"),
        name=ticket.get("contact_name") or turn.pick("（未留）", "(none given)"),
        phone=ticket.get("contact_phone") or turn.pick("（未留）", "(none given)"),
    )
    if ticket["kind"] == "fault_report" and not ticket.get("existing"):
        say_due(turn, ticket)


def say_due(turn: Turn, ticket: Json) -> None:
    """When a crew is due (D3), where the ticket has such a time."""
    due = parse_time(ticket.get("arrival_due_at"))
    if due is not None:
        turn.say("utter_arrival_due", due=spoken_time(due, datetime.now(UTC)))


async def contact_record(turn: Turn, kind: str, summary: str) -> None:
    """Note the contact (C7, C16, C18). A refusal changes nothing for the customer and is not theirs to hear."""
    try:
        await turn.desk.post(
            f"{turn.desk.own}/contact-records",
            {"kind": kind, "summary": summary[:300], "service_point_id": turn.place.get("service_point_id")},
        )
    except DeskRefused:
        return
