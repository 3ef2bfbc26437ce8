"""Asking whom the crew may call: name and phone in one question (A1, D6)."""

import re
from typing import ClassVar

from bot.actions.contact_words import name_beside_number, room_in
from bot.actions.filing import can_be_called, remember_words
from bot.actions.journey import Journey
from bot.actions.remarks import is_number
from bot.actions.turn import Option, Turn
from bot.nlu.names import name_in

NO_PHONE = Option("no_phone", "没有电话", "I have no phone")
#: So many digits in an answer are meant as a phone number.
MIN_DIGITS = 5
_REFUSES = re.compile(
    r"没(?:有|得)?(?:手机|电话|號碼|号码)|不(?:想|方便|愿意?|用|要)?留|不给|不方便"
    r"|(?:号码|电话|手机).{0,4}(?:忘了?|记不(?:得|住|到)|不记得|想不起)|(?:忘了?|记不(?:得|住|到)|不记得).{0,6}(?:号码|电话|手机)"
    r"|\bno (?:phone|number|mobile)\b|(?:don'?t|do not) have (?:a |any )?(?:phone|number|mobile)"
    r"|(?:don['’]?t|do not|can['’]?t|cannot) (?:know|remember|recall) (?:my|the|our) (?:phone|number|mobile)"
    r"|(?:don['’]?t|do not|wo(?:n['’]?t|uld not)|not going to) (?:want to |wish to |like to )?(?:leave|give|share|tell)"
    r"|rather not|prefer not|not (?:leave|give|leaving|giving)|anonymous",
    re.IGNORECASE,
)
#: Intents that tell nobody anything.
_NO_NEWS = frozenset(
    {"affirm", "deny", "thank", "greet", "goodbye", "cancel", "out_of_scope", "bot_challenge", "repeat"}
)
#: No more than no, when a number was asked for; "没有跳闸" is about something else.
_PLAIN_NO = re.compile(
    r"(?:我|真的?|确实|也|都|对不起|[,，\s])*(?:没有?|没得|冇|无|不(?:了|用|要|行|想|方便)?)[了的啊呢呀哦]*[。.!！\s]*"
    r"|(?:sorry|well|[,.\s])*(?:no+|nope|nah|none)(?:[,\s]+(?:sorry|thanks?(?: you)?))?[.!\s]*"
    r"|(?:no,? )?i (?:do not|don['’]?t)(?: have (?:one|any|it))?[.!\s]*"
    r"|(?:no,? )?i haven['’]?t(?: got)?(?: one| any)?[.!\s]*",
    re.IGNORECASE,
)


class ContactSteps(Journey):
    """A journey that needs somebody to call. Calls `contact_known` when done; a phone may be refused."""

    ask_contact = "utter_ask_contact"
    #: Offered with the first question where a number is only welcome.
    contact_options: ClassVar[tuple[Option, ...]] = ()
    #: Whether any answer but a number means that there is none to give.
    contact_optional: ClassVar[bool] = False

    async def contact_known(self, turn: Turn) -> None:
        raise NotImplementedError

    def keeps(self, turn: Turn) -> bool:
        given = turn.entity("phone") or sum(c.isdigit() for c in turn.words) >= MIN_DIGITS or name_in(turn.words)
        refused = _REFUSES.search(turn.words)
        return (turn.step == "contact" and bool(given or refused)) or super().keeps(turn)

    async def need_contact(self, turn: Turn) -> None:
        """Take name and phone from this message or earlier ones, or the account's own, else ask for both at once."""
        self._take_contact(turn)
        if can_be_called(turn):
            await self.contact_known(turn)
        else:
            turn.ask("contact", self.contact_question(turn), self.contact_options)

    def contact_question(self, turn: Turn) -> str:
        """The response that asks for name and phone."""
        return self.ask_contact

    async def answer_contact(self, turn: Turn) -> None:
        self._take_contact(turn)
        digits = sum(c.isdigit() for c in turn.words)
        if turn.intent not in _NO_NEWS and not (
            digits or turn.entity("phone") or name_in(turn.raw) or _REFUSES.search(turn.words)
        ):
            remember_words(turn)  # what is said instead of a number may matter to whoever comes
        if turn.contact.get("phone"):
            await self.contact_known(turn)
        elif turn.option == "no_phone" or _REFUSES.search(turn.words) or self._no_number(turn):
            turn.contact["phone"] = ""
            turn.say("utter_no_phone")
            await self.contact_known(turn)
        elif digits >= MIN_DIGITS or (digits and is_number(turn.words)):
            turn.memory["phone_asked"] = True
            turn.ask("contact", "utter_phone_invalid", digits=digits)
        elif turn.memory.get("phone_asked_last"):
            # Whoever answers something else three times is not held up by it.
            turn.contact["phone"] = ""
            turn.say("utter_no_phone")
            await self.contact_known(turn)
        elif turn.memory.get("phone_asked"):
            turn.memory["phone_asked_last"] = True
            turn.ask("contact", "utter_ask_phone_last", [NO_PHONE])
        else:
            turn.memory["phone_asked"] = True
            name = turn.contact.get("name")
            turn.ask("contact", "utter_ask_phone_named" if name else "utter_ask_phone", name=name or "")

    def _no_number(self, turn: Turn) -> bool:
        """A plain no, once the number alone was asked for."""
        no = turn.option == "no" or bool(_PLAIN_NO.fullmatch(turn.words))
        if self.contact_optional and not any(c.isdigit() for c in turn.words) and not turn.contact.get("name"):
            return True
        return no and bool(turn.memory.get("phone_asked"))

    def _take_contact(self, turn: Turn) -> None:
        phone, name = turn.entity("phone"), name_beside_number(turn.raw)
        if phone:
            turn.contact["phone"] = str(phone)
        if name and (turn.step == "contact" or phone):
            turn.contact["name"] = name
        room = room_in(turn.words)
        if room and turn.step == "contact" and not turn.place.get("detail"):
            turn.place["detail"] = room
