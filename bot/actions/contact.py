"""Asking whom the crew may call: name and phone in one question (A1, D6)."""

import re
from typing import ClassVar

from bot.actions.journey import Journey
from bot.actions.turn import Option, Turn
from bot.nlu.names import name_in

NO_PHONE = Option("no_phone", "没有电话", "I have no phone")
#: So many digits in an answer are meant as a phone number.
MIN_DIGITS = 5
_ROOM = re.compile(
    r"(?:[\d一二三四五六七八九十]+\s*单元\s*)?(?:[\d一二三四五六七八九十]+\s*(?:楼|层)\s*)?\d{1,4}\s*(?:室|房|号房)"
    r"|[\d一二三四五六七八九十]+\s*单元\s*\d{0,4}"
    r"|\b(?:flat|apt\.?|apartment|room|unit)\s*#?\s*[A-Z]?\d{1,4}[A-Z]?\b",
    re.IGNORECASE,
)
_REFUSES = re.compile(
    r"没(?:有|得)?(?:手机|电话|號碼|号码)|不(?:想|方便|愿意?|用|要)?留|不给|不方便"
    r"|\bno (?:phone|number|mobile)\b|(?:don'?t|do not) have (?:a |any )?(?:phone|number|mobile)"
    r"|rather not|prefer not|not (?:leave|give|leaving|giving)|anonymous",
    re.IGNORECASE,
)


def room_in(text: str) -> str | None:
    """Unit and flat in a message ("2单元501", "flat 5B")."""
    match = _ROOM.search(text)
    return match.group().strip() if match else None


class ContactSteps(Journey):
    """A journey that needs somebody to call. Calls `contact_known` when done; a phone may be refused."""

    ask_contact = "utter_ask_contact"
    #: Offered with the first question where a number is only welcome.
    contact_options: ClassVar[tuple[Option, ...]] = ()

    async def contact_known(self, turn: Turn) -> None:
        raise NotImplementedError

    def keeps(self, turn: Turn) -> bool:
        given = turn.entity("phone") or sum(c.isdigit() for c in turn.words) >= MIN_DIGITS or name_in(turn.words)
        refused = _REFUSES.search(turn.words)
        return (turn.step == "contact" and bool(given or refused)) or super().keeps(turn)

    async def need_contact(self, turn: Turn) -> None:
        """Take name and phone from this message or earlier ones, else ask for both at once."""
        self._take_contact(turn)
        if turn.contact.get("phone"):
            await self.contact_known(turn)
        else:
            turn.ask("contact", self.contact_question(turn), self.contact_options)

    def contact_question(self, turn: Turn) -> str:
        """The response that asks for name and phone."""
        return self.ask_contact

    async def answer_contact(self, turn: Turn) -> None:
        self._take_contact(turn)
        digits = sum(c.isdigit() for c in turn.words)
        if turn.contact.get("phone"):
            await self.contact_known(turn)
        elif turn.option == "no_phone" or _REFUSES.search(turn.words) or (turn.no and turn.memory.get("phone_asked")):
            turn.contact["phone"] = ""
            turn.say("utter_no_phone")
            await self.contact_known(turn)
        elif digits >= MIN_DIGITS:
            turn.memory["phone_asked"] = True
            turn.ask("contact", "utter_phone_invalid", digits=digits)
        elif turn.memory.get("phone_asked"):
            turn.ask("contact", "utter_ask_phone_last", [NO_PHONE])
        else:
            turn.memory["phone_asked"] = True
            name = turn.contact.get("name")
            turn.ask("contact", "utter_ask_phone_named" if name else "utter_ask_phone", name=name or "")

    def _take_contact(self, turn: Turn) -> None:
        phone, name = turn.entity("phone"), name_in(turn.words)
        if phone:
            turn.contact["phone"] = str(phone)
        if name and (turn.step == "contact" or phone):
            turn.contact["name"] = name
        room = room_in(turn.words)
        if room and turn.step == "contact" and not turn.place.get("detail"):
            turn.place["detail"] = room
