"""A follower of the account: his messages reach the desk as WeChat sends them, its answers reach him.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
(five seconds for an answer, three tries with the same MsgId)
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
(`success` or nothing is no reply; anything else that is none is a fault, told to the user)
"""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from tests.simulators.envelope import BadEnvelope, Envelope, cdata, fields_of
from tests.simulators.wechat import MOST_TEXT_BYTES, WechatServer

ANSWER_SECONDS = 5.0
TRIES = 3
#: What the user reads when the account's server does not answer as it should.
FAULT = "该公众号提供的服务出现故障，请稍后再试"


@dataclass(frozen=True)
class Got:
    """One message that the follower reads. `way`: passive | service | fault."""

    text: str
    way: str


@dataclass(frozen=True)
class Delivery:
    """What the desk answered to one message of ours, all tries together."""

    message_id: str
    #: One per try: HTTP status, or 0 for none in time.
    statuses: tuple[int, ...]
    #: The passive reply's text; '' for none.
    reply: str
    seconds: float


@dataclass
class Follower:
    """`desk`: where the desk listens, e.g. http://127.0.0.1:8000."""

    server: WechatServer
    desk: str
    #: A new follower's by default.
    open_id: str = ""
    clock: Callable[[], float] = time.time
    read: list[Got] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    #: How many of `read` were heard already.
    heard: int = 0

    def __post_init__(self) -> None:
        self.open_id = self.open_id or "o" + secrets.token_hex(14)[:27]
        account = self.server.account
        self.envelope = Envelope(account.app_id, account.token, account.aes_key)
        self._http = httpx.Client(timeout=ANSWER_SECONDS, trust_env=False)
        self._news = threading.Condition()
        before = self.server.on_message

        def on_message(open_id: str, text: str) -> None:
            before(open_id, text)
            if open_id == self.open_id:
                self._got(Got(text, "service"))

        self.server.on_message = on_message

    # what he does

    def send(self, text: str, **more: str) -> Delivery:
        """Type a message."""
        return self.message("text", Content=text, **more)

    def picture(self, content: bytes = b"\xff\xd8\xff\xe0picture\xff\xd9") -> Delivery:
        media_id = self.server.add_media(content)
        return self.message("image", PicUrl=f"{self.server.url}/pic/{media_id}", MediaId=media_id)

    def voice(self, recognition: str | None = None) -> Delivery:
        """Speak a message; WeChat adds what it understood if the account has recognition."""
        media_id = self.server.add_media(b"#!AMR\nvoice", "audio/amr")
        more = {} if recognition is None else {"Recognition": recognition}
        return self.message("voice", MediaId=media_id, Format="amr", **more)

    def location(self, label: str, latitude: str = "29.530456", longitude: str = "106.570123") -> Delivery:
        return self.message("location", Location_X=latitude, Location_Y=longitude, Scale="16", Label=label)

    def subscribe(self) -> Delivery:
        return self.event("subscribe", "subscribe", EventKey="")

    def unsubscribe(self) -> Delivery:
        return self.event("unsubscribe", "unsubscribe", EventKey="")

    def click(self, key: str) -> Delivery:
        """Tap an entry of the menu."""
        return self.event("CLICK", "click", EventKey=key)

    def message(self, kind: str, **fields: str) -> Delivery:
        """One message of any kind."""
        self.server.act(self.open_id, "message")
        return self.post(self.xml(kind, MsgId=new_message_id(), **fields))

    def event(self, event: str, act: str = "", **fields: str) -> Delivery:
        """One event; `act` names what it allows the account (ALLOWANCES)."""
        if act:
            self.server.act(self.open_id, act)
        return self.post(self.xml("event", Event=event, **fields))

    # the wire

    def xml(self, kind: str, **fields: str) -> str:
        """The plain document of a message; `CreateTime` and other fields can be given."""
        own = {
            "ToUserName": self.server.account.original_id,
            "FromUserName": self.open_id,
            "CreateTime": str(int(self.clock())),
            "MsgType": kind,
        } | fields
        numbers = ("CreateTime", "MsgId", "Location_X", "Location_Y", "Scale")
        inside = "\n".join(
            f"<{name}>{value if name in numbers else cdata(value)}</{name}>" for name, value in own.items()
        )
        return f"<xml>{inside}</xml>"

    def request(self, xml: str, nonce: str = "") -> tuple[dict[str, str], str]:
        """Query and body of the encrypted callback."""
        timestamp, nonce = str(int(self.clock())), nonce or str(secrets.randbelow(10**10))
        encrypted = self.envelope.encrypt(xml)
        query = {
            "signature": self.envelope.sign(timestamp, nonce, ""),
            "timestamp": timestamp,
            "nonce": nonce,
            "openid": self.open_id,
            "encrypt_type": "aes",
            "msg_signature": self.envelope.sign(timestamp, nonce, encrypted),
        }
        to = cdata(self.server.account.original_id)
        return query, f"<xml><ToUserName>{to}</ToUserName><Encrypt>{cdata(encrypted)}</Encrypt></xml>"

    def post(self, xml: str) -> Delivery:
        """Send a callback, again if it is not answered in time or not well, and read the reply."""
        statuses: list[int] = []
        began = time.monotonic()
        fields = fields_of(xml)
        why = ""
        for _ in range(TRIES):
            query, body = self.request(xml)
            try:
                answer = self._http.post(
                    f"{self.desk}/wechat", params=query, content=body.encode(), headers={"Content-Type": "text/xml"}
                )
            except httpx.HTTPError as problem:
                statuses.append(0)
                why = type(problem).__name__
                continue
            statuses.append(answer.status_code)
            if answer.status_code != 200:
                why = f"HTTP {answer.status_code}"
                continue
            try:
                reply = self.reply_in(answer.text)
            except BadEnvelope as problem:
                why = str(problem)
                break
            if reply:
                self._got(Got(reply, "passive"))
            return Delivery(fields.get("MsgId", ""), tuple(statuses), reply, time.monotonic() - began)
        self.faults.append(why)
        self._got(Got(FAULT, "fault"))
        return Delivery(fields.get("MsgId", ""), tuple(statuses), "", time.monotonic() - began)

    def reply_in(self, body: str) -> str:
        """The text of a passive reply, '' for none; BadEnvelope for what WeChat would not take."""
        if body.strip() in ("", "success"):
            return ""
        reply = self.envelope.open_reply(body)
        if reply.get("ToUserName") != self.open_id:
            raise BadEnvelope(f"ToUserName is {reply.get('ToUserName')!r}, not the follower")
        if reply.get("FromUserName") != self.server.account.original_id:
            raise BadEnvelope(f"FromUserName is {reply.get('FromUserName')!r}, not the account")
        if not reply.get("CreateTime", "").isdigit():
            raise BadEnvelope("CreateTime is no number")
        if reply.get("MsgType") != "text":
            raise BadEnvelope(f"MsgType is {reply.get('MsgType')!r}")
        text = reply.get("Content", "")
        if not text.strip():
            raise BadEnvelope("Content is empty")
        if len(text.encode()) > MOST_TEXT_BYTES:
            raise BadEnvelope(f"Content has {len(text.encode())} bytes")
        return text

    # what he reads

    def _got(self, got: Got) -> None:
        with self._news:
            self.read.append(got)
            self._news.notify_all()

    def wait(self, seconds: float, more_than: int | None = None) -> bool:
        """Wait until there is something that was not heard yet (or more than so many messages at all)."""
        least = self.heard if more_than is None else more_than
        with self._news:
            return self._news.wait_for(lambda: len(self.read) > least, seconds)

    def hear(self) -> list[Got]:
        """What came since the last time."""
        with self._news:
            new = self.read[self.heard :]
            self.heard = len(self.read)
            return new

    def close(self) -> None:
        self._http.close()


def new_message_id() -> str:
    return str(secrets.randbelow(9 * 10**16) + 10**16)
