"""What a supply journey owes its customer beside the fault: the account's own reasons, what is known already, and an
answer without a report where nothing more is wanted (C5, C9, C13, C17)."""

from typing import Any, ClassVar

from bot.actions.contact import ContactSteps
from bot.actions.desk import Json
from bot.actions.filing import contact_record, said_so_far
from bot.actions.guide import GuideSteps
from bot.actions.journey import finish
from bot.actions.known import matters, own_order
from bot.actions.outlets import nearest_outlet
from bot.actions.place import PlaceSteps, address_of, place_instead
from bot.actions.place_words import looks_like_address
from bot.actions.supply import describe
from bot.actions.times import Bilingual, spoken_number
from bot.actions.turn import Turn
from bot.actions.verify import VerifySteps

_CUT: dict[str, Bilingual] = {
    "power": {"zh": "停电", "en": "power cut"},
    "water": {"zh": "停水", "en": "water cut"},
}
_UTILITY: dict[str, Bilingual] = {
    "power": {"zh": "用电", "en": "power"},
    "water": {"zh": "用水", "en": "water"},
}


class CustomerSteps(PlaceSteps, ContactSteps, VerifySteps, GuideSteps):
    """`memory`: why_asked (is it an unpaid bill?), balance (the account is fine), only_tell (file nothing)."""

    utility: ClassVar[str]

    def guide_for(self, turn: Turn) -> str:
        """The guide for a single household."""
        raise NotImplementedError

    def say(self, turn: Turn, what: str, **values: Any) -> None:
        turn.say(f"utter_{self.utility}_{what}", **values)

    async def _asked_why(self, turn: Turn) -> None:
        """ "Is it because I have not paid?": only the account can tell, and it knows the address as well."""
        turn.memory["why_asked"] = True
        if looks_like_address(turn.words) and not turn.place.get("resolved"):
            named = await place_instead(turn, turn.words)
            if named:
                self._take_place(turn, named)
        await self.need_account(turn)

    async def answer_verify_account(self, turn: Turn) -> None:
        if turn.memory.get("why_asked") and looks_like_address(turn.words) and not turn.entity("account"):
            named = await place_instead(turn, turn.words)
            if named:  # the place instead of the account: so be it
                self._take_place(turn, named)
                await self.not_verified(turn)
                return
        await super().answer_verify_account(turn)

    async def _only_tell(self, turn: Turn) -> None:
        """ "Don't send anyone, just tell me when it is back": what is known is told, and nothing is filed."""
        turn.memory["only_tell"] = True
        if turn.place.get("resolved"):
            await self.place_known(turn)
        else:
            await self.need_place(turn)

    async def _tell_only(self, turn: Turn, situation: Json, what: str, subject: Json) -> None:
        """Say what is known of the place; nobody is registered, nothing is filed."""
        told = {"planned": "planned_now", "fault": "fault_known", "predicted": "predicted", "second": "fault_known"}
        if what in told:
            response = "overdue" if subject.get("overdue") else told[what]
            self.say(turn, response, **describe(subject, turn.place))
            turn.slots["outage"] = subject["id"]
        elif what in ("order", "own_order"):
            turn.say("utter_open_order_news", address=address_of(turn.place))
        else:
            self.say(turn, "none_known", address=address_of(turn.place))
            if ahead := next_planned(situation):
                planned_notice(turn, self.utility, ahead)
        turn.say("utter_nothing_filed")
        await finish(turn)

    async def _added_to_own(self, turn: Turn, point: str | None) -> bool:
        """Add what was said now to the verified customer's open report, filed on whatever channel; True if there is."""
        order = own_order(await matters(turn), self.utility, point, turn.memory.get("scope"))
        if order is None or turn.memory.get("only_tell"):
            return False
        words = said_so_far(turn)
        if words:
            note = {"text": words, "tried": turn.memory.get("tried", []), "contact_on_file": order["joined"]}
            await turn.desk.post(f"/tickets/{order['number']}/notes", note)
        turn.slots["ticket"] = order["number"]
        turn.contact.setdefault("ticket", order["number"])
        turn.say("utter_known_added", number=spoken_number(order["number"]))
        await finish(turn)
        return True

    async def verified(self, turn: Turn, account: Json) -> None:
        if account["utility"] != self.utility:
            # Of the water, a power account tells nothing.
            turn.say("utter_account_of_other_utility", what=_UTILITY[account["utility"]])
            if turn.memory.pop("why_asked", None):
                await self._go_on(turn)
            else:
                await self._guide_on(turn)
            return
        if account["state"] == "cut_off":
            self.say(turn, "cut_off", amount=account["balance"].lstrip("-"))
        elif account["state"] == "unregistered":
            self.say(turn, "unregistered")
        elif account["prepaid"] and float(account["balance"]) <= 0:
            self.say(turn, "prepaid_zero")
        elif await self._added_to_own(turn, turn.place.get("service_point_id")):
            return
        else:
            turn.memory["balance"] = "positive"
            if turn.memory.pop("why_asked", None):
                turn.say("utter_not_arrears")
                await self.place_known(turn)
            else:
                self.say(turn, "account_fine")
                await self._guide_on(turn)
            return
        await nearest_outlet(turn, self.utility, hall=account["state"] == "unregistered")
        await contact_record(turn, "cut_off", "told why the supply is cut off and how to be reconnected")
        await finish(turn)

    async def not_verified(self, turn: Turn) -> None:
        if turn.memory.pop("why_asked", None):
            turn.say("utter_arrears_unknown")
            await self._go_on(turn)
            return
        self.say(turn, "without_account")
        await self._guide_on(turn)

    async def _guide_on(self, turn: Turn) -> None:
        """Run the guide, from where the account number interrupted it."""
        if turn.memory.get("guide") == self.guide_for(turn) and turn.memory.get("guide_step"):
            await self._enter(turn, turn.memory["guide_step"])
        else:
            await self.run_guide(turn, self.guide_for(turn))

    async def _go_on(self, turn: Turn) -> None:
        """Take up the report where a question interrupted it."""
        if turn.place.get("resolved"):
            await self.place_known(turn)
        else:
            await self.need_place(turn)


def next_planned(situation: Json) -> Json | None:
    """The next announced cut of a place."""
    outages = situation.get("outages", [])
    return next((o for o in outages if o["kind"] == "planned" and o.get("phase") == "upcoming"), None)


def planned_notice(turn: Turn, utility: str, ahead: Json) -> None:
    """Tell an announced cut of the known place; "and there?" may follow."""
    turn.say("utter_planned_notice", what=_CUT[utility], **describe(ahead, turn.place))
    turn.place.setdefault("planned", {"utilities": [utility], "day": None})
