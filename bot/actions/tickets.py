"""What became of a report; correcting and withdrawing one's own."""

import re
from datetime import UTC, datetime

from bot.actions.desk import DeskRefused, Json
from bot.actions.journey import REST, DeskAction, Journey, begin, finish, running
from bot.actions.place import place_instead
from bot.actions.place_words import corrected_words, looks_like_address
from bot.actions.times import Bilingual, parse_time, spoken_number, spoken_time
from bot.actions.turn import Turn
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

STATUS: dict[str, Bilingual] = {
    "received": {"zh": "已受理，等待派单", "en": "received, waiting to be dispatched"},
    "dispatched": {"zh": "已派单", "en": "dispatched to a crew"},
    "accepted": {"zh": "抢修人员已接单", "en": "accepted by a crew"},
    "on_site": {"zh": "抢修人员已到现场", "en": "a crew is on site"},
    "repaired": {"zh": "已修复", "en": "repaired"},
    "customer_informed": {"zh": "已处理并告知", "en": "dealt with, and you were told"},
    "followed_up": {"zh": "已回访", "en": "followed up"},
    "closed": {"zh": "已办结", "en": "closed"},
    "transferred": {"zh": "已转其他单位处理", "en": "passed on to another unit"},
    "returned": {"zh": "已退回", "en": "returned"},
    "cancelled": {"zh": "已撤销", "en": "withdrawn"},
}
#: Before a crew is on site a customer may still change or withdraw an order.
OPEN = ("received", "dispatched", "accepted")


class TicketStatus(Journey):
    """The conversation's own tickets at once; another one by number plus the phone it was filed with."""

    name = "ticket_status"
    rank = REST
    title = {"zh": "查工单", "en": "your ticket"}

    async def start(self, turn: Turn) -> None:
        number = turn.entity("ticket_number")
        if number:
            turn.memory["number"] = str(number)
        elif turn.slots["ticket"]:
            await self._own(turn, turn.slots["ticket"])
            return
        await self._next(turn)

    async def _own(self, turn: Turn, number: str) -> None:
        ticket = await turn.desk.get(f"/tickets/{number}")
        say_status(turn, ticket)
        await finish(turn)

    async def _next(self, turn: Turn) -> None:
        phone = turn.entity("phone")
        if phone:
            turn.memory["phone"] = str(phone)
        if not turn.memory.get("number"):
            turn.ask("number", "utter_ask_ticket_number")
        elif not turn.memory.get("phone"):
            turn.ask("phone", "utter_ask_ticket_phone")
        else:
            await self._look_up(turn)

    async def answer_number(self, turn: Turn) -> None:
        number = turn.entity("ticket_number")
        digits = re.sub(r"\D", "", turn.words)
        if number or len(digits) == 12:
            turn.memory["number"] = str(number or digits)
            await self._next(turn)
        elif digits:
            turn.ask("number", "utter_ticket_number_invalid", digits=len(digits))
        elif turn.no or re.search(
            r"不记得|忘|没有|不知道|丢|don'?t (?:have|know|remember)|lost|forgot", turn.words, re.IGNORECASE
        ):
            turn.leave()
            turn.say("utter_ticket_number_lost")
        else:
            await self.misunderstood(turn)

    async def answer_phone(self, turn: Turn) -> None:
        digits = re.sub(r"\D", "", turn.words)
        if turn.entity("phone") or len(digits) >= 7:
            turn.memory["phone"] = str(turn.entity("phone") or digits)
            await self._next(turn)
        elif turn.no:
            turn.leave()
            turn.say("utter_ticket_number_lost")
        else:
            await self.misunderstood(turn)

    async def _look_up(self, turn: Turn) -> None:
        try:
            answer = await turn.desk.post(
                f"{turn.desk.own}/ticket-lookups", {"number": turn.memory["number"], "phone": turn.memory["phone"]}
            )
        except DeskRefused as refusal:
            if refusal.type == "locked":
                until = parse_time(refusal.problem.get("until"))
                later = {"zh": "稍后", "en": "later"}
                turn.say("utter_verification_locked", until=spoken_time(until, datetime.now(UTC)) if until else later)
                turn.leave()
                return
            if refusal.status != 422:
                raise
            answer = {"found": False}
        if answer.get("found"):
            say_status(turn, answer["ticket"])
            await finish(turn)
        elif turn.memory.get("tried_once"):
            turn.leave()
            turn.say("utter_ticket_not_found_last")
        else:
            turn.slots["memory"] = {"tried_once": True}
            turn.ask("number", "utter_ticket_not_found")


def say_status(turn: Turn, ticket: Json) -> None:
    """A ticket's number, state, age and due time."""
    now = datetime.now(UTC)
    created, due = parse_time(ticket.get("created_at")), parse_time(ticket.get("arrival_due_at"))
    turn.say(
        "utter_ticket_status",
        number=spoken_number(ticket["number"]),
        status=STATUS.get(ticket["status"], STATUS["received"]),
        created=spoken_time(created, now) if created else {"zh": "", "en": ""},
    )
    if due and ticket["status"] in OPEN:
        turn.say("utter_arrival_due", due=spoken_time(due, now))


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
    elif _NAME.search(turn.words) and name_in(turn.words):
        change["contact_name"] = turn.contact["name"] = str(name_in(turn.words))
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
        turn.say("utter_hazard_stays")
    elif ticket["status"] not in OPEN:
        turn.say("utter_ticket_fixed", number=spoken_number(number))
    else:
        reason = "supply is back" if back else "withdrawn by the customer"
        await turn.desk.patch(f"/tickets/{number}", {"status": "cancelled", "reason": reason})
        turn.say("utter_ticket_withdrawn_back" if back else "utter_ticket_withdrawn", number=spoken_number(number))
    return True


class ActionTicketStatus(DeskAction):
    """What became of my report."""

    action = "action_ticket_status"

    async def act(self, turn: Turn) -> None:
        active = running(turn)
        if active is not None and active.name != "ticket_status" and turn.slots["ticket"] and not active.keeps(turn):
            # A question in the middle: answered, then back to what was asked.
            say_status(turn, await turn.desk.get(f"/tickets/{turn.slots['ticket']}"))
            turn.ask_again()
        elif active is not None and not turn.slots["ticket"] and not turn.entity("ticket_number"):
            await active.answer(turn)  # "when do they come" before anything is filed is impatience
        else:
            await begin(turn, "ticket_status")
