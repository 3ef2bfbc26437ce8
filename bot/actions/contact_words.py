"""What customers' words say of whom to call: name and number, and the flat. Pure."""

import re

from bot.nlu.names import name_in
from bot.nlu.numbers import digits_for_words
from bot.nlu.text import normalise

_ROOM = re.compile(
    r"(?:[\d一二三四五六七八九十]+\s*单元\s*)?(?:[\d一二三四五六七八九十]+\s*(?:楼|层)\s*)?\d{1,4}\s*(?:室|房|号房)"
    r"|[\d一二三四五六七八九十]+\s*单元\s*\d{0,4}"
    r"|\b(?:flat|apt\.?|apartment|room|unit)\s*#?\s*[A-Z]?\d{1,4}[A-Z]?\b"
    r"|(?<=^)(?:\d{1,2}|[一二三四五六七八九十]{1,3})(?:楼|层)(?=[。.!！]?$)",
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
