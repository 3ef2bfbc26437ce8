"""Correcting and withdrawing one's own report."""

import re

from bot.actions.desk import DeskRefused, Json
from bot.actions.journey import finish
from bot.actions.place import place_instead
from bot.actions.place_words import corrected_words, looks_like_address
from bot.actions.remarks import denies_danger, takes_back
from bot.actions.ticket_words import BEFORE_ARRIVAL
from bot.actions.times import spoken_number
from bot.actions.turn import Option, Turn
from bot.nlu.names import name_in

_BACK = re.compile(
    r"(?<!没)(?<!没有)(?<!不)(?<!再)(?:来(?:电|水)|恢复)了|(?<!没)有(?:电|水)了|(?<![没说约打讲])好了"
    r"|(?<![打拨没])通了"
    r"|(?<![没不])亮了|正常了"
    r"|(?<!not )(?<!n't )(?<!nt )(?<!\bme )(?<!get )(?<!be )(?<!body came )(?<!one came )(?<!come )\bback\b(?! to me)"
    r"|(?<!not )(?<!n't )(?<!nt )\b(?:restored|working again|sorted|resolved|fixed|on again)\b"
    r"|(?<!not )(?<!n't )\b(?:better|fine|ok|okay|works|working) now\b",
    re.IGNORECASE,
)

_NAME = re.compile(r"名字|姓名|我姓|我叫|\bmy name\b|\bname is\b", re.IGNORECASE)

REAL = Option("real", "现在真的有危险", "It is really happening")
ONLY_ASKED = Option("only_asked", "没有，我只是问问", "No, I was only asking")
_ONLY_ASKED = "no danger: the customer only asked"


async def amend(turn: Turn) -> bool:
    """A correction of the ticket filed in this conversation (phone, name, place). False where there is none."""
    number = turn.slots["ticket"]
    if not number or not turn.words:
        return False
    phone = turn.entity("phone")
    words = corrected_words(turn.words) or (turn.words if looks_like_address(turn.words) else None)
    change: Json = {}
    if phone and str(phone) != turn.contact.get("phone"):
        change["contact_phone"] = turn.contact["phone"] = str(phone)
    elif _NAME.search(turn.words) and name_in(turn.raw):
        change["contact_name"] = turn.contact["name"] = str(name_in(turn.raw))
    elif words and name_in(words):
        change["contact_name"] = turn.contact["name"] = str(name_in(words))
    elif words:
        best = await place_instead(turn, words)
        if best:
            address = best["address_zh"] if turn.zh else best["address_en"]
            change = {"address": f"{address}{best['detail'] or ''}", "service_point_id": best["service_point_id"]}
            turn.slots["place"] = {**best, "resolved": True, "words": words}
    if not change:
        return False
    try:
        ticket = await turn.desk.patch(f"/tickets/{number}", change)
    except DeskRefused as refusal:
        if refusal.status == 422:
            turn.say("utter_phone_invalid", digits=sum(c.isdigit() for c in turn.words))
        else:
            turn.say("utter_ticket_fixed", number=spoken_number(number))
        return True
    turn.say(
        "utter_ticket_amended",
        number=spoken_number(number),
        address=ticket.get("address", ""),
        name=ticket.get("contact_name") or turn.pick("（未留）", "(none given)"),
        phone=ticket.get("contact_phone") or turn.pick("（未留）", "(none given)"),
    )
    return True


def is_back(words: str) -> bool:
    """Whether the customer says that supply is back ("it is fine now")."""
    return bool(_BACK.search(words)) and not re.search(r"[?？]|吗|什么时候|\bwhen\b", words)


async def withdraw(turn: Turn) -> bool:
    """Withdraw this conversation's ticket ("it is back now", "no need to come"). False where there is none."""
    number = turn.slots["ticket"]
    if not number:
        return False
    back = bool(_BACK.search(turn.words))
    ticket = await turn.desk.get(f"/tickets/{number}")
    if ticket["status"] == "cancelled":
        turn.say("utter_ticket_already_withdrawn", number=spoken_number(number))
    elif ticket.get("topic") == "hazard" or ticket.get("priority") == 1:
        if not await retract(turn):
            turn.say("utter_hazard_stays")
    elif ticket["status"] not in BEFORE_ARRIVAL:
        turn.say("utter_ticket_fixed", number=spoken_number(number))
    else:
        reason = "supply is back" if back else "withdrawn by the customer"
        await turn.desk.patch(f"/tickets/{number}", {"status": "cancelled", "reason": reason})
        turn.say("utter_ticket_withdrawn_back" if back else "utter_ticket_withdrawn", number=spoken_number(number))
    return True


async def retract(turn: Turn) -> bool:
    """Withdraw a danger order whose customer says that there never was any danger ("I was only asking").

    Once the customer has said that it is real, such words are not enough, and plain ones ("取消", "没有这回事") are
    asked about once more. False where the words say no such thing, or there is no such order. What has passed or is
    merely not wanted any more is looked at by a crew all the same.
    """
    number = turn.slots["ticket"]
    real = bool(number) and turn.contact.get("danger") == number
    if not number or not (denies_danger(turn.words) or (real and takes_back(turn.words))):
        return False
    ticket = await turn.desk.get(f"/tickets/{number}")
    if ticket.get("topic") != "hazard" or ticket["status"] not in BEFORE_ARRIVAL:
        return False
    if not real:
        await withdraw_danger(turn, number)
    elif takes_back(turn.words):
        ask_once_more(turn, number)
    else:
        turn.say("utter_hazard_stays")
        turn.ask_again()
    return True


def ask_once_more(turn: Turn, number: str | None) -> None:
    """Ask again whether the danger is real; only after this no is it let go."""
    if turn.journey != "hazard":
        turn.enter("hazard", number=number)
    turn.memory["once_more"] = True
    turn.ask("is_real", "utter_hazard_ask_once_more", [REAL, ONLY_ASKED])


async def withdraw_danger(turn: Turn, number: str) -> None:
    """Withdraw a danger order, and say so."""
    await turn.desk.patch(f"/tickets/{number}", {"status": "cancelled", "reason": _ONLY_ASKED})
    turn.slots["ticket"] = None
    turn.contact.pop("danger", None)
    turn.say("utter_hazard_withdrawn", number=spoken_number(number))
    if turn.journey == "hazard":
        await finish(turn)
