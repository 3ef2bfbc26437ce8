"""The WeChat account's menu."""

import unicodedata
from typing import Any

import pytest

from api.channels.wechat.menu import as_sent, buttons, faults_of, text_of

TEXT = {"zh": "停电了", "en": "no power"}


def wide(label: str) -> int:
    """Width in half Chinese characters."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in label)


def test_the_menu_is_one_that_wechat_takes() -> None:
    sent = as_sent()["button"]
    assert 1 <= len(sent) <= 3
    for button in sent:
        assert len(button["name"].encode()) <= 16
        assert wide(button["name"]) <= 8, "WeChat shows four Chinese characters"
        for lower in button.get("sub_button", []):
            assert (lower["type"], len(lower["name"].encode()) <= 60) == ("click", True)
            assert wide(lower["name"]) <= 14, "WeChat shows seven Chinese characters"


@pytest.mark.parametrize("key", ["power_cut", "no_water", "bill", "my_report", "person"])
def test_a_key_is_what_a_customer_would_type(key: str) -> None:
    chinese, english = text_of(key, "zh"), text_of(key, "en")
    assert chinese
    assert english
    assert chinese != english
    assert english.isascii()
    assert text_of(key, None) == chinese


def test_an_old_key_says_nothing() -> None:
    assert text_of("gone", "zh") is None


def click(label: str = "停电", key: str = "k", **more: Any) -> dict[str, Any]:
    return {"label": label, "key": key, "text": TEXT, **more}


@pytest.mark.parametrize(
    ("menu", "fault"),
    [
        ([], "0 buttons"),
        ([click(key=str(n)) for n in range(4)], "4 buttons"),
        ([click("停" * 6)], "more than 16 bytes"),
        ([click("")], "no label"),
        ([click(key="")], "no key"),
        ([click(key="k" * 129)], "more than 128 bytes"),
        ([click(), click()], "k: twice"),
        ([{"label": "停电", "key": "k"}], "no text"),
        ([click(text={"zh": "停电了"})], "no text"),
        ([{"label": "停电", "sub": []}], "0 buttons below"),
        ([{"label": "停电", "sub": [click(key=str(n)) for n in range(6)]}], "6 buttons below"),
        ([{"label": "停电", "sub": [click("停" * 21)]}], "more than 60 bytes"),
        ([{"label": "停电", "sub": [{"label": "x", "sub": [click()]}]}], "third level"),
        ([click(sub=[click(key="l")])], "a key and further buttons"),
    ],
)
def test_faults(menu: list[dict[str, Any]], fault: str) -> None:
    assert any(fault in found for found in faults_of(menu)), faults_of(menu)


def test_no_fault() -> None:
    assert faults_of(buttons()) == []
    assert as_sent([click(), {"label": "水", "sub": [click("停水", "w")]}]) == {
        "button": [
            {"type": "click", "name": "停电", "key": "k"},
            {"name": "水", "sub_button": [{"type": "click", "name": "停水", "key": "w"}]},
        ]
    }
