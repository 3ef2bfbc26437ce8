"""What a follower did, out of the fields of a callback. Pure.

Source: https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html and
…/Receiving_event_pushes.html: messages are told apart by MsgId, events by FromUserName and CreateTime.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: What WeChat sends as the text of a sticker and of other things that it does not pass on.
NOT_PASSED_ON = "【收到不支持的消息类型，暂无法显示】"
OPEN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
NUMBER = re.compile(r"[0-9]{1,24}")
MOST_MEDIA_ID = 200

Kind = Literal["words", "image", "voice", "unread", "click", "subscribe", "unsubscribe", "scan", "ignored"]
EVENTS: Mapping[str, Kind] = {"subscribe": "subscribe", "unsubscribe": "unsubscribe", "scan": "scan", "click": "click"}


class NotAnAct(ValueError):
    """The fields are no message and no event."""


@dataclass(frozen=True)
class Act:
    """One act of a follower.

    `words`: text, recognised speech or the name of a place, in `text`. `image`, `voice`: fetched by `media_id`.
    `unread`: something else, `form` says what. `click`: the menu key is in `text`. `ignored` asks for nothing.
    """

    kind: Kind
    open_id: str
    #: Our account's own id, from which a reply must come.
    account: str
    #: The same for every copy of a callback; at most 160 characters.
    key: str
    #: As the transcript knows it; at most 80 characters.
    provider_id: str
    text: str = ""
    media_id: str = ""
    form: str = ""

    @property
    def window(self) -> str:
        """The act's name among the windows of limits.yml; '' for one that opens none."""
        if self.kind in ("words", "image", "voice", "unread"):
            return "message"
        return self.kind if self.kind in ("click", "subscribe", "scan") else ""


def act_of(fields: Mapping[str, str]) -> Act:
    """Raises NotAnAct."""
    open_id, account = fields.get("FromUserName", ""), fields.get("ToUserName", "")
    created, form = fields.get("CreateTime", ""), fields.get("MsgType", "").lower()
    if not OPEN_ID.fullmatch(open_id) or not OPEN_ID.fullmatch(account) or not NUMBER.fullmatch(created) or not form:
        raise NotAnAct
    if form == "event":
        return _event(fields, open_id, account, created)
    message_id = fields.get("MsgId", "")
    if not NUMBER.fullmatch(message_id):
        raise NotAnAct
    kind, text, form = _content(fields, form)
    media_id = fields.get("MediaId", "") if kind in ("image", "voice") else ""
    if len(media_id) > MOST_MEDIA_ID:
        raise NotAnAct
    return Act(kind, open_id, account, f"{open_id}:m:{message_id}", message_id, text, media_id, form)


def _event(fields: Mapping[str, str], open_id: str, account: str, created: str) -> Act:
    event, key = fields.get("Event", "").lower(), fields.get("EventKey", "")
    if not event:
        raise NotAnAct
    # One second may hold two events of one follower.
    told = hashlib.sha256(f"{event}\0{key}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
    name = f"e:{created}:{told}"
    return Act(EVENTS.get(event, "ignored"), open_id, account, f"{open_id}:{name}", name, key[:MOST_MEDIA_ID])


def _content(fields: Mapping[str, str], form: str) -> tuple[Kind, str, str]:
    if form == "text":
        text = fields.get("Content", "")
        return ("unread", "", "sticker") if text.strip() == NOT_PASSED_ON else ("words", text, form)
    if form == "voice" and fields.get("Recognition", "").strip():
        return "words", fields["Recognition"], form
    if form == "location":
        label = fields.get("Label", "").strip()
        return ("words", label, form) if label else ("unread", "", form)
    if form == "image":
        return "image", "", form
    if form == "voice":
        return "voice", "", form
    return "unread", "", form
