"""What is known of a customer who has proved an account: told once, unasked, and used instead of asking again.

It lasts as long as the verification does. The phone number on file is the API's to use; here only its mask is known.
"""

from datetime import UTC, datetime

from bot.actions.desk import DeskRefused, Json
from bot.actions.supply import describe
from bot.actions.ticket_words import BEFORE_ARRIVAL, STATUS, about
from bot.actions.times import Bilingual, parse_time, spoken_number, spoken_time
from bot.actions.turn import Turn

_CUT: dict[str, Bilingual] = {
    "power": {"zh": "停电", "en": "power cut"},
    "water": {"zh": "停水", "en": "water cut"},
}
#: So many are told unasked; the rest by asking for them.
MOST_TOLD = 2


async def matters(turn: Turn) -> Json | None:
    """The verified customer's open tickets and outages; None where nobody is verified (any more)."""
    if not turn.contact.get("on_file"):
        return None
    return await _allowed(turn, f"{turn.desk.own}/account/matters")


async def still_known(turn: Turn) -> None:
    """Forget what came from an account once its verification is over."""
    if turn.contact.get("on_file"):
        await _allowed(turn, f"{turn.desk.own}/account")


async def _allowed(turn: Turn, path: str) -> Json | None:
    try:
        return await turn.desk.get(path)
    except DeskRefused as refusal:
        if refusal.type != "not-verified":
            raise
        forget(turn)
        return None


def forget(turn: Turn) -> None:
    """Nothing of an account outlives its verification: not the address, the ticket, the name, the phone."""
    if turn.place.get("of_account"):
        turn.slots["place"] = {}
    if turn.slots["ticket"] and turn.slots["ticket"] == turn.contact.get("ticket"):
        turn.slots["ticket"] = None
    if turn.contact.get("name") == turn.contact.get("holder"):
        turn.contact.pop("name", None)
    for known in ("on_file", "holder", "ticket", "told"):
        turn.contact.pop(known, None)


async def recognise(turn: Turn, account: Json) -> None:
    """The customer has just proved the account: keep whom to call and where, and tell once what is under way."""
    _remember(turn, account)
    found = await matters(turn)
    if found is not None:
        _tell(turn, account, found)


def _remember(turn: Turn, account: Json) -> None:
    turn.contact["on_file"] = account["contact_phone_masked"]
    if account["state"] != "unregistered" and not turn.contact.get("name"):
        turn.contact["name"] = turn.contact["holder"] = account["holder_name"]
    if not turn.place.get("resolved") and not turn.place.get("words"):
        turn.slots["place"] = {
            "service_point_id": account["service_point_id"],
            "address_zh": account["address_zh"],
            "address_en": account["address_en"],
            "detail": account["room"],
            "resolved": True,
            "of_account": True,
        }


def _tell(turn: Turn, account: Json, found: Json) -> None:
    told: list[str] = turn.contact.setdefault("told", [])
    # What was filed or told in this very conversation is no news.
    news = [t for t in found["tickets"] if t["number"] not in (*told, turn.slots["ticket"])]
    for ticket in news[:MOST_TOLD]:
        tell_ticket(turn, ticket)
    if news and not turn.slots["ticket"]:
        main = next((ticket for ticket in news if ticket["kind"] == "fault_report"), news[0])
        turn.slots["ticket"] = turn.contact["ticket"] = main["number"]
    outages = [o for o in found["outages"] if o["id"] not in (*told, turn.slots["outage"], turn.memory.get("joined"))]
    for outage in outages[:1]:
        place = {**account, "detail": ""}
        turn.say("utter_known_outage", what=_CUT[outage["utility"]], **describe(outage, place))
        turn.slots["outage"] = turn.slots["outage"] or outage["id"]
    told += [ticket["number"] for ticket in news] + [outage["id"] for outage in outages]


def tell_ticket(turn: Turn, ticket: Json) -> None:
    """What was reported, when, its number, how it stands, and when a crew is due if that is still ahead."""
    now = datetime.now(UTC)
    created, due = parse_time(ticket["created_at"]), parse_time(ticket.get("arrival_due_at"))
    turn.say(
        "utter_known_joined" if ticket.get("joined") else "utter_known_ticket",
        what=about(ticket),
        number=spoken_number(ticket["number"]),
        status=STATUS.get(ticket["status"], STATUS["received"]),
        created=spoken_time(created, now) if created else {"zh": "", "en": ""},
    )
    if due and due > now and ticket["status"] in BEFORE_ARRIVAL:
        turn.say("utter_arrival_due", due=spoken_time(due, now))


def own_order(found: Json | None, utility: str, point: str | None, scope: str | None) -> Json | None:
    """The customer's open fault report of this utility at this place, to be added to instead of filing another.

    The street's order, to which the customer was added, says nothing of a home that alone is without supply.
    """
    for ticket in (found or {}).get("tickets", []):
        here = ticket["service_point_id"] == point or point is None
        same = ticket["kind"] == "fault_report" and ticket["utility"] == utility and ticket["topic"] != "hazard"
        if here and same and not (ticket["joined"] and scope == "household"):
            return dict(ticket)
    return None
