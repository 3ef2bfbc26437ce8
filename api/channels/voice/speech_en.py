"""How English says times, dates, sums and units; other numbers are left to the voice. Pure. Tables in their order."""

import calendar
import re
from functools import partial

from api.channels.voice.spelling import Rule, digits, rules

COUNTED = (
    r"(?:households?|homes?|customers?|people|times|hours?|minutes?|days?|yuan|tons?|kilo\w*|mega\w*|volts?|amperes?"
    r"|watts?|metres?|cubic|square|degrees?|percent|units? of)\b"
)

_DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Fri": "Friday", "Sat": "Saturday",
    "Sun": "Sunday",
}  # fmt: skip
_MONTHS = tuple(calendar.month_name)


def _date(found: re.Match[str]) -> str:
    month = int(found["month"])
    return f"{int(found['day'])} {_MONTHS[month]} {found['year']}" if 1 <= month <= 12 else found[0]


def _clock(found: re.Match[str]) -> str:
    """`15:30` → 3:30 PM."""
    hour, minute = int(found["hour"]), found["minute"]
    if minute == "00" and hour in (0, 12, 24):
        return "noon" if hour == 12 else "midnight"
    shown = f"{(hour - 1) % 12 + 1}" + (f":{minute}" if minute != "00" else "")
    return f"{shown} {'AM' if hour % 24 < 12 else 'PM'}"


_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def _cardinal(number: int) -> str:
    """Up to 999,999."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        return _TENS[number // 10] + (f"-{_ONES[number % 10]}" if number % 10 else "")
    size, name = (100, "hundred") if number < 1000 else (1000, "thousand")
    rest = number % size
    tail = f"{' and' if rest < 100 else ''} {_cardinal(rest)}" if rest else ""
    return f"{_cardinal(number // size)} {name}{tail}"


def _money(found: re.Match[str]) -> str:
    """`12.50 yuan` → twelve yuan fifty; less than a yuan and large sums stay as they are."""
    whole, part = found["number"].replace(",", ""), found["part"] or ""
    minus = "minus " if found["minus"] else ""
    if not 0 < int(whole) < 1_000_000:
        return f"{minus}{whole}{'.' + part if part else ''} yuan"
    small = int(part or 0)
    tail = "" if not small else f" oh {_cardinal(small)}" if small < 10 else f" {_cardinal(small)}"
    return f"{minus}{_cardinal(int(whole))} yuan{tail}"


def _unit(found: re.Match[str], one: str, many: str) -> str:
    return f"{found[1]} {one if found[1].lower() in ('1', 'a', 'an', 'per', 'each', 'one') else many}"


def _call(found: re.Match[str]) -> str:
    return f"{found[1]} {digits(found[2], 'en')}"


#: Sign → one, many.
_SIGNS = {
    "kWh|KWH|kwh": ("kilowatt-hour", "kilowatt-hours"), "kVA": ("kilovolt-ampere", "kilovolt-amperes"),
    "k[vV]|KV": ("kilovolt", "kilovolts"), "kW|KW": ("kilowatt", "kilowatts"), "MW": ("megawatt", "megawatts"),
    "kPa|KPa": ("kilopascal", "kilopascals"), "MPa": ("megapascal", "megapascals"), "Pa": ("pascal", "pascals"),
    "mg/L": ("milligram per litre", "milligrams per litre"), "m3": ("cubic metre", "cubic metres"),
    "m2": ("square metre", "square metres"), "km": ("kilometre", "kilometres"), "mm": ("millimetre", "millimetres"),
    "cm": ("centimetre", "centimetres"), "m": ("metre", "metres"), "V": ("volt", "volts"),
    "Hz": ("hertz", "hertz"), "°C": ("degree Celsius", "degrees Celsius"),
    "%": ("percent", "percent"), "h|hrs?": ("hour", "hours"), "min|mins": ("minute", "minutes"),
    "RMB|CNY": ("yuan", "yuan"),
}  # fmt: skip

_SCREEN = (
    (
        r"\b(?:please )?(?:click|tap|press)(?: on)? (?:(?:one of )?the |this |a )?(?:buttons?|links?|options?)"
        r"(?: below)?",
        "please say it",
    ),
    (r",? ?\bplease (?:see|read)\b[^.;]*\b(?:below|page|screen)\b", ""),
    (r"\b(please|can|could|may|to|just|welcome to) (?:type|write)(?: in| down)?\b", r"\1 say"),
    (r"\bsee below\b", ""),
    (r"\bwrite to us\b", "call us"),
    (r"\bwhat you write\b", "what you say"),
    (r"\bsend it again\b", "say it again"),
    (r"\bthis chat\b", "this conversation"),
    (r"\bapprox\.", "about"),
    (r"\be\.g\.", "for example"),
    (r"\bi\.e\.", "that is"),
)

_NOT_12_HOURS = r"(?!\s*[AaPp]\.?[Mm]\b)(?!:[0-9])"
_AN = r"\b([0-9]{1,9}(?:[.,][0-9]{1,9}){0,3}|(?:a|an|per|each|one)(?=\s\w\w))"
BEFORE: list[Rule] = [
    *rules(*_SCREEN, flags=re.IGNORECASE),
    *rules(
        (r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?=\s*(?:[–—-]|[0-9]|closed))", lambda found: _DAYS[found[1]]),
        (r"(?<=day)\s*[–—-]\s*(?=[A-Z])", " to "),
        (r"(?<=:[0-9]{2})\s*[-–—~]+\s*(?=[0-9]{1,2}:)", " to "),
        (
            r"(?<![0-9])(?P<year>(?:19|20)[0-9]{2})[-/](?P<month>[01]?[0-9])[-/](?P<day>[0-3]?[0-9])(?![0-9])T?",
            _date,
        ),
        (
            rf"(?<![0-9:.])(?P<hour>[01]?[0-9]|2[0-4]):(?P<minute>[0-5][0-9]){_NOT_12_HOURS}(?![0-9])",
            _clock,
        ),
        (
            r"(?<![0-9.,])(?P<minus>-)?(?:[¥￥]\s*)?(?P<number>[0-9][0-9,]{0,14})(?:\.(?P<part>[0-9]{2})(?![0-9]))?"
            r"\s*(?:yuan|RMB|CNY)\b",
            _money,
        ),
        (r"(?P<minus>-)?[¥￥]\s*(?P<number>[0-9][0-9,]{0,14})(?:\.(?P<part>[0-9]{2})(?![0-9]))?", _money),
        *(
            (rf"{_AN}\s?(?:{sign})(?![A-Za-z0-9])", partial(_unit, one=one, many=many))
            for sign, (one, many) in _SIGNS.items()
        ),
        (r"(?i:\b(call|dial|ring|hotline|number)) ([0-9]{3,4})\b(?![ .:-]?[0-9])", _call),
        (r"(?<![0-9])([0-9]+)\s*[–—]\s*(?=[0-9])", r"\1 to "),
    ),
]
AFTER: list[Rule] = rules(
    (r"\bNo\.\s*(?=[0-9])", "number "),
    (r"(?<=[Pp]ress)\s*#(?:\s*key)?", " the hash key"),
    (r"(?<=[Pp]ress)\s*\*(?:\s*key)?", " the star key"),
    (r"\band/or\b", "or"),
    (r"(?<=yuan)\s*/\s*(?=[a-z])", " per "),
    (r"(?<=[A-Za-z])\s*/\s*(?=[A-Za-z])", " or "),
    (r"\s*&\s*", " and "),
    (r"…+|\s*[—–]+\s*|→|·|\s-\s", ", "),
    (r"[*#/^=<>~]+", " "),
)
