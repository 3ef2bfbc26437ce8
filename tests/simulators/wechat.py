"""WeChat's server: access tokens, customer-service messages, menu, media, with the vendor's rules and error codes.

Sources: https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Get_access_token.html
https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken.html
https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Messages.html (how many, how long)
https://developers.weixin.qq.com/doc/oplatform/developers/errCode/errCode.html
https://developers.weixin.qq.com/doc/offiaccount/Custom_Menus/Creating_Custom-Defined_Menu.html
"""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.server import Answer, Fault, Request, Server

#: An act of the user: messages that may follow, and seconds in which they may.
ALLOWANCES = {
    "message": (5, 48 * 3600.0),
    "click": (3, 60.0),
    "subscribe": (3, 60.0),
    "scan": (3, 60.0),
}
#: Bytes of a text message.
MOST_TEXT_BYTES = 2048
TOKEN_SECONDS = 7200
#: Seconds in which the token before the last one is still taken.
OVERLAP_SECONDS = 300
MESSAGES = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40003: "invalid openid",
    40007: "invalid media_id",
    40008: "invalid message type",
    40013: "invalid appid",
    40014: "invalid access_token",
    40016: "invalid button size",
    40018: "invalid button name size",
    40023: "invalid sub button size",
    40125: "invalid appsecret",
    41001: "access_token missing",
    42001: "access_token expired",
    43002: "require POST method",
    44004: "empty content",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    46003: "menu no exist",
    47001: "data format error",
}


@dataclass
class Account:
    """The account as its owner sees it in WeChat's console."""

    app_id: str = field(default_factory=lambda: "wx" + secrets.token_hex(8))
    app_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    token: str = field(default_factory=lambda: secrets.token_hex(12))
    aes_key: str = field(default_factory=lambda: new_aes_key())
    #: The account's own name in messages.
    original_id: str = "gh_0123456789ab"


def new_aes_key() -> str:
    """43 of the 62 letters and digits, as WeChat's console makes them."""
    # The last of 43 characters carries 4 bits of the key: "A" leaves the 2 that are over zero.
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    return "".join(secrets.choice(letters) for _ in range(42)) + "A"


@dataclass
class Mailbox:
    """What the account may send one user, and what it has sent."""

    subscribed: bool = True
    left: int = 0
    until: float = 0.0
    #: Customer-service messages as they arrived: their whole JSON.
    messages: list[dict[str, Any]] = field(default_factory=list)


class WechatServer(Server):
    """`clock`: seconds since 1970; tests may move it. Every user whom `act` has named exists."""

    def __init__(self, account: Account, port: int = 0, clock: Callable[[], float] = time.time) -> None:
        super().__init__(port)
        self.account, self.clock = account, clock
        self.mailboxes: dict[str, Mailbox] = {}
        self.media: dict[str, tuple[bytes, str]] = {}
        self.menu: dict[str, Any] | None = None
        #: Tokens and when they end.
        self.tokens: dict[str, float] = {}
        self.latest = ""
        self._stable = ""
        #: Told of each customer-service message: OpenID and text.
        self.on_message: Callable[[str, str], None] = lambda open_id, text: None

    # what a user does

    def act(self, open_id: str, kind: str) -> Mailbox:
        """A user's act opens a window; `kind` is one of ALLOWANCES, or "unsubscribe"."""
        with self.lock:
            box = self.mailboxes.setdefault(open_id, Mailbox())
            if kind == "unsubscribe":
                box.subscribed = False
                return box
            box.subscribed = True
            count, seconds = ALLOWANCES[kind]
            until = self.clock() + seconds
            # A click does not take away what a message allowed.
            if kind == "message" or self.clock() > box.until or not box.left:
                box.left, box.until = count, until
            return box

    def add_media(self, content: bytes, content_type: str = "image/jpeg") -> str:
        """Keep a file that a user has sent; its media id."""
        media_id = secrets.token_urlsafe(32)
        with self.lock:
            self.media[media_id] = (content, content_type)
        return media_id

    def texts(self, open_id: str) -> list[str]:
        """The customer-service messages that a user has got."""
        with self.lock:
            box = self.mailboxes.get(open_id)
            return [message["text"]["content"] for message in box.messages] if box else []

    # faults

    def busy(self, times: int = 1, path: str = "/message/custom/send") -> None:
        self.fail(Fault(path, times, answer=_error(-1)))

    def broken(self, times: int = 1, path: str = "/message/custom/send", status: int = 502) -> None:
        self.fail(Fault(path, times, answer=Answer(status, b"<html>Bad Gateway</html>", "text/html")))

    def expire_tokens(self) -> None:
        """All tokens end now: 42001."""
        with self.lock:
            self.tokens = dict.fromkeys(self.tokens, 0.0)

    def invalidate_tokens(self) -> None:
        """As if another program had asked for a token: 40001."""
        with self.lock:
            self.tokens = {}
            self._stable = ""

    def close_window(self, open_id: str) -> None:
        """48 hours are over."""
        with self.lock:
            self.mailboxes[open_id].until = 0.0

    # the API

    def handle(self, request: Request) -> Answer:
        if request.path == "/cgi-bin/token":
            given = request.query
            return self._issue(given, stable=False)
        if request.path == "/cgi-bin/stable_token":
            if request.method != "POST":
                return _error(43002)
            return self._issue(_json(request) or {}, stable=True)
        wrong = self._token_error(request.query.get("access_token", ""))
        if wrong:
            return _error(wrong)
        match request.method, request.path:
            case "POST", "/cgi-bin/message/custom/send":
                return self._send(_json(request))
            case "POST", "/cgi-bin/menu/create":
                return self._create_menu(_json(request))
            case "GET", "/cgi-bin/menu/get":
                return Answer.json({"menu": self.menu}) if self.menu else _error(46003)
            case "GET", "/cgi-bin/media/get":
                return self._media(request.query.get("media_id", ""))
        return Answer(404, b"", "text/html")

    def _issue(self, given: dict[str, Any], *, stable: bool) -> Answer:
        if given.get("appid") != self.account.app_id:
            return _error(40013)
        if given.get("secret") != self.account.app_secret:
            return _error(40125)
        if given.get("grant_type") != "client_credential":
            return _error(40002)
        now = self.clock()
        if stable and not given.get("force_refresh") and self.tokens.get(self._stable, 0.0) > now:
            left = int(self.tokens[self._stable] - now)
            return Answer.json({"access_token": self._stable, "expires_in": left})
        token = secrets.token_urlsafe(90)
        before = self._stable if stable else self.latest
        if before in self.tokens:
            self.tokens[before] = min(self.tokens[before], now + OVERLAP_SECONDS)
        self.tokens[token] = now + TOKEN_SECONDS
        if stable:
            self._stable = token
        else:
            self.latest = token
        return Answer.json({"access_token": token, "expires_in": TOKEN_SECONDS})

    def _token_error(self, token: str) -> int:
        if not token:
            return 41001
        if token not in self.tokens:
            return 40001
        return 42001 if self.tokens[token] <= self.clock() else 0

    def _send(self, message: Any) -> Answer:
        if not isinstance(message, dict):
            return _error(47001)
        box = self.mailboxes.get(str(message.get("touser")))
        if box is None:
            return _error(40003)
        if message.get("msgtype") != "text":
            return _error(40008)
        text = message.get("text", {}).get("content", "")
        if not isinstance(text, str) or not text.strip():
            return _error(44004)
        if len(text.encode()) > MOST_TEXT_BYTES:
            return _error(45002)
        if not box.subscribed or self.clock() > box.until:
            return _error(45015)
        if box.left <= 0:
            return _error(45047)
        box.left -= 1
        box.messages.append(message)
        self.on_message(str(message["touser"]), text)
        return _error(0)

    def _create_menu(self, menu: Any) -> Answer:
        buttons = menu.get("button") if isinstance(menu, dict) else None
        if not isinstance(buttons, list) or not 1 <= len(buttons) <= 3:
            return _error(40016)
        for button in buttons:
            below = button.get("sub_button", [])
            if len(button.get("name", "").encode()) > 16 or not button.get("name"):
                return _error(40018)
            if len(below) > 5:
                return _error(40023)
            for leaf in below or [button]:
                if len(leaf.get("name", "").encode()) > 60 or not leaf.get("name"):
                    return _error(40018)
                if leaf.get("type") == "click" and not 1 <= len(leaf.get("key", "").encode()) <= 128:
                    return _error(40019)
                if leaf.get("type") not in ("click", "view"):
                    return _error(40017)
        self.menu = menu
        return _error(0)

    def _media(self, media_id: str) -> Answer:
        if media_id not in self.media:
            return _error(40007)
        content, content_type = self.media[media_id]
        return Answer(200, content, content_type, {"Content_disposition": 'attachment; filename="media"'})


def _error(code: int) -> Answer:
    return Answer.json({"errcode": code, "errmsg": "ok" if code == 0 else MESSAGES.get(code, "error")})


def _json(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError:
        return None
