"""A customer's words as an example to learn from: what is personal in them is made up. Pure.

A number of six digits or more keeps its length and its separators, so that the bot learns what such a message looks
like (eleven digits of a mobile phone, eighteen of an identity number), but its digits are always the same: two messages
that differ in their number are one example. A random number might be somebody's.
"""

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 300
#: What stands in the place of a mobile number, a name, a mail address.
MASK_MOBILE, MASK_NAME_ZH, MASK_NAME_EN, MASK_MAIL = "13900139000", "李明", "Tom Baker", "name@example.com"
_RUN = re.compile(r"(?<![\d.])\+?\d(?:[ \-‐–]?\d){5,}(?:[ \-]?[xX](?![a-zA-Z]))?")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_SPOKEN_ZH = re.compile(r"[零〇幺一二两三四五六七八九](?:[、, ]?[零〇幺一二两三四五六七八九]){5,}")
_DIGIT_EN = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_SPOKEN_EN = re.compile(rf"\b{_DIGIT_EN}(?:[\s,\-]+{_DIGIT_EN}){{5,}}\b", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_CALLED_ZH = re.compile(
    r"((?:我叫做?|名字(?:是|叫做?|[:：])|姓名(?:是|[:：])|联系人(?:是|[:：])?|户主(?:是|叫|[:：])?)\s*)"
    r"(?![什谁不没你您他她它我])[\u4e00-\u9fff]{2,4}?(?=$|[\s\d,，.。;；、!！?？]|电话|手机|号|联系|住|在|家)"
)
_CALLED_EN = re.compile(
    r"\b((?:my name is|my name['’]s|name:|account holder is|this is (?:mr|mrs|ms|miss|dr)\.?) )"
    r"[a-z][a-z.'’-]*(?: (?!and\b|my\b|i\b|from\b|at\b|the\b|calling\b)[a-z][a-z.'’-]*){0,2}",
    re.IGNORECASE,
)
_MARKUP = str.maketrans("[](){}<>", "［］（）｛｝＜＞")
_WORDS_EN = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGITS_ZH = "一二三四五六七八九"


def impersonal(text: str, names: Iterable[str] = ()) -> str:
    """The text without phone, account, ticket and identity numbers, mail addresses, and people's names.

    `names`: those known to be in the conversation (the account's, the ticket's).
    """
    for name in sorted({name.strip() for name in names if len(name.strip()) >= 2}, key=len, reverse=True):
        made_up = MASK_NAME_ZH if re.search("[\u4e00-\u9fff]", name) else MASK_NAME_EN
        text = re.sub(re.escape(name), made_up, text, flags=re.IGNORECASE)
    text = _CALLED_ZH.sub(lambda found: found[1] + MASK_NAME_ZH, text)
    text = _CALLED_EN.sub(lambda found: found[1] + MASK_NAME_EN, text)
    text = _MAIL.sub(MASK_MAIL, text)
    text = _RUN.sub(lambda found: _same_shape(found[0]), text)
    text = _SPOKEN_ZH.sub(lambda found: _spoken_zh(found[0]), text)
    return _SPOKEN_EN.sub(lambda found: _spoken_en(found[0]), text)


def example_of(text: str) -> str:
    """The text as one line of Rasa's training data; '' where nothing is left.

    Brackets would be its markup for entities, braces and `${…}` too: their full-width forms mean the same to the
    tokenizer (NFKC) and nothing to Rasa.
    """
    plain = "".join(" " if unicodedata.category(one)[0] in "CZ" else one for one in text)
    line = re.sub(r"\s+", " ", plain).strip().lstrip("/- ")[:LONGEST].strip()
    return line.translate(_MARKUP) if re.search(r"\w", line) else ""


def bare(text: str) -> str:
    """The text by which two wordings are the same one: no case, no punctuation, no spaces."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text).casefold()) or text.strip()


def _same_shape(run: str) -> str:
    digits = re.sub(r"\D", "", run)
    made_up = MASK_MOBILE if _MOBILE.fullmatch(digits) else ("1234567890" * (len(digits) // 10 + 1))[: len(digits)]
    left = iter(made_up)
    return "".join(next(left) if one.isdigit() else one for one in run)


def _spoken_zh(run: str) -> str:
    found = iter(_DIGITS_ZH * (len(run) // 9 + 1))
    return re.sub(r"[零〇幺一二两三四五六七八九]", lambda _: next(found), run)


def _spoken_en(run: str) -> str:
    found = iter(_WORDS_EN * (len(run.split()) // 9 + len(run) // 9 + 1))
    return re.sub(_DIGIT_EN, lambda _: next(found), run, flags=re.IGNORECASE)
