"""Which language a message is in or wishes for. Pure."""

import re

from bot.nlu.text import has_han

_CHINESE = re.compile(r"中文|汉语|国语|普通话|华语|华文|mandarin|chinese|zhong ?wen|cantonese|putonghua", re.IGNORECASE)
_ENGLISH = re.compile(r"英[文语]|英語|english|ying ?wen|inglish|engl\b", re.IGNORECASE)
_NOT = re.compile(
    r"(?:不要|不用|别用?|别讲|不会|不懂|看不懂|听不懂"
    r"|(?:don'?t|can'?t|cannot) (?:speak|understand|know|read|use)|no more|not|my|instead of|stop)"
    r"\W*(?:说|讲|看|any|speaking|the|in|very good|good)?\W*$",
    re.IGNORECASE,
)


def written(text: str) -> str | None:
    """zh where a Chinese character stands, en where letters do, else None."""
    if has_han(text):
        return "zh"
    return "en" if re.search(r"[A-Za-z]", text) else None


def wished(text: str, current: str) -> str:
    """The language asked for by a wish to change it: the one named, and not refused; else the other one."""
    wants = {
        language: any(not _NOT.search(text[: found.start()]) for found in pattern.finditer(text))
        for language, pattern in (("zh", _CHINESE), ("en", _ENGLISH))
    }
    if wants["zh"] != wants["en"]:
        return "zh" if wants["zh"] else "en"
    refused = {"zh": bool(_CHINESE.search(text)), "en": bool(_ENGLISH.search(text))}
    if not wants["zh"] and refused["zh"] != refused["en"]:
        return "en" if refused["zh"] else "zh"
    return "en" if current == "zh" else "zh"
