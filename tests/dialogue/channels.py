"""Whole conversations through the vendors' channels: one real desk, simulators in the vendors' places, scripts in YAML.

name: what it shows
language: zh | en
needs: [agent]           # optional: an agent is signed in while it lasts; else nobody is
turns:
- say: 我家停电了          # WeChat: say, choose: label (its number is sent), picture, voice: words or '',
  expect: [哪里]           # place: label, click: key, follow, storm: text (three copies at once); telephone: call,
  refuse: [工单号]         # say, press: keys, silence, mumble, wait, message (leave one), messages (SMS that came),
                         # hang_up, agent_hangs_up, whisper; both: do: … (see `Backstage`)
  owner: bot               # optional
  way: passive | service   # WeChat: how all of it came; `texts: 2`: as how many messages
  state: gathering         # telephone: the state of the call afterwards
  spoken: zh | en          # telephone: the language of the voice
  replay: true             # telephone: the same request once more brings the same TwiML, byte for byte
tickets:                   # the conversation's, oldest first; named fields are compared, /…/ is a regular expression
- {kind: fault_report, utility: power, address: /和泰花园3栋/}
deliveries: {sent: 1}      # WeChat: optional, the conversation's deliveries by state
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from tests.dialogue.backstage import Backstage
from tests.dialogue.talks import CallTalk, Talk, WechatTalk
from tests.dialogue.vendors import Channels, open_channels

__all__ = ["CallTalk", "Channels", "Talk", "WechatTalk", "languages", "open_channels", "play", "scripts"]


def play(channels: Channels, talk: Talk, path: Path) -> None:
    """Hold the conversation of one file and compare."""
    script = yaml.safe_load(path.read_text(encoding="utf-8"))
    backstage = Backstage(channels)
    if "agent" in script.get("needs", []):
        backstage.sign_in()
    try:
        for number, turn in enumerate(script["turns"], 1):
            if "do" in turn:
                backstage.do(turn, talk.conversation_id)
            said = talk.take(turn)
            act = {name: value for name, value in turn.items() if name not in ("expect", "refuse", "owner")}
            where = f"turn {number}, {act} was answered with:\n{said}"
            for pattern in turn.get("expect", []):
                assert re.search(pattern, said, re.IGNORECASE), f"{pattern!r} is missing; {where}"
            for pattern in turn.get("refuse", []):
                assert not re.search(pattern, said, re.IGNORECASE), f"{pattern!r} was said; {where}"
            talk.check(turn, where)
            if "owner" in turn:
                owner = channels.get(f"/api/v1/conversations/{talk.conversation_id}")["owner"]
                assert owner == turn["owner"], f"the owner is {owner}; {where}"
        compare_tickets(channels.tickets(talk.conversation_id) if talk.conversation_id else [], script)
    finally:
        backstage.sign_out()
        talk.end()


def compare_tickets(tickets: list[dict[str, Any]], script: dict[str, Any]) -> None:
    wanted = script.get("tickets", [])
    assert len(tickets) == len(wanted), [f"{t['kind']} {t['topic']} {t['status']}" for t in tickets]
    for ticket, fields in zip(tickets, wanted, strict=True):
        for name, value in fields.items():
            assert matches(value, ticket[name]), f"{name} is {ticket[name]!r}, not {value!r}"


def matches(wanted: Any, actual: Any) -> bool:
    if isinstance(wanted, str) and wanted.startswith("/") and wanted.endswith("/"):
        return re.search(wanted[1:-1], str(actual)) is not None
    return bool(wanted == actual)


def scripts(channel: str) -> list[Path]:
    return sorted((Path(__file__).parent / channel).glob("*.yml"))


def languages(channel: str) -> Counter[str]:
    return Counter(yaml.safe_load(path.read_text(encoding="utf-8"))["language"] for path in scripts(channel))
