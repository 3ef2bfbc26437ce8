"""Asking whom the crew may call: name and phone in one question (A1, D6)."""

import re
from typing import ClassVar

from bot.actions.filing import can_be_called
from bot.actions.journey import Journey
from bot.actions.remarks import is_number
from bot.actions.turn import Option, Turn
from bot.nlu.names import name_in
from bot.nlu.numbers import digits_for_words
from bot.nlu.text import normalise

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
#: No more than no, when a number was asked for; "没有跳闸" is about something else.
_PLAIN_NO = re.compile(
    r"(?:我|真的?|确实|也|都|对不起|[,，\s])*(?:没有?|没得|冇|无|不(?:了|用|要|行|想|方便)?)[了的啊呢呀哦]*[。.!！\s]*"
    r"|(?:sorry|well|[,.\s])*(?:no+|nope|nah|none)(?:[,\s]+(?:sorry|thanks?(?: you)?))?[.!\s]*"
    r"|(?:no,? )?i (?:do not|don['’]?t)(?: have (?:one|any|it))?[.!\s]*"
    r"|(?:no,? )?i haven['’]?t(?: got)?(?: one| any)?[.!\s]*",
    re.IGNORECASE,
)
_LEADS_TO_NAME = (
    r"(?:我的?(?:名字|姓名)?(?:叫做?|是)|姓名[是:：]?|名字[是:：]?|我姓(?=.)|联系人[是:：]?"
    r"|(?:and |, ?)?\b(?:my name is|my name['’]s|i am|i['’]m|this is|name:?))?\s*"
)
_LEADS_TO_PHONE = (
    r"(?:(?:我的?)?(?:联系)?(?:手机号?码?|电话号?码?|号码|联系方式)(?:是|:|：)?"
    r"|(?:and |, ?)?\b(?:my |the )?(?:phone|mobile|cell|number|tel)(?: number)?(?: is|['’]s|:)?)?\s*"
)
_LONG = re.compile(r"\d{5,}")
_ANY_PHONE = "13900000000"
_MARKS = " ,，。;；、.!！"


def room_in(text: str) -> str | None:
    """Unit and flat in a message ("2单元501", "flat 5B")."""
    match = _ROOM.search(text)
    return match.group().strip() if match else None


def name_beside_number(words: str) -> str | None:
    """The name in a message, also where the number beside it is spoken ("Tom Baker one three eight …")."""
    spoken = digits_for_words(normalise(words))
    number = _LONG.search(spoken.text)
    start = spoken.span(*number.span())[0] if number else len(words)
    return name_in(words) or (name_in(f"{words[:start]} {_ANY_PHONE}") if number else None)


def without_contact(words: str, name: str | None) -> str:
    """What a message says beside name and number: "要他道歉，我叫郭敏，电话186…" gives "要他道歉"."""
    # Spoken digits are written as digits, so that they can be taken out.
    rest = words if re.search(r"\d{5}", words) else digits_for_words(normalise(words)).text
    if name:
        rest = re.sub(rf"{_LEADS_TO_NAME}{re.escape(name)}", " ", rest, flags=re.IGNORECASE)
    rest = re.sub(rf"{_LEADS_TO_PHONE}\+?\d[\d\s-]{{6,}}\d", " ", rest, flags=re.IGNORECASE)
    clauses = [clause.strip(_MARKS) for clause in re.split(r"(?<=[,，。;；、!！])|\s{2,}|(?<=\.)\s", rest)]
    joined = "，" if re.search("[\u4e00-\u9fff]", rest) else ", "
    return joined.join(clause for clause in clauses if re.search(r"\w", clause))


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
        if turn.contact.get("phone"):
            await self.contact_known(turn)
        elif turn.option == "no_phone" or _REFUSES.search(turn.words) or self._no_number(turn):
            turn.contact["phone"] = ""
            turn.say("utter_no_phone")
            await self.contact_known(turn)
        elif digits >= MIN_DIGITS or (digits and is_number(turn.words)):
            turn.memory["phone_asked"] = True
            turn.ask("contact", "utter_phone_invalid", digits=digits)
        elif turn.memory.get("phone_asked"):
            turn.ask("contact", "utter_ask_phone_last", [NO_PHONE])
        else:
            turn.memory["phone_asked"] = True
            name = turn.contact.get("name")
            turn.ask("contact", "utter_ask_phone_named" if name else "utter_ask_phone", name=name or "")

    def _no_number(self, turn: Turn) -> bool:
        """A plain no, once the number alone was asked for."""
        no = turn.option == "no" or bool(_PLAIN_NO.fullmatch(turn.words))
        return no and bool(turn.memory.get("phone_asked"))

    def _take_contact(self, turn: Turn) -> None:
        phone, name = turn.entity("phone"), name_beside_number(turn.words)
        if phone:
            turn.contact["phone"] = str(phone)
        if name and (turn.step == "contact" or phone):
            turn.contact["name"] = name
        room = room_in(turn.words)
        if room and turn.step == "contact" and not turn.place.get("detail"):
            turn.place["detail"] = room
