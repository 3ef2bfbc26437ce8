"""Journeys whose guide comes before the place: where it is matters only for a ticket."""

from bot.actions.desk import Json
from bot.actions.place import address_of
from bot.actions.supply_journey import SupplyJourney
from bot.actions.turn import Turn


class GuideFirstJourney(SupplyJourney):
    """A journey whose guide comes before the place: where it is matters only for a ticket."""

    async def again(self, turn: Turn) -> None:
        self._take_in(turn)
        if self.keeps(turn) or turn.step == "check_first":
            await self.answer(turn)
        else:
            turn.ask_again()

    async def place_known(self, turn: Turn) -> None:
        turn.memory["place_done"] = True
        if turn.place.get("resolved"):
            turn.say("utter_place_heard", address=address_of(turn.place))
        await self.need_contact(turn)

    async def whole_place_known(self, turn: Turn, place: Json) -> bool:
        return False

    async def need_contact(self, turn: Turn) -> None:
        if turn.memory.get("place_done"):
            await super().need_contact(turn)
        else:
            await self.need_place(turn)
