"""People's names in a message, in both languages. Pure."""

import re

from opencc import OpenCC

_SIMPLIFIED = OpenCC("t2s")
_COMPOUND = "欧阳|上官|司马|诸葛|东方|皇甫|尉迟|公孙|夏侯|令狐|慕容|司徒|南宫|端木|独孤|长孙|宇文|轩辕|申屠|闻人"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪"
    "廖石金韦贾夏付傅方邹熊白孟秦邱侯江尹薛闫阎段雷龙史陶黎贺毛郝顾龚邵万覃武钱戴严莫孔向常汤章尤喻柏窦葛奚郎鲁苗柳鲍费岑倪滕"
    "殷毕邬卞齐康伍卜穆湛祁狄臧庞纪舒屈项祝阮蓝季麻娄童颜梅盛刁骆樊凌霍虞柯管缪解应宗宣郁单洪包左吉邢裴荣翁甄曲封储靳焦巴谷"
    "车宁仇栾甘厉符景詹司蒲赖卓蔺蒙池乔阳胥翟劳申冉桑桂牛边燕尚温庄晏柴瞿连习艾容古易戈居耿满文寇欧聂晁敖冷辛简饶沙鞠丰关查"
    "荆游竺权盖桓涂仝代苟冼佘练"
)
_SURNAME = f"(?:{_COMPOUND}|[{_SURNAMES}])"
_TITLE = (
    "(?:先生|女士|小姐|太太|师傅|老师|阿姨|叔叔|大爷|大妈|大姐"
    "|大哥|奶奶|爷爷|婆婆|嬢嬢|医生|经理|主任|老板|总|工|哥|姐)"
)
_END = r"(?=$|[\s\d,，.。;；:：、!！?？()（）])"
#: A word after which a name is over.
_AFTER = r"(?=$|[\s\d,，.。;；:：、!！?？()（）我你他的吧啊呢就这住在来家]|电话|手机|号|联系)"
_FULL_NAME = rf"(?:{_COMPOUND})[\u4e00-\u9fff]{{1,2}}?|[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}?"
_NAMES_ZH = (
    # Family name alone or with a title: "免贵姓李", "我是3栋的李阿姨".
    re.compile(rf"(?<![不同百])姓(?P<name>{_SURNAME}{_TITLE}?){_AFTER}"),
    re.compile(
        rf"(?:^|[\s\d,，.。:：、的是叫找]|我|物业|公司|前台)(?P<name>(?:{_SURNAME}|[老小]{_SURNAME}){_TITLE}(?=吧|啊|{_END}))"
    ),
    re.compile(rf"(?:我叫|叫我|我是|^|[\s\d,，、])(?P<name>[老小][{_SURNAMES}])(?=就|吧|{_END})"),
    # Said to be a name: nearly anything goes. Else it starts with a family name.
    re.compile(
        r"(?:我叫做?|名字(?:是|叫做?)|姓名(?:是|:|：)|联系人(?:是|:|：)?)\s*(?![了你您他她它们不人过的来什谁])"
        rf"(?P<name>[\u4e00-\u9fff]{{2,8}}·[\u4e00-\u9fff·]{{1,10}}|[\u4e00-\u9fff]{{2,4}}?){_AFTER}"
    ),
    re.compile(rf"(?:我是|叫我?|本人|我系|(?i:name is|i am|i'm|this is))\s*(?P<name>{_FULL_NAME}){_AFTER}"),
)
_BARE_ZH = re.compile(rf"(?:{_FULL_NAME})")
#: Words and places that begin like a family name.
_WORDS_ZH = re.compile(
    r"(?:马[上路]|高[压楼层]|何[时必]|任何|方[便面]|白[天色]|严重|常常|安全|石头|万一|于是|余额|毛病|温水|金额"
    r"|单[元位号]|管道|应[该急]"
    r"|简单|连续|车库|关[了闸]|包括|查不|冷水|左[边右]|容易|解决|江边|田里|许[多久]|黄[水色]|龙头|文件|程度|段时"
    r"|司机|代[收理]|满[意了]"
    r"|尚未|丰收|老[业板]).*|.*[路街巷村镇区苑栋幢楼室里弄桥湖了的着得过么上下黑员]"
)
_TITLE_EN = r"(?:mr|mrs|ms|miss|dr|prof)\b\.?"
_STRONG_EN = re.compile(
    r"\b(?:name(?:'s| is|:)|named|my name(?!\s*(?:is|was|and|[':’])))\s*"
    r"(?P<name>[a-z][a-z.'-]*(?:\s+[a-z][a-z.'-]*){0,2})",
    re.IGNORECASE,
)
_TITLED_EN = re.compile(rf"\b(?P<name>{_TITLE_EN}\s*[a-z][a-z'-]+(?:\s+[A-Z][a-z'-]+)?)\b", re.IGNORECASE)
_WEAK_EN = re.compile(
    r"\b(?i:this is|i am|i'm|call me|it's|it is)\s+"
    r"(?P<name>[A-Z][a-z]*['-]?[A-Z]?[a-z]+(?:\s+[A-Z][a-z'-]+){0,2}|[a-z]{2,}(?: [a-z]{2,8})?(?=[\s,.:;]+\+?\d{5}))"
)
_NOT_NAMES = frozenset(
    re.findall(
        r"\w+",
        """
    a court estate garden gardens homes lane lodge manor plaza tower village
        about again alive alone an and angry any anyone anytime asap at back beside block building but by calling
    can chinese come correct dark done everyone exactly fine flat for freezing from good great hello help here
    hi home how hurry i in it just later leave leaving me mine mobile my near next no nobody none not now number
    of off ok okay old on only or our out owner perfect phone please power really right road room send sick so
    somebody someone soon sorry still stop street stuck sure tel tenant thank thanks the there this tired to
    today tomorrow tonight under unit up upset urgent very waiting water what when whenever where who why with
    wrong yeah yes you your
        """,
    )
)
_FAMILY_PINYIN = (
    "wang|li|zhang|liu|chen|yang|huang|zhao|wu|zhou|xu|sun|ma|zhu|hu|guo|he|lin|gao|luo|zheng|liang|xie|song|tang|deng|han|feng|cao|peng"
    "|zeng|xiao|tian|dong|pan|yuan|cai|jiang|yu|du|ye|cheng|wei|su|lv|lu|ding|ren|yao|shen|zhong|cui|tan|fan|liao|shi|jin|jia|xia|fu"
    "|fang|zou|xiong|bai|meng|qin|qiu|hou|yin|xue|yan|duan|lei|long|tao|mao|hao|gu|gong|shao|wan|qian|dai|mo|kong|xiang|ouyang"
)
_SYLLABLE = r"(?:(?:[bpmfdtnlgkhjqxrzcsyw]|[zcs]h)?(?:[aeiouv]|ai|ei|ao|ou|ia|ie|ua|uo|ui|iu|ue|iao|uai)(?:ng?|r)?)"
_PINYIN = re.compile(
    rf"(?:{_FAMILY_PINYIN})\s?{_SYLLABLE}{{1,2}}|{_SYLLABLE}{{1,2}}\s(?:{_FAMILY_PINYIN})", re.IGNORECASE
)
_CAPITALISED = re.compile(r"[A-Z][a-z]*(?:['-][A-Z])?[a-z]+(?:\s+[A-Z][a-z'-]+){0,2}")
#: What stands round a name in an answer: the number, and words that lead to it.
_AROUND = re.compile(
    r"我的|手机号?码?|电话|号码|联系(?:方式|电话|人)?|谢谢|[是：:]|[\d+()\-,，.。;；、!！]"
    r"|\b(?:my|phone|mobile|cell|tel|telephone|contact|number|no|is|and|at|it's|you can reach me|reach me)\b",
    re.IGNORECASE,
)
#: So many digits beside lower-case words make them probable as a name.
#: The last word before a number, after whatever else the line holds: "…3栋，范伟 186…", "…, John Smith, 138…".
_BESIDE_PHONE = (
    re.compile(rf"[\s,，。;；、](?P<name>(?:{_FULL_NAME})|(?:{_SURNAME}){_TITLE})[\s,，:：]*(?=\+?\d[\d\s-]{{6,}})"),
    re.compile(r"[,.;]\s*(?P<name>[A-Z][a-z'-]+(?:\s+[A-Z][a-z'-]+){0,2})[\s,:]*(?=\+?\d[\d\s-]{6,})"),
    re.compile(r"(?:我叫|我是|叫我)\s*(?P<name>[A-Z][a-z]+(?:\s[A-Z][a-z]+)?)"),
)
_PHONE_DIGITS = 7


def name_in(text: str) -> str | None:
    """The name a customer gives beside or without their phone number, as they wrote it; None where there is none."""
    simplified = str(_SIMPLIFIED.convert(text))
    name = _name_in(simplified)
    start = simplified.find(name) if name else -1
    # Traditional characters are understood, and kept: nobody's name is rewritten.
    return text[start : start + len(name)] if name and start >= 0 and len(simplified) == len(text) else name


def _name_in(text: str) -> str | None:
    said = text.replace("’", "'").strip()
    for pattern in _NAMES_ZH:
        match = pattern.search(said)
        if match and not _WORDS_ZH.fullmatch(match["name"]):
            return str(match["name"])
    for pattern in (_STRONG_EN, _TITLED_EN, _WEAK_EN):
        match = pattern.search(said)
        name = _up_to_other_words(match["name"]) if match else ""
        if name:
            return name
    for pattern in _BESIDE_PHONE:
        match = pattern.search(said)
        if match and not _WORDS_ZH.fullmatch(match["name"]) and _up_to_other_words(match["name"]) == match["name"]:
            return str(match["name"])
    rest = re.sub(r"\s+", " ", _AROUND.sub(" ", said)).strip()
    if _BARE_ZH.fullmatch(rest):
        return None if _WORDS_ZH.fullmatch(rest) else rest
    digits = sum(c.isdigit() for c in said)
    spoken = digits >= _PHONE_DIGITS and _PINYIN.fullmatch(rest)
    if digits >= _PHONE_DIGITS:
        # Name, room and number in one line: "张伟，5栋2单元501，138…".
        first = re.split(r"[\s\d,，、;；]", said, maxsplit=1)[0]
        if _BARE_ZH.fullmatch(first) and not _WORDS_ZH.fullmatch(first):
            return first
    if (spoken or _CAPITALISED.fullmatch(rest)) and _up_to_other_words(rest) == rest:
        return rest
    return None


def _up_to_other_words(name: str) -> str:
    """The words before the first that belongs to no name: "tom and my" gives "tom"."""
    words: list[str] = []
    for word in name.split():
        doing = re.search(r".{2}ing$", word.lower()) and not _PINYIN.fullmatch(name)
        if doing or word.lower().strip(".") in _NOT_NAMES:
            break
        words.append(word)
    return " ".join(words).rstrip(".,")
