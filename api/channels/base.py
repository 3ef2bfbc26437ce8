"""What every channel does, whatever its vendor's protocol: hand in messages, and read what is to be delivered."""

import asyncio
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.accept import Accepted, Incoming, accept
from api.conversations.bell import bell, wait_for_ring
from api.conversations.tables import Choice, Message
from api.conversations.transcript import News, lock_conversation, news_of
from api.db.engine import Database
from api.errors import not_found
from api.outbox.tables import Delivery

#: Lines of one look at the news.
MOST_LINES = 50


@dataclass(frozen=True)
class Sent:
    """The vendor took it; `provider_id` is its name for it."""

    provider_id: str | None = None
    via: str = ""


@dataclass(frozen=True)
class Retry:
    """The vendor was not reached or asked to slow down: nothing was sent. `after`: seconds it asked for, if it did."""

    why: str
    after: float | None = None


@dataclass(frozen=True)
class Parked:
    """The vendor takes nothing for this customer until he does something himself."""

    why: str


@dataclass(frozen=True)
class Refused:
    """The vendor will never take this one."""

    why: str


@dataclass(frozen=True)
class Unknown:
    """The call went out and its answer was lost: it may have been sent, and is not sent again blindly."""

    why: str


Outcome = Sent | Retry | Parked | Refused | Unknown


@dataclass(frozen=True)
class Rate:
    """At most `per_second` vendor calls, `at_once` of them at a time, by one process."""

    per_second: float = 20.0
    at_once: int = 8


class Deliverer(Protocol):
    """Sends what the outbox holds for one channel."""

    #: The `channel` of the deliveries that it takes.
    name: str
    rate: Rate
    #: Deliveries of one recipient that may be joined into one vendor call.
    joins: int

    async def deliver(self, deliveries: Sequence[Delivery]) -> Outcome:
        """Send these (1 to `joins`, of one recipient, in order) in one vendor call.

        Never raises for what the vendor or the network does. Called by the outbox only.
        """

    async def close(self) -> None:
        """Give back its connections."""


@dataclass
class Channel:
    """One vendor's protocol: routes that verify, normalise and render, and what sends for it.

    A channel that is not configured is not made, and its routes answer 404.
    """

    name: str
    router: APIRouter
    deliverers: list[Deliverer] = field(default_factory=list)


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


async def settled(database: Database, conversation_id: str, after: int, seconds: float) -> News | None:
    """The news after seq `after` once the bot is not busy any more, or as they are after `seconds`.

    None for an unknown conversation; `state.busy` tells whether something is still under way.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    with bell.listen(conversation_id) as rung:
        while True:
            rung.clear()
            async with database.glance.connect() as connection:
                news = await news_of(connection, conversation_id, after, MOST_LINES)
            left = until - loop.time()
            if news is None or not news.state.busy or left <= 0:
                return news
            await wait_for_ring(rung, min(left, 0.5))


async def offered(session: AsyncSession, conversation_id: str) -> list[Choice]:
    """The choices that the customer can take by number: all since his last message, in the order they were said.

    Their numbers are their places in this list, from 1.
    """
    last = select(func.max(Message.seq)).where(Message.conversation_id == conversation_id, Message.sender == "customer")
    query = (
        select(Choice)
        .join(Message, Message.id == Choice.message_id)
        .where(
            Choice.conversation_id == conversation_id,
            Message.seq > func.coalesce(last.scalar_subquery(), 0),
        )
        .order_by(Message.seq, Choice.position)
    )
    return list(await session.scalars(query))
