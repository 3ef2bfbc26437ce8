"""A callback's answer as WeChat takes it. Pure.

Source: https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
"""

from collections.abc import Sequence
from datetime import datetime

from api.outbox.rules import BETWEEN, fits

#: What WeChat takes for "received, nothing to say now".
ACKNOWLEDGED = "success"


def fitting(parts: Sequence[str], ending: Sequence[str] = ()) -> int:
    """How many of the parts, in order, one text holds with `ending` after them; each of them fits alone."""
    whole = 0
    while whole < len(parts) and fits("wechat", BETWEEN.join([*parts[: whole + 1], *ending])):
        whole += 1
    return whole


def text_xml(to: str, sender: str, text: str, now: datetime) -> str:
    """A passive text reply, not encrypted yet."""
    content = text.replace("]]>", "]]]]><![CDATA[>")
    return (
        f"<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[{sender}]]></FromUserName>"
        f"<CreateTime>{int(now.timestamp())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content><![CDATA[{content}]]></Content></xml>"
    )
