"""How Chinese says numbers, times, dates, sums and units. Pure. The tables are applied in their order."""

import re

import cn2an

from api.channels.voice.spelling import Rule, digits, rules

#: What is counted: a long number before it is an amount and no name of something.
COUNTED = (
    "个|户|位|人|次|天|小时|分钟|秒|元|块|角|度|吨|方|立方|平方|米|千|公里|毫|厘|升|伏|安|瓦|兆|帕|家|条|台|件|项|倍|万"
    "|亿|公斤|摄氏"
)


def _cardinal(number: str) -> str:
    """`12` → 十二, `0.4` → 零点四; what is too long or begins with zeros by its digits."""
    whole, _, part = number.replace(",", "").partition(".")
    said = _each(whole) if len(whole) > 12 or (len(whole) > 1 and whole[0] == "0") else str(cn2an.an2cn(whole))
    said = "十" + said[2:] if said.startswith("一十") else said
    return said + ("点" + _each(part) if part else "")


def _each(number: str) -> str:
    """Digits one by one, as in a year: 1 is 一."""
    return "".join("零一二三四五六七八九"[int(digit)] for digit in number)


def _room(found: re.Match[str]) -> str:
    return digits(found[0], "zh").replace("，", "")


def _named(found: re.Match[str]) -> str:
    """A short number after the word that makes it a telephone's."""
    return found[1] + digits(found[2], "zh").replace("，", "")


def _percent(found: re.Match[str]) -> str:
    return f"百分之{_cardinal(found[1])}"


def _money(found: re.Match[str]) -> str:
    """`12.50元` → 十二元五角."""
    sign = "负" if found["minus"] else ""
    whole, _, part = found["number"].replace(",", "").partition(".")
    if len(part) > 2:
        return f"{sign}{_cardinal(found['number'])}元"
    jiao, fen = int(part.ljust(2, "0")[0]) if part else 0, int(part.ljust(2, "0")[1]) if part else 0
    small = f"{_two(str(jiao))}角" if jiao else "零" if fen and int(whole) else ""
    small += f"{_cardinal(str(fen))}分" if fen else ""
    return sign + (f"{_two(whole)}元" if int(whole) or not small else "") + small


def _two(number: str) -> str:
    """2 before what is counted is 两."""
    return "两" if number == "2" else _cardinal(number)


_PARTS_OF_DAY = ((6, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (25, "晚上"))


def _clock(found: re.Match[str]) -> str:
    """`15:30` → 下午三点半; a part of the day that is named already stays."""
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    part = found["part"] or next(name for until, name in _PARTS_OF_DAY if hour < until)
    said = _two(str(hour - 12 if hour > 12 else hour))
    if minute == 30:
        return f"{part}{said}点半"
    small = f"零{_cardinal(str(minute))}分" if minute < 10 else f"{_cardinal(str(minute))}分"
    return f"{part}{said}点{small if minute else ''}"


def _o_clock(found: re.Match[str]) -> str:
    """`15点30分`, `15时`; below 13 it may be three points as well as three o'clock, and is only put in words."""
    hour, minute = int(found["hour"]), found["minute"]
    part = "" if hour < 13 else "下午" if hour < 18 else "晚上"
    said = f"{part}{_two(str(hour - 12 if hour > 12 else hour))}点"
    return said + (f"{_cardinal(minute)}分" if minute else "")


def _date(found: re.Match[str]) -> str:
    year = f"{_each(found['year'])}年" if found["year"] else ""
    return f"{year}{_cardinal(str(int(found['month'])))}月{_cardinal(str(int(found['day'])))}日"


def _number(found: re.Match[str]) -> str:
    counted = found["counted"] is not None and not found["nth"]
    said = _two(found["number"]) if counted else _cardinal(found["number"])
    return f"{found['nth'] or ''}{'负' if found['minus'] else ''}{said}"


_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
#: Signs of units → in words, where they follow a number.
_UNITS = {
    "[kK][wW][hH]|千瓦时": "度", "kVA": "千伏安", "k[vV]|KV": "千伏", "kW|KW": "千瓦", "MW": "兆瓦", "kPa|KPa": "千帕",
    "MPa|Mpa": "兆帕", "Pa": "帕", "mg/L": "毫克每升", "m3/h": "立方米每小时", "m3": "立方米", "m2": "平方米",
    "km": "公里", "mm": "毫米", "cm": "厘米", "m": "米", "kg": "公斤", "L": "升", "V": "伏", "A": "安", "W": "瓦",
    "Hz": "赫兹", "°C|°": "度", "h": "小时", "min": "分钟", "s": "秒",
}  # fmt: skip
#: Words for a screen, and for writing, as one says them on the telephone; what a customer is told to write, he says.
_SCREEN = (
    (r"(?:请|您)?(?:可以)?点[击选按](?:下[面方]的?|页面上?的?|以下)?(?:选项|按钮|链接)", "请直接说"),
    (r"[，,]?(?:[^，。；,]{0,12})(?:请?见|位于|在)(?:页面|屏幕|网页)[^，。；,]{0,16}", ""),
    (r"(?:请按|点击?)?(?:下面|下方|页面下方|以下)的?(?:按钮|链接)", ""),
    (r"(?:发|写|填|打)在(?:这里|下面)", "告诉我"),
    (r"(?:输入|写下|打字)?(?:在)?(?:对话框|输入框)里?", ""),
    (r"把(\w{1,6})写下来", r"把\1说一下"),
    (r"您写的", "您说的"),
    (r"再发(?=一[遍次])", "再说"),
    (r"(?:直接)?发消息给我们", "打电话给我们"),
    (r"漏保(?!护)", "漏电保护器"),
)
BEFORE: list[Rule] = rules(
    *_SCREEN,
    (r"(?<=[:：][0-9]{2})\s*[-–—~～]+\s*(?=[0-9]{1,2}[:：])", "至"),
    (
        r"(?<![0-9])(?P<year>(?:19|20)[0-9]{2})(?:年|[-/.])(?P<month>0?[1-9]|1[0-2])(?:月|[-/.])"
        r"(?P<day>[0-3]?[0-9])(?:[日号]|(?![0-9]))T?",
        _date,
    ),
    (r"(?<![0-9])(?P<year>)(?P<month>0?[1-9]|1[0-2])月(?P<day>[0-3]?[0-9])[日号]", _date),
    (r"(?<![0-9])((?:19|20)[0-9]{2})(?=年)", lambda found: _each(found[1])),
    (
        r"(?:(?P<part>今晚|明晚|昨晚|今早|明早|凌晨|早上|早晨|上午|中午|下午|晚上|傍晚|夜里)\s*)?(?<![0-9:：.])"
        r"(?P<hour>[01]?[0-9]|2[0-4])[:：](?P<minute>[0-5][0-9])(?::[0-5][0-9])?(?![0-9:：])",
        _clock,
    ),
    (r"(?<![0-9.第])(?P<hour>[01]?[0-9]|2[0-4])[点时](?!间|候|段|期)(?:(?P<minute>[0-5]?[0-9])分)?", _o_clock),
    (r"(?<![0-9.])(?P<minus>[-负])?[¥￥]?(?P<number>[0-9][0-9,]{0,14}(?:\.[0-9]+)?)\s*元", _money),
    (r"(?P<minus>-)?[¥￥]\s*(?P<number>[0-9][0-9,]{0,14}(?:\.[0-9]+)?)", _money),
    *((rf"(?<=[0-9])\s*(?:{sign})(?![A-Za-z0-9栋幢座单号室区楼])", said) for sign, said in _UNITS.items()),
    (rf"(?<![0-9])([0-9]{{1,3}}),([0-9]{{3}})(?=\s*(?:{COUNTED}))", r"\1\2"),
    (rf"({_NUMBER})\s*%", _percent),
    (
        rf"(?<![0-9-])({_NUMBER})\s*[-–—~～]+\s*(?={_NUMBER}\s*(?:{COUNTED}|栋|幢|号|楼|层|单元|月|日|年|周))",
        r"\1到",
    ),
    (r"(?<![0-9])((?:拨?打|拨|报警|热线|电话)(?:号码)?[是为：:]?\s*)([0-9]{3,5})(?![ -]?[0-9.])", _named),
    (rf"(?<![0-9.])()(110|119|120|122)(?![ -]?[0-9.]|\s*(?:{COUNTED}|号|栋|室|月|日|年))", _named),
)
_COUNTED_BY_TWO = "个|户|位|次|天|家|条|台|件|项|倍|小时|分钟|秒|块|吨|方|米|升|周|年|人|公里|只|根|处|遍"
AFTER: list[Rule] = rules(
    (r"[0-9]{3,4}(?=室|房|号房)", _room),
    (r"(?<=[0-9])#", "号"),
    (r"(?<=按)\s*#\s*(?:号)?键?", "井号键"),
    (r"(?<=按)\s*\*\s*(?:号)?键?", "星号键"),
    (r"(?<=[元角分])\s*/\s*(?=[\u3400-\u9fff])", "每"),
    (r"(?<=[0-9\u3400-\u9fff])\s*/\s*(?=[0-9\u3400-\u9fff])", "或"),
    (
        rf"(?P<nth>第)?(?P<minus>(?<![0-9A-Za-z\u3400-\u9fff])-)?(?P<number>{_NUMBER})"
        rf"(?P<counted>(?=\s?(?:{_COUNTED_BY_TWO})))?",
        _number,
    ),
    (r"\s*&\s*", "和"),
    (r"…+|—+|–|→|·|~|～|\s-\s", "，"),
    (r"[*#/^=<>]+", " "),
)
