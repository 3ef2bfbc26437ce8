"""A passer-by, the police or a neighbour reports something (C2, C8): no customer is needed."""

import re

from bot.actions.contact import ContactSteps
from bot.actions.filing import file_ticket, remember_words
from bot.actions.journey import SUPPLY, DeskAction, begin, finish
from bot.actions.place import PlaceSteps, address_of
from bot.actions.turn import Option, Turn
from bot.actions.wishes import wish_in

_IN_THE_STREET = re.compile(
    r"电缆|电线|线缆|电杆|杆子|变压器|井盖|路灯|水管|管道|爆管|漏水|冒水|挖|路边|路上|马路|街上"
    r"|cable|wire|pole|transformer|manhole|street ?light|\bmain\b|pipe|leak|burst|dug|road",
    re.IGNORECASE,
)
#: A leak in the customer's own rooms (E6, the last cause).
_OWN_HOME = re.compile(
    r"(?:我家|家里|厨房|卫生间|厕所|阳台|浴室).{0,10}(?:漏|爆|滴)"
    r"|\bmy (?:kitchen|bathroom|flat|house|home|toilet|balcony)\b.{0,30}leak"
    r"|\b(?:leak\w*|burst|flood\w*|water)\b.{0,24}\b(?:in|inside|under|into) (?:my|our) "
    r"(?:kitchen|bathroom|flat|house|home|toilet|balcony|apartment|basement)\b",
    re.IGNORECASE,
)
NO_NEED = Option("no_phone", "不留电话", "No phone")


class ReportForOthers(PlaceSteps, ContactSteps):
    """What, where, and a number only if they like."""

    name = "others"
    rank = SUPPLY
    title = {"zh": "您报告的情况", "en": "what you reported"}
    free_steps = frozenset({"what"})
    same_place_asked = True
    ask_contact = "utter_others_ask_contact"
    contact_options = (NO_NEED,)
    contact_optional = True

    async def start(self, turn: Turn) -> None:
        wish = wish_in(turn.words)
        if wish in ("outage", "water") and not _IN_THE_STREET.search(turn.words):
            # A neighbour's or a parent's home without supply is an outage like any other.
            turn.leave()
            await begin(turn, wish)
            return
        if _OWN_HOME.search(turn.words):
            turn.say("utter_own_leak")
        else:
            turn.say("utter_others_thanks")
        remember_words(turn)
        turn.memory["utility"] = "water" if turn.entity("utility") == "water" else "power"
        if turn.words:
            await self.need_place(turn)
        else:
            turn.ask("what", "utter_others_ask_what")

    async def answer_what(self, turn: Turn) -> None:
        remember_words(turn)
        await self.need_place(turn)

    async def again(self, turn: Turn) -> None:
        remember_words(turn)
        await self.answer(turn)

    async def place_known(self, turn: Turn) -> None:
        if turn.place.get("resolved"):
            turn.say("utter_place_heard", address=address_of(turn.place))
        await self.need_contact(turn)

    async def contact_known(self, turn: Turn) -> None:
        await file_ticket(
            turn,
            kind="fault_report",
            utility=turn.memory["utility"],
            topic="third_party",
            scope="surroundings",
            symptom=turn.pick("第三方报告（非客户）", "Reported by a third party"),
            response="utter_others_filed",
        )
        await finish(turn)


class ActionReportForOthers(DeskAction):
    """Damaged cable, leaking main, open manhole."""

    action = "action_report_for_others"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "others")
