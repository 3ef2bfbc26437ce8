"""What the words say beside the intent: whether only this household is affected, power or water, when, where. Pure.

All functions take text in standard form (bot.nlu.text).
"""

import re
from collections.abc import Iterator

from bot.nlu.numbers import Hit

_OTHERS = r"(?:邻居家?|隔壁|对门|楼上楼下|楼上|楼下|别人家?|别家|人家|其他人?家?|其它家?|周围|附近|左邻右舍|旁边|四周|家家户户|街坊|大家)"
_AREA = r"(?:个?小区|栋楼?|幢楼?|楼|座楼?|大楼|条街|条路|条巷子?|片区?|个?村子?|个?单元|层楼?|个?院子?|个?社区|个?镇|排|个园区|个市场|个厂)"
_PLACES = (
    r"(?:street|road|block|building|tower|neighbou?rhood|estate|village|area|floor|complex|compound|town|district|city"
    r"|community|row|staircase|stairwell|side of the (?:street|road))"
)
_HOME = r"(?:flats?|apartments?|house|home|place|unit|room|shop|store|office|household|one)"
_HAS = r"(?:有电|有灯|有水|亮着?|正常|没停|没事|没问题|来电了?|来水了?|好好的|好的|都有|还有|有的|都在用)"
_ASKS = re.compile(
    r"是不是|是否|还是(?!.{0,3}(?:没|停|不))|(?:吗|么|呢)[?!. ]*$"
    r"|\b(?:is|was|are) (?:it|this|that|we|they) (?:only|just|the (?:whole|entire))|\b(?:just|only) (?:me|us|my \w+) or\b"
)
_SCOPES = (
    ("surroundings", re.compile(
        r"(?:不止|不只|不光|不仅仅?|不单|并非只?|不是(?:只有?|就|光|单单?))(?:是|有)?(?:我|咱)\w{0,5}"
        r"|\b(?:not|isn't|isnt|aren't|wasn't) (?:only|just|merely) (?:me|my|us|our|mine|in my|at my|this)\b"
    )),
    ("surroundings", re.compile(
        rf"(?:就|只有?|仅|光)(?:是)?(?:我们?|咱们?)?(?:这|那)(?:一)?{_AREA}|(?:就|只有?)(?:是)?我们?(?:这|一)?{_AREA}"
        rf"|\b(?:only|just) (?:in )?(?:my|our|this|the) {_PLACES}\b"
    )),
    ("household", re.compile(
        r"(?:就|只有?|仅仅?|单单?|独独?|光|偏偏)(?:是|有|剩)?(?:我|咱|俺)(?:们)?(?:自己|这|这儿|这里|这边)?(?:一|1)?"
        r"(?:个?人|家里?|户|屋里?|间|没|停|黑|不亮|一个|的|$|[ ,.!?])"
        r"|(?:我|咱)(?:们)?(?:家)?(?:一|1)(?:家|户)(?!一户|1户|一表).{0,3}(?:停|没|黑|断|有问题)|(?:单独|独独)我"
        rf"|(?:整|全){_AREA}(?:的人)?(?:都|全)?(?:有电|有灯|有水|亮着|正常).{{0,4}}(?:就|只|除)"
        rf"|{_OTHERS}(?:家|户|的|都|全|也|倒|还|是|他们|那边|些|灯){{0,4}}{_HAS}"
        r"|(?:楼道|过道|走廊|楼梯间)(?:里)?(?:的)?灯?(?:都|还|是|倒){0,2}(?:有电|有灯|亮)|电梯(?:还|都|是)?(?:能动|能坐|在运行|正常|有电)"
    )),
    ("household", re.compile(
        rf"\b(?:only|just) (?:(?:in|at|for|with) )?(?:my|our) (?:own )?(?:\w+ )?{_HOME}\b|\b(?:only|just) (?:me|us|mine|ours|myself)\b"
        rf"|\b(?:my|our) {_HOME} (?:only|alone)\b|\b(?:except|apart from|but not|besides) (?:for )?(?:me|us|mine|my|our)\b"
        r"|\b(?:neighbou?rs?'?s?|next door|others|everyone else|everybody else|(?:the )?rest of (?:the|my|our) \w+"
        rf"|other {_HOME}|(?:people|flats?|apartments?) (?:upstairs|downstairs|above|below|opposite)|(?:corridor|hallway|stair\w*|landing) lights?"
        r"|(?:the )?(?:corridor|hallway|lift|elevator))"
        r"(?! (?:(?!\bbut\b)[^,.;]){0,25}\b(?:no|not|none|out|off|dark|without|neither|either|too|also|same|lost|isn't|aren't|don't|doesn't|haven't|hasn't)\b)"
        r" (?:(?:all|still|do|does|both|next door|opposite|upstairs|downstairs|around|seem|seems|here|has|have) ){0,3}"
        r"(?:have|has|got|get|is|are|looks?|works?|working|fine|ok|okay|lit|on)\b"
    )),
    ("surroundings", re.compile(
        rf"(?:整|全|成|一整)(?:个)?{_AREA}(?!.{{0,3}}(?:有电|有灯|亮|有水|正常|总表))|全村|全小区|全镇|半(?:条街|个小区|个村|栋楼)|家家户户|挨家挨户"
        rf"|(?:{_OTHERS}|对面楼?|我们(?:这)?{_AREA}?|这(?:边|一片|一带|一排|栋楼?|条街|个小区)|这儿|小区里?|村里|楼里)"
        r"(?:家|户|的|住户|人|他们|灯|那边|几家|几栋楼?|一片|街坊){0,3}(?:也|都|全)(?:是|都|全|一起)?(?:没|停|黑|断|一样|不亮|无|冇|如此|这样|系|是$)"
        r"|(?:几|多|十|百|两|三|四|五|\d)(?:来|多|几)?(?:家|户|栋楼?)(?:人)?(?:都|全|也)(?:没|停|黑|断)|(?:\d|[一二两三四五六七八九十百]){1,5}多?(?:来)?户(?:吧|左右|$)"
        r"|路灯(?:也|都|全)?(?:不亮|没亮|黑|灭)|大面积(?:停|断)"
    )),
    ("surroundings", re.compile(
        rf"\b(?:whole|entire|all (?:of )?(?:the|our|my)|half (?:of )?(?:the|our|my)|every(?: single)?|both sides of the|several) (?:\w+ )?{_PLACES}s?\b"
        r"|\bevery (?:house|home|flat|apartment)\b|\ball (?:of )?(?:us\b|the (?:houses|flats|apartments|neighbou?rs|shops))"
        r"|\b(?:everyone|everybody|all)(?:'s| is| are)? (?:on|in) (?:my|our|the|this)\b|\b(?:everyone|everybody)(?: here)?(?:'s| is| has| lost| without)"
        r"|\b(?:neighbou?rs?'?s?|next door|(?:flats?|houses?|people|building|shops?) (?:opposite|next door|around|across)|others|streetlights|street ?lights?)\b"
        r"(?:(?!\bbut\b)[^,.;]){0,25}\b(?:no|none|nothing|out|off|dark|without|neither|either|too|also|same|as well|lost|aren't|don't|doesn't|haven't|hasn't)\b"
        rf"|\b(?:our|my|this) {_PLACES} (?:is|has|are|went|lost|goes)\b"
    )),
)  # fmt: skip

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


def scope(text: str) -> Iterator[Hit]:
    """household | surroundings, where the message says it; a question whether it is so says nothing."""
    if _ASKS.search(text):
        return
    for value, pattern in _SCOPES:
        found = pattern.search(text)
        if found:
            yield "scope", value, *found.span()
            return


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


def place(text: str, names: re.Pattern[str]) -> Iterator[Hit]:
    """Where something like an address, or one of `names`, stands. A hint: the desk's register knows the places."""
    taken = 0
    known = [found.span() for found in names.finditer(text)]
    for found in sorted(known + [m.span() for m in _PLACE.finditer(text)], key=lambda span: (span[0], -span[1])):
        start, end = found
        before = _BEFORE.match(text, start, end)
        start = before.end() if before and before.end() < end else start
        if start >= taken:
            yield "place", text[start:end].strip(" ,"), start, end
            taken = end


def _blank(found: re.Match[str]) -> str:
    return "#" * len(found[0])
