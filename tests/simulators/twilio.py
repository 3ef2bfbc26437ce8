"""Twilio's servers: the REST API that places calls and sends messages, and signed webhooks to the desk.

https://www.twilio.com/docs/usage/security#validating-requests (signature) · https://www.twilio.com/docs/voice/api/call-resource
https://www.twilio.com/docs/messaging/api/message-resource · https://www.twilio.com/docs/api/errors
"""

import base64
import hashlib
import hmac
import re
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from tests.simulators.server import Answer, Fault, Request, Server

if TYPE_CHECKING:
    from tests.simulators.caller import Caller

#: Seconds that Twilio waits for a document.
WEBHOOK_SECONDS = 15.0
MOST_SMS = 1600
E164 = re.compile(r"\+[1-9]\d{6,14}")


def new_sid(kind: str) -> str:
    """`kind`: CA a call, SM a message, RE a recording, QU a queue."""
    return kind + uuid.uuid4().hex


@dataclass
class TwilioAccount:
    """`public_url`: under which Twilio knows the desk; `desk`: where it really listens."""

    public_url: str
    desk: str
    sid: str = field(default_factory=lambda: "AC" + secrets.token_hex(16))
    auth_token: str = field(default_factory=lambda: secrets.token_hex(16))
    number: str = "+862395598000"

    def sign(self, url: str, form: Mapping[str, str]) -> str:
        """X-Twilio-Signature: HMAC-SHA1 of the URL and the sorted POST fields, in Base64."""
        text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
        return base64.b64encode(hmac.new(self.auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode()


class Webhooks:
    """Calls the desk as Twilio does: signed over the public URL, which a proxy leads to where the desk listens."""

    def __init__(self, account: TwilioAccount) -> None:
        self.account = account
        self._http = httpx.Client(timeout=WEBHOOK_SECONDS, trust_env=False)
        #: Seconds of each answer.
        self.seconds: list[float] = []

    def send(self, url: str, fields: Mapping[str, str], method: str = "POST") -> httpx.Response:
        """`url` is absolute and public. Raises httpx.HTTPError, ValueError for a URL of somebody else."""
        base = self.account.public_url.rstrip("/")
        if not (url == base or url.startswith((f"{base}/", f"{base}?"))):
            raise ValueError(f"{url} is not under {base}")
        if method == "GET":
            url += ("&" if "?" in url else "?") + urlencode(fields)
        form = dict(fields) if method == "POST" else {}
        headers = {
            "X-Twilio-Signature": self.account.sign(url, form),
            "User-Agent": "TwilioProxy/1.1",
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
        }
        began = time.monotonic()
        try:
            return self._http.request(
                method,
                self.account.desk + url.removeprefix(base),
                data=form if method == "POST" else None,
                headers=headers,
            )
        finally:
            self.seconds.append(time.monotonic() - began)

    def close(self) -> None:
        self._http.close()


@dataclass
class Placed:
    """A call or a message that the desk asked for. `fields`: its form, each name's values."""

    sid: str
    fields: dict[str, list[str]]
    status: str = "queued"

    def get(self, name: str) -> str:
        return self.fields.get(name, [""])[-1]

    @property
    def to(self) -> str:
        return self.get("To")

    @property
    def body(self) -> str:
        return self.get("Body")


class TwilioServer(Server):
    """Records what the desk asks for. `behaviours`: how a number that is dialled takes it."""

    def __init__(self, account: TwilioAccount, port: int = 0) -> None:
        super().__init__(port)
        self.account = account
        self.webhooks = Webhooks(account)
        self.calls: list[Placed] = []
        self.messages: list[Placed] = []
        #: answer | listen (answer, and leave the keys to the test) | busy | no-answer | failed | ring (on and on), by
        #: number or SIP address; all others answer.
        self.behaviours: dict[str, str] = {}
        #: What was said to whoever answered a <Dial>, before the two were joined, by number.
        self.whispers: dict[str, list[str]] = {}
        #: What he presses when the whisper asks for a key: 1 where nothing else is set; '' is a voicemail.
        self.whisper_keys: dict[str, str] = {}
        #: The DialCallStatus of a leg that was answered and never joined with the caller.
        self.unbridged = "completed"
        #: Numbers that have asked for no more messages: 21610.
        self.stopped: set[str] = set()
        self.live: dict[str, Caller] = {}
        #: The sids of all calls that there ever were.
        self.known: set[str] = set()
        #: What was asked of calls that are there: their sid, and the form.
        self.changes: list[tuple[str, dict[str, str]]] = []
        #: Told of each message and call that the desk asks for: "message" or "call".
        self.on_placed: Callable[[str, Placed], None] = lambda kind, placed: None

    def stop(self) -> None:
        super().stop()
        self.webhooks.close()

    def busy(self, times: int = 1) -> None:
        """Too many requests."""
        self.fail(Fault("/2010-04-01/", times, answer=_error(429, 20429, "Too Many Requests", Retry_After="1")))

    def handle(self, request: Request) -> Answer:
        base = f"/2010-04-01/Accounts/{self.account.sid}/"
        pair = base64.b64encode(f"{self.account.sid}:{self.account.auth_token}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            return _error(401, 20003, "Authenticate")
        if not request.path.startswith(base):
            return _error(404, 20404, "The requested resource was not found")
        rest = request.path.removeprefix(base)
        if request.method == "POST" and rest == "Calls.json":
            return self._place_call(request)
        if request.method == "POST" and rest == "Messages.json":
            return self._take_message(request)
        found = re.fullmatch(r"(Calls|Messages)/(\w+)\.json", rest)
        if found:
            return self._one(request, found[2])
        return _error(404, 20404, "The requested resource was not found")

    def _place_call(self, request: Request) -> Answer:
        placed = Placed(new_sid("CA"), request.forms)
        if not E164.fullmatch(placed.to):
            return _error(400, 21211, f"Invalid 'To' Phone Number: {placed.to}")
        if placed.get("From") != self.account.number:
            return _error(400, 21210, "'From' phone number not verified")
        if not re.match(r"https?://", placed.get("Url")) and not placed.get("Twiml"):
            return _error(400, 21205, "Url is not a valid URL")
        self.calls.append(placed)
        self.known.add(placed.sid)
        self.on_placed("call", placed)
        return Answer.json(self._shown(placed, "Calls"), 201)

    def _take_message(self, request: Request) -> Answer:
        placed = Placed(new_sid("SM"), request.forms)
        if not E164.fullmatch(placed.to):
            return _error(400, 21211, f"Invalid 'To' Phone Number: {placed.to}")
        if placed.get("From") != self.account.number:
            return _error(400, 21606, "The 'From' phone number is not valid")
        if placed.to in self.stopped:
            return _error(400, 21610, "Attempt to send to unsubscribed recipient")
        if not placed.body:
            return _error(400, 21602, "Message body is required")
        if len(placed.body) > MOST_SMS:
            return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        self.messages.append(placed)
        self.on_placed("message", placed)
        return Answer.json(self._shown(placed, "Messages"), 201)

    def _one(self, request: Request, sid: str) -> Answer:
        live = self.live.get(sid)
        if request.method == "POST" and sid.startswith("CA"):
            if live is None and sid in self.known:
                return _error(400, 21220, "Call is not in-progress. Cannot redirect.")
            if live is None:
                return _error(404, 20404, "The requested resource was not found")
            self.changes.append((sid, request.form))
            live.order(request.form.get("Url", ""), request.form.get("Status", ""))
        if live is not None:
            return Answer.json({"sid": sid, "status": live.status, "account_sid": self.account.sid})
        for placed in (*self.calls, *self.messages):
            if placed.sid == sid:
                kind = "Calls" if sid.startswith("CA") else "Messages"
                return Answer.json(self._shown(placed, kind))
        return _error(404, 20404, "The requested resource was not found")

    def _shown(self, placed: Placed, kind: str) -> dict[str, object]:
        return {
            "sid": placed.sid,
            "account_sid": self.account.sid,
            "api_version": "2010-04-01",
            "status": placed.status,
            "to": placed.to,
            "from": placed.get("From"),
            "direction": "outbound-api",
            "uri": f"/2010-04-01/Accounts/{self.account.sid}/{kind}/{placed.sid}.json",
        }

    # what becomes of it

    def message_status(self, message: Placed, status: str, error: str = "") -> httpx.Response | None:
        """The message got on: sent, delivered, read, undelivered, failed. The desk's answer to the callback."""
        message.status = status
        own = {"MessageSid": message.sid, "SmsSid": message.sid, "MessageStatus": status, "SmsStatus": status}
        return self._tell(message, own | ({"ErrorCode": error} if error else {}))

    def call_status(self, call: Placed, status: str, **more: str) -> httpx.Response | None:
        """A placed call got on: initiated, ringing, in-progress, completed, busy, no-answer, failed, canceled."""
        call.status = status
        own = {"CallSid": call.sid, "CallStatus": status, "Direction": "outbound-api"}
        return self._tell(call, own | more)

    def _tell(self, placed: Placed, fields: dict[str, str]) -> httpx.Response | None:
        url = placed.get("StatusCallback")
        if not url:
            return None
        own = {"AccountSid": self.account.sid, "ApiVersion": "2010-04-01", "To": placed.to, "From": placed.get("From")}
        return self.webhooks.send(url, own | fields)


def _error(status: int, code: int, message: str, **headers: str) -> Answer:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Answer.json({"code": code, "message": message, "more_info": more, "status": status}, status, **headers)
