"""The telephone that a call is put through to: it rings, is answered after a whisper, and ends, as <Dial> has it.

https://www.twilio.com/docs/voice/twiml/dial · /number
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulators.twilio import TwilioServer, new_sid
from tests.simulators.twiml import WHISPER, Verb


class CallFailed(RuntimeError):
    """The caller hears "an application error has occurred" and is cut off; the message says why."""


@dataclass(frozen=True)
class Said:
    """One <Say>."""

    text: str
    language: str
    voice: str
    slow: bool


class Leg:
    """Mixed into Caller, whose state it moves."""

    server: TwilioServer
    sid: str
    number: str
    state: str
    _base: str
    _dial: Verb | None
    _dialled: dict[str, str]

    if TYPE_CHECKING:

        def _to(self, url: str) -> str: ...

        def _run(self) -> list[Said]: ...

        def _fetch(self, url: str, fields: dict[str, str], method: str = "POST") -> None: ...

        def _send(self, url: str, fields: dict[str, str], method: str) -> object: ...

        def _document(self, url: str, fields: dict[str, str], method: str, only: frozenset[str]) -> list[Verb]: ...

    def _call_agent(self, dial: Verb) -> None:
        noun = dial.children[0] if dial.children else dial
        number = noun.text
        self._dial = dial
        self._dialled = {"DialCallSid": new_sid("CA")}
        how = self.server.behaviours.get(number, "answer")
        self._leg_event(noun, "ringing", "ringing")
        if how == "ring":
            self.state = "bridged"
            return
        if how != "answer":
            self._dial_ended(how, run=False)
            return
        self._picked_up(noun)

    def _picked_up(self, noun: Verb) -> None:
        """The two are joined, if the one who was rung takes the call after the whisper."""
        self._leg_event(noun, "answered", "in-progress")
        number = noun.text
        if noun.get("url") and not self._whisper(self._to(noun.get("url")), number):
            self._dial_ended("no-answer", run=False)
            return
        self.state = "bridged"

    def _whisper(self, url: str, number: str) -> bool:
        """Speak to who answered before the two are joined; False if he does not take the call."""
        heard = self.server.whispers.setdefault(number, [])
        fields = {
            "CallSid": self._dialled["DialCallSid"],
            "ParentCallSid": self.sid,
            "Direction": "outbound-dial",
            "To": number,
            "Called": number,
            "From": self.number,
            "Caller": self.number,
            "CallStatus": "in-progress",
        }
        base, keys = self._base, self.server.whisper_keys.get(number, "")
        try:
            program = self._document(url, fields, "POST", WHISPER)
            while program:
                verb = program.pop(0)
                heard += [said.text for said in (verb, *verb.children) if said.name == "Say"]
                if verb.name == "Hangup":
                    return False
                if verb.name == "Redirect":
                    program = self._document(self._to(verb.text), fields, "POST", WHISPER)
                elif verb.name == "Gather" and (keys or verb.get("actionOnEmptyResult") == "true"):
                    own = fields | {"Digits": keys[:1]}
                    keys = keys[1:]
                    program = self._document(self._to(verb.get("action")), own, verb.get("method", "POST"), WHISPER)
        finally:
            self._base = base
        return True

    def _dial_ended(self, status: str, *, run: bool = True) -> list[Said]:
        dial, self._dial = self._dial, None
        assert dial is not None
        self.state = "idle"
        if dial.get("action"):
            more = {"DialCallDuration": "30"} if status == "completed" else {}
            fields = self._dialled | {"DialCallStatus": status} | more
            self._fetch(self._to(dial.get("action")), fields, dial.get("method", "POST"))
        return self._run() if run else []

    def _dial_taken_away(self) -> None:
        """The call goes on elsewhere: whoever was dialled is hung up, and what `action` answers is not run.

        https://twilio.com/changelog/changes-to-dial-behavior-for-enhanced-programmable-sip-feature-accounts
        """
        dial, self._dial = self._dial, None
        if dial is not None and dial.get("action"):
            fields = self._dialled | {"DialCallStatus": "completed", "DialCallDuration": "30"}
            self._send(self._to(dial.get("action")), fields, dial.get("method", "POST"))

    def _leg_event(self, noun: Verb, event: str, status: str) -> None:
        """https://www.twilio.com/docs/voice/twiml/number#attributes-status-callback"""
        if not noun.get("statusCallback") or event not in noun.get("statusCallbackEvent", "completed").split():
            return
        fields = {"CallSid": self._dialled["DialCallSid"], "ParentCallSid": self.sid, "CallStatus": status}
        fields |= {"Direction": "outbound-dial", "To": noun.text, "Called": noun.text}
        self._send(self._to(noun.get("statusCallback")), fields, noun.get("statusCallbackMethod", "POST"))
