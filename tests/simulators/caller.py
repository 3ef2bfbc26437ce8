"""A call as Twilio runs it: it fetches TwiML from the desk, speaks it, and brings back what the caller says and keys.

https://www.twilio.com/docs/voice/twiml · /gather · /enqueue · /dial · /number · /record · /redirect
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urljoin

import httpx

from tests.simulators.leg import CallFailed, Dialled, Leg, Said
from tests.simulators.twilio import Placed, TwilioServer, new_sid
from tests.simulators.twiml import VERBS, WAITING, BadTwiml, Verb, parse

#: Documents in a row in which the caller was not waited for: more are a loop.
MOST_DOCUMENTS = 40
SAFE_STATUS = 200


@dataclass
class _Queue:
    enqueue: Verb
    rest: list[Verb]
    base: str
    began: float
    sid: str = field(default_factory=lambda: new_sid("QU"))


@dataclass
class Caller(Leg):
    """One call. `call` begins it; then `say`, `press`, `silence`, `wait`, `hang_up`; `hear` is what was spoken.

    state: idle | gathering | waiting (in a queue, between two documents) | recording | dialling | bridged | ended.
    """

    server: TwilioServer
    number: str = "+8613800138000"
    #: Called with the seconds of each <Pause>.
    pause: Callable[[float], None] = field(default=lambda seconds: None)
    sid: str = field(default_factory=lambda: new_sid("CA"))
    direction: str = "inbound"
    state: str = "idle"
    #: As Twilio names it.
    status: str = "ringing"
    spoken: list[Said] = field(default_factory=list)
    heard: int = 0
    gather: Verb | None = None
    #: URL, fields, method and body of the last document, to replay it.
    last: tuple[str, dict[str, str], str, bytes] | None = None
    documents: int = 0

    def __post_init__(self) -> None:
        account = self.server.account
        self._public = account.public_url.rstrip("/")
        self._program: list[Verb] = []
        self._base = ""
        self._queue: _Queue | None = None
        self._next_wait = ""
        self._orders: list[tuple[str, str]] = []
        self._record: Verb | None = None
        self._dialled: Dialled | None = None
        self._began = time.monotonic()
        self._status_url = f"{self._public}/voice/status"
        self._ours = account.number
        self.server.live[self.sid] = self
        self.server.known.add(self.sid)

    # the call

    def call(self) -> list[Said]:
        """Dial the desk."""
        self._fetch(f"{self._public}/voice/incoming", {})
        return self._run()

    def answer(self, placed: Placed) -> list[Said]:
        """Take a call that the desk has placed."""
        del self.server.live[self.sid]
        self.sid, self.number, self.direction = placed.sid, placed.to, "outbound-api"
        self.server.live[self.sid] = self
        self._status_url = placed.get("StatusCallback")
        placed.status = self.status = "in-progress"
        if self._status_url and "answered" in placed.fields.get("StatusCallbackEvent", []):
            self.server.call_status(placed, "in-progress")
        self._fetch(placed.get("Url"), {}, placed.get("Method") or "POST")
        return self._run()

    def say(self, text: str, confidence: float = 0.92) -> list[Said]:
        """Speak; where only keys are waited for, nobody hears it."""
        gather = self._gathering()
        if "speech" not in gather.get("input", "dtmf").split():
            return self.silence()
        fields = {"SpeechResult": text, "Confidence": str(confidence), "Language": gather.get("language", "en-US")}
        return self._answer(gather, fields)

    def mumble(self) -> list[Said]:
        """Speak so that nothing is understood."""
        return self.say("", 0.0)

    def press(self, keys: str) -> list[Said]:
        """Press keys; what comes after the last that was waited for is lost."""
        gather = self._gathering()
        if "dtmf" not in gather.get("input", "dtmf").split():
            return self.silence()
        finish, most = gather.get("finishOnKey", "#"), int(gather.get("numDigits", "0"))
        digits, ended = "", ""
        for key in keys:
            if key in finish:
                ended = key
                break
            digits += key
            if len(digits) == most:
                break
        if not digits:
            return self.silence()
        return self._answer(gather, {"Digits": digits} | ({"FinishedOnKey": ended} if ended else {}))

    def silence(self) -> list[Said]:
        """Say nothing until the desk goes on."""
        gather = self._gathering()
        if gather.get("actionOnEmptyResult") == "true":
            return self._answer(gather, {"Digits": ""})
        self.gather, self.state = None, "idle"
        self.documents = 0
        return self._run()

    def wait(self) -> list[Said]:
        """Stay on the line for one more round of whatever is played."""
        if self._orders:
            url, status = self._orders.pop(0)
            self._dial_taken_away()
            if status == "completed":
                self._end()
                return self.hear()
            self._queue = self._record = self.gather = None
            self.state, self.documents = "idle", 0
            self._fetch(url, {})
            return self._run()
        if self.state == "waiting":
            self.documents = 0
            self._fetch_wait(self._next_wait)
            return self._run()
        return self.silence()

    def follow_order(self) -> list[Said]:
        """Go where the REST API has sent the call."""
        if not self._orders:
            raise CallFailed("nobody has sent the call anywhere")
        return self.wait()

    def leave_message(self, seconds: int = 12) -> list[Said]:
        """Speak after the tone, then press the key that ends it."""
        if self.state != "recording" or self._record is None:
            raise CallFailed(f"nothing is recorded: the call is {self.state}")
        record, self._record, self.state = self._record, None, "idle"
        self._fetch(self._to(record.get("action")), self._recording(seconds, "#"), record.get("method", "POST"))
        return self._run()

    def hang_up(self) -> None:
        """The caller ends the call; the desk is told, its answers don't matter any more."""
        if self.state == "ended":
            return
        self.status = "completed"
        if self._queue is not None and self._queue.enqueue.get("action"):
            queue = self._queue
            action = urljoin(queue.base, queue.enqueue.get("action"))
            self._send(action, self._queue_fields("hangup"), queue.enqueue.get("method", "POST"))
        if self._record is not None and self._record.get("action"):
            self._send(self._to(self._record.get("action")), self._recording(3, "hangup"), "POST")
        self._dial_taken_away()
        self._end()

    def hear(self) -> list[Said]:
        """What was said since the last time."""
        new = self.spoken[self.heard :]
        self.heard = len(self.spoken)
        return new

    def replay(self) -> tuple[bytes, bytes]:
        """Send the last request once more, as it was: what it brought then, and now."""
        assert self.last is not None
        url, fields, method, body = self.last
        return body, self.server.webhooks.send(url, fields, method).content

    def order(self, url: str, status: str) -> None:
        """By the REST API: go on with another document, or end; done at the next `wait`."""
        self._orders.append((url, status))

    # running a document

    def _gathering(self) -> Verb:
        if self.state != "gathering" or self.gather is None:
            raise CallFailed(f"nothing is waited for: the call is {self.state}")
        return self.gather

    def _answer(self, gather: Verb, fields: dict[str, str]) -> list[Said]:
        self.gather, self.state = None, "idle"
        self.documents = 0
        self._program = []
        self._fetch(self._to(gather.get("action")), fields, gather.get("method", "POST"))
        return self._run()

    def _run(self) -> list[Said]:
        """Until the caller is waited for, or the call is over; what is new to hear."""
        while self.state == "idle":
            if not self._program:
                if self._queue is not None:
                    self._wait_for(self._queue.enqueue.get("waitUrl"))
                    break
                self._end()
                break
            verb = self._program.pop(0)
            self._execute(verb)
        return self.hear()

    def _execute(self, verb: Verb) -> None:
        match verb.name:
            case "Say" | "Play" | "Pause":
                self._speak(verb)
            case "Gather":
                for child in verb.children:
                    self._speak(child)
                self.gather, self.state = verb, "gathering"
            case "Redirect":
                if self._queue is not None:
                    self._wait_for(verb.text)
                else:
                    self._fetch(self._to(verb.text), {}, verb.get("method", "POST"))
            case "Enqueue":
                self._queue = _Queue(verb, self._program, self._base, time.monotonic())
                self._fetch_wait(self._to(verb.get("waitUrl")))
            case "Leave":
                self._leave()
            case "Record":
                self._record, self.state = verb, "recording"
            case "Dial":
                self._call_agent(verb)
            case "Hangup" | "Reject":
                self._end()

    def _speak(self, verb: Verb) -> None:
        if verb.name == "Pause":
            self.pause(float(verb.get("length", "1")))
        elif verb.name == "Say":
            slow = any(child.name == "prosody" and "rate" in child.attributes for child in verb.children)
            self.spoken.append(Said(verb.text, verb.get("language"), verb.get("voice"), slow))

    def _to(self, url: str) -> str:
        """Where a URL of the present document leads; none means the document itself."""
        return urljoin(self._base, url) if url else self._base

    def _fetch(self, url: str, fields: dict[str, str], method: str = "POST") -> None:
        if self._queue is not None:  # a <Gather> of the waiting loop
            self._program = self._document(url, self._queue_fields("") | fields, method, WAITING)
        else:
            self._program = self._document(url, fields, method, VERBS - {"Leave"})

    def _fetch_wait(self, url: str) -> None:
        self.state = "idle"
        self._program = self._document(url, self._queue_fields(""), "POST", WAITING)

    def _document(self, url: str, fields: dict[str, str], method: str, only: frozenset[str]) -> list[Verb]:
        self.documents += 1
        if self.documents > MOST_DOCUMENTS:
            raise self._failed(f"{MOST_DOCUMENTS} documents without waiting for the caller: a loop at {url}")
        answer = self._send(url, fields, method)
        if answer is None or answer.status_code != SAFE_STATUS:
            why = "no answer in time" if answer is None else f"HTTP {answer.status_code} {answer.text[:200]}"
            raise self._failed(f"{url}: {why}")
        try:
            verbs = parse(answer.content, answer.headers.get("content-type", ""), only)
        except BadTwiml as problem:
            raise self._failed(f"{url}: {problem}\n{answer.text[:2000]}") from problem
        self._base = url
        if self.status == "ringing":
            self.status = "in-progress"
        return verbs

    def _send(self, url: str, fields: dict[str, str], method: str) -> httpx.Response | None:
        all_fields = self._standard() | fields
        try:
            answer = self.server.webhooks.send(url, all_fields, method)
        except httpx.HTTPError:
            return None
        except ValueError as problem:
            raise self._failed(str(problem)) from problem
        self.last = (url, all_fields, method, answer.content)
        return answer

    def _standard(self) -> dict[str, str]:
        """https://www.twilio.com/docs/voice/twiml#request-parameters"""
        us, them = self._ours, self.number
        caller, called = (them, us) if self.direction == "inbound" else (us, them)
        return {
            "CallSid": self.sid,
            "AccountSid": self.server.account.sid,
            "From": caller,
            "To": called,
            "Caller": caller,
            "Called": called,
            "CallStatus": self.status,
            "ApiVersion": "2010-04-01",
            "Direction": self.direction,
            "FromCountry": "CN",
            "ToCountry": "CN",
        }

    def _failed(self, why: str) -> CallFailed:
        self.state, self.status = "ended", "failed"
        self.server.live.pop(self.sid, None)
        return CallFailed(why)

    def _end(self) -> None:
        self.state, self.status = "ended", "completed"
        self._queue = self._record = self._dialled = None
        self.server.live.pop(self.sid, None)
        if self._status_url:
            duration = str(max(1, round(time.monotonic() - self._began)))
            self._send(self._status_url, {"CallDuration": duration, "Duration": "1"}, "POST")

    # queues

    def _queue_fields(self, result: str) -> dict[str, str]:
        assert self._queue is not None
        waited = str(round(time.monotonic() - self._queue.began))
        if result:
            return {"QueueResult": result, "QueueSid": self._queue.sid, "QueueTime": waited}
        return {
            "QueueSid": self._queue.sid,
            "QueueTime": waited,
            "QueuePosition": "1",
            "AvgQueueTime": "0",
            "CurrentQueueSize": "1",
        }

    def _wait_for(self, url: str) -> None:
        """The next document of the queue is fetched when the test says so: `wait`."""
        base = self._queue.base if self._queue and url == self._queue.enqueue.get("waitUrl") else self._base
        self._next_wait, self.state = urljoin(base, url), "waiting"

    def _leave(self) -> None:
        queue = self._queue
        if queue is None:
            raise self._failed("<Leave> outside a queue")
        fields = self._queue_fields("leave")
        self._queue, self._base, self._program = None, queue.base, queue.rest
        if queue.enqueue.get("action"):
            self._fetch(self._to(queue.enqueue.get("action")), fields, queue.enqueue.get("method", "POST"))

    def _recording(self, seconds: int, digits: str) -> dict[str, str]:
        sid = new_sid("RE")
        url = f"https://api.twilio.com/2010-04-01/Accounts/{self.server.account.sid}/Recordings/{sid}"
        return {"RecordingUrl": url, "RecordingSid": sid, "RecordingDuration": str(seconds), "Digits": digits}
