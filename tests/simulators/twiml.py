"""TwiML as Twilio takes it, strictly: verbs, their attributes and what may stand in what.

https://www.twilio.com/docs/voice/twiml and the page of each verb there. Twilio itself lets some faults pass with a
warning; here each is an error, so that none reaches a caller.
"""

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MOST_BYTES = 64 * 1024
MOST_SAY = 4096
MOST_HINTS = 500
MOST_HINT = 100
#: https://www.twilio.com/docs/voice/twiml/sip
MOST_SIP = 255
SSML = _words("break emphasis lang p phoneme prosody s say-as sub w")
SPEECH_LANGUAGES = _words("cmn-Hans-CN cmn-Hant-TW yue-Hant-HK en-AU en-CA en-GB en-IE en-IN en-NZ en-PH en-US en-ZA")
SAY_LANGUAGES = _words("zh-CN zh-HK zh-TW cmn-CN cmn-TW yue-CN yue-HK en-AU en-CA en-GB en-IN en-US")

_RECORDING = "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent trim"
ATTRIBUTES: dict[str, frozenset[str]] = {
    name: _words(text)
    for name, text in {
        "Response": "",
        "Say": "voice language loop",
        "Play": "loop digits",
        "Pause": "length",
        "Gather": (
            "action method input language hints timeout speechTimeout maxSpeechTime numDigits finishOnKey "
            "profanityFilter partialResultCallback partialResultCallbackMethod actionOnEmptyResult speechModel "
            "enhanced bargeIn debug"
        ),
        "Redirect": "method",
        "Hangup": "",
        "Leave": "",
        "Reject": "reason",
        "Enqueue": "action method waitUrl waitUrlMethod maxQueueSize workflowSid",
        "Dial": (
            "action method timeout hangupOnStar timeLimit callerId record answerOnBridge ringTone recordingTrack "
            f"sequential referUrl referMethod {_RECORDING}"
        ),
        "Number": (
            "sendDigits url method statusCallback statusCallbackMethod statusCallbackEvent byoc machineDetection "
            "machineDetectionTimeout amdStatusCallback amdStatusCallbackMethod"
        ),
        "Sip": (
            "url method statusCallback statusCallbackMethod statusCallbackEvent username password machineDetection"
        ),
        "Record": (
            "action method timeout finishOnKey maxLength playBeep transcribe transcribeCallback "
            f"recordingChannels {_RECORDING}"
        ),
    }.items()
}
VERBS = _words("Say Play Pause Gather Redirect Hangup Leave Reject Enqueue Dial Record")
INSIDE: dict[str, frozenset[str]] = {
    "Response": VERBS,
    "Gather": frozenset(("Say", "Play", "Pause")),
    "Say": SSML,
    "Dial": frozenset(("Number", "Sip")),
}
#: What a document of `waitUrl` may hold: https://www.twilio.com/docs/voice/twiml/enqueue
WAITING = _words("Say Play Pause Gather Redirect Hangup Leave")
#: What a document of a <Number>'s `url` may hold: https://www.twilio.com/docs/voice/twiml/number
WHISPER = _words("Say Play Pause Gather Redirect Hangup")
WITH_TEXT = _words("Say Play Redirect Enqueue Dial Number Sip")
_NUMBERS = {"timeout", "numDigits", "maxSpeechTime", "length", "timeLimit", "maxLength", "maxQueueSize"}
_YES_NO = {"actionOnEmptyResult", "profanityFilter", "answerOnBridge", "playBeep", "hangupOnStar", "sequential"}
_METHODS = {"method", "waitUrlMethod", "statusCallbackMethod", "recordingStatusCallbackMethod"}


class BadTwiml(ValueError):
    """Twilio would not run this document, or not as it was meant."""


@dataclass(frozen=True)
class Verb:
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    #: All text within, of its children too.
    text: str = ""
    children: tuple["Verb", ...] = ()

    def get(self, name: str, default: str = "") -> str:
        return self.attributes.get(name, default)


def parse(body: bytes, content_type: str = "text/xml", only: frozenset[str] = VERBS) -> list[Verb]:
    """The verbs of one document; `only`: those that may stand here. BadTwiml."""
    if len(body) > MOST_BYTES:
        raise BadTwiml(f"{len(body)} bytes are more than 64 KB")
    if not re.match(r"(text|application)/xml\b", content_type):
        raise BadTwiml(f"the content type is {content_type!r}")
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise BadTwiml("a document type has no place here")
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as problem:
        raise BadTwiml(f"no XML: {problem}") from problem
    if root.tag != "Response":
        raise BadTwiml(f"the root is <{root.tag}>, not <Response>")
    response = _verb(root)
    for verb in response.children:
        if verb.name not in only:
            raise BadTwiml(f"<{verb.name}> may not stand in this document")
    return list(response.children)


def _verb(element: ElementTree.Element) -> Verb:
    name = element.tag
    if name in SSML:
        return Verb(name, dict(element.attrib), "".join(element.itertext()))
    unknown = set(element.attrib) - ATTRIBUTES[name]
    if unknown:
        raise BadTwiml(f"<{name}> has no attribute {', '.join(sorted(unknown))}")
    for child in element.iter():
        if child is not element and name == "Say" and child.tag not in SSML:
            raise BadTwiml(f"<{child.tag}> may not stand in <Say>")
    for child in element:
        if child.tag not in INSIDE.get(name, frozenset()):
            raise BadTwiml(f"<{child.tag}> may not stand in <{name}>")
    own = [element.text or "", *(child.tail or "" for child in element)]
    if name not in WITH_TEXT and "".join(own).strip():
        raise BadTwiml(f"<{name}> holds text: {''.join(own).strip()[:40]!r}")
    text = "".join(element.itertext()).strip() if name in WITH_TEXT else ""
    verb = Verb(name, dict(element.attrib), text, tuple(_verb(child) for child in element))
    _check(verb)
    return verb


def _check(verb: Verb) -> None:
    """The values of the attributes, and the texts."""
    for name, value in verb.attributes.items():
        if name in _NUMBERS and not re.fullmatch(r"\d{1,5}", value):
            raise BadTwiml(f"{name} of <{verb.name}> is {value!r}, not a number")
        if name in _YES_NO and value not in ("true", "false"):
            raise BadTwiml(f"{name} of <{verb.name}> is {value!r}, not true or false")
        if name in _METHODS and value not in ("GET", "POST"):
            raise BadTwiml(f"{name} of <{verb.name}> is {value!r}")
    match verb.name:
        case "Say":
            if not verb.text:
                raise BadTwiml("<Say> says nothing")
            if len(verb.text) > MOST_SAY:
                raise BadTwiml(f"<Say> has {len(verb.text)} characters")
            if verb.get("language", "en-US") not in SAY_LANGUAGES:
                raise BadTwiml(f"<Say> knows no language {verb.get('language')!r}")
        case "Gather":
            _check_gather(verb)
        case "Redirect" | "Number":
            if not verb.text:
                raise BadTwiml(f"<{verb.name}> is empty")
        case "Sip":
            if not re.fullmatch(r"sips?:[^\s@]+@[^\s@]+", verb.text) or len(verb.text) >= MOST_SIP:
                raise BadTwiml(f"<Sip> calls {verb.text!r}")
        case "Dial":
            if not verb.text:
                raise BadTwiml("<Dial> has nobody to call")


def _check_gather(verb: Verb) -> None:
    kinds = verb.get("input", "dtmf").split()
    if not kinds or set(kinds) - {"dtmf", "speech"} or len(kinds) != len(set(kinds)):
        raise BadTwiml(f"input of <Gather> is {verb.get('input')!r}")
    if not re.fullmatch(r"[0-9#*]*", verb.get("finishOnKey", "#")):
        raise BadTwiml(f"finishOnKey is {verb.get('finishOnKey')!r}")
    if verb.get("numDigits", "1") == "0":
        raise BadTwiml("numDigits is 0")
    if not re.fullmatch(r"auto|[1-9]\d?", verb.get("speechTimeout", "auto")):
        raise BadTwiml(f"speechTimeout is {verb.get('speechTimeout')!r}")
    if "speech" not in kinds:
        return
    if verb.get("language", "en-US") not in SPEECH_LANGUAGES:
        raise BadTwiml(f"<Gather> hears no language {verb.get('language')!r}")
    hints = [hint.strip() for hint in verb.get("hints").split(",")]
    if len(hints) > MOST_HINTS or any(len(hint) > MOST_HINT for hint in hints):
        raise BadTwiml(f"<Gather> has {len(hints)} hints, the longest of {max(map(len, hints))} characters")
