"""One household or the surroundings (D6): what a message states of this home and of the others. Pure."""

import re

from opencc import OpenCC

_SIMPLIFIED = OpenCC("t2s")


def _any(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


def _clean(words: str) -> str:
    """Simplified, lower case, straight apostrophes."""
    return re.sub(r"\s+", " ", _SIMPLIFIED.convert(words).replace("’", "'").replace("‘", "'")).strip().lower()


# What is lit or dark. Where both could start at the same character, lit is tried first ("没停" before "停").
_LIT_ZH = _any(
    r"没有?(?:停|黑|断|事|问题|受|跳|影响)|冇停|不停|未停|好好的|正常|亮",
    r"(?<!没)(?<!没得)有(?:电|水|灯|光|得)|有(?=的?(?:[，,。！!\s]|$))|(?<!自)来(?:电|水)了?|恢复|通着|不黑|用得(?:好|起)"
    r"|好的|还?在用|开着灯|看电视",
)
_DARK_ZH = _any(
    r"(?<!有)(?:没|冇|无|莫)(?:得|有)?(?:电|水|灯|亮|光|来)|没(?:有|得)(?=(?:了|啊|呢)?(?:[，,。！!\s]|$))",
    r"停(?!.{0,2}(?:通知|公告))|(?<!天)黑|断|一样|同样|不亮|不来|不行|不通|也是|都是|漆黑|熄|跳闸",
)
_LIT_EN = _any(
    r"(?:n't| not| never) (?:been )?(?:affected|out|off|dark|down|lost|have (?:the|this|any)|having)|unaffected",
    r"\b(?:have|has|having|got|with|get|gets)\s+(?:(?:got|their|its|the|some|full|still|normal)\s+){0,2}"
    r"(?:power|electric\w*|lights?|water|it)\b",
    r"(?:\b(?:is|are|lights?|power|water|still|back|all)|'re|'s)\s+(?:still |all |back )?on\b",
    r"\bdo(?:es)?(?=\s*(?:[.,!;]|$))|\b(?:still )?do(?:es)? have\b|\bfine\b|\blit\b|\bok(?:ay)?\b|\bnormal\b"
    r"|\bworking\b|\bworks\b|\bback\b",
)
_DARK_EN = _any(
    r"\b(?:no|none|without|lost|lose|losing|same|out|off|dark|down|dead|dry|black|blackout|gone|affected|either|neither"
    r"|too|also)\b",
    r"\bas well\b|n't\b|\bnot\b|\bwent\b",
)

_OTHERS_ZH = _any(
    "左邻右舍|neighbou?rs?(?=.{0,3}[也都没有还停亮黑])|邻居|邻里|街坊|隔壁|隔篱|对面|对门|楼上|楼下|别人|别家|别的(?:人|家|户|楼)|人家|其[他它]|其余|旁边|周围|附近|周边|四周|边上|大家|他们",
    r"(?:整|全)(?:个|条)?(?:小区|街|村|路|巷|楼|单元|院|区|镇|片|栋|幢|座|排|层|大院|胡同)|整个(?=[都也没停])|家家|挨家挨户",
    "所有(?:人|的?楼|住户|邻居)|好[几多][家户栋]|几家|上下楼|一条街|楼道|走廊|外[面头](?!天)",
)
_GROUP_EN = (
    "(?:street|road|block|building|tower|neighbou?rhood|estate|compound|complex|village|area|floor|town|district|terrace"
    "|community|hamlet|row|lane|stairwell)"
)
_OTHERS_EN = _any(
    r"\bneighbou?rs?(?:'s?)?\b|\bnext[- ]door\b|\b(?:all |the |every |everyone |everybody )?others?\b(?! than| day"
    r"| week| night| time)",
    r"\b(?:other|all the|every|most|several|some|nearby) (?:other )?(?:people|house|home|flat|apartment|unit|famil"
    r"|famili|building)(?:e?s|y)?\b",
    r"\bevery(?:one|body)(?:'s)?\b|\brest of (?:the|our|my) \w+|\b(?:across|opposite|upstairs|downstairs)\b"
    r"|\ball of (?:us|them)\b",
    rf"\b(?:the |our |my )?(?:whole|entire) (?:\w+ )?{_GROUP_EN}\b|\b(?:the|our|my|this) (?:\w+ )?{_GROUP_EN}(?='s"
    r"| is| has| are| have| went| lost| seems| looks)",
)
#: Between the others and their state nothing turns to the speaker.
_NEAR_ZH = r"(?:家|们|那边|那儿|里|子)?[，,、\s]?(?:[和跟与同][我咱俺]们?(?:这里|这边|家)?|[^我咱俺，,。！!？?]){0,10}?"
_NEAR_EN = rf"(?:(?!\b(?:i|i'm|we|we're|mine|us|me|but)\b|\b(?:my|our)\b(?! (?:\w+ )?{_GROUP_EN}\b))[^.;!?]){{0,40}}?"
_OTHERS = re.compile(
    rf"{_OTHERS_ZH}{_NEAR_ZH}(?:(?P<lit>{_LIT_ZH})|{_DARK_ZH})|{_OTHERS_EN}{_NEAR_EN}(?:(?P<lit_en>{_LIT_EN})"
    rf"|{_DARK_EN})"
)

_WE = "(?:我们?|咱们?|俺们?|自己|得我|本人)"
_HOME_ZH = "(?:自己)?(?:这|那|这边|这里)?(?:一|个)?(?:家|户|屋头|屋里|屋企|屋)"
_GROUP_ZH = "(?:这|那)?(?:一|整|半|个|几)*(?:栋|幢|座|层|单元|排|条街|条路|条巷|片|村|小区|院|楼(?!上|下|道)|组|坨)"
_MORE_THAN_US = re.compile(
    rf"(?:不|非|没)(?:仅仅|止|只|光|单|仅|但|净)(?:是|有|停)?{_WE}|不是(?:只|就|光|单|仅)(?:是|有|停)?{_WE}"
    r"|(?:\bnot|n't) (?:just|only|merely|simply) (?:at |in )?(?:me|us|my|our|mine|ours|this|here)\b"
    r"|\bmore than (?:just |only )?(?:me|us|my|our|one)\b"
    r"|\b(?:nobody|no one|none of)\b[^.,;!?]{0,30}\b(?:has|have|got|with) (?:any )?(?:power|electricity|lights?"
    r"|water)\b"
    r"|\b(?:me|us|mine|ours) and (?:the |my |our )?(?:next door|neighbou?rs?|others)\b"
    r"|(?:\bnot|n't) (?:me|us|mine|ours|my \w+|our \w+) (?:only|alone)\b"
)
_ONLY_OUR_GROUP = re.compile(
    rf"{_WE}{_GROUP_ZH}(?:楼|子)?.{{0,6}}?{_DARK_ZH}|(?:只有?|就|光|单单?){_WE}{_GROUP_ZH}"
    rf"|\b(?:just|only) (?:in |on |for )?(?:our|my|this|the) (?:\w+ )?{_GROUP_EN}\b"
)
_ONLY_US = re.compile(
    r"\b(?:only|just|jsut|juts)\s*(?:[我咱]|me(?=\W*$))|"
    rf"(?:就|只|仅|光|单|独|偏|净系|净是|唯独)(?:有|是|剩|单|独|偏)*(?:停|黑|断|跳)?了?{_WE}{_HOME_ZH}"
    r"|(?:就|只有?|光|仅)(?:有|是)?(?:停|黑|断)?了?[她他它您你]们?(?:自己)?(?:一)?(?:家|户)"
    r"|(?:有电|亮着?|有水)的.{0,2}(?:邻居|隔壁|对门|别家)"
    r"|\b(?:zhi ?you|jiu|zhi ?shi) ?wo(?: ?men)? ?(?:yi ?)?jia\b|\blin ?ju (?:jia )?(?:dou )?you (?:dian|shui)\b"
    rf"|(?:就|只有|光|单单|偏偏|唯独|净系){_WE}(?=[停没冇黑断跳，,。！!的]|$)|{_WE}一(?:家|户)(?:停|没|冇|黑)"
    rf"|{_WE}{_HOME_ZH}(?:单独|独自)|(?:就|只有?)(?:这|那|本)?一?(?:家|户)"
    r"|\b(?:only|just) (?:in |at |for )?(?:me|us|mine|ours|the one|(?:this|one) (?:house|home|flat|apartment"
    rf"|household)|(?:my|our)(?! (?:\w+ )?{_GROUP_EN}))\b(?! (?:at home|here alone"
    r"|alone|luck|question|opinion|name|phone|number|and my|living|bill))"
    r"|\b(?:me|us|mine|ours|(?:my|our) \w+) (?:only|alone)\b|\bthe only (?:one|house|home|flat|unit|apartment"
    r"|household)s?\b"
    r"|\blights? (?:are |is )?(?:still )?(?:on )?(?:in|at|from|of) (?:the |my |our )?(?:building|house|flat|other"
    r"|others|neighbou?r\w*|next)[\w ']* ?(?:opposite|next door|across|around|house|upstairs)"
    r"|\blights? (?:are|is) (?:still )?on (?:next door|across|opposite|upstairs|downstairs)|\b(?:corridor"
    r"|hall(?:way)?|stair\w*) lights? (?:is|are|still) (?:\w+ )?on\b"
    r"|\bneighbou?r\b.{0,40}\b(?:has|have) (?:her|his|their|the) (?:lamp|lights?|tv) on\b"
    rf"|\b(?:except|apart from|other than)(?: for)? (?:me|us|mine|ours|(?:my|our)(?! (?:neighbou?r|{_GROUP_EN})))\b"
    r"|\bbut(?: not)? (?:me|us|mine|ours|not (?:my|our) \w+)\b"
)
_ALL_AROUND = re.compile(
    r"(?:整|全|成|半)(?:个|条)?(?:小区|条街|街|村|路|巷|楼|单元|院|区|镇|片|栋|幢|座|排|层|大院|胡同|县|城)"
    r"|路灯(?:也|都|全)|(?:\d|[一二两三四五六七八九十百]){1,5}多?户(?:吧|左右|都|$)"
    r"|\b(?:everyone|everybody) (?:in|on) |\bstreet ?lights? (?:are |is )?(?:also )?(?:off|out|dark)"
    r"|\ball of us\b|大面积|家家户户|左邻右舍|片区|一大片|"
    r"\bzheng ?(?:ge|dong|tiao) ?(?:xiao ?qu|lou|jie)?\b"
    r"|\bdou ting(?: ?dian| ?shui)?\b|\blin ?ju (?:jia )?ye\b|\bzhou ?wei (?:ye|dou)\b|"
    r"小区(?:里|内)?(?:都|全|也|停|没电|没水|黑)|(?<!家里)一片(?:都|全)|这一片|好[几多](?:家|户|栋)"
    rf"|\b(?:whole|entire) (?:\w+ )?{_GROUP_EN}\b|\ball (?:over|down|along|across|through) (?:the|our|my)"
    rf" (?:{_GROUP_EN}|place|city)\b"
    r"|\ball the (?:houses|flats|homes|apartments|neighbou?rs)\b"
    r"|\b(?:blackout|outage|(?:no|lost|not) (?:\w+ )?(?:supply|power|electric\w*|water|current|lights?|there)"
    r"|(?:power|water|lights?|electricity) (?:is |are |went )?(?:out|off|cut|gone))\b.{0,12}\b(?:in|on|across"
    r"|throughout|to|for)"
    rf" (?:the|our|my|this) (?:apartment )?{_GROUP_EN}\b(?! [a-z]?\d)"
    r"|\bevery (?:house|home|flat|apartment|unit|floor)\b|\b(?:several|many|lots of|other"
    r"|a few) (?:other )?(?:houses|homes|flats|neighbou?rs|buildings|floors)\b"
)
#: Said in answer to "only you, or the neighbours too?", where a few words are enough.
_PLAIN_US = re.compile(
    rf"(?:应该|好像|可能|嗯|是的?|就|只有?|[，,\s])*{_WE}(?:{_HOME_ZH}里?)?(?:没电|没水|停电?了?|黑了?|的|吧|呢|啊"
    r"|了|。|这里)*"
    r"|(?:i think |probably |maybe |yes,? |just |only |it'?s )*(?:me|mine|us|ours|(?:my|our|one|this) (?:house|home"
    r"|flat|place|apartment|unit|household|one))\W*"
)
_PLAIN_ALL = re.compile(
    r"(?<!家里)(?<!屋里)(?<!屋头)(?:都|全部?)(?:是|停|黑|断|没|冇|一样)(?!.{0,4}(?:小时|天|钟头|分钟|个月|半天))"
    r"|^(?:all|everyone|everybody|都|全都|周围|附近)\b|全部|大家|(?:邻居|隔壁|周围|别人|楼上|楼下|对面).{0,3}也"
    r"|\b(?:everyone|everybody|all of us|all of them|both|neighbou?rs (?:too|also|as well)|them too|the (?:street"
    r"|block|building|area|estate|village))\b"
)
_OUR_ROOMS = re.compile(rf"(?:{_WE}(?:家|屋)?|家里|屋里|屋头|房间).{{0,3}}(?:都|全)")
_NOT_ALL = re.compile(
    r"(?:不是|并非|没有)(?:整|全|所有|大家)[^，,。！!？?\s]{0,4}"
    r"|\bnot (?:the )?(?:whole|entire|everyone|everybody|all)\b"
)
_UNSURE = re.compile(
    r"不(?:太|大|很)?(?:知道|清楚|晓得|确定)|晓不得|没(?:有)?(?:看|注意|留意|问|出门)|看不(?:到|见|出|清)|说不(?:好"
    r"|准|清|上)|唔知|搞不清"
    r"|don'?t (?:really )?know|dunno|not sure|unsure|no idea|can'?t (?:tell|see|say)|(?:haven'?t|didn'?t"
    r"|have not) (?:\w+ )?(?:check|look|ask|see)|couldn'?t (?:say|tell)|hard to (?:say|tell)"
)
#: A clause that asks states nothing: "is it just me or the whole street?", "是不是整个小区都停了".
_ASKS = re.compile(
    r"^.*(?:吗|么|嘛|[电水]不|有[^我咱]{1,3}没有)\s*[？?]?$|^.*还是(?:整|全|大家|都是|别|邻|小区|周围|隔壁|大面积).*$"
    r"|(?:是不是|是否|有没有|有冇|会不会|停没停).*$"
    r"|^(?:hi|hello|hey|and|so|sorry|please)?\W*(?:can you (?:tell|check)|could you (?:tell|check)|is|are|am|do"
    r"|does|did|has|have|was|or)\b.*\?$"
    r"|^(?:is it|is this|am i|are we|do the|do my|does any|does the|has the|has any|is the|is every"
    r"|is any)\b.*$|\b(?:whether|if) (?:it'?s|it is|the|my|everyone|others|i'?m|we'?re)\b.*$"
)


#: For somebody else: how it is at their place says nothing of the caller's.
_ON_BEHALF = re.compile(
    r"(?:帮|替|代)(?:我|他|她)?.{0,3}(?:邻居|隔壁|对门|楼[上下]|阿婆|老人)|(?:帮|替)(?:他|她|忙)(?:家)?(?:说|报)"
    r"|\bon behalf\b|\b(?:calling|reporting|asking) for (?:my |a |the )?(?:\w+ )?neighbou?r|\bneighbou?r of\b"
)


def scope_in(words: str, *, asked: bool = False) -> str | None:
    """The pure part of `scope_of`: what is stated of this home and of the others; questions state nothing."""
    said = _clean(words)
    if _ON_BEHALF.search(said):
        return None
    clauses = re.findall(r"[^，,。；;！!？?\n]+[，,。；;！!？?\n]*", said)
    stated = "".join(_ASKS.sub("", clause.strip(" ，,")) if _asks(clause) else clause for clause in clauses)
    stated = _NOT_ALL.sub("", stated)
    if _MORE_THAN_US.search(stated) or _ONLY_OUR_GROUP.search(stated):
        return "surroundings"
    if _ONLY_US.search(stated):
        return "household"
    others = [bool(match["lit"] or match["lit_en"]) for match in _OTHERS.finditer(stated)]
    if others:
        return "household" if others[0] else "surroundings"
    if _ALL_AROUND.search(stated):
        return "surroundings"
    if not asked:
        return None
    if _UNSURE.search(said):
        return "unknown"
    if _PLAIN_US.fullmatch(stated.strip()):
        return "household"
    return "surroundings" if _PLAIN_ALL.search(stated) and not _OUR_ROOMS.search(stated) else None


def _asks(clause: str) -> bool:
    return bool(_ASKS.search(clause.strip(" ，,。")))
