"""A customer of the web chat, over HTTP as the page does it."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

#: Seconds in which the desk must have said something (the bound of the whole turn is 4 s; a test machine is slow).
PATIENCE = 30


@dataclass
class Customer:
    """One conversation; `send` and `choose` return what came back before the desk was done with the message."""

    client: httpx.Client
    language: str | None = None
    id: str = ""
    token: str = ""
    seq: int = 0
    choices: list[dict[str, str]] = field(default_factory=list)
    owner: str = "bot"

    def __post_init__(self) -> None:
        body = {"language": self.language} if self.language else {}
        answer = self.client.post("/web/conversations", json=body)
        answer.raise_for_status()
        self.id, self.token = answer.json()["conversation_id"], answer.json()["token"]
        self.greeting = self.hear()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, **content: str) -> httpx.Response:
        """Send one message as it is, without waiting for the answer."""
        body = {"client_message_id": str(uuid.uuid4()), **content}
        return self.client.post(f"/web/conversations/{self.id}/messages", json=body, headers=self.headers)

    def send(self, text: str) -> list[dict[str, Any]]:
        self.post(text=text).raise_for_status()
        return self.hear()

    def choose(self, label: str) -> list[dict[str, Any]]:
        """Click the button whose label holds these words."""
        found = next((choice for choice in self.choices if label in choice["label"]), None)
        assert found, f"no choice {label!r} among {[choice['label'] for choice in self.choices]}"
        self.post(choice=found["token"]).raise_for_status()
        return self.hear()

    def hear(self) -> list[dict[str, Any]]:
        """Everything said since last time, once nothing more is under way."""
        heard: list[dict[str, Any]] = []
        for _ in range(PATIENCE):
            answer = self.client.get(
                f"/web/conversations/{self.id}/messages",
                params={"after": self.seq, "wait": 1 if not heard else 0.2},
                headers=self.headers,
            )
            answer.raise_for_status()
            page = answer.json()
            for message in page["messages"]:
                self.seq = message["seq"]
                if message["from"] != "customer":
                    heard.append(message)
                if message["choices"]:
                    self.choices = message["choices"]
            self.owner = page["owner"]
            if not page["busy"]:
                return heard
        raise AssertionError(f"no answer within {PATIENCE} s")
