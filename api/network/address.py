"""Reads building or house number, unit, room and floor out of a normalised text in Chinese, English or pinyin."""

import re
from dataclasses import dataclass

import cn2an

_HAN_DIGITS = "零〇一二两三四五六七八九十百幺"
_PINYIN = dict(
    zip(
        ("ling", "yi", "er", "liang", "san", "si", "wu", "liu", "qi", "ba", "jiu", "shi", "bai", "yao"),
        "零一二两三四五六七八九十百幺",
        strict=True,
    )
)
# fmt: off
_ONES = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
# fmt: on
_ENGLISH = {word: n for n, word in enumerate(_ONES)} | {word: 20 + 10 * n for n, word in enumerate(_TENS)}

_DIGITS = r"(?<![\d.:])\d{1,4}(?![\d.:])[a-z]?"
_HAN = rf"[{_HAN_DIGITS}]{{1,6}}"
_WORDS = rf"\b(?:(?:{'|'.join(_TENS)})(?:[\s-]+(?:{'|'.join(_ONES[1:10])}))?|{'|'.join(_ONES)})\b"
_SYLLABLES = rf"\b(?:{'|'.join(_PINYIN)})(?:\s*(?:{'|'.join(_PINYIN)}))*"
_N = rf"(?P<n>{_DIGITS}|{_HAN}|{_WORDS})"
_NP = rf"(?P<n>{_DIGITS}|{_SYLLABLES})"
_LETTER = r"(?P<n>(?<![a-z])[a-z])"
#: What 号 stands before when it is no house number, and when a number with it is a day of the month.
_NOT_HOUSE = "线码召称口变表机台员箱"
_DAY = r"(?=\s*(?:停|会|要|有没|有停|检修|那天|上午|下午|早上|晚上|到\s*\d))"

#: Clear designators of a building or house, best first.
_BUILDING = [
    re.compile(pattern)
    for pattern in (
        rf"{_N}\s*(?:栋|幢|号楼|座|#楼?|号院)",
        rf"{_LETTER}\s*(?:栋|幢|号楼|座)",
        rf"{_NP}\s*(?:dong|zhuang|hao\s*lou|zuo)\b",
        rf"\b(?:building|bldg|block|blk|tower)\b\.?\s*(?:no\.?|number|#)?\s*(?:{_N}|(?P<letter>[a-z])\b)",
        rf"{_N}(?:st|nd|rd|th)?\s*(?:building|bldg|block|tower)\b",
        rf"(?<!月)(?<!月\s){_N}\s*号(?![{_NOT_HOUSE}房])",
        rf"{_NP}\s*hao\b",
        rf"(?:\b(?:house|number|nr)\b\.?\s*(?:no\.?|number|#)?|#)\s*{_N}",
        # "no one is near" names no house.
        r"\bno\b\.?\s*#?\s*(?P<n>\d{1,4}[a-z]?)",
    )
]
_DAY_OF_MONTH = re.compile(rf"{_N}\s*号{_DAY}")
_UNIT = re.compile(
    rf"{_N}\s*(?:单元|号门(?!口))|\bunit\s*(?P<m>\d{{1,2}}|{_WORDS})|(?P<p>\d+|{_SYLLABLES})\s*dan\s*yuan\b"
)
_ROOM = re.compile(
    rf"(?P<n>\d{{3,4}}|{_HAN})\s*(?:室|号房|房间|房)|\b(?:room|rm|flat|apt|apartment|suite)\b\.?\s*(?P<m>\d{{1,4}}[a-z]?)"
)
_FLOOR = re.compile(rf"{_N}\s*(?:楼|层)|(?P<m>\d{{1,2}})(?:st|nd|rd|th)\s*floor|\bfloor\s*(?P<p>\d{{1,2}})")
_AFTER_BUILDING = re.compile(
    rf"\s*[-,，]?\s*(?:(?P<u>\d{{1,2}})\s*[-–]\s*)?(?P<r>\d{{3,4}}|[{_HAN_DIGITS}]{{3,4}})(?!\d|号)"
)
_AFTER_UNIT = re.compile(rf"\s*[-,，]?\s*(?:room\s*)?(?P<r>\d{{3,4}}|[{_HAN_DIGITS}]{{3,4}})(?!\d)")
_NOT_ADDRESS = "点时分个天小年月期日周星户家次人元块度吨层楼公里度岁号单"
_BARE_AFTER = re.compile(rf"[\s,，-]*(?P<n>\d{{1,4}}[a-z]?|{_HAN})(?![\d.:a-z{_NOT_ADDRESS}%])")
_BARE_BEFORE = re.compile(rf"(?P<n>(?<![\d.:])\d{{1,4}}[a-z]?|{_WORDS})[\s,]*$")


@dataclass(frozen=True)
class Numbers:
    """What an address says beside the place's name; empty where it says nothing. Numbers in digits and capitals."""

    building: str = ""
    unit: str = ""
    room: str = ""
    floor: str = ""

    def detail(self, english: bool) -> str:
        """Unit, room, floor in one phrase, as in `2单元501` or `unit 2, room 501`."""
        if english:
            parts = (("unit ", self.unit), ("room ", self.room), ("floor ", self.floor))
            return ", ".join(word + number for word, number in parts if number)
        unit = f"{self.unit}单元" if self.unit else ""
        floor = f"{self.floor}楼" if self.floor and not self.room else ""
        return unit + floor + (self.room if self.unit else f"{self.room}室" if self.room else "")


def to_number(text: str) -> str:
    """`三`, `五零一`, `twenty-one`, `er shi yi`, `12a`, `b` in digits and capitals; '' where it is no number."""
    text = text.strip()
    if re.fullmatch(r"\d+[a-z]?|[a-z]", text):
        return (text.lstrip("0") or "0").upper()
    words = re.split(r"[\s-]+", text)
    if all(word in _ENGLISH for word in words):
        return str(sum(_ENGLISH[word] for word in words))
    if syllables := re.findall("|".join(sorted(_PINYIN, key=len, reverse=True)), text):
        text = "".join(_PINYIN[syllable] for syllable in syllables)
    try:
        return str(int(cn2an.cn2an(text.replace("幺", "一"), "smart")))
    except ValueError:
        return ""


def _group(match: re.Match[str] | None) -> str:
    """The number of whichever named group took part."""
    return to_number(next((value for value in match.groupdict().values() if value), "")) if match else ""


def _building(text: str, span: tuple[int, int], estate: bool) -> tuple[str, int]:
    """(number, where it ends) for a place whose name stands at `span`; ('', 0) where there is none."""
    start, end = span
    for pattern in _BUILDING:
        found = [m for m in pattern.finditer(text) if (m.end() <= start or m.start() >= end) and _group(m)]
        if estate:
            found = [m for m in found if not _DAY_OF_MONTH.match(text, m.start())]
        if found:
            nearest = min(found, key=lambda m: min(abs(m.start() - end), abs(start - m.end())))
            return _group(nearest), nearest.end()
    if end and (after := _BARE_AFTER.match(text, end)):
        return _group(after), after.end()
    if before := _BARE_BEFORE.search(text[:start]):
        return _group(before), start
    return "", 0


def read_numbers(text: str, span: tuple[int, int] = (0, 0), *, estate: bool = True) -> Numbers:
    """Numbers of an address in a normalised text; `span` is where the place's name stands.

    In an estate a bare `21号` before a word like 停 is taken for a day of the month, in a street for a house.
    """
    building, end = _building(text, span, estate)
    unit_match, room_match = _UNIT.search(text), _ROOM.search(text)
    unit, room = _group(unit_match), _group(room_match)
    if not room and unit_match and (after := _AFTER_UNIT.match(text, unit_match.end())):
        room = to_number(after["r"])
    elif building and not unit_match and (after := _AFTER_BUILDING.match(text, end)):
        unit, room = unit or to_number(after["u"] or ""), room or to_number(after["r"])
    floor_match = next((m for m in _FLOOR.finditer(text) if m.start() >= end), None)
    return Numbers(building, unit, room, _group(floor_match))
