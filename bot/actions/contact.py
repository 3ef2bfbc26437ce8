"""Asking whom the crew may call: name and phone in one question (A1, D6)."""

import re

from bot.actions.journey import Journey
from bot.actions.turn import Option, Turn

NO_PHONE = Option("no_phone", "没有电话", "I have no phone")
#: So many digits in an answer are meant as a phone number.
MIN_DIGITS = 5
_ROOM = re.compile(
    r"(?:[\d一二三四五六七八九十]+\s*单元\s*)?(?:[\d一二三四五六七八九十]+\s*(?:楼|层)\s*)?\d{1,4}\s*(?:室|房|号房)|[\d一二三四五六七八九十]+\s*单元\s*\d{0,4}"
    r"|\b(?:flat|apt\.?|apartment|room|unit)\s*#?\s*[A-Z]?\d{1,4}[A-Z]?\b",
    re.IGNORECASE,
)
_NAME_ZH = re.compile(
    r"(?:我叫|我是|名字(?:是|叫)?|姓名(?:是|:|：)?|叫我|免贵姓|我姓|本人)\s*(?P<name>[\u4e00-\u9fff·]{1,4}?)"
    r"(?=$|[,，。;；\s\d电手号]|先生|女士|小姐)(?P<title>先生|女士|小姐)?"
)
_NAME_EN = re.compile(
    r"\b(?:my name(?:'s| is)|name:?|this is|i am|i'm|call me|it's)\s+(?P<name>[A-Za-z][A-Za-z.'-]*(?:\s+[A-Z][A-Za-z.'-]*){0,2})",
    re.IGNORECASE,
)
_NOT_NAMES = {"the", "a", "at", "in", "not", "my", "on", "here", "still", "just", "sure", "dark", "back", "and", "from"}
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙史陶黎贺毛郝顾龚邵万覃武钱戴严莫孔向常汤"


def name_in(text: str) -> str | None:
    """The name a customer gives beside or without their phone number, else None."""
    match = _NAME_ZH.search(text)
    if match:
        return match["name"] + (match["title"] or "")
    match = _NAME_EN.search(text)
    if match and match["name"].split()[0].lower() not in _NOT_NAMES:
        words = match["name"].split()
        return " ".join(w for i, w in enumerate(words) if i == 0 or w[0].isupper())
    rest = re.sub(
        r"(?:手机|电话|号码|联系方式|phone|mobile|tel|number|is|and|是|：|:|[\d\s+()\-,，.。;；、])+",
        " ",
        text,
        flags=re.IGNORECASE,
    )
    rest = rest.strip()
    if re.fullmatch(rf"[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}|[{_SURNAMES}](?:先生|女士|小姐|师傅|老师|阿姨|大爷)", rest):
        return rest
    if re.fullmatch(r"[A-Z][a-z'-]+(?:\s+[A-Z][a-z'-]+){0,2}", rest):
        return rest
    return None


class ContactSteps(Journey):
    """A journey that needs somebody to call. Calls `contact_known` when done; a phone may be refused."""

    ask_contact = "utter_ask_contact"

    async def contact_known(self, turn: Turn) -> None:
        raise NotImplementedError

    def keeps(self, turn: Turn) -> bool:
        given = turn.entity("phone") or sum(c.isdigit() for c in turn.words) >= MIN_DIGITS or name_in(turn.words)
        return (turn.step == "contact" and bool(given)) or super().keeps(turn)

    async def need_contact(self, turn: Turn) -> None:
        """Take name and phone from this message or earlier ones, else ask for both at once."""
        self._take_contact(turn)
        if turn.contact.get("phone"):
            await self.contact_known(turn)
        else:
            turn.ask("contact", self.ask_contact)

    async def answer_contact(self, turn: Turn) -> None:
        self._take_contact(turn)
        digits = sum(c.isdigit() for c in turn.words)
        if turn.contact.get("phone"):
            await self.contact_known(turn)
        elif turn.option == "no_phone" or (turn.no and turn.memory.get("phone_asked")):
            turn.contact["phone"] = ""
            turn.say("utter_no_phone")
            await self.contact_known(turn)
        elif digits:
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
        room = _ROOM.search(turn.words)
        if room and turn.step == "contact" and not turn.place.get("detail"):
            turn.place["detail"] = room.group().strip()
