"""Numbers in a message, written or spoken: telephone, account, ticket, amount of money, meter reading. Pure.

All functions take text in standard form (bot.nlu.text) in which `digits_for_words` has written spoken digits as digits.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from bot.nlu.text import Normal, replace

Hit = tuple[str, str, int, int]  # entity, value, start, end

_CHINESE_DIGITS = dict(zip("零〇洞一幺二两三四五六七拐八九勾", "0001122345677899", strict=True))
_ENGLISH_DIGITS = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5",
    "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_HAN_RUN = re.compile(rf"[{''.join(_CHINESE_DIGITS)}\d](?:[ ,\-]?[{''.join(_CHINESE_DIGITS)}\d]){{4,}}")
_SAID = rf"(?:(?:{'|'.join(_TIMES)})[ -])?(?:{'|'.join(_ENGLISH_DIGITS)}|\d{{1,12}})"
_ENGLISH_RUN = re.compile(rf"\b{_SAID}(?:[ ,\-]+{_SAID}){{3,}}\b")

_GAP = r"[ \-.]?"
TICKET = re.compile(rf"(?<![\d.])[1-9]\d{{3}}{_GAP}\d{{4}}{_GAP}\d{{4}}(?![\d]|{_GAP}\d{{4}})")
MOBILE = re.compile(rf"(?<!\d)(?:(?:\+|00)?86{_GAP})?(?P<national>1[3-9]\d(?:{_GAP}\d){{8}})(?!\d)")
LANDLINE = re.compile(
    r"(?<!\d)(?:(?:\+|00)86[ -]?)?\(?(?P<area>0?(?:10|2\d|[3-9]\d{2}))\)?(?P<gap>[ -]{0,2})"
    r"(?P<local>[2-9](?:[ -]?\d){6,7})(?:\s?(?:转|ext\.?)\s?\d{1,5})?(?!\d)"
)
ABROAD = re.compile(r"(?<!\d)(?P<lead>\+|00)(?!86)(?P<rest>[1-9](?:[ \-.()]{0,2}\d){6,13})(?!\d)")
ACCOUNT = re.compile(
    r"(?:户号|账号|帐号|帐户|账户|户头|用户编?号|客户编?号|用户号码|户名号|缴费号|编号"
    r"|\b(?:account|acct|customer|user|consumer|client|contract)\b(?: (?:no|number|num|id|code))?)"
    r"(?:[ .:,#'()]|是|为|就是|\bis\b|'s\b|\bno\b|号码|呢|嘛|\bit\b){0,6}(?P<number>\d(?:[ \-]?\d){7,12})(?!\d)"
)
#: A message that is nothing but a number; one that begins like a mobile's is a mistyped mobile's.
BARE = re.compile(r"[^\w+]*(?P<number>(?!1[3-9])\d(?:[ \-]?\d){7,12})[.!]?")
_NUMBER = r"(?<!\d)\d{1,8}(?:\.\d{1,3})?|(?<![一二三四五六七八九十])[一二两三四五六七八九十百千万零]{1,10}"
AMOUNT = re.compile(
    rf"(?P<zh>{_NUMBER})(?:多|来|几)?(?:元|块钱|块(?!地|表)|圆|rmb\b|人民币)"
    r"|(?P<en>(?<![\d,])\d[\d,]{0,12}(?:\.\d{1,3})?) ?(?:yuan|rmb|cny|kuai|dollars?|bucks)\b"
    r"|[¥￥$] ?(?P<sign>\d[\d,]{0,12}(?:\.\d{1,3})?)"
)
READING = re.compile(
    r"(?:读数|表码|示数|表底数?|表数|止码|抄表数?|(?:水|电)?表上?(?:现在)?(?:的数字?)?(?:显示|走到|到了?|是|为)"
    r"|\breading|\bmeter (?:says|shows|reads|is at|stands at|displays))"
    r"(?:[ :,]|是|为|到|现在|显示|\bis\b|\bnow\b|\bof\b|\bat\b|'s\b){0,5}(?P<said>\d{1,7}(?:\.\d+)?)(?![\d元块])"
    r"|(?<![\d.])(?P<unit>\d{1,7}(?:\.\d+)?) ?"
    r"(?:度(?!电?[一多]?[少块])|吨|方|立方米?|kwh\b|kilowatt|m3\b|cubic|units?\b(?! ?\d))"
)
#: Between two phone numbers: the first was a slip; right before a number: it is not that one.
_CORRECTS = re.compile(
    r"不对|不是|错了?|更正|应该是|改成|改为|哦不|\b(?:no|not|sorry|wrong|wait|actually|i mean|i meant"
    r"|correction|rather|oops)\b"
)
_INSTEAD_OF = re.compile(r"(?:不是|不要打|\bnot)[ :]*$")
_TAKEN_BACK = re.compile(r"(?<!是)(?:不是|\bnot)[ :]*$")


def digits_for_words(normal: Normal) -> Normal:
    """Runs of spoken digits (幺三八…, one three double eight …) written as digits, when long enough to be a number."""
    return replace(replace(normal, _HAN_RUN, _from_chinese), _ENGLISH_RUN, _from_english)


def numbers(text: str) -> Iterator[Hit]:
    """ticket_number (12 digits), account (8 to 13), phone (as dialled in the mainland, else +country), amount and
    reading (decimal strings). A digit belongs to one of the first three at most."""
    rest = text
    for entity, found in _long_numbers(text):
        match, value = found
        start, end = match.span("number") if entity == "account" else match.span()
        if rest[start:end] == text[start:end]:
            yield entity, value, start, end
            rest = rest[:start] + "#" * (end - start) + rest[end:]
    for match in AMOUNT.finditer(rest):
        amount = match["zh"] or match["en"] or match["sign"]
        number = decimal(amount)
        if number is not None:
            yield "amount", number, *match.span()
    for match in READING.finditer(rest):
        group = "said" if match["said"] else "unit"
        yield "reading", str(Decimal(match[group])), *match.span(group)


def meant(text: str, hits: list[Hit]) -> list[Hit]:
    """The numbers that stand after a phone number was corrected within the message: "138…, 不对, 是139…" is 139…."""
    phones = sorted((hit for hit in hits if hit[0] == "phone"), key=lambda hit: hit[2])
    wrong: set[Hit] = set()
    for first, second in pairwise(phones):
        between = text[first[3] : second[2]]
        if _INSTEAD_OF.search(between) and not _TAKEN_BACK.search(text[: first[2]]):
            wrong.add(second)
        elif _CORRECTS.search(between) or _TAKEN_BACK.search(text[: first[2]]):
            wrong.add(first)
    return [hit for hit in hits if hit not in wrong]


def decimal(said: str) -> str | None:
    """A number in digits or Chinese numerals as a decimal string: 三千五 → 3500; None where it is none."""
    if said[0].isascii():
        return str(Decimal(said.replace(",", "")))
    total = section = digit = 0
    unit = 1
    for character in said:
        if character == "零":
            digit, unit = 0, 1
        elif character in _CHINESE_DIGITS:
            digit = int(_CHINESE_DIGITS[character])
        else:
            unit = {"十": 10, "百": 100, "千": 1000, "万": 10_000}[character]
            if unit == 10_000:
                total, section = (total + section + digit) * unit, 0
            else:
                section += (digit or 1) * unit
            digit = 0
    # What follows a unit without a unit of its own counts the next smaller one: 一千二 is 1200.
    last = digit * (unit // 10 if unit > 10 and said[-2:-1] not in ("零", "十") else 1)
    return str(total + section + last) if total + section + last or said == "零" else None


def _long_numbers(text: str) -> Iterator[tuple[str, tuple[re.Match[str], str]]]:
    for match in ACCOUNT.finditer(text):
        yield "account", (match, re.sub(r"\D", "", match["number"]))
    for match in TICKET.finditer(text):
        yield "ticket_number", (match, re.sub(r"\D", "", match[0]))
    for match in MOBILE.finditer(text):
        yield "phone", (match, re.sub(r"\D", "", match["national"]))
    for match in ABROAD.finditer(text):
        yield "phone", (match, "+" + re.sub(r"\D", "", match["rest"]))
    for match in LANDLINE.finditer(text):
        area = match["area"] if match["area"].startswith("0") else "0" + match["area"]
        local = re.sub(r"\D", "", match["local"])
        # Without the leading 0 only a country code or brackets tell an area code from other digits.
        certain = match["area"].startswith("0") or match[0].startswith(("+", "00", "("))
        if certain and (len(local) == 8 or len(area) == 4):
            yield "phone", (match, area + local)
    bare = BARE.fullmatch(text.strip())
    if bare and text.strip() == text:
        yield "account", (bare, re.sub(r"\D", "", bare["number"]))


def _from_chinese(found: re.Match[str]) -> str:
    if not any(character in _CHINESE_DIGITS for character in found[0]):
        return found[0]
    return "".join(_CHINESE_DIGITS.get(character, character) for character in found[0].replace(",", " "))


def _from_english(found: re.Match[str]) -> str:
    said = re.findall(r"[a-z]+|\d+", found[0])
    if sum(word in _ENGLISH_DIGITS for word in said) < 2:
        return found[0]
    digits, times = "", 1
    for word in said:
        if word in _TIMES:
            times = _TIMES[word]
        else:
            digits += _ENGLISH_DIGITS.get(word, word) * times
            times = 1
    return digits
