"""Power is off (C1–C20, B3, B10, D6, D7)."""

from bot.actions.desk import DeskRefused
from bot.actions.journey import DeskAction, begin
from bot.actions.place_words import looks_like_address
from bot.actions.remarks import flickers
from bot.actions.supply import cause_of, describe
from bot.actions.supply_journey import SupplyJourney
from bot.actions.ticket_status import of_joined
from bot.actions.turn import Option, Turn


class Outage(SupplyJourney):
    """A power cut."""

    name = "outage"
    title = {"zh": "停电的事", "en": "the power cut"}
    utility = "power"
    topic = "outage"
    surroundings = Option("surroundings", "周围都停了", "The neighbours too")
    neighbours_fine = Option("neighbours_lit", "邻居家有电", "My neighbours have power")
    symptoms = {
        "household": {"zh": "一户停电", "en": "No power in one household"},
        "surroundings": {"zh": "周围成片停电", "en": "No power here and around"},
        "unknown": {"zh": "停电，范围不明", "en": "No power, extent unknown"},
    }

    def guide_for(self, turn: Turn) -> str:
        return "household_dark"

    def keeps(self, turn: Turn) -> bool:
        # "The breaker tripped" is news about the dark home, not another wish.
        dark = turn.step in ("check_first", "scope", "guide", "contact") and turn.intent == "meter_switch_problem"
        return dark or super().keeps(turn)


class ActionOutage(DeskAction):
    """A power cut is reported."""

    action = "action_outage"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "voltage" if flickers(turn.words) and turn.journey != "outage" else "outage")


class ActionOutageStatus(DeskAction):
    """Any news of an outage, of power or water: the present state of what this conversation knows."""

    action = "action_outage_status"

    async def act(self, turn: Turn) -> None:
        utility = turn.entity("utility")
        if turn.journey is None and not looks_like_address(turn.words) and await of_joined(turn):
            return
        if turn.journey in ("water", "outage", "voltage"):
            await begin(turn, str(turn.journey))
        elif turn.slots["ticket"] and utility != "water":
            # "Any news?" after a report is about that report.
            await begin(turn, "ticket_status")
        elif utility == "water":
            await begin(turn, "water", asking=True)
        elif turn.slots["outage"] and not looks_like_address(turn.words):
            await self._of_outage(turn, turn.slots["outage"])
        else:
            await begin(turn, "outage", asking=True)

    async def _of_outage(self, turn: Turn, outage_id: str) -> None:
        try:
            outage = await turn.desk.get(f"/outages/{outage_id}")
        except DeskRefused:
            await begin(turn, "outage", asking=True)
            return
        ended = outage.get("ended_at")
        values = {**describe(outage, turn.place), "what": cause_of(outage)[1]}
        turn.say("utter_outage_over" if ended else "utter_outage_news", **values)
