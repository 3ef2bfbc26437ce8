"""Danger to life (A9, B11). The API has sent the safety words and filed the order before the bot hears of it; what is
left is the exact place and a number to call."""

from bot.actions.contact import NO_PHONE, ContactSteps
from bot.actions.filing import file_ticket, remember_words, say_due
from bot.actions.journey import DANGER, DeskAction, begin, finish
from bot.actions.place import PlaceSteps, address_of
from bot.actions.times import spoken_number
from bot.actions.turn import Turn

SYMPTOM = {"zh": "危险：客户报告险情", "en": "DANGER: hazard reported"}


class Hazard(PlaceSteps, ContactSteps):
    """`memory`: number of the danger ticket."""

    name = "hazard"
    rank = DANGER
    title = {"zh": "险情", "en": "the hazard"}
    ask_place = "utter_hazard_ask_place"
    ask_contact = "utter_hazard_ask_contact"
    contact_options = (NO_PHONE,)

    async def start(self, turn: Turn) -> None:
        remember_words(turn)
        danger = turn.metadata.get("danger") or {}
        turn.memory["kind"] = danger.get("kind")
        number = danger.get("ticket_number")
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
        if turn.entity("phone"):
            self._take_contact(turn)
            await self._write_down(turn)
        await super().answer(turn)

    def heard_beside(self, turn: Turn) -> bool:
        return bool(turn.entity("phone"))

    async def again(self, turn: Turn) -> None:
        """More danger words: the order already has them; go on with the question."""
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
        """A danger order is never withdrawn by the bot: a crew looks first."""
        turn.leave()
        turn.say("utter_hazard_stays")


class ActionHazard(DeskAction):
    """Danger comes before everything."""

    action = "action_hazard"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "hazard")
