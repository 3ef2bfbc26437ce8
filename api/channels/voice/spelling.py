"""Numbers digit by digit, and what a rule of speech is. Pure."""

import re
from collections.abc import Callable

Say = str | Callable[[re.Match[str]], str]
#: What is replaced, and what is said for it.
Rule = tuple[re.Pattern[str], Say]

_SAID = {
    "zh": {**dict(zip("0123456789", "零幺二三四五六七八九", strict=True)), "X": "X", "+": "加"},
    "en": {
        **dict(zip("0123456789", "zero one two three four five six seven eight nine".split(), strict=True)),  # noqa: SIM905
        "X": "X",
        "+": "plus",
    },
}
#: How numbers of so many digits are grouped where the text does not group them.
_GROUPS = {6: (3, 3), 7: (3, 4), 8: (4, 4), 9: (3, 3, 3), 10: (3, 3, 4), 11: (3, 4, 4), 12: (4, 4, 4), 13: (4, 4, 5)}
_LONGEST_GROUP = 5


#: Full width as half width, and signs that are one character of several.
WIDTH = str.maketrans(
    {code: chr(code - 0xFEE0) for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
    | dict(zip("℃㎡㎥³²＠／＃＊＋％：", ("°C", "m2", "m3", "3", "2", *"@/#*+%", "："), strict=True))
)


def rules(*table: tuple[str, Say], flags: int = 0) -> list[Rule]:
    """Compile a table of rules."""
    return [(re.compile(pattern, flags), say) for pattern, say in table]


def digits(text: str, language: str, *, slow: bool = False) -> str:
    """A number digit by digit, in groups: `幺三八，零零幺三，八零零零`; '' where there is no digit.

    Groups in the text are kept if they are short. `slow`: every digit is a group.
    """
    written = text.translate(WIDTH).upper()
    written = re.sub(r"^\D*(?:\+|00)?86[ -]?(?=1(?:[ -]?\d){10}\D*$)", "", written)
    runs = re.findall(r"[+0-9X]+", written)
    number = "".join(runs)
    if not any(sign.isdigit() for sign in number):
        return ""
    if slow:
        groups = list(number)
    elif len(runs) > 1 and all(len(run) <= _LONGEST_GROUP for run in runs):
        groups = runs
    else:
        groups = _grouped(number)
    said = _SAID["en" if language == "en" else "zh"]
    if language == "en":
        return ", ".join(" ".join(said[sign] for sign in group) for group in groups)
    return "，".join("".join(said[sign] for sign in group) for group in groups)


def _grouped(number: str) -> list[str]:
    sizes = _GROUPS.get(len(number))
    if number[0] == "0" and number[1:2] not in ("1", "2") and len(number) in (11, 12):
        sizes = (4, 3, 4) if len(number) == 11 else (4, 4, 4)  # a landline with an area code of four digits
    if sizes is None:
        whole = -(-len(number) // 4) if len(number) > _LONGEST_GROUP else 1
        size = -(-len(number) // whole)
        sizes = (size,) * whole
    groups, at = [], 0
    for size in sizes:
        groups.append(number[at : at + size])
        at += size
    return [group for group in groups if group]
