"""The only caller of the API.

Every call of one turn shares one deadline, so that a slow API costs the customer seconds and not minutes. Writes carry
an idempotency key made of the customer's message and their order within the turn: a turn that is run again after a
crash repeats its writes without doing anything twice.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx

#: Seconds that all API calls of one turn may take together.
TURN_BUDGET_S = 2.5

Json = dict[str, Any]


class DeskDown(Exception):
    """The API did not answer in time, answered 5xx, or answered something that is not its JSON."""


class DeskRefused(Exception):
    """The API said no (4xx). `type` is the problem's stable word, `problem` the whole document."""

    def __init__(self, status: int, problem: Json) -> None:
        super().__init__(f"{status} {problem.get('type', '')}")
        self.status = status
        self.type = str(problem.get("type", ""))
        self.problem = problem


@cache
def shared_client() -> httpx.AsyncClient:
    """One connection pool for the process, made at first use (inside the running loop)."""
    base = os.environ.get("MAINSDESK_API_URL", "http://127.0.0.1:8000")
    return httpx.AsyncClient(
        base_url=f"{base}/api/v1",
        headers={"Authorization": f"Bearer {os.environ.get('MAINSDESK_BOT_TOKEN', '')}"},
        # The API closes what was idle for 5 s.
        limits=httpx.Limits(max_keepalive_connections=32, keepalive_expiry=4),
        trust_env=False,
    )


@dataclass
class Desk:
    """The API as one turn of one conversation sees it."""

    conversation_id: str
    message_id: str
    fence: int | None
    client: httpx.AsyncClient = field(default_factory=shared_client)
    budget: float = TURN_BUDGET_S
    _writes: int = 0
    _until: float = 0.0

    def __post_init__(self) -> None:
        self._until = time.monotonic() + self.budget

    @property
    def own(self) -> str:
        """The path of this conversation."""
        return f"/conversations/{self.conversation_id}"

    async def get(self, path: str, **params: Any) -> Json:
        """GET; parameters that are None are left out. Raises DeskDown, DeskRefused."""
        return await self._send("GET", path, params={k: v for k, v in params.items() if v is not None})

    async def post(self, path: str, body: Mapping[str, Any]) -> Json:
        """POST with this turn's next idempotency key. Raises DeskDown, DeskRefused."""
        self._writes += 1
        return await self._send(
            "POST", path, json=dict(body), headers={"Idempotency-Key": f"{self.message_id}:{self._writes}"}
        )

    async def patch(self, path: str, body: Mapping[str, Any]) -> Json:
        """PATCH (setting the same values again changes nothing). Raises DeskDown, DeskRefused."""
        return await self._send("PATCH", path, json=dict(body))

    async def _send(self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> Json:
        left = self._until - time.monotonic()
        if left <= 0:
            raise DeskDown("the turn's time is used up")
        identity = {"X-Conversation-Id": self.conversation_id, "X-Message-Id": self.message_id}
        if self.fence is not None:
            identity["X-Turn-Fence"] = str(self.fence)
        try:
            answer = await self.client.request(
                method, path, headers={**identity, **(headers or {})}, timeout=left, **options
            )
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            # Neither the path's query nor the body may reach a log: they hold the customer's words.
            raise DeskDown(type(error).__name__) from error
        if not isinstance(body, dict) or answer.status_code >= 500:
            raise DeskDown(f"status {answer.status_code}")
        if answer.status_code >= 400:
            raise DeskRefused(answer.status_code, body)
        return body
