"""What WeChat does not take goes by text message, once, where the customer gave a mobile number in the conversation."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.tables import Callback, Conversation
from api.outages.tables import OutageReport
from api.outbox import rules
from api.outbox.queue import enqueue
from api.outbox.tables import Delivery
from api.phones import e164, takes_texts
from api.tickets.tables import Ticket


@cache
def _sentences() -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load((Path(__file__).parent / "sentences.yml").read_text(encoding="utf-8"))
    return loaded


async def phone_of(session: AsyncSession, conversation_id: str) -> str | None:
    """The mobile number that the customer gave last in a conversation, for a call back or a report; E.164."""
    phones = (
        (Callback, Callback.phone),
        (Ticket, Ticket.contact_phone),
        (OutageReport, OutageReport.contact_phone),
    )
    found: list[Any] = []
    for table, phone in phones:
        given = select(phone, table.created_at).where(table.conversation_id == conversation_id, phone != "")
        found += (await session.execute(given)).all()
    newest_first = sorted(found, key=lambda row: row[1], reverse=True)
    return next((e164(phone) for phone, _at in newest_first if takes_texts(phone)), None)


async def go_by_sms(session: AsyncSession, deliveries: Sequence[Delivery], now: datetime) -> int | None:
    """Queue the words of these (of one conversation) as one text message; the new delivery's id.

    None where there is no number, no words, or these words went by text message before.
    """
    first = deliveries[0]
    words = "\n".join(d.body.get("text", "") for d in deliveries if d.body.get("text"))
    conversation = await session.get(Conversation, first.conversation_id) if first.conversation_id else None
    phone = await phone_of(session, first.conversation_id) if first.conversation_id else None
    if not words or phone is None or conversation is None:
        return None
    language = "en" if conversation.language == "en" else "zh"
    room = rules.SIZES["sms"][1] - len(_sentences()[language])
    body = {
        "text": _sentences()[language].format(words=words[: room - 1] + rules.ELLIPSIS if len(words) > room else words),
        "language": language,
        "instead_of": [delivery.id for delivery in deliveries],
    }
    return await enqueue(
        session,
        "sms",
        phone,
        body,
        now,
        key=f"instead of {first.id}",
        purpose=first.purpose,
        conversation_id=first.conversation_id,
    )
