"""Conversations for the console's tests: seeded as the desk itself would leave them."""

import re
from datetime import datetime
from typing import Any

from sqlalchemy import select

from api.conversations.tables import Conversation, Message
from api.conversations.transcript import Offer, add_message
from api.db.base import new_id
from api.db.engine import Database


async def seed(database: Database, now: datetime, id: str = "cv_1", said: str = "停电了", **fields: Any) -> str:
    """A conversation with one line of its customer; it waits unless `fields` say otherwise."""
    given = {"channel": "web", "language": "zh", "owner": "waiting", "waiting_since": now, "handover_reason": "wish"}
    row = Conversation(id=id, created_at=now, last_message_at=now, last_seq=0, **(given | fields))
    async with database.write() as session, session.begin():
        session.add(row)
        await session.flush()
        await add_message(session, row, "customer", said, now)
    return id


async def say(
    database: Database, now: datetime, id: str, sender: str, text: str, offers: tuple[str, ...] = (), **fields: Any
) -> str:
    """One more line; its id."""
    async with database.write() as session, session.begin():
        row = await session.get_one(Conversation, id)
        line = await add_message(
            session, row, sender, text, now, offers=[Offer(label, f"/{label}") for label in offers], **fields
        )
        return line.id


async def lines_of(database: Database, id: str) -> list[tuple[str, str]]:
    """(sender, text) of the transcript."""
    async with database.read() as session:
        query = select(Message.sender, Message.text).where(Message.conversation_id == id).order_by(Message.seq)
        return [(sender, text) for sender, text in await session.execute(query)]


def field(html: str, name: str) -> str:
    """The value of a form's hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, name
    return found[1]


def nonce() -> str:
    return new_id("nc")
