"""Power that is there but unsteady: voltage too low or too high, lights that flicker (D6, D8)."""

from bot.actions.desk import Json
from bot.actions.journey import finish
from bot.actions.outage import Outage
from bot.actions.place import address_of
from bot.actions.supply import describe
from bot.actions.times import spoken_number
from bot.actions.turn import Option, Turn


class Voltage(Outage):
    """Not an outage: nothing is off, so neither the account nor a tripped switch is the reason."""

    name = "voltage"
    title = {"zh": "电压不稳的事", "en": "the unsteady voltage"}
    topic = "voltage"
    surroundings = Option("surroundings", "周围都这样", "The neighbours too")
    symptoms = {
        "household": {"zh": "一户电压不稳，灯光闪烁", "en": "Unsteady voltage in one household"},
        "surroundings": {"zh": "周围成片电压不稳", "en": "Unsteady voltage here and around"},
        "unknown": {"zh": "电压不稳，范围不明", "en": "Unsteady voltage, extent unknown"},
    }

    async def start(self, turn: Turn) -> None:
        turn.say("utter_voltage_sorry")
        self._take_in(turn)
        await self.need_place(turn)

    def guide_for(self, turn: Turn) -> str:
        return "unsteady_voltage"

    async def place_known(self, turn: Turn) -> None:
        point = turn.place.get("service_point_id")
        situation: Json = {}
        if point:
            situation = await turn.desk.get(f"/service-points/{point}/situation", utility=self.utility)
        orders = [t for t in situation.get("open_tickets", []) if t.get("topic") == self.topic]
        own = next((t for t in orders if t["number"] == turn.slots["ticket"]), None)
        fault = next((o for o in situation.get("outages", []) if o["phase"] == "current"), None)
        if own:
            turn.say("utter_own_order", number=spoken_number(own["number"]))
            await finish(turn)
            return
        if fault:
            turn.say("utter_voltage_fault_near", **describe(fault, turn.place))
        elif turn.place.get("resolved") and "utter_place_corrected" not in turn.said:
            turn.say("utter_place_heard", address=address_of(turn.place))
        await self._unknown_cause(turn)

    async def whole_place_known(self, turn: Turn, place: Json) -> bool:
        return False

    async def _unknown_cause(self, turn: Turn) -> None:
        scope = turn.memory.get("scope")
        if scope == "household":
            await self.run_guide(turn, self.guide_for(turn))
        elif scope is None:
            turn.ask("scope", "utter_voltage_ask_scope", self.scope_options)
        else:
            await super()._unknown_cause(turn)
