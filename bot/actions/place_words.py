"""What customers' words say of a place: addresses, corrections, numbers, choices by position. Pure."""

import re
from itertools import takewhile
from typing import Any

_CORRECTION = re.compile(
    r"(?<!是)不是[^,，、。]{1,20}[,，、。\s]+(?:而|应该)?(?:是在?|在)(?P<zh0>.{2,40})$"
    r"|(?<!是)不是(?!不是).{0,20}?(?:[,，、。\s]|而)*(?<![不还])(?:是|在)(?P<zh>.{2,40})$"
    r"|(?:地址|地方|位置|[说搞写打记弄填听看]).{0,6}?(?:错了|错(?!了)|不对|有误)[,，。\s]*(?:应该|其实)?(?:是"
    r"|在)?(?P<zh2>.{2,40})$"
    r"|(?<!不)(?:应该是|改成|改为|更正为|我说的是)(?P<zh3>.{2,40})$"
    r"|\bnot (?!sure|only|just|yet|really|working|at all|possible|now|good|ok|back|fixed|that).{1,40}?(?:,| but"
    r"| rather)\s*"
    r"(?:it'?s|it is|i'?m at|at)?\s*(?P<en>.{1,60})$"
    r"|\b(?:i meant|correction:?|i mean|(?:it|that) should (?:be|read))\s+(?P<en2>.{1,60})$"
    r"|\b(?:wrong address|address is wrong|wrong number|wrong building)\W+(?:it'?s|it is"
    r"|(?:it )?should be)?\s*(?P<en3>.{1,60})$",
    re.IGNORECASE,
)
#: Looser forms, taken only where what they give is a place: "no it's number 12", "5栋，不是3栋".
_LOOSE_CORRECTION = re.compile(
    r"(?:^|[,.;]\s*)(?:no|nope|sorry|wait|actually|oops|oh|wrong)\b[\s,.!]*(?:sorry|no|wait|actually|wrong)?[\s,.!]*"
    r"(?:it'?s|it is|that'?s|i'?m (?:at|in)|we'?re (?:at|in)|i live (?:at|in))\s+(?P<en>.{1,60})$"
    r"|^(?:it'?s |it is )?(?P<en2>.{1,30}?),? (?:and )?not .{1,30}$"
    r"|\b(?:it'?s|it is|i'?m (?:at|in))\s+(?P<en4>[^,]{1,40}),?\s+not\b"
    r"|(?:^|[,，。\s])(?:不对|不是的?(?=[,，。!！\s])|错了|哦|噢|等等|不好意思"
    r"|更正)[,，。!！\s]*(?:我家)?(?:应该)?(?:是|在)?(?P<zh>[^,，。]{1,40})$"
    r"|^(?:我家)?(?:是|在)?(?P<zh2>.{1,20}?)[,，]?(?:而)?(?<!是)不是.{1,20}$",
    re.IGNORECASE,
)
#: Never a place: a question, a fault, an amount, a time.
_NO_PLACE = re.compile(
    r"[吗？?]|\d{6}|取消|不报|不用|想改|交费|谢谢|什么|怎么|为什么|跳闸|停电|停水|没电|没水|坏了|故障|漏"
    r"|\d\s*(?:块|元|度|方|吨|点|个?小时|分钟|天|岁)"
    r"|\d\s*(?:yuan|rmb|kwh|units?|%|o'clock|hours?|days?|minutes?|am|pm)\b",
    re.IGNORECASE,
)

_WHOLE = re.compile(
    r"(?:整|全)个?(?:小区|院子?|村子?|社区|大院|园区)|(?:所有|每一?|全部的?)(?:的)?(?:栋|楼|幢)"
    r"|\b(?:whole|entire|complete) (?:\w+ )?(?:estate|compound|complex|village|community|place|residence)\b"
    r"|\b(?:all|every)(?: of)?(?: the| our)? (?:\d+ )?(?:buildings?|blocks?|towers?)\b",
    re.IGNORECASE,
)
#: How many there are is no number of one: "一共12栋楼".
_HOW_MANY = re.compile(
    r"(?:一共|总共|共有?|全部|有)\s*[\d一二三四五六七八九十两几]+\s*(?:来)?(?:栋|幢|座|个楼)"
    r"|\b\d{1,3} (?:buildings|blocks|towers)\b|\bboth (?:buildings|blocks|towers)\b",
    re.IGNORECASE,
)

#: What answers "where" with something else altogether.
NO_ADDRESS = frozenset({"out_of_scope", "greet", "thank", "ask_outage_status", "make_complaint", "bot_challenge"})
NUMBERED = re.compile(r"\d|[一二三四五六七八九十](?:栋|幢|号|座)")
#: The beginning of an estate's name with a building number, inside a sentence: "和泰8栋停电了".
SHORT_ADDRESS = re.compile(
    r"(?:^|(?<=[,，。 ]))(?:我家住?在?|我们?(?:住|在)在?|家住在?|住在?|在|这里是)?"
    r"(?P<place>[\u4e00-\u9fff]{2,5}?\d+(?:栋|幢|号|座))"
)
LEAD_IN = re.compile(
    r"^(?:就是|我说的是|我说了|地址是|我在|住在|在|i (?:told you|said),?|it'?s|it is|at|the address is)[\s,，:：]*",
    re.IGNORECASE,
)
DIGITS_ONLY = re.compile(r"[\dXx\s-]{5,}")
#: So short a reply that is no address tells no place at all.
TELLS_NOTHING = 3
_ADDRESS = re.compile(
    r"[\d一二三四五六七八九十]+\s*(?:栋|幢|号|座|单元|组|社|弄)|(?:路|街|(?<!知)道|巷|小区|花园|家园|广场|大厦|公寓"
    r"|村|苑|城|镇)"
    r"(?:[^\u4e00-\u9fff]|$|\d)|[\u4e00-\u9fff]{2,}(?:路|街|巷|小区|花园|家园|大厦|公寓|村"
    r"|苑)[\d一二三四五六七八九十]"
    r"|\b(?:building|bldg|block|road|rd|street|st|avenue|garden|estate|village|plaza|unit|lane|court|tower|number"
    r"|no\.?) ?#?\d+"
    r"|\b\d+[a-z]? [\w ]{0,20}\b(?:road|rd|street|st|avenue|lane)\b|\b(?:road|rd|street|estate|village|plaza|lane"
    r"|gardens?)\b"
    r"|\b(?:building|bldg|block|unit) [a-z0-9]{1,4}\b|^\d{1,4}[A-Za-z]?$",
    re.IGNORECASE,
)

_REMARK = re.compile(
    r"(?:it|that|this)(?:['’]s| is| was) (?:really|so|very|too|quite|getting|been|not|always|cold|dark|hot|bad)\b"
    r"|(?:he|she|we|they|you|i)(?:['’](?:re|m|ve|ll|d|s))? (?!live|stay|(?:am |are )?(?:at|in|near|on)\b)\w"
    r"|我(?:好|很|都|又|哪|怎么|快)|好(?:冷|热|黑|烦|气|饿|怕)|[太真]\S{1,3}(?:了|啊)",
    re.IGNORECASE,
)


def corrected_words(text: str) -> str | None:
    """What the customer puts in place of what was understood: "不是三栋，是五栋" gives "五栋"."""
    said = text.replace("’", "'").strip()
    for pattern in (_CORRECTION, _LOOSE_CORRECTION):
        match = pattern.search(said)
        words = next((part.strip(" 。.，,!！") for part in match.groups() if part), "") if match else ""
        if words and not _NO_PLACE.search(words) and (pattern is _CORRECTION or _ADDRESS.search(words)):
            return words
    return None


def looks_like_address(words: str) -> bool:
    """Whether a message holds a building or house number, or a word that places end in."""
    return bool(_ADDRESS.search(words))


def whole_place(words: str) -> bool:
    """Whether a message means all of an estate or village: "整个小区", "all buildings"."""
    return bool(_WHOLE.search(words) or _HOW_MANY.search(words))


def without_count(words: str) -> str:
    """The words without how many buildings there are, which is no number of one."""
    return _HOW_MANY.sub(" ", words)


def is_remark(words: str) -> bool:
    """Whether a message is a sentence about oneself or the world ("it's really cold"), as no place's name is."""
    return bool(_REMARK.match(words))


def gives_up(words: str, intent: str) -> bool:
    """Whether the customer cannot say where it is."""
    return intent in ("deny", "cancel") or bool(
        re.search(
            r"不(?:太)?(?:知道|清楚|晓得|确定|记得)|晓不得|说不(?:上|清|好)|忘了|don['’]?t (?:know|remember)"
            r"|not sure|no idea|forgot",
            words,
            re.IGNORECASE,
        )
    )


def after_no(words: str) -> str:
    """ "不是，是五栋" → "五栋", so that what is denied is not looked up."""
    denied = r"不是的?|不对|错了|不(?=[\s,，。!！])|no\b|nope\b|wrong\b"
    lead = rf"^(?:{denied})[\s,，。!！]*(?:(?:应该)?(?:是|在)|it'?s |it is )?"
    return corrected_words(words) or re.sub(lead, "", words, flags=re.IGNORECASE)


def as_number(words: str) -> str:
    """A bare number is a building number: "3" → "3栋"."""
    bare = words.strip(" 。.,，!！")
    if re.fullmatch(r"\d{1,4}号", bare):
        return bare
    number = re.fullmatch(
        r"(?:是|在|第|it'?s |number |no\.? ?|building |block |bldg\.? ?|#)*(\d{1,4}[A-Za-z]?"
        r"|[一二三四五六七八九十]{1,3})号?(?:的|吧|啊)?",
        bare,
        re.IGNORECASE,
    )
    return f"{number[1]}栋" if number else f" {words}"


def by_part(words: str, guesses: list[Any]) -> Any | None:
    """ "是二期的" picks the only choice that holds it."""
    part = re.sub(
        r"^(?:就?是|要|选)|(?:的|那个|那边)$|^the\s+|\s+one$", "", words.strip(" 。.!！"), flags=re.IGNORECASE
    )
    found = [g for g in guesses if part and (part in g["address_zh"] or part.lower() in g["address_en"].lower())]
    return found[0] if len(found) == 1 else None


def common_name(guesses: list[Any]) -> str:
    """What the names of several places have in common ("南湖花园"); '' where that is too little."""
    names = [str(g.get("name") or "") for g in guesses]
    same = "".join(chars[0] for chars in takewhile(lambda chars: len(set(chars)) == 1, zip(*names, strict=False)))
    return same if len(same) >= 2 else ""


def by_position(words: str, guesses: list[Any]) -> Any | None:
    """ "第二个", "the first one", "2" pick by position."""
    words = words.lower().strip(" 。.!！")
    if guesses and re.search(r"最后|最下面|\blast\b", words):
        return guesses[-1]
    for index, forms in enumerate(
        (
            *(
                rf"第(?:{zh}|{n})(?!单元|栋|幢|号|期|组)|{en}|^(?:{n}|{zh})(?:号|个)?$|\b(?:option|number) {n}\b"
                for n, zh, en in (
                    (1, "一", r"\bfirst\b"),
                    (2, "二", r"(?<!a )\bsecond\b"),
                    (3, "三", r"\bthird\b"),
                    (4, "四", r"\bfourth\b"),
                )
            ),
        )
    ):
        if index < len(guesses) and re.search(forms, words):
            return guesses[index]
    return None
