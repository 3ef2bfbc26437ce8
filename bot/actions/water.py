"""Weak water, no water, water that looks or smells wrong (E5, E6, E7)."""

from bot.actions.guide_first import GuideFirstJourney
from bot.actions.journey import DeskAction, begin
from bot.actions.supply_journey import SupplyJourney
from bot.actions.turn import Option, Turn
from bot.actions.wishes import brown_water, supply_besides


class Water(SupplyJourney):
    """Low pressure or no water. `memory["weak"]` tells which."""

    name = "water"
    title = {"zh": "用水的事", "en": "the water trouble"}
    utility = "water"
    topic = "no_water"
    surroundings = Option("surroundings", "邻居家也这样", "The neighbours too")
    neighbours_fine = Option("neighbours_fine", "邻居家正常", "My neighbours are fine")
    symptoms = {
        "household": {"zh": "一户用水异常", "en": "Water trouble in one household"},
        "surroundings": {"zh": "周围成片用水异常", "en": "Water trouble here and around"},
        "unknown": {"zh": "用水异常，范围不明", "en": "Water trouble, extent unknown"},
    }

    async def start(self, turn: Turn) -> None:
        turn.memory["weak"] = turn.intent == "low_water_pressure"
        turn.memory["topic"] = "low_pressure" if turn.memory["weak"] else "no_water"
        weak = {"zh": "水压低", "en": "Weak water"}
        none = {"zh": "无水", "en": "No water"}
        turn.memory["symptom"] = weak if turn.memory["weak"] else none
        await super().start(turn)

    def keeps(self, turn: Turn) -> bool:
        # Only plain words make the quality of the water the subject.
        beside = turn.intent == "water_quality" and not brown_water(turn.words)
        return (turn.step not in self.done_steps and beside) or super().keeps(turn)

    def guide_for(self, turn: Turn) -> str:
        return "low_water_pressure" if turn.memory.get("weak") else "no_water"

    async def _unknown_cause(self, turn: Turn) -> None:
        # The causes of E6 are gone through for every caller; only "the whole street" makes that pointless.
        if turn.memory.get("scope") == "unknown":
            turn.memory["scope"] = "household"
        await super()._unknown_cause(turn)


class WaterQuality(GuideFirstJourney):
    """Colour, smell, scale or things in it: each its own explanation (E5), else a ticket."""

    name = "water_quality"
    title = {"zh": "水质的事", "en": "the water quality"}
    utility = "water"
    topic = "water_quality"
    surroundings = Water.surroundings
    neighbours_fine = Water.neighbours_fine
    symptoms = {scope: {"zh": "水质异常", "en": "Water quality"} for scope in ("household", "surroundings", "unknown")}

    async def start(self, turn: Turn) -> None:
        self.say(turn, "quality_sorry")
        self._take_in(turn)
        turn.memory["symptom"] = self.symptoms["unknown"]
        await self.run_guide(turn, "water_quality")

    def guide_for(self, turn: Turn) -> str:
        return "water_quality"


class ActionWater(DeskAction):
    """Weak or no water."""

    action = "action_water"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "water")


class ActionWaterQuality(DeskAction):
    """Water that looks, smells or tastes wrong."""

    action = "action_water_quality"

    async def act(self, turn: Turn) -> None:
        # Of both, supply comes first (B13); the other waits.
        await begin(turn, "outage" if supply_besides(turn.words) == "outage" else "water_quality")
