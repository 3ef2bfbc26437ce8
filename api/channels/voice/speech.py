"""Written sentences as a voice should say them. Pure.

Numbers are put in words rather than in <say-as>: neural voices do not take its `characters` and fall back to another
voice for the whole sentence (https://docs.aws.amazon.com/polly/latest/dg/say-as-tag.html), and only words let 幺 stand
for 1. What a language replaces is data, in speech_zh.py and speech_en.py.
"""

import re
import unicodedata
from functools import partial

from api.channels.voice import speech_en, speech_zh
from api.channels.voice.spelling import WIDTH, digits

__all__ = ["digits", "spoken"]


def spoken(text: str, language: str, *, slow: bool = False) -> str:
    """The sentence for the ear, in `zh` or `en`; `slow`: with a pause after every digit of a long number."""
    chinese = language != "en"
    said = _on_one_line(_without_signs(text), chinese=chinese)
    for pattern, say in (speech_zh if chinese else speech_en).BEFORE:
        said = pattern.sub(say, said)
    said = _MASKED.sub(partial(_masked, language=language, slow=slow), said)
    said = _LONG.sub(partial(_long, language=language, slow=slow), said)
    for pattern, say in (speech_zh if chinese else speech_en).AFTER:
        said = pattern.sub(say, said)
    said = _tidy(said, chinese=chinese)
    return said if any(sign.isalnum() for sign in said) else ""


# -- signs that are seen and not heard ------------------------------------------------------------------------------

#: Emoji and other pictures, controls, half characters: nothing of them is said.
_UNSPOKEN = frozenset({"So", "Sk", "Cs", "Co", "Cn", "Cf", "Cc", "Me"})
#: What stands for a web page; Chinese characters end it.
_IN_URL = r"[^\s，。；！？、（）()“”\"<>\u3400-\u9fff]*"
_URL = re.compile(
    rf"(?:https?:|ftp:|www\.){_IN_URL}"
    rf"|(?<![A-Za-z0-9@.-])(?:[A-Za-z0-9-]+\.)+(?:com|cn|net|org|gov|edu|io|info|top)(?![A-Za-z0-9-])(?:/{_IN_URL})?",
    re.IGNORECASE,
)
_MAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_BULLET = re.compile(r"^\s*(?:[·•▪●◦*–—]|-(?!\d))+\s*|^\s*\d{1,2}[.、)）]\s+", re.MULTILINE)
_END = re.compile(r"[。！？；：，、.!?;:,]$")


def _without_signs(text: str) -> str:
    plain = text.translate(WIDTH).replace("\ufe0f", "")
    return "".join(
        sign
        for sign in plain
        if sign in "\n°" or not (unicodedata.category(sign) in _UNSPOKEN or "\ufe00" <= sign <= "\ufe0f")
    )


def _on_one_line(text: str, *, chinese: bool) -> str:
    """Lines and bullets as sentences, links and addresses by name, brackets as pauses, quotation marks gone."""
    site = "我们的网站" if chinese else "our website"
    text = _URL.sub(lambda found: site + (found[0][-1] if found[0][-1] in ".,;!?" else ""), text)
    text = _MAIL.sub("电子邮箱" if chinese else "the e-mail address", text)
    lines = [line.strip() for line in _BULLET.sub("", text).split("\n")]
    stop = "。" if chinese else "."
    joined = " ".join(line if _END.search(line) else line + stop for line in lines[:-1] if line)
    text = f"{joined} {lines[-1]}".strip()
    text = re.sub(r"[(（](0\d{2,3})[)）]\s*(?=\d)", r"\1-", text)
    text = re.sub(r"[(（\[【]\s*|\s*[)）\]】]", "，" if chinese else ", ", text)
    return re.sub(r"[“”「」『』《》〈〉\"*_`{}|\\]{2,}|[“”「」『』《》〈〉\"_`{}|\\]", "", _kept_stars(text)).replace(
        _STAR, "*"
    )


_STAR = "\ue000"


def _kept_stars(text: str) -> str:
    """Stars that hide digits are kept; two around words are mark-up."""
    return re.sub(r"\*+(?=\d)|(?<=\d)\*+", lambda found: _STAR * len(found[0]), text)


_ZH_STOPS = "，。！？；：、"


def _tidy(text: str, *, chinese: bool) -> str:
    if chinese:
        text = re.sub(rf"(?<=[\u3400-\u9fff{_ZH_STOPS}])\s+|\s+(?=[\u3400-\u9fff{_ZH_STOPS}])", "", text)
        text = re.sub(r"([，、；：])[，、；：]+", r"\1", text)
        text = re.sub(r"[，、；：](?=[。！？])|(?<=[。！？])[，、；：。]+", "", text)
        return re.sub(r"\s+", " ", text).strip(" ，、；：")
    text = re.sub(r"\s+([,.;:!?])", r"\1", re.sub(r"\s+", " ", text))
    text = re.sub(r"([,;:])[,;:]+", r"\1", text)
    return re.sub(r"[,;:](?=[.!?])|(?<=[!?])[,;:.]+|(?<=\.)[,;:](?=\s|$)", "", text).strip(" ,;:")


# -- numbers that name something --------------------------------------------------------------------------------------

_MASKED = re.compile(r"[0-9]*\*{2,}[0-9Xx]*")
_LONG = re.compile(
    r"(?<![A-Za-z0-9.])(?P<number>\+?[0-9]+(?:[ -][0-9]+)*(?:[Xx](?![A-Za-z]))?)"
    rf"(?!\.?[0-9])(?P<counted>\s?(?:{speech_zh.COUNTED}|{speech_en.COUNTED}))?"
)
_LEAST_LONG, _LEAST_GROUPED = 5, 7


def _masked(found: re.Match[str], language: str, slow: bool) -> str:
    """`******0018`: the end that is shown."""
    shown = digits(found[0].rpartition("*")[2], language, slow=slow)
    if not shown:
        return ""
    return f" ending in {shown}" if language == "en" else f"尾号{shown}"


def _long(found: re.Match[str], language: str, slow: bool) -> str:
    """A number that names something: a ticket, an account, a telephone."""
    groups = re.split("[ -]", found["number"].lstrip("+"))
    long = any(len(group) >= _LEAST_LONG for group in groups)
    grouped = min(map(len, groups)) > 1 and sum(map(len, groups)) >= _LEAST_GROUPED
    if not (long or grouped) or (found["counted"] and len(groups) == 1):
        return found[0]
    said = digits(found["number"], language, slow=slow)
    pad = " " if language == "en" else ""
    return f"{pad}{said}{found['counted'] or ''}"
