"""The account's menu, from menu.yml: what WeChat is sent, and what a tap on it says.

Limits: https://developers.weixin.qq.com/doc/service/api/custommenu/api_createcustommenu
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

MOST_BUTTONS = 3
MOST_BELOW = 5
#: Bytes of UTF-8.
MOST_LABEL = 16
MOST_LABEL_BELOW = 60
MOST_KEY = 128
LANGUAGES = ("zh", "en")

Button = dict[str, Any]


@cache
def buttons() -> tuple[Button, ...]:
    """The menu of menu.yml. ValueError where WeChat would refuse it."""
    loaded: list[Button] = yaml.safe_load((Path(__file__).parent / "menu.yml").read_text(encoding="utf-8"))
    if faults := faults_of(loaded):
        raise ValueError("menu.yml: " + "; ".join(faults))
    return tuple(loaded)


def text_of(key: str, language: str | None) -> str | None:
    """What a customer who taps the button of this key would have typed; None for a key that the menu has no more."""
    for button in _keyed(buttons()):
        if button["key"] == key:
            words: str = button["text"]["en" if language == "en" else "zh"]
            return words
    return None


def as_sent(menu: Sequence[Button] | None = None) -> dict[str, Any]:
    """The menu as /cgi-bin/menu/create takes it."""
    return {"button": [_sent(button) for button in (buttons() if menu is None else menu)]}


def faults_of(menu: Sequence[Button]) -> list[str]:
    """What WeChat, or a customer who taps, could not use."""
    faults = []
    if not 1 <= len(menu) <= MOST_BUTTONS:
        faults.append(f"{len(menu)} buttons instead of 1 to {MOST_BUTTONS}")
    for button in menu:
        below = button.get("sub")
        faults += _label_faults(button, MOST_LABEL)
        if below is None:
            continue
        if "key" in button:
            faults.append(f"{button['label']}: a key and further buttons")
        if not 1 <= len(below) <= MOST_BELOW:
            faults.append(f"{button['label']}: {len(below)} buttons below it instead of 1 to {MOST_BELOW}")
        for lower in below:
            faults += _label_faults(lower, MOST_LABEL_BELOW)
            if "sub" in lower:
                faults.append(f"{lower['label']}: a third level")
    keys = []
    for button in _keyed(menu):
        key = str(button.get("key", ""))
        keys.append(key)
        if not 1 <= len(key.encode()) <= MOST_KEY:
            faults.append(f"{button.get('label')}: no key, or one of more than {MOST_KEY} bytes")
        texts = button.get("text")
        if not isinstance(texts, dict) or not all(texts.get(language) for language in LANGUAGES):
            faults.append(f"{button.get('label')}: no text in both languages")
    faults += [f"{key}: twice" for key in sorted({key for key in keys if keys.count(key) > 1})]
    return faults


def _label_faults(button: Button, most: int) -> list[str]:
    label = str(button.get("label", ""))
    if 1 <= len(label.encode()) <= most:
        return []
    return [f"{label or 'a button'}: no label, or one of more than {most} bytes"]


def _keyed(menu: Sequence[Button]) -> Iterator[Button]:
    for button in menu:
        yield from button.get("sub", [button])


def _sent(button: Button) -> dict[str, Any]:
    if "sub" in button:
        return {"name": button["label"], "sub_button": [_sent(lower) for lower in button["sub"]]}
    return {"type": "click", "name": button["label"], "key": button["key"]}
