"""Filing and moving tickets over HTTP."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx

from api.conversations.tables import Conversation

Headers = dict[str, str]
Bot = Callable[..., Headers]
NewConversation = Callable[..., Awaitable[Conversation]]
TICKETS = "/api/v1/tickets"
REPORT: dict[str, Any] = {
    "kind": "fault_report",
    "utility": "power",
    "topic": "outage",
    "address": "海棠晓月3栋2单元501",
    "contact_name": "曾先生",
    "contact_phone": "133 9985 8370",
    "description": "家里没电了，强烈要求，请核实。邻居有电",
    "language": "zh",
}


async def filed(client: httpx.AsyncClient, headers: Headers, **fields: Any) -> dict[str, Any]:
    answer = await client.post(TICKETS, json=REPORT | fields, headers=headers)
    assert answer.status_code == 201, answer.text
    ticket: dict[str, Any] = answer.json()
    return ticket


async def moved(client: httpx.AsyncClient, headers: Headers, number: str, *statuses: str) -> httpx.Response:
    for status in statuses:
        answer = await client.patch(f"{TICKETS}/{number}", json={"status": status}, headers=headers)
        assert answer.status_code == 200, answer.text
    return answer


def after(ticket: dict[str, Any], field: str) -> timedelta:
    return datetime.fromisoformat(ticket[field]) - datetime.fromisoformat(ticket["created_at"])
