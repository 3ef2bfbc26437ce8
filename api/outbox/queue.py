"""Writing deliveries. Functions take a session and never commit: a delivery commits with what it carries."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.base import table_of
from api.outbox.tables import Delivery

#: What the bell of api.conversations.bell is rung with when there may be a delivery to send.
OUTBOX = "*outbox"


@dataclass(frozen=True)
class Route:
    """Where the lines of a conversation are pushed to. `held_until`: a webhook that still waits may carry them."""

    channel: str
    recipient: str
    held_until: datetime | None = None


_ADD = insert(table_of(Delivery))


async def push_lines(session: AsyncSession, route: Route, lines: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Queue new lines of a transcript: mappings with id, conversation_id, text and `choices`, labels in order."""
    due = max(now, route.held_until) if route.held_until else now
    rows = [
        {
            "channel": route.channel,
            "recipient": route.recipient,
            "conversation_id": line["conversation_id"],
            "message_id": line["id"],
            "body": {"text": line["text"], "choices": line["choices"]},
            "not_before": due,
            "created_at": now,
            "updated_at": now,
        }
        for line in lines
    ]
    if rows:
        await session.execute(_ADD, rows)
