"""What every channel does, whatever its vendor's protocol: hand in messages, and read what is to be delivered."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from fastapi import Request

from api.conversations.accept import Accepted, Incoming, accept
from api.conversations.transcript import Line, lock_conversation
from api.db.engine import Database
from api.errors import not_found


@dataclass(frozen=True)
class FromVendor:
    """A vendor's message, verified and normalised: who sent it there, and what."""

    sender: str
    message: Incoming


class Channel(Protocol):
    """One vendor's protocol."""

    name: str

    async def verify(self, request: Request) -> None:
        """Check the vendor's signature. Raises Problem 403."""

    async def normalise(self, request: Request) -> list[FromVendor]:
        """The messages that the request brings, ours in shape; [] for what needs no answer."""

    def render(self, line: Line) -> list[str]:
        """A line of ours as the vendor's messages: length limits, choices as far as they exist there."""

    async def deliver(self, sender: str, rendered: str) -> None:
        """Send one message out. Called by the outbox only."""


async def take_in(
    database: Database, conversation_id: str, message: Incoming, now: datetime, zone: ZoneInfo, token_hash: str = ""
) -> Accepted:
    """Accept one message in a transaction of its own, so that it is committed before the provider is answered.

    `token_hash`: the web customer's; Problem 404 for another conversation's as for one that does not exist.
    """
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, conversation_id)
        if conversation is None or not hmac.compare_digest(conversation.token_hash, token_hash):
            raise not_found("conversation")
        return await accept(session, conversation, message, now, zone)
