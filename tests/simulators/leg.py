"""The telephone that a call is put through to: it rings, is answered, hears the whisper, and ends, as <Dial> has it.

https://www.twilio.com/docs/voice/twiml/dial · /number · /sip. The document of `url` runs on the called leg, which has a
sid of its own, while the caller hears ringing; at its end the two are joined, unless it hangs up
(https://github.com/twilio-labs/function-templates/issues/17). One that was answered and never joined is reported as
`completed` with DialBridged=false, by some accounts as `no-answer`: `TwilioServer.unbridged`.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

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


@dataclass
class Dialled:
    """What has become of a <Dial> so far."""

    dial: Verb
    noun: Verb
    sid: str = field(default_factory=lambda: new_sid("CA"))
    answered: bool = False
    bridged: bool = False
    #: The rest of the whisper, where it came from, and the <Gather> that waits for a key.
    program: list[Verb] = field(default_factory=list)
    base: str = ""
    gather: Verb | None = None
    asked: bool = False
    #: URL and fields of the last request for it, to replay it.
    last: tuple[str, dict[str, str]] = ("", {})

    def report(self, status: str) -> dict[str, str]:
        """What `action` is told."""
        told = {"DialCallSid": self.sid, "DialCallStatus": status, "DialBridged": str(self.bridged).lower()}
        return told | ({"DialCallDuration": "30"} if status == "completed" else {})

    @property
    def over(self) -> str:
        """The DialCallStatus of one that somebody else ends."""
        return "completed" if self.answered else "canceled"


class Leg:
    """Mixed into Caller, whose state it moves: `dialling` from the first ring until the two are joined."""

    server: TwilioServer
    sid: str
    number: str
    state: str
    last: tuple[str, dict[str, str], str, bytes] | None
    _base: str
    _dialled: Dialled | None

    if TYPE_CHECKING:

        def _to(self, url: str) -> str: ...

        def _run(self) -> list[Said]: ...

        def _fetch(self, url: str, fields: dict[str, str], method: str = "POST") -> None: ...

        def _send(self, url: str, fields: dict[str, str], method: str) -> object: ...

        def _document(self, url: str, fields: dict[str, str], method: str, only: frozenset[str]) -> list[Verb]: ...

    # what the one who is rung does (`behaviours`: ring, listen)

    def pick_up(self) -> list[Said]:
        """He takes the receiver off."""
        leg = self._leg()
        if leg.answered:
            raise CallFailed("the receiver is off already")
        self._picked_up(leg)
        return self._run()

    def agent_presses(self, key: str) -> list[Said]:
        """He presses a key in the whisper; '' for none until it goes on."""
        leg = self._leg()
        if leg.gather is None:
            raise CallFailed("no key of his is waited for")
        self._keyed(leg, key)
        return self._run()

    def agent_hangs_up(self) -> list[Said]:
        """He ends his part, or declines the call while it rings."""
        leg = self._leg()
        self._dial_ended("completed" if leg.bridged else self.server.unbridged if leg.answered else "busy")
        return self._run()

    def replay_leg(self) -> list[str]:
        """Send the last request for his part again, twice: what it brings."""
        url, fields = self._leg().last
        return [self.server.webhooks.send(url, fields).text for _ in range(2)]

    # how it goes

    def _leg(self) -> Dialled:
        if self._dialled is None:
            raise CallFailed(f"nobody is rung: the call is {self.state}")
        return self._dialled

    def _call_agent(self, dial: Verb) -> None:
        leg = self._dialled = Dialled(dial, dial.children[0] if dial.children else dial)
        self.state = "dialling"
        self._leg_event(leg, "ringing", "ringing")
        how = self.server.behaviours.get(leg.noun.text, "answer")
        if how in ("answer", "listen"):
            self._picked_up(leg)
        elif how != "ring":
            self._dial_ended(how)

    def _picked_up(self, leg: Dialled) -> None:
        """The whisper begins; without one the two are joined."""
        leg.answered = True
        self._leg_event(leg, "answered", "in-progress")
        if leg.noun.get("url"):
            self._leg_fetch(leg, self._to(leg.noun.get("url")), {})
        self._whisper(leg)

    def _whisper(self, leg: Dialled) -> None:
        heard = self.server.whispers.setdefault(leg.noun.text, []) if leg.noun.get("url") else []
        while leg.program:
            verb = leg.program.pop(0)
            heard += [said.text for said in (verb, *verb.children) if said.name == "Say"]
            if verb.name == "Hangup":
                self._dial_ended(self.server.unbridged)
                return
            if verb.name == "Redirect":
                self._leg_fetch(leg, urljoin(leg.base, verb.text), {})
            elif verb.name == "Gather":
                leg.gather = verb
                if self.server.behaviours.get(leg.noun.text) not in ("listen", "ring"):
                    # The key that takes the call is pressed once; what is told after it is listened to.
                    key = "" if leg.asked else self.server.whisper_keys.get(leg.noun.text, "1")
                    leg.asked = True
                    self._keyed(leg, key)
                return
        leg.bridged, self.state = True, "bridged"

    def _keyed(self, leg: Dialled, key: str) -> None:
        gather, leg.gather = leg.gather, None
        assert gather is not None
        if key or gather.get("actionOnEmptyResult") == "true":
            digits = {"Digits": key[: int(gather.get("numDigits", "9"))]}
            self._leg_fetch(leg, urljoin(leg.base, gather.get("action")), digits, gather.get("method", "POST"))
        self._whisper(leg)

    def _leg_fetch(self, leg: Dialled, url: str, fields: dict[str, str], method: str = "POST") -> None:
        own = self._leg_fields(leg) | {"From": self.number, "Caller": self.number, "CallStatus": "in-progress"}
        base = self._base
        try:
            leg.program = self._document(url, own | fields, method, WHISPER)
        finally:
            self._base = base
        leg.base = url
        assert self.last is not None
        leg.last = self.last[:2]

    def _dial_ended(self, status: str) -> None:
        """Nobody talks on the other phone (any more): the caller goes on with `action`."""
        leg = self._leg()
        self._dialled, self.state = None, "idle"
        if leg.dial.get("action"):
            self._fetch(self._to(leg.dial.get("action")), leg.report(status), leg.dial.get("method", "POST"))

    def _dial_taken_away(self) -> None:
        """The call goes on elsewhere, or is over: whoever was dialled is hung up, and what `action` answers is not run.

        https://twilio.com/changelog/changes-to-dial-behavior-for-enhanced-programmable-sip-feature-accounts; `action`
        is asked before the new address: https://github.com/qisoft/i-hate-making-calls/issues/25.
        """
        leg, self._dialled = self._dialled, None
        if leg is not None and leg.dial.get("action"):
            self._send(self._to(leg.dial.get("action")), leg.report(leg.over), leg.dial.get("method", "POST"))

    def _leg_fields(self, leg: Dialled) -> dict[str, str]:
        them = leg.noun.text
        return {
            "CallSid": leg.sid,
            "ParentCallSid": self.sid,
            "Direction": "outbound-dial",
            "To": them,
            "Called": them,
        }

    def _leg_event(self, leg: Dialled, event: str, status: str) -> None:
        """https://www.twilio.com/docs/voice/twiml/number#attributes-status-callback"""
        noun = leg.noun
        if noun.get("statusCallback") and event in noun.get("statusCallbackEvent", "completed").split():
            fields = self._leg_fields(leg) | {"CallStatus": status}
            self._send(self._to(noun.get("statusCallback")), fields, noun.get("statusCallbackMethod", "POST"))
