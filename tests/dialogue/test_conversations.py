"""Whole conversations through the real Rasa, actions and API: each file of `conversations/` is one.

name: what it shows
language: zh            # what the page was set to; may be left out
turns:
- say: 我家停电了        # or `choose: label`
  expect: [哪里]         # regular expressions, each must match what came back (joined by line breaks)
  refuse: [工单号]       # and these must not
  owner: bot             # optional
tickets:                 # the conversation's tickets afterwards, oldest first; only named fields are compared,
- {kind: fault_report, utility: power, status: received, address: /和泰花园3栋/}   # /…/ is a regular expression
"""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.dialogue.customer import Customer
from tests.e2e.desk import Desk

FILES = sorted((Path(__file__).parent / "conversations").rglob("*.yml"))


def matches(wanted: Any, actual: Any) -> bool:
    if isinstance(wanted, str) and wanted.startswith("/") and wanted.endswith("/"):
        return re.search(wanted[1:-1], str(actual)) is not None
    return bool(wanted == actual)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_conversation(desk: Desk, path: Path) -> None:
    script = yaml.safe_load(path.read_text(encoding="utf-8"))
    with httpx.Client(base_url=desk.base_url, timeout=30, trust_env=False) as client:
        customer = Customer(client, script.get("language"))
        for number, turn in enumerate(script["turns"], 1):
            heard = customer.send(turn["say"]) if "say" in turn else customer.choose(turn["choose"])
            said = "\n".join(message["text"] for message in heard)
            where = f"turn {number}, {turn.get('say') or turn.get('choose')!r} was answered with:\n{said}"
            for pattern in turn.get("expect", []):
                assert re.search(pattern, said, re.IGNORECASE), f"{pattern!r} is missing; {where}"
            for pattern in turn.get("refuse", []):
                assert not re.search(pattern, said, re.IGNORECASE), f"{pattern!r} was said; {where}"
            if "owner" in turn:
                assert customer.owner == turn["owner"], where
        answer = client.get(
            "/api/v1/tickets",
            params={"conversation_id": customer.id},
            headers={"Authorization": f"Bearer {desk.service_token}"},
        )
        answer.raise_for_status()
        tickets = sorted(answer.json()["items"], key=lambda ticket: ticket["created_at"])
    wanted = script.get("tickets", [])
    assert len(tickets) == len(wanted), [f"{t['kind']} {t['topic']} {t['status']}" for t in tickets]
    for ticket, fields in zip(tickets, wanted, strict=True):
        for name, value in fields.items():
            assert matches(value, ticket[name]), f"{name} is {ticket[name]!r}, not {value!r}"


def test_there_are_enough_of_them() -> None:
    """At least twenty per language, and some that mix them."""
    languages = [yaml.safe_load(path.read_text(encoding="utf-8")).get("language", "mixed") for path in FILES]
    assert languages.count("zh") >= 20
    assert languages.count("en") >= 20
    assert languages.count("mixed") >= 3
