"""Danger to life (A9, B11). The API has sent the safety words and filed the order before the bot hears of it; what is
left is the exact place and a number to call."""

import re

from bot.actions.contact import NO_PHONE, ContactSteps
from bot.actions.filing import file_ticket, remember_words, say_due
from bot.actions.journey import DANGER, DeskAction, begin, finish, proceed
from bot.actions.place import PlaceSteps, address_of
from bot.actions.place_words import looks_like_address
from bot.actions.remarks import denies_danger, says_there_is_none, supposes, takes_back
from bot.actions.tickets import ONLY_ASKED, REAL, ask_once_more, retract, withdraw_danger
from bot.actions.times import spoken_number
from bot.actions.turn import Turn

_HAPPENING = re.compile(r"有|真的|现在|正在|是的?$|已经|\b(?:yes|real(?:ly)?|happening|now|it is)\b", re.IGNORECASE)
SYMPTOM = {"zh": "危险：客户报告险情", "en": "DANGER: hazard reported"}


class Hazard(PlaceSteps, ContactSteps):
    """`memory`: number of the danger ticket, once_more (whether it is real is asked for the second time)."""

    name = "hazard"
    rank = DANGER
    title = {"zh": "险情", "en": "the hazard"}
    ask_place = "utter_hazard_ask_place"
    ask_contact = "utter_hazard_ask_contact"
    contact_options = (NO_PHONE,)

    def keeps(self, turn: Turn) -> bool:
        return turn.step == "is_real" or super().keeps(turn)

    async def start(self, turn: Turn) -> None:
        remember_words(turn)
        danger = turn.metadata.get("danger") or {}
        turn.memory["kind"] = danger.get("kind")
        number = danger.get("ticket_number")
        if not number and supposes(turn.words):
            # Nobody's danger words, and no more than a question: the safety words are the answer, nothing is filed yet.
            turn.say("utter_hazard_general")
            turn.ask("is_real", "utter_hazard_is_it_real", [REAL, ONLY_ASKED])
            return
        if number and supposes(turn.words):
            turn.memory["number"] = turn.slots["ticket"] = number
            turn.say("utter_hazard_filed", number=spoken_number(number))
            turn.ask("is_real", "utter_hazard_is_it_real", [REAL, ONLY_ASKED])
            return
        await self._file(turn, number)

    async def _file(self, turn: Turn, number: str | None) -> None:
        """The order that the front desk filed, or a new one; then what is known goes onto it."""
        if number:
            turn.memory["number"] = turn.slots["ticket"] = number
            turn.say("utter_hazard_filed", number=spoken_number(number))
        else:
            turn.say("utter_hazard_general")
            water = turn.entity("utility") == "water"
            ticket = await file_ticket(
                turn,
                kind="fault_report",
                utility="water" if water else "power",
                topic="hazard",
                symptom=SYMPTOM[turn.language],
                response="utter_hazard_ticket",
            )
            turn.memory["number"] = ticket["number"]
        self._take_contact(turn)
        await self._write_down(turn)
        await self.need_place(turn)

    async def answer_is_real(self, turn: Turn) -> None:
        if self._denied(turn):
            plain = turn.option is None and not denies_danger(turn.words)
            if turn.voice and plain and not turn.memory.get("once_more"):
                # A voice is misheard: a plain no is asked about before danger is let go.
                ask_once_more(turn, turn.memory.get("number"))
            else:
                await self._not_real(turn)
            return
        located = bool(turn.entity("phone")) or looks_like_address(turn.words)
        if not (
            turn.option == "real" or turn.yes or turn.metadata.get("danger") or located or _HAPPENING.search(turn.words)
        ):
            await self.misunderstood(turn)
            return
        remember_words(turn)
        turn.memory.pop("once_more", None)
        if turn.memory.get("number"):
            turn.contact["danger"] = turn.memory["number"]
            self._take_contact(turn)
            await self._write_down(turn)
            await self.need_place(turn)
        else:
            await self._file(turn, None)
            turn.contact["danger"] = turn.slots["ticket"]

    def _denied(self, turn: Turn) -> bool:
        if turn.option is not None:
            return turn.option in ("only_asked", "no")
        taken_back = bool(turn.memory.get("once_more")) and takes_back(turn.words)
        return denies_danger(turn.words) or turn.no or taken_back

    async def _not_real(self, turn: Turn) -> None:
        number = turn.memory.get("number")
        if number:
            await withdraw_danger(turn, number)
        else:
            turn.say("utter_hazard_only_asked")
            await finish(turn)

    async def _write_down(self, turn: Turn) -> None:
        """Put on the order whatever is known by now: a crew may be on its way."""
        known = {"contact_phone": turn.contact.get("phone"), "contact_name": turn.contact.get("name")}
        if turn.place:
            known["address"] = address_of(turn.place)[turn.language]
            known["service_point_id"] = turn.place.get("service_point_id")
        known = {name: value for name, value in known.items() if value}
        if known:
            await turn.desk.patch(f"/tickets/{turn.memory['number']}", known)

    async def answer(self, turn: Turn) -> None:
        if turn.step != "is_real" and await retract(turn):
            return
        if turn.entity("phone") and turn.memory.get("number"):
            self._take_contact(turn)
            await self._write_down(turn)
        await super().answer(turn)

    def heard_beside(self, turn: Turn) -> bool:
        return bool(turn.entity("phone"))

    async def again(self, turn: Turn) -> None:
        """More danger words: the order already has them; go on with the question."""
        if turn.step == "is_real" and not supposes(turn.words):
            await self.answer_is_real(turn)
            return
        if (
            (turn.step or "").startswith("place")
            and turn.words
            and await self._from_words(turn, turn.words, whole_sentence=True)
        ):
            return
        turn.ask_again()

    async def place_known(self, turn: Turn) -> None:
        await self._write_down(turn)
        turn.say("utter_hazard_place", address=address_of(turn.place))
        await self.need_contact(turn)

    async def contact_known(self, turn: Turn) -> None:
        await self._write_down(turn)
        response = "utter_hazard_done_life" if turn.memory.get("kind") == "life_support" else "utter_hazard_done"
        turn.say(response, number=spoken_number(turn.memory["number"]))
        say_due(turn, await turn.desk.get(f"/tickets/{turn.memory['number']}"))
        await finish(turn)

    async def cancelled(self, turn: Turn) -> None:
        """A danger order is not withdrawn by the bot, a crew looks first; unless there never was any danger."""
        if turn.step == "is_real":
            await self.answer_is_real(turn)
            return
        if not await retract(turn):
            turn.say("utter_hazard_stays")
            turn.leave()


class ActionHazard(DeskAction):
    """Danger comes before everything."""

    action = "action_hazard"

    async def act(self, turn: Turn) -> None:
        if not turn.metadata.get("danger") and says_there_is_none(turn.words):
            if not await proceed(turn):
                turn.say("utter_no_danger_then")
            return
        await begin(turn, "hazard")
