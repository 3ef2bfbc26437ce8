"""What a caller's answer to a question of the desk itself holds, and whether it can be relied on."""

import re

from api.channels.voice.keys import spoken_key
from api.channels.voice.signature import Form
from api.channels.voice.twiml import tuning
from api.danger import scan

CALL_BACK = re.compile(r"回电|回拨|打给我|打回来|call\s*(?:me\s*)?back|callback", re.IGNORECASE)
MESSAGE = re.compile(r"留言|录音|message|voice\s*mail", re.IGNORECASE)
ASSISTANT = re.compile(r"自助|助手|机器|返回|assistant|go back|self.service", re.IGNORECASE)
GOODBYE = re.compile(r"再见|拜拜|不用了|没有了|没事了|算了|\b(?:good)?bye\b|no,? thank|never mind", re.IGNORECASE)
#: So much in one breath is a matter told, and no key's name: Chinese characters, or English words.
_A_MATTER = re.compile(r"(?:[\u4e00-\u9fff].*){6}|(?:[A-Za-z']+\W+){3}[A-Za-z']")
NO = re.compile(r"不|别的|另外|换|\b(?:no|not|other|another|different)\b", re.IGNORECASE)
SAME = re.compile(r"(?<!不是)(?:就(?:是|用|打)?这个|没问题)|\b(?:this (?:one|number)|no problem)\b", re.IGNORECASE)
PERSON = re.compile(
    r"人工|客服|真人|接线员|\b(?:person|human|agent|colleague|operator|somebody|someone)\b", re.IGNORECASE
)
YES = re.compile(r"可以|好|是|对|行|嗯|\b(?:yes|yeah|ok|okay|sure|fine|please|right)\b", re.IGNORECASE)


def sure(form: Form) -> bool:
    """Whether the recogniser trusts its own words, or does not say. Danger is heard however unsure it is."""
    try:
        confidence = float(form.get("Confidence") or 0)
    except ValueError:
        confidence = 0.0
    return not 0 < confidence < tuning()["least_confidence"] or scan(form.get("SpeechResult")) is not None


def answer(form: Form) -> tuple[str, str]:
    """The key, pressed or said, and the words; neither where the recogniser does not trust them."""
    speech = form.get("SpeechResult") if sure(form) else ""
    return form.get("Digits") or spoken_key(speech), speech


def tells_a_matter(speech: str) -> bool:
    """Whether this is what somebody calls about, rather than an answer or a wish for a person."""
    return _A_MATTER.search(speech) is not None and not PERSON.search(speech)


def heard(form: Form) -> bool:
    """Whether there was anything, understood or not."""
    return bool(form.get("Digits")) or "SpeechResult" in form.fields
