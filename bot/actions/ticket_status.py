"""What became of a report: one's own at once; another by number and phone, or by proving the account."""

import re
from datetime import UTC, datetime

from bot.actions.desk import DeskRefused, Json
from bot.actions.journey import REST, DeskAction, begin, finish, running
from bot.actions.known import matters, tell_ticket
from bot.actions.place import address_of, place_instead
from bot.actions.place_words import looks_like_address
from bot.actions.readings import PERSON
from bot.actions.ticket_words import BEFORE_ARRIVAL, STATUS
from bot.actions.times import parse_time, spoken_number, spoken_time
from bot.actions.turn import Option, Turn
from bot.actions.verify import VerifySteps
from bot.actions.wishes import wish_in

CHECK_ACCOUNT = Option("account", "核对户号", "Check my account")
NO_NUMBER = Option("no_number", "没有工单号", "I have no number")
BY_PLACE = Option("place", "告诉您地址", "Give the address")

_LOST = re.compile(
    r"不记得|忘|没(?:有)?(?:记|存|留|单号|工单|号|了|$)|没有|不知道|丢|找不到|不清楚|没给"
    r"|\bno (?:number|ticket|idea)|(?:don['’]?t|do not|didn['’]?t|did not|never|can['’]?t|cannot) (?:\w+ )?"
    r"(?:have|know|remember|note|write|keep|save|find|get|recall|took|take)|\blost\b|forg[oe]t",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"户号|核对|\baccount\b|\bverify\b", re.IGNORECASE)
_DIGITS = re.compile(r"[\d\s.-]+")
_TICKET_DIGITS = 12


class TicketStatus(VerifySteps):
    """`memory`: number, phone, tried_once, told (it was reported before), wish and said (what it was about)."""

    name = "ticket_status"
    rank = REST
    title = {"zh": "查工单", "en": "your ticket"}

    async def start(self, turn: Turn) -> None:
        number = turn.entity("ticket_number")
        turn.memory["wish"] = turn.memory.get("wish") or wish_in(turn.words)
        if number:
            turn.memory["number"] = str(number)
        elif turn.slots["ticket"]:
            await self._own(turn, turn.slots["ticket"])
            return
        elif turn.contact.get("on_file"):
            await self.need_account(turn)
            return
        if turn.memory.get("told") and looks_like_address(turn.words) and not turn.place.get("resolved"):
            # Where it is was said already: whoever has no number need not say it again.
            turn.slots["place"] = await _place_in(turn) or turn.place
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
            response = "utter_ask_report_before" if turn.memory.get("told") else "utter_ask_ticket_or_account"
            turn.ask("number", response, [CHECK_ACCOUNT, NO_NUMBER])
        elif not turn.memory.get("phone"):
            turn.ask("phone", "utter_ask_ticket_phone")
        else:
            await self._look_up(turn)

    async def answer_number(self, turn: Turn) -> None:
        number = turn.entity("ticket_number")
        digits = re.sub(r"\D", "", turn.words)
        if number or len(digits) == _TICKET_DIGITS:
            turn.memory["number"] = str(number or digits)
            await self._next(turn)
        elif turn.option == "account" or _ACCOUNT.search(turn.words):
            await self.need_account(turn)
        elif turn.entity("phone"):
            turn.memory["phone"] = str(turn.entity("phone"))
            turn.ask("number", "utter_ask_ticket_or_account", [CHECK_ACCOUNT, NO_NUMBER])
        elif digits and (_DIGITS.fullmatch(turn.words) or not looks_like_address(turn.words)):
            turn.ask("number", "utter_ticket_number_invalid", [CHECK_ACCOUNT, NO_NUMBER], digits=len(digits))
        elif looks_like_address(turn.words):
            await self._by_place(turn)
        elif turn.option == "no_number" or turn.no or _LOST.search(turn.words):
            await self._without_number(turn)
        else:
            await self.misunderstood(turn)

    async def answer_phone(self, turn: Turn) -> None:
        digits = re.sub(r"\D", "", turn.words)
        if turn.entity("phone") or len(digits) >= 7:
            turn.memory["phone"] = str(turn.entity("phone") or digits)
            await self._next(turn)
        elif turn.no or _LOST.search(turn.words):
            await self._without_number(turn)
        else:
            await self.misunderstood(turn)

    async def _without_number(self, turn: Turn) -> None:
        """No number: the account tells which reports are the customer's, the place whether one is under way there."""
        if turn.place.get("resolved") and turn.memory.get("told"):
            await self._by_place(turn)
        else:
            turn.ask("way", "utter_ticket_other_way", [CHECK_ACCOUNT, BY_PLACE, PERSON])

    async def answer_way(self, turn: Turn) -> None:
        if turn.option == "account" or _ACCOUNT.search(turn.words) or turn.entity("account"):
            await self.need_account(turn)
        elif turn.option == "place" or looks_like_address(turn.words) or re.search("地址|address", turn.words):
            await self._by_place(turn)
        elif turn.no or turn.option is not None:
            turn.leave()
            turn.say("utter_ticket_number_lost")
        else:
            await self.misunderstood(turn)

    async def _by_place(self, turn: Turn) -> None:
        """What is known of the place is told to anybody; an order that is open there is joined, not filed again."""
        wish, said = str(turn.memory.get("wish") or "outage"), list(turn.memory.get("said", []))
        turn.leave()
        await begin(turn, wish if wish in ("outage", "water") else "outage", asking=True, said=said)

    async def verified(self, turn: Turn, account: Json) -> None:
        if not {"utter_known_ticket", "utter_known_joined"} & set(turn.said):
            found = await matters(turn)
            for ticket in (found or {"tickets": []})["tickets"]:
                tell_ticket(turn, ticket)
        if not {"utter_known_ticket", "utter_known_joined"} & set(turn.said):
            turn.say("utter_known_none")
            wish = turn.memory.get("wish") if turn.memory.get("told") else None
            if wish in ("outage", "water"):
                await self._by_place(turn)
                return
        await finish(turn)

    async def not_verified(self, turn: Turn) -> None:
        turn.ask("way", "utter_ticket_other_way", [BY_PLACE, PERSON])

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
            kept = ("told", "wish", "said")
            turn.slots["memory"] = {"tried_once": True, **{k: v for k, v in turn.memory.items() if k in kept}}
            turn.ask("number", "utter_ticket_not_found")


async def _place_in(turn: Turn) -> Json | None:
    best = await place_instead(turn, turn.words)
    return {**best, "resolved": True, "words": turn.words[:200]} if best else None


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
    if due and ticket["status"] in BEFORE_ARRIVAL:
        turn.say("utter_arrival_due", due=spoken_time(due, now))


async def of_joined(turn: Turn) -> bool:
    """News of the order to which the customer was added here, as it stands now; False where there is none."""
    number = turn.place.get("order")
    if not number or turn.slots["ticket"]:
        return False
    ticket = await turn.desk.get(f"/tickets/{number}")
    status = STATUS.get(ticket["status"], STATUS["received"])
    turn.say("utter_joined_order_news", number=spoken_number(number), address=address_of(turn.place), status=status)
    due, now = parse_time(ticket.get("arrival_due_at")), datetime.now(UTC)
    if due and due > now and ticket["status"] in BEFORE_ARRIVAL:
        turn.say("utter_arrival_due", due=spoken_time(due, now))
    return True


class ActionTicketStatus(DeskAction):
    """What became of my report."""

    action = "action_ticket_status"

    async def act(self, turn: Turn) -> None:
        active = running(turn)
        if active is None and not turn.entity("ticket_number") and await of_joined(turn):
            return
        if active is not None and active.name != "ticket_status" and turn.slots["ticket"] and not active.keeps(turn):
            # A question in the middle: answered, then back to what was asked.
            say_status(turn, await turn.desk.get(f"/tickets/{turn.slots['ticket']}"))
            turn.ask_again()
        elif active is not None and not turn.slots["ticket"] and not turn.entity("ticket_number"):
            await active.answer(turn)  # "when do they come" before anything is filed is impatience
        else:
            await begin(turn, "ticket_status")
