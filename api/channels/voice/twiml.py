"""Building TwiML, and checking every document against what Twilio knows before it leaves.

Verbs, nouns and attributes: https://www.twilio.com/docs/voice/twiml (and the page of each verb); a document has at most
64 KB. Warning 13330 of https://www.twilio.com/docs/api/errors/13330 bounds `hints`: 500 entries of 100 characters.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import yaml
from fastapi import Response
from twilio.twiml import voice_response

from api.channels.voice.speech import spoken
from api.phones import is_sip
from api.settings import Settings

MAX_BYTES = 64 * 1024
#: Characters of one <Say>, and of all that one document says: a person listens to no more.
SAY_CHARACTERS, ALL_CHARACTERS = 1_000, 6_000
MEDIA_TYPE = "application/xml"
#: The library has no types.
_twilio: Any = voice_response

#: Attribute → what its value must look like.
_PATH = r"/(?!/)\S{0,500}"
_POST = "POST"
_COUNT = r"[1-9]\d{0,4}"
_SECONDS = r"\d{1,5}"
_BOOL = "true|false"
_KEYS = r"[0-9#*]*"
#: Element → (its children, its attributes).
ALLOWED: dict[str, tuple[frozenset[str], dict[str, str]]] = {
    "Response": (
        frozenset("Say Play Gather Pause Redirect Enqueue Leave Dial Record Hangup Reject".split()),  # noqa: SIM905
        {},
    ),
    "Say": (
        frozenset(("prosody", "break")),
        {"voice": r"[A-Za-z]+(?:\.[A-Za-z0-9-]+)?", "language": "[A-Za-z-]{2,16}", "loop": r"[1-9]"},
    ),
    "prosody": (frozenset(("break",)), {"rate": "x-slow|slow|medium|fast"}),
    "break": (frozenset(), {"time": r"\d{1,4}ms", "strength": "[a-z-]+"}),
    "Play": (frozenset(), {"loop": r"\d{1,2}", "digits": r"[0-9#*w]+"}),
    "Pause": (frozenset(), {"length": _COUNT}),
    "Gather": (
        frozenset(("Say", "Play", "Pause")),
        {
            "action": _PATH,
            "method": _POST,
            "input": "dtmf|speech|dtmf speech|speech dtmf",
            "timeout": _COUNT,
            "speechTimeout": rf"auto|{_COUNT}",
            "language": "[A-Za-z-]{2,16}",
            "hints": r"[\s\S]{0,30000}",
            "numDigits": _COUNT,
            "finishOnKey": "[0-9#*]?",
            "actionOnEmptyResult": _BOOL,
            "bargeIn": _BOOL,
            "profanityFilter": _BOOL,
            "speechModel": r"[\w-]+",
        },
    ),
    "Redirect": (frozenset(), {"method": _POST}),
    "Enqueue": (frozenset(), {"action": _PATH, "method": _POST, "waitUrl": _PATH, "waitUrlMethod": _POST}),
    "Leave": (frozenset(), {}),
    "Dial": (
        frozenset(("Number", "Sip", "Queue")),
        {
            "action": _PATH,
            "method": _POST,
            "timeout": _COUNT,
            "timeLimit": _COUNT,
            "answerOnBridge": _BOOL,
            "callerId": r"\+?\d{3,20}",
        },
    ),
    "Number": (
        frozenset(),
        {
            "url": _PATH,
            "method": _POST,
            "statusCallback": _PATH,
            "statusCallbackMethod": _POST,
            "statusCallbackEvent": "[a-z ]+",
        },
    ),
    "Sip": (
        frozenset(),
        {
            "url": _PATH,
            "method": _POST,
            "statusCallback": _PATH,
            "statusCallbackMethod": _POST,
            "statusCallbackEvent": "[a-z ]+",
        },
    ),
    "Queue": (frozenset(), {"url": _PATH, "method": _POST}),
    "Record": (
        frozenset(),
        {
            "action": _PATH,
            "method": _POST,
            "maxLength": _COUNT,
            "timeout": _COUNT,
            "finishOnKey": _KEYS,
            "playBeep": _BOOL,
            "trim": "trim-silence|do-not-trim",
            "recordingStatusCallback": _PATH,
            "recordingStatusCallbackMethod": _POST,
        },
    ),
    "Hangup": (frozenset(), {}),
    "Reject": (frozenset(), {"reason": "busy|rejected"}),
}
#: Elements whose text is spoken, an address, or a number; all others have none.
_NAME = r"[\w-]{1,64}"
#: https://www.twilio.com/docs/voice/twiml/sip: fewer than 255 characters; the transport is the only parameter.
_SIP = r"sip:[A-Za-z0-9._~+-]{1,64}@[a-z0-9.-]{1,120}(?::\d{1,5})?(?:;transport=(?:udp|tcp|tls))?"
_TEXTS = {
    "Redirect": _PATH,
    "Play": _PATH,
    "Number": r"\+?\d{3,20}",
    "Sip": _SIP,
    "Enqueue": _NAME,
    "Queue": _NAME,
}
_SPOKEN = frozenset(("Say", "prosody", "break"))
#: What XML 1.0 cannot hold, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class TwimlError(ValueError):
    """A document that Twilio might not understand."""


def check(document: str) -> str:
    """The document, if all of it is allowed. Raises TwimlError, which names the element and never what is said."""
    size = len(document.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise TwimlError(f"{size} bytes are more than {MAX_BYTES}")
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 (we have just built it)
    except (ElementTree.ParseError, UnicodeError) as error:
        raise TwimlError("not XML") from error
    if root.tag != "Response":
        raise TwimlError(f"the root is {root.tag}")
    _check(root)
    return document


def _check(element: ElementTree.Element) -> None:
    children, attributes = ALLOWED[element.tag]
    for name, value in element.attrib.items():
        if name not in attributes or re.fullmatch(attributes[name], value) is None:
            raise TwimlError(f"{name} of {element.tag}")
    text = (element.text or "").strip()
    if element.tag in _TEXTS:
        if text and re.fullmatch(_TEXTS[element.tag], text) is None:
            raise TwimlError(f"text of {element.tag}")
    elif text and element.tag not in _SPOKEN:
        raise TwimlError(f"text in {element.tag}")
    if element.tag in ("Redirect", "Number", "Sip") and not text:
        raise TwimlError(f"{element.tag} is empty")
    for child in element:
        if child.tag not in children:
            raise TwimlError(f"{child.tag} in {element.tag}")
        if (child.tail or "").strip() and element.tag not in _SPOKEN:
            raise TwimlError(f"text in {element.tag}")
        _check(child)


@dataclass(frozen=True)
class Voice:
    """How one language is heard and spoken."""

    #: <Gather language>
    hears: str
    #: <Say language> and <Say voice>
    language: str
    voice: str
    #: <Gather hints> by what is expected
    hints: dict[str, list[str]]


@cache
def tuning() -> dict[str, Any]:
    """All of voices.yml: voices, waiting times, bounds."""
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "voices.yml").read_text(encoding="utf-8"))
    return loaded


@cache
def voice_of(language: str | None) -> Voice:
    """The voice of `zh` or `en`; Chinese for all else."""
    found = tuning()["voices"]
    chosen = found.get(language or "zh", found["zh"])
    return Voice(chosen["hears"], chosen["language"], chosen["voice"], chosen["hints"])


@dataclass(frozen=True)
class Links:
    """Addresses for TwiML: absolute paths without a host, which Twilio resolves against the address it called.

    https://www.twilio.com/docs/voice/twiml/redirect: a relative URL is taken from the present document's.
    """

    prefix: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "Links":
        """With the path that the public URL has, if it has one."""
        return cls(urlsplit(settings.public_url).path.rstrip("/"))

    def __call__(self, path: str, **query: object) -> str:
        """`/voice/<path>?…`; a value of None or "" is left out."""
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return f"{self.prefix}/voice/{path}" + (f"?{urlencode(given)}" if given else "")


class Script:
    """What a call is to do next. Each method adds one verb; `xml()` gives the checked document."""

    def __init__(self, links: Links, *, slow: bool = False) -> None:
        self.links, self.slow = links, slow
        self.response: Any = _twilio.VoiceResponse()
        self._into: Any = self.response
        self._left = ALL_CHARACTERS

    def say(self, text: str, language: str | None, *, slow: bool | None = None) -> None:
        """Say words that are ready to be spoken; long ones in pieces, none at all if there are none."""
        text = _NOT_XML.sub(" ", text).strip()[: self._left]
        self._left -= len(text)
        voice = voice_of(language)
        for piece in pieces(text, SAY_CHARACTERS):
            verb = _twilio.Say(None if self._slows(slow) else piece, voice=voice.voice, language=voice.language)
            if self._slows(slow):
                verb.prosody(piece, rate="slow")
            self._into.append(verb)

    def line(self, text: str, language: str | None, *, slow: bool | None = None) -> None:
        """Say a written sentence."""
        self.say(spoken(text, language or "zh", slow=self._slows(slow)), language, slow=slow)

    def _slows(self, slow: bool | None) -> bool:
        return self.slow if slow is None else slow

    def pause(self, seconds: int) -> None:
        self._into.append(_twilio.Pause(length=seconds))

    @contextmanager
    def gather(
        self,
        action: str,
        language: str | None,
        *,
        speech: bool = True,
        keys: int | None = 1,
        timeout: int | None = None,
        hints: Sequence[str] = (),
    ) -> Iterator[None]:
        """Listen to what is said and keyed while the verbs within are played; the caller may break in.

        `keys`: how many end it at once; None for a number that # ends. `timeout`: seconds of silence until the action
        is called with nothing.
        """
        voice = voice_of(language)
        options: dict[str, Any] = {
            "action": action,
            "method": "POST",
            "input": "speech dtmf" if speech else "dtmf",
            "timeout": timeout or tuning()["timeout"]["number" if keys is None else "question"],
            "action_on_empty_result": True,
            "barge_in": True,
        }
        if keys is None:
            options["finish_on_key"] = "#"
        else:
            options.update(num_digits=keys, finish_on_key="")
        if speech:
            options.update(language=voice.hears, speech_timeout="auto", profanity_filter=False)
            if text := joined(hints):
                options["hints"] = text
        verb, outer = _twilio.Gather(**options), self._into
        self._into.append(verb)
        self._into = verb
        try:
            yield
        finally:
            self._into = outer

    def redirect(self, url: str) -> None:
        self.response.redirect(url, method="POST")

    def hangup(self) -> None:
        self.response.hangup()

    def leave(self) -> None:
        """Leave the queue (in an answer of a waitUrl)."""
        self.response.leave()

    def enqueue(self, name: str, wait_url: str, action: str) -> None:
        self.response.enqueue(name, action=action, method="POST", wait_url=wait_url, wait_url_method="POST")

    def dial(
        self, line: str, action: str, *, whisper: str, timeout: int, caller_id: str = "", progress: str = ""
    ) -> None:
        """Call a number or a SIP address, tell who answers what `whisper` says, and join both; `action` is told how it
        ended, `progress` when it is answered."""
        dial = self.response.dial(
            action=action, method="POST", timeout=timeout, answer_on_bridge=True, caller_id=caller_id or None
        )
        told: dict[str, Any] = {}
        if progress:
            told = {"status_callback": progress, "status_callback_method": "POST", "status_callback_event": "answered"}
        (dial.sip if is_sip(line) else dial.number)(line, url=whisper, method="POST", **told)

    def record(self, action: str, *, seconds: int, silence: int = 5, callback: str = "") -> None:
        """Record after a beep, until # or silence."""
        self.response.record(
            action=action,
            method="POST",
            max_length=seconds,
            timeout=silence,
            finish_on_key="#",
            play_beep=True,
            trim="trim-silence",
            recording_status_callback=callback or None,
            recording_status_callback_method="POST" if callback else None,
        )

    def xml(self) -> str:
        """The document. Raises TwimlError."""
        return check(str(self.response))


def respond(document: str) -> Response:
    """The answer to Twilio. `document` is checked once more: it may come from the database."""
    return Response(check(document), media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store"})


def joined(hints: Sequence[str]) -> str:
    """Hints as Twilio takes them: separated by commas, as many as its bounds (and ours, of bytes) let in."""
    bounds = tuning()["hints"]
    kept: dict[str, None] = {}
    size = 0
    for hint in hints:
        plain = " ".join(_NOT_XML.sub(" ", hint).replace(",", " ").split())
        if not plain or plain in kept or len(plain) > bounds["characters"]:
            continue
        size += len(plain.encode()) + 1
        if len(kept) >= bounds["entries"] or size > bounds["bytes"]:
            break
        kept[plain] = None
    return ",".join(kept)


def pieces(text: str, most: int) -> list[str]:
    """The text in pieces of at most `most` characters, cut after sentences where there are any."""
    cut: list[str] = []
    while len(text) > most:
        ends = [match.end() for match in re.finditer(r"[。！？；.!?;\n]", text[:most])]
        at = ends[-1] if ends else most
        cut.append(text[:at].strip())
        text = text[at:]
    return [piece for piece in (*cut, text.strip()) if piece]
