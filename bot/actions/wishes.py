"""Wishes said in plain words beside others: "停电了，而且我要投诉", or an outage between a name and a number. Pure.

The intent of a message is its main wish; these patterns see what it hides.
"""

import re

_COMPLAIN = re.compile(r"投诉|投訴|举报|\bcomplain(?:t|ts|ing)?\b", re.IGNORECASE)
_NO_COMPLAINT = re.compile(
    r"(?:不是|不想|不要|没想|没说|没有|不|别|别让我)(?:要|想|来|打算|为了|说)?(?:投诉|投訴|举报)"
    r"|\b(?:not|no|never|(?:do|does|did|is|was|wo|would|have)n['’]?t)"
    r"(?: (?:a|to|want|wish|like|have|going|here|trying|any|really|mean|my|about))*"
    r" complain(?:t|ts|ing)?\b",
    re.IGNORECASE,
)
#: What comes before was said wrongly: "停水了，哦不，是停电了".
_SLIP = re.compile(
    r"^.*?(?:[哦噢啊呃]?不(?:对|是)?|说错了?|搞错了?)[,，。、 ]+(?:应该)?是(?P<zh>.+)$"
    r"|^.*?\b(?:(?:sorry|no|oops|wait),? )?i mean[t]?,? (?P<en>.+)$",
    re.IGNORECASE,
)
_OFF = re.compile(
    r"(?P<water>没有? ?water|no ?水|water ?(?:没有?了|停了)|没水|停水|断水|没有水|无水|冇水"
    r"|(?:ting|mei) ?shui|\b(?:no|neither|nor) water\b|water (?:is )?(?:off|out))"
    r"|(?P<power>没有? ?(?:power|electricity)|no ?电|(?:power|electricity) ?(?:没有?了|停了)"
    r"|停电|停電|没电|没有电|断电|冇电|(?:ting|mei) ?dian|没来电|\bno (?:power|electricity|light)\b"
    r"|(?:power|electricity|lights?|current|lekky|leccy|electric)"
    r"(?:['’]s)? (?:is |are |went |has |have )?(?:off|out|gone)"
    r"|(?:power|electricity|lights?|electric),? (?:here )?(?:its|it['’]s|it is|has|have|has just|just)"
    r" (?:been |gone |went )?(?:off|out|gone|down)"
    r"|\b(?:nobody|no one|none of (?:us|them|the neighbou?rs)|neither of us) (?:\w+ ){0,4}"
    r"(?:has|have|got) (?:any )?(?:power|electricity|lights?)"
    r"|\bnor (?:power|electricity|light)|(?<=water) (?:and|or) (?:no )?(?:power|electricity)"
    r"|\bnot? have (?:any )?(?:power|light|current|electricity)|\b(?:went|gone|goes|is|it'?s) off again|\bno current"
    r"|\b(?:outage|blackout|power cut)\b(?!.{0,15}(?:tomorrow|planned|schedul|notice)))",
    re.IGNORECASE,
)
#: Whoever says so wants no more questions.
SEND_SOMEONE = re.compile(
    r"派人|来人|上门|快来|赶紧来|别(?:再)?问|少啰嗦|别啰嗦|还是报修|直接报修|报修吧|叫人|师傅"
    r"|skip (?:it|this|that|the)|file (?:a|the) report"
    r""
    r"|send (?:someone|somebody|a|the|people)|stop asking|forget the questions"
    r"|just (?:report|file)|technician|engineer",
    re.IGNORECASE,
)
_AND = re.compile(r"而且|并且|还要|另外|同时|顺便|也要|[,，。;；]|\b(?:and|also|plus)\b", re.IGNORECASE)


_BESIDES = re.compile(
    r"顺便|顺带|另外|还[想要有]|也想|也要|而且|再问"
    r"|\b(?:also|besides|plus|as well|by the way|another thing|and (?:my|the))\b",
    re.IGNORECASE,
)
_BILL = re.compile(
    r"(?:查|问|看).{0,8}(?:电费|水费|账单|余额|欠费)|(?:电费|水费|账单).{0,8}(?:多少|几多|怎么|为什么|查)"
    r"|\bbill\b.{0,20}\b(?:doubled|high|higher|twice|too much|wrong)\b"
    r"|\b(?:check|see|know|about|explain|wrong with).{0,20}\b(?:bill|balance)\b|\bhow much (?:do )?i owe\b",
    re.IGNORECASE,
)
_WEAK = re.compile(
    r"水压.{0,4}(?:小|低|不足|不够)|水(?:太|很)?小|\b(?:low|weak|terrible|no|poor|bad) (?:water )?pressure"
    r"|pressure (?:is |'s )?(?:so |too |very |really )?(?:low|terrible|weak|poor|bad)",
    re.IGNORECASE,
)
_CLAIM = re.compile(
    r"(?:烧坏|烧了|坏了|化了|损坏|报废).{0,12}赔|赔偿|索赔|\bcompensat\w+|\b(?:who|will you) pays? for\b", re.IGNORECASE
)
_VAGUE = re.compile(
    r"(?:(?:我家|家里|那个|东西|又|都|好像|突然)*"
    r"(?:坏了|不好使了?|不行了|用不了了?|没有了|出问题了?|有问题|不对劲|又来了|出毛病了)[,，。!！ ]*)+"
    r"|(?:help,? )?(?:it|this|that|something|everything|nothing|the thing)(?:['’]s| is| has)? ?"
    r"(?:all |just |really |again )*"
    r"(?:not working|broken|stopped|works?|wrong|doesn['’]?t work|gone wrong|broke|the thing)?"
    r"(?: any ?more| again| at all)?[.!?]*",
    re.IGNORECASE,
)
_TRIP = re.compile(
    r"跳闸|跳匝|合不上|推不上|开关.{0,6}(?:跳|弹)|\b(?:breaker|rcd|switch|fuse)\b.{0,25}\b(?:trip\w*|off|won'?t)",
    re.IGNORECASE,
)


def besides_supply(words: str) -> list[str]:
    """The journeys that a message about supply names as well, the most urgent first."""
    named = (("damage_claim", _CLAIM.search(words)), ("complaint", wants_to_complain(words)))
    bill = _BESIDES.search(words) and _BILL.search(words)
    return [journey for journey, found in (*named, ("bill", bill)) if found]


def supply_besides(words: str) -> str | None:
    """outage | water where a message about something else also reports, in so many words, that supply is off now."""
    if not _BESIDES.search(words):
        return None
    off = _OFF.search(words)
    return "water" if _WEAK.search(words) and not off else ("water" if off["water"] else "outage") if off else None


def is_vague(words: str) -> bool:
    """Whether a message says that something is wrong, and not what."""
    return bool(_VAGUE.fullmatch(words.strip()))


def wishes_in(words: str) -> set[str]:
    """Every supply journey that a message names ("又停电又停水")."""
    return {"water" if match["water"] else "outage" for match in _OFF.finditer(words)}


def wish_in(words: str) -> str | None:
    """The journey that plain words name, for messages whose other parts (name, phone, address) hid the intent."""
    off = _OFF.search(words)
    if off:
        return "water" if off["water"] else "outage"
    if _TRIP.search(words):
        return "meter"
    return "complaint" if wants_to_complain(words) else None


def instead(words: str) -> str | None:
    """The supply journey that a slip of the tongue was put right to, else None."""
    slip = _SLIP.match(words)
    off = _OFF.search(slip["zh"] or slip["en"]) if slip else None
    return ("water" if off["water"] else "outage") if off else None


def brown_water(words: str) -> bool:
    """Whether a message also reports water that looks or smells wrong."""
    return bool(
        re.search(
            r"水.{0,4}(?:黄|浑|黑|臭|有味)|\b(?:brown|yellow|dirty|cloudy|rusty|smelly) water|"
            r"water.{0,12}\b(?:brown|yellow|dirty|cloudy|smells)",
            words,
            re.IGNORECASE,
        )
    )


def wants_to_complain(words: str) -> bool:
    """Whether a message about supply also holds the wish to complain ("停电了，而且我要投诉")."""
    return bool(_COMPLAIN.search(_NO_COMPLAINT.sub("", words)))


def supply_trouble(words: str) -> str | None:
    """power | water where a complaint also reports that supply is off; only beside another clause, so that a
    complaint *about* power cuts stays one."""
    match = _OFF.search(words)
    if not match or not _AND.search(words):
        return None
    return "water" if match["water"] else "power"
