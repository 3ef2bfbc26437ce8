"""What the words say beside the intent: power or water, when, where. Pure.

All functions take text in standard form (bot.nlu.text).
"""

import re
from collections.abc import Iterator, Sequence

from bot.nlu.numbers import Hit

_NOT_POWER = re.compile(
    r"电(?:话|影|视|脑|梯|瓶|动|子|信|商|台|邮|报|竞|工证)|充电(?:宝|器)|power ?bank|power of attorney|traffic lights?"
)
_NOT_WATER = re.compile(
    r"水(?:平|果|印|泥|彩|费?电站)|薪水|口水|汗水|墨水|香水|热水器|电热水|water ?heater|水电工?|下水道|underwater"
)
_POWER = re.compile(
    r"[电闸灯]|空开|插座|漏保|跳(?!水)|黑了|黑漆|很黑"
    r"|\b(?:power\w*|electric\w*|outage|black ?outs?|brown ?outs?|lights?|breakers?|fuses?|sockets?|volt\w*|kwh|rcd|gfci|rcbo|wires?|wiring|switch(?:es)?)\b"
)
_WATER = re.compile(
    r"水|\b(?:water\w*|taps?|faucets?|pipes?|showers?|toilets?|plumb\w*|mains? burst|burst mains?|hydrants?)\b"
)
_TROUBLE = {
    "power": re.compile(r"(?:没有?|停|断|无|缺|来|复)(?:了|过|有)?电|电(?:没了|停了|断了)|\b(?:no|without|lost|losing) (?:power|electricity|lights?)"
                        r"|(?:power|electricity|lights?)(?:'s| is| are| has| went| gone)+ (?:\w+ )?(?:out|off|gone|cut|down)"),
    "water": re.compile(r"(?:没有?|停|断|无|缺|来|漏)(?:了|过|有|一滴|自来)?水|水(?:没了|停了|断了)|\b(?:no|without|lost) (?:\w+ )?water"
                        r"|(?:water|taps?)(?:'s| is| are| has| went| gone)+ (?:\w+ )?(?:out|off|gone|cut|dry)"),
}  # fmt: skip

_HOUR = r"(?:[一二两三四五六七八九十]{1,3}|\d{1,2})(?:点钟?|时)(?:半|[一二三四五六七八九十\d]{1,3}分?|一刻|三刻)?(?:多|左右)?"
_TIME = re.compile(
    r"(?:大?前天|昨[天晚夜儿]|今[天早晚儿]|明[天早晚儿]|后天|刚才|刚刚|上周[一二三四五六日天]?|下周[一二三四五六日天]?|这?周[一二三四五六日天末]|"
    r"星期[一二三四五六日天]|礼拜[一二三四五六日天]|上个?月|下个?月|凌晨|清晨|早上|上午|中午|下午|傍晚|晚上|夜里|半夜|"
    rf"\d{{1,2}}月\d{{1,2}}[日号]|(?<![第路街\d])(?:\d{{1,2}}|[一二三]?十[一二三四五六七八九]?)[日号](?=[早上中下晚凌夜 ,.]|$)|{_HOUR}|的|早上|晚上|上午|下午|夜里|开始|以?后|之前){{1,5}}"
    r"|(?:(?<!\d)\d{1,3}|[一二两三四五六七八九十几半]{1,3})个?(?:多|半)?(?:小时|钟头|分钟|天|星期|礼拜|月)(?:多)?(?:以?前|之前|了)?"
    r"|\b(?:since|from|at|around|about|until|till|by|before|after)? ?(?:(?:this|last|next|every|yesterday|tomorrow|today) ?)?"
    r"(?:(?:half past|quarter (?:to|past)) )?(?:\d{1,2}(?::\d{2})?(?: ?[ap]\.?m\.?| o'?clock| (?:this|in the|yesterday|tomorrow) (?:morning|afternoon|evening))|yesterday|today|tonight|tomorrow|noon|midnight|morning|afternoon|evening|night"
    r"|(?:mon|tues|wednes|thurs|fri|satur|sun)days?)(?: (?:this|yesterday|tomorrow|today|in the)? ?(?:morning|afternoon|evening|night))?\b"
    r"|\b(?:\d{1,3}|an?|one|two|three|four|five|ten|half an?|a few|several|couple of) (?:minutes?|mins?|hours?|hrs?|days?|weeks?)(?: ago)?\b"
)
_TIME_FILLER = re.compile(r"(?:的|开始|以?后|之前)+")
_NUMBER = r"(?:(?<!\d)\d{1,5}|(?<![一二两三四五六七八九十百])[一二两三四五六七八九十百]{1,4}|[a-z])"
_COMMON = (
    r"(?:the|a|whole|entire|our|my|this|that|your|in|at|on|to|of|from|near|down|us|live|i|we|is|and|night|every)\b"
)
_BEFORE = re.compile(r"(?:我们?|咱们?)?(?:家|人)?(?:就)?(?:是?住在?|在|就是|明天|今天|地址是?)+")
_PLACE = re.compile(
    rf"(?:[\u4e00-\u9fff]{{2,10}}?(?:小区|花园|家园|公寓|大厦|广场|新村|新居|山庄|(?:(?<![线思网])路|(?<![知难渠管])道)|[街巷弄苑村镇庄湾府庭居园])(?:[一二三四五\d]期)?)"
    rf"(?:{_NUMBER}[-a-z]?(?:号楼?|栋|幢|座|区|单元|楼|层|室|弄|组|社|户)){{0,5}}(?:\d{{2,4}}(?!\d)室?)?"
    rf"|(?:{_NUMBER}(?:号楼|栋|幢|座|单元)){{1,4}}(?:\d{{2,4}}(?!\d)室?)?"
    r"|\b\d{1,5}[a-z]?,? (?:(?!"
    + _COMMON
    + r")[a-z']+ ){1,3}(?:road|rd|street|st|lane|avenue|ave|drive|square|walk|way)\b(?:,? (?:flat|unit|room|apt|floor) \w+)*"
    r"|\b(?:(?!"
    + _COMMON
    + r")[a-z']+ ){1,3}(?:road|street|lane|avenue|garden|estate|court|plaza|tower|village)\b(?:,? (?:building|block|unit|flat|room|no\.?) \w+)*"
    r"|\b(?:(?:building|block|unit|flat|room|apt|apartment|tower) (?:no\.? ?)?[a-z]?\d+[a-z]?\b(?:, ?| )?){1,4}"
)


def utility(text: str) -> Iterator[Hit]:
    """power | water. Of two, the one that fails; both, in the order of the words, where that does not tell."""
    plain = _NOT_WATER.sub(_blank, _NOT_POWER.sub(_blank, text))
    hits = [
        ("utility", value, *found.span())
        for value, pattern in (("power", _POWER), ("water", _WATER))
        if (found := pattern.search(plain))
    ]
    if len(hits) > 1:
        failing = [hit for hit in hits if _TROUBLE[hit[1]].search(plain)]
        hits = failing if len(failing) == 1 else hits
    yield from sorted(hits, key=lambda hit: hit[2])


def time(text: str) -> Iterator[Hit]:
    """Times of day, days, durations: the words as they stand."""
    for found in _TIME.finditer(text):
        said = found[0].strip(" ,.")
        if said and not _TIME_FILLER.fullmatch(said):
            yield "time", said, *found.span()


def place(text: str, known: Sequence[tuple[int, int]]) -> Iterator[Hit]:
    """Where something like an address, or a name (whose spans are `known`), stands. A hint: the desk's register knows
    the places."""
    taken = 0
    for found in sorted([*known, *(m.span() for m in _PLACE.finditer(text))], key=lambda span: (span[0], -span[1])):
        start, end = found
        before = _BEFORE.match(text, start, end)
        start = before.end() if before and before.end() < end else start
        if start >= taken:
            yield "place", text[start:end].strip(" ,"), start, end
            taken = end


def _blank(found: re.Match[str]) -> str:
    return "#" * len(found[0])
