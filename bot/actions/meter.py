"""A switch that trips or will not close (B9, B12, B14, B15), and prepaid cards (B2, B4)."""

from bot.actions.desk import Json
from bot.actions.guide_first import GuideFirstJourney
from bot.actions.journey import DeskAction, begin
from bot.actions.turn import Option, Turn

CHECK_ACCOUNT = Option("account", "核对户号查余额", "Check my account")
READ_DISPLAY = Option("check", "我看电表显示", "I'll read the meter")


class Meter(GuideFirstJourney):
    """Prepaid balance first, then the safe sequence; ends solved, explained or with a ticket."""

    name = "meter"
    title = {"zh": "开关的事", "en": "the switch"}
    utility = "power"
    topic = "meter_switch"
    surroundings = Option("surroundings", "周围都停了", "The neighbours too")
    neighbours_fine = Option("neighbours_lit", "邻居家有电", "My neighbours have power")
    symptoms = {
        scope: {"zh": "开关跳闸或合不上", "en": "Switch trips or will not close"}
        for scope in ("household", "surroundings", "unknown")
    }

    async def start(self, turn: Turn) -> None:
        if not turn.memory.get("resumed"):
            turn.say("utter_meter_sorry")
        self._take_in(turn)
        turn.memory["scope"] = "household"
        turn.ask("check_first", "utter_meter_first", [CHECK_ACCOUNT, READ_DISPLAY])

    def keeps(self, turn: Turn) -> bool:
        # The balance read out, or "no power" said once more, is part of this trouble.
        related = turn.intent in ("prepaid_card_problem", "ask_bill", "report_outage")
        # "Check the meter" is one of the two answers to the first question.
        related = related or (turn.step == "check_first" and turn.intent == "faq_meter_check")
        return (turn.step in ("check_first", "guide") and related) or super().keeps(turn)

    def guide_for(self, turn: Turn) -> str:
        return "meter_switch"

    async def fact(self, turn: Turn, name: str) -> str:
        return str(turn.memory.get("balance", "unknown")) if name == "balance" else await super().fact(turn, name)


class Card(Meter):
    """Card not read, credit not arrived, loading (B2): apology, cause, longer in the slot, nearest outlet."""

    name = "card"
    title = {"zh": "电卡的事", "en": "the prepaid card"}
    topic = "prepaid_card"
    symptoms = {
        scope: {"zh": "电卡或充值异常", "en": "Prepaid card or credit trouble"}
        for scope in ("household", "surroundings", "unknown")
    }

    async def start(self, turn: Turn) -> None:
        if not turn.memory.get("resumed"):
            turn.say("utter_card_sorry")
        self._take_in(turn)
        turn.memory["scope"] = "household"
        await self.run_guide(turn, "prepaid_card")

    def guide_for(self, turn: Turn) -> str:
        return "prepaid_card"

    async def verified(self, turn: Turn, account: Json) -> None:
        if account["state"] == "active" and account["prepaid"] and float(account["balance"]) <= 0:
            # Loaded, and not there yet: that is the trouble, not its explanation.
            turn.say("utter_card_not_arrived", amount=f"{float(account['balance']):g}")
            await self._guide_on(turn)
        else:
            await super().verified(turn, account)


class ActionMeter(DeskAction):
    """A breaker, meter switch or leakage protector trips or will not close."""

    action = "action_meter"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "meter")


class ActionCard(DeskAction):
    """Prepaid card trouble."""

    action = "action_card"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "card")
