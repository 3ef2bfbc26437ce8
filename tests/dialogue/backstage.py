"""What agents, operators and vendors do while a customer talks."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.dialogue.vendors import AGENT, PASSWORD, Channels

AGENT_PHONE = "+8613900139000"


@dataclass
class Backstage:
    """What agents, operators and vendors do in a dialogue: `do: name`, with more keys beside it."""

    channels: Channels
    token: str = ""
    outage: str = ""

    def do(self, turn: dict[str, Any], conversation_id: str) -> None:
        getattr(self, f"do_{turn['do']}")(turn, conversation_id)

    def sign_in(self) -> None:
        body = {"username": AGENT, "password": PASSWORD}
        self.token = self.channels.send("POST", "/api/v1/agents/login", body)["token"]
        self.channels.send("POST", "/api/v1/agents/presence", {}, self.as_agent)

    def sign_out(self) -> None:
        """The agent goes, and what was changed about him."""
        self.channels.twilio.behaviours.clear()
        self.channels.twilio.whispers.clear()
        if self.token:
            self.do_agent_phone({"number": ""}, "")
            self.channels.send("POST", "/api/v1/agents/logout", {}, self.as_agent)
            self.token = ""

    @property
    def as_agent(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def act(self, act: str, conversation_id: str, **body: str) -> None:
        self.channels.send("POST", f"/api/v1/conversations/{conversation_id}/{act}", body, self.as_agent)

    def do_claim(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.act("claim", conversation_id)

    def do_reply(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.act("reply", conversation_id, text=turn["text"])

    def do_release(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.act("release", conversation_id)

    def do_close(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.act("close", conversation_id)

    def do_agent_phone(self, turn: dict[str, Any], conversation_id: str) -> None:
        """Give the agent a telephone, or (`number: ''`) take it away."""
        number = turn.get("number", AGENT_PHONE)
        self.channels.send("PATCH", f"/api/v1/agents/{AGENT}", {"phone": number})

    def do_agent_is(self, turn: dict[str, Any], conversation_id: str) -> None:
        """How the agent's telephone takes calls: `how: busy`."""
        self.channels.twilio.behaviours[AGENT_PHONE] = turn["how"]

    def do_outage(self, turn: dict[str, Any], conversation_id: str) -> None:
        """A new fault where `at` is, told by the operators."""
        places = self.channels.get("/api/v1/places", q=turn["at"])["candidates"]
        utility = turn.get("utility", "power")
        asset = places[0]["chain"][utility][0]
        end = datetime.fromtimestamp(time.time() + 7200, UTC).isoformat()
        causes = {"cause_zh": "设备故障", "cause_en": "equipment failure"}
        body = {"kind": "fault", "utility": utility, "asset_id": asset["id"], "expected_end_at": end, **causes}
        self.outage = self.channels.send("POST", "/api/v1/outages", body)["id"]

    def do_restored(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.send("PATCH", f"/api/v1/outages/{self.outage}", {"status": "restored"})

    def do_later(self, turn: dict[str, Any], conversation_id: str) -> None:
        """The end of the outage is expected four hours from now."""
        end = datetime.fromtimestamp(time.time() + 4 * 3600, UTC).isoformat()
        self.channels.send("PATCH", f"/api/v1/outages/{self.outage}", {"expected_end_at": end})

    def do_vendor_busy(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.wechat.busy(turn.get("times", 1))

    def do_vendor_broken(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.wechat.broken(turn.get("times", 1))

    def do_tokens_end(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.wechat.expire_tokens()

    def do_tokens_taken(self, turn: dict[str, Any], conversation_id: str) -> None:
        self.channels.wechat.invalidate_tokens()
