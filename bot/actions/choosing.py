"""An option told by its number ("1", "第二个"), where the page shows buttons without numbers. Pure."""

import json
import re
from collections.abc import Iterable

from bot.actions.desk import Json
from bot.actions.turn import Option

_ZH = "一二三四五六七八九"
_EN = ("first", "second", "third", "fourth", "fifth")
_NUMBERED = re.compile(
    rf"(?:我?(?:要)?选|第|选项|就)?\s*(?P<n>[1-9]|[{_ZH}])\s*(?:个|项|号)?(?:吧|啊|嘛|呢)?[。.!！)）]?"
    r"|(?:(?:option|number|no\.?|choice|#)\s*)(?P<option>[1-9])[.!]?"
    rf"|(?:the )?(?P<en>{'|'.join(_EN)})(?: one| option)?[.!]?",
    re.IGNORECASE,
)


def numbered(words: str) -> int | None:
    """The position, from 0, that the whole message names."""
    match = _NUMBERED.fullmatch(words.strip())
    if match is None:
        return None
    if match["en"]:
        return _EN.index(match["en"].lower())
    said = str(match["n"] or match["option"])
    return _ZH.index(said) if said in _ZH else int(said) - 1


def offered_last(events: Iterable[Json]) -> list[Option]:
    """The choices under the bot's last words before this message."""
    found: list[Option] = []
    heard = 0
    for event in reversed(list(events)):
        if event.get("event") == "user":
            heard += 1
            if heard == 2:
                break
        elif event.get("event") == "bot" and heard == 1:
            found = [
                Option(value, str(button.get("title")), str(button.get("title")))
                for button in (event.get("data") or {}).get("buttons") or []
                if (value := _value(str(button.get("payload") or "")))
            ]
            if found:
                break
    return found


def _value(payload: str) -> str:
    try:
        return str(json.loads(payload[payload.index("{") :]).get("option") or "")
    except ValueError:
        return ""
