"""Complaints (B13, E9) and damage claims (A5): thank, listen, record what is wanted, say what happens next."""

import re
from typing import ClassVar

from bot.actions.contact import ContactSteps
from bot.actions.filing import file_ticket, remember_words
from bot.actions.journey import COMPLAINT, DeskAction, also, begin, finish
from bot.actions.place import PlaceSteps
from bot.actions.supply import supply_trouble, wants_to_complain
from bot.actions.turn import NO, Option, Turn

SUPPLY_FIRST = Option("supply", "先处理停电停水", "Supply first")
COMPLAINT_FIRST = Option("complaint", "先说投诉", "Complaint first")
ALL_SAID = Option("done", "说完了", "That is all")
STILL = Option("still", "仍要投诉", "Record it anyway")

_OFF_NOW = re.compile(
    r"(?:现在|还|又|一直|正|仍).{0,4}(?:没电|停电|停着|没水|停水|黑着)|(?:没电|没水|停电|停水)(?:了|呢|着)?(?:到现在|到今天)"
    r"|又(?:停|没电|没水|断)"
    r"|\b(?:still|currently|right now|again)\b.{0,20}\b(?:off|out|no (?:power|water|electricity|light)|dark|dry)\b",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"说完|就这些|没了|没有了|就这样|完了|that'?s (?:all|it)|nothing (?:else|more)|no more|i'?m done|done",
    re.IGNORECASE,
)
#: A rule that explains a grievance (B13): no fault of staff, but the wish is still recorded if the customer insists.
_RULES = {
    "proof": re.compile(r"房产证|产权证|房本|补卡|proof of (?:property|ownership)|replacement card", re.IGNORECASE),
    "arrears": re.compile(
        r"欠费.{0,8}(?:停|断|掐)|(?:停|断|掐).{0,8}欠费|cut.{0,12}(?:arrears|unpaid|not pay)|disconnect", re.IGNORECASE
    ),
}
#: Customers tell it in pieces: so many messages are listened to before the next question.
MOST_PIECES = 4


class Complaint(PlaceSteps, ContactSteps):
    """`memory`: said, pieces, wish, utility."""

    name = "complaint"
    rank = COMPLAINT
    title: ClassVar[dict[str, str]] = {"zh": "您的投诉", "en": "your complaint"}
    free_steps = frozenset({"story", "wish"})

    async def start(self, turn: Turn) -> None:
        remember_words(turn)
        if turn.entity("utility") in ("power", "water"):
            turn.memory["utility"] = turn.entity("utility")
        complains = wants_to_complain(turn.words) or bool(turn.memory.get("resumed"))
        if _OFF_NOW.search(turn.words) and not complains:
            # Angry, but what is needed first is supply, and nobody asked for a complaint to be filed.
            water = turn.memory.get("utility") == "water"
            turn.leave()
            await begin(turn, "water" if water else "outage")
            return
        turn.say("utter_complaint_welcome")
        trouble = None if turn.memory.get("resumed") else supply_trouble(turn.words)
        if trouble:
            await self._supply_first(turn, trouble)
        elif _OFF_NOW.search(turn.words):
            turn.ask("order", "utter_complaint_supply_first", [SUPPLY_FIRST, COMPLAINT_FIRST])
        elif not await self._rule(turn):
            self._listen(turn)

    async def answer_order(self, turn: Turn) -> None:
        if turn.option == "supply" or turn.yes:
            await self._supply_first(turn, str(turn.memory.get("utility")))
        else:
            remember_words(turn)
            self._listen(turn)

    async def _supply_first(self, turn: Turn, utility: str) -> None:
        """Supply before complaint (B13); the complaint is taken up when that is done."""
        turn.leave()
        also(turn, self.name)
        await begin(turn, "water" if utility == "water" else "outage")

    async def _rule(self, turn: Turn) -> bool:
        """Explain the rule where one explains it, once; True when that was done."""
        rule = next((name for name, pattern in _RULES.items() if pattern.search(turn.words)), None)
        if rule is None or turn.memory.get("rule"):
            return False
        turn.memory["rule"] = rule
        turn.say(f"utter_rule_{rule}")
        turn.ask("rule", "utter_ask_still_complain", [STILL, NO])
        return True

    async def answer_rule(self, turn: Turn) -> None:
        if turn.option == "no" or turn.no or turn.intent in ("thank", "goodbye"):
            turn.say("utter_complaint_understood")
            await finish(turn)
        else:
            remember_words(turn)
            self._listen(turn)

    def _listen(self, turn: Turn) -> None:
        if turn.memory.get("pieces"):
            turn.ask("story", "utter_complaint_go_on", [ALL_SAID])
        else:
            turn.ask("story", "utter_complaint_listen", [ALL_SAID])

    async def answer_story(self, turn: Turn) -> None:
        remember_words(turn)
        turn.memory["pieces"] = turn.memory.get("pieces", 0) + 1
        # A phone number in the story means that the customer is done telling it.
        finished = turn.option == "done" or turn.no or _DONE.search(turn.words) or turn.entity("phone")
        if not finished and await self._rule(turn):
            return
        self._take_contact(turn)
        if finished or turn.memory["pieces"] >= MOST_PIECES:
            turn.ask("wish", "utter_complaint_ask_wish")
        else:
            self._listen(turn)

    async def answer_wish(self, turn: Turn) -> None:
        turn.memory["wish"] = turn.words
        await self.need_contact(turn)

    async def again(self, turn: Turn) -> None:
        await self.answer(turn)

    async def contact_known(self, turn: Turn) -> None:
        wish = turn.memory.get("wish")
        await file_ticket(
            turn,
            kind="complaint",
            utility=turn.memory.get("utility") or "power",
            topic="complaint",
            symptom=turn.pick(
                f"投诉。客户希望：{wish or '未说明'}",
                f"Complaint. The customer wants: {wish or 'not said'}",
            ),
            response="utter_complaint_filed",
        )
        turn.say("utter_complaint_next")
        await finish(turn)

    ask_contact = "utter_complaint_ask_contact"


class DamageClaim(PlaceSteps, ContactSteps):
    """An appliance or goods harmed by a cut or surge (A5): what, when, where; contact within 24 hours."""

    name = "damage_claim"
    rank = COMPLAINT
    title: ClassVar[dict[str, str]] = {"zh": "损坏索赔", "en": "the damage claim"}
    free_steps = frozenset({"what", "when"})
    ask_contact = "utter_complaint_ask_contact"

    async def start(self, turn: Turn) -> None:
        turn.say("utter_damage_sorry")
        remember_words(turn)
        turn.ask("what", "utter_damage_ask_what")

    async def answer_what(self, turn: Turn) -> None:
        remember_words(turn)
        turn.ask("when", "utter_damage_ask_when")

    async def answer_when(self, turn: Turn) -> None:
        remember_words(turn)
        await self.need_place(turn)

    async def again(self, turn: Turn) -> None:
        await self.answer(turn)

    async def place_known(self, turn: Turn) -> None:
        await self.need_contact(turn)

    async def contact_known(self, turn: Turn) -> None:
        await file_ticket(
            turn,
            kind="damage_claim",
            utility="water" if turn.entity("utility") == "water" else "power",
            topic="damage_claim",
            symptom=turn.pick("家电/财产损坏核损", "Damage claim"),
            response="utter_damage_filed",
        )
        turn.say("utter_damage_next")
        await finish(turn)


class ActionComplaint(DeskAction):
    """The wish to complain."""

    action = "action_complaint"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "complaint")


class ActionDamageClaim(DeskAction):
    """Harm by a cut or surge."""

    action = "action_damage_claim"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "damage_claim")
