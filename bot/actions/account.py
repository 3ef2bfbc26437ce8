"""The customer's own account: bill, balance, readings (E2), and handing in a reading."""

import re
from datetime import UTC, datetime
from typing import ClassVar

from bot.actions.contact import ContactSteps
from bot.actions.desk import Json
from bot.actions.filing import file_ticket, remember_words
from bot.actions.journey import REST, DeskAction, begin, finish
from bot.actions.times import parse_time, spoken_time
from bot.actions.turn import Turn
from bot.actions.verify import VerifySteps
from bot.actions.wishes import supply_besides

_WHY = re.compile(
    r"(?:怎么|点解).{0,8}(?:多|贵|高|涨)|为(?:什么|啥|何)|不对|偏高|\bwhy\b|so (?:high|much)|too (?:high|much)|wrong",
    re.IGNORECASE,
)
_READING = re.compile(r"(?<!\d)\d{1,6}(?:\.\d{1,2})?(?!\d)")


class Bill(VerifySteps):
    """How much, why, what was paid: only for the verified account."""

    name = "bill"
    rank = REST
    title: ClassVar[dict[str, str]] = {"zh": "账单", "en": "your bill"}

    async def start(self, turn: Turn) -> None:
        turn.memory["why"] = bool(_WHY.search(turn.words))
        turn.memory["utility"] = turn.entity("utility")
        await self.need_account(turn)

    async def verified(self, turn: Turn, account: Json) -> None:
        turn.memory["utility"] = account["utility"]
        balance = str(account["balance"])
        name = "prepaid" if account["prepaid"] else "arrears" if balance.startswith("-") else "credit"
        turn.say(f"utter_bill_{name}", number=account["number_masked"], amount=balance.lstrip("-"))
        read_at, billed_at = parse_time(account.get("last_reading_at")), parse_time(account.get("last_bill_at"))
        now = datetime.now(UTC)
        if account.get("last_bill") is not None and billed_at:
            turn.say("utter_bill_last", amount=account["last_bill"], at=spoken_time(billed_at, now))
        if account.get("last_reading") is not None and read_at:
            turn.say(
                "utter_bill_reading",
                reading=str(account["last_reading"]).removesuffix(".00"),
                at=spoken_time(read_at, now),
            )
        if turn.memory.get("why"):
            turn.say("utter_bill_why")
        await finish(turn)

    async def not_verified(self, turn: Turn) -> None:
        turn.say("utter_bill_not_verified")
        await finish(turn)


class Reading(VerifySteps, ContactSteps):
    """A reading handed in by the customer: filed for the meter readers, who enter it."""

    name = "reading"
    rank = REST
    title: ClassVar[dict[str, str]] = {"zh": "抄表读数", "en": "the meter reading"}

    async def start(self, turn: Turn) -> None:
        remember_words(turn)
        turn.memory["utility"] = turn.entity("utility")
        await self.need_account(turn)

    async def verified(self, turn: Turn, account: Json) -> None:
        turn.memory["utility"] = account["utility"]
        turn.memory["account"] = account["number_masked"]
        turn.ask("reading", "utter_ask_reading")

    async def not_verified(self, turn: Turn) -> None:
        turn.say("utter_reading_not_verified")
        await finish(turn)

    async def answer_reading(self, turn: Turn) -> None:
        value = turn.entity("reading")
        match = _READING.search(turn.words)
        if value is None and match is None:
            await self.misunderstood(turn)
            return
        turn.memory["reading"] = str(value if value is not None else match.group() if match else "")
        await self.need_contact(turn)

    async def contact_known(self, turn: Turn) -> None:
        reading = turn.memory["reading"]
        await file_ticket(
            turn,
            kind="service_request",
            utility=turn.memory.get("utility") or "power",
            topic="meter_reading",
            symptom=turn.pick(f"自报表码 {reading}", f"Meter reading {reading}"),
            response="utter_reading_filed",
        )
        await finish(turn)

    ask_contact = "utter_complaint_ask_contact"


class ActionBill(DeskAction):
    """Bill, balance, payments."""

    action = "action_bill"

    async def act(self, turn: Turn) -> None:
        await begin(turn, supply_besides(turn.words) or "bill")


class ActionReading(DeskAction):
    """A reading is handed in."""

    action = "action_reading"

    async def act(self, turn: Turn) -> None:
        await begin(turn, "reading")
