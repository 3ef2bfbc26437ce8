"""Writing deliveries. Functions take a session and never commit: a delivery commits with what it carries."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.bell import touch
from api.db.base import MOST_ID, table_of
from api.outbox import rules
from api.outbox.tables import Delivery

#: What the bell of api.conversations.bell is rung with when there may be a delivery to send.
OUTBOX = "*outbox"
MAX_ERROR = 200


@dataclass(frozen=True)
class Route:
    """Where the lines of a conversation are pushed to. `held_until`: a webhook that still waits may carry them."""

    channel: str
    recipient: str
    held_until: datetime | None = None


_ADD = insert(table_of(Delivery))


async def push_lines(session: AsyncSession, route: Route, lines: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """Queue new lines of a transcript: mappings with id, conversation_id, text and `choices`, labels in order.

    A line that is too long for one message of the channel becomes several deliveries.
    """
    due = max(now, route.held_until) if route.held_until else now
    rows = [
        {
            "channel": route.channel,
            "recipient": route.recipient,
            "conversation_id": line["conversation_id"],
            "message_id": line["id"],
            "body": {"text": part.text, "choices": list(part.labels), "start": part.start},
            "not_before": due,
            "created_at": now,
            "updated_at": now,
        }
        for line in lines
        for part in rules.parts(route.channel, line["text"], line["choices"])
    ]
    if rows:
        await session.execute(_ADD, rows)
        await touch(session, OUTBOX)


async def enqueue(
    session: AsyncSession,
    channel: str,
    recipient: str,
    body: Mapping[str, Any],
    now: datetime,
    *,
    key: str,
    purpose: str,
    not_before: datetime | None = None,
    conversation_id: str | None = None,
    message_id: str | None = None,
) -> int | None:
    """Queue what is no line of a conversation, e.g. a text message or a call; its id.

    None where something was queued under this key before: nothing is sent twice. `recipient` of sms and call: E.164.
    """
    values = {
        "channel": channel,
        "recipient": recipient,
        "body": dict(body),
        "key": key,
        "purpose": purpose,
        "not_before": not_before or now,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "created_at": now,
        "updated_at": now,
    }
    on_postgres = session.get_bind().dialect.name == "postgresql"
    table = table_of(Delivery)
    add = (postgresql.insert(table) if on_postgres else sqlite.insert(table)).values(values)
    added: int | None = await session.scalar(add.on_conflict_do_nothing(index_elements=["key"]).returning(table.c.id))
    if added is not None:
        await touch(session, OUTBOX)
    return added


async def _locked(session: AsyncSession, *conditions: ColumnElement[bool]) -> list[Delivery]:
    query = select(Delivery).where(*conditions).order_by(Delivery.id).with_for_update()
    return list(await session.scalars(query.execution_options(populate_existing=True)))


async def unsent(session: AsyncSession, channel: str, conversation_id: str) -> list[Delivery]:
    """What a conversation's next message may carry, in order: replies and notices that wait or are parked; locked."""
    return await _locked(
        session,
        Delivery.conversation_id == conversation_id,
        Delivery.channel == channel,
        Delivery.state.in_(("queued", "parked")),
    )


async def carried(session: AsyncSession, ids: Collection[int], now: datetime, via: str = "passive") -> set[int]:
    """Mark as sent what a webhook's own answer carries. The ids that are to go into the answer: those that were
    still there to be sent."""
    query = (
        update(Delivery)
        .where(Delivery.id.in_(ids), Delivery.state.in_(("queued", "parked")))
        .values(state="sent", via=via, error="", updated_at=now, fence=Delivery.fence + 1)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return set(await session.scalars(query)) if ids else set()


async def let_go(session: AsyncSession, channel: str, recipient: str, now: datetime) -> int:
    """The recipient's webhook has answered or given up: what it held goes by the outbox now. How many that are."""
    held = (Delivery.state == "queued") & (Delivery.purpose == "reply") & (Delivery.attempts == 0)
    return await _queue_now(session, _of(channel, recipient), held, now=now)


async def release_parked(session: AsyncSession, channel: str, recipient: str, now: datetime) -> int:
    """The recipient has done something that opens a window: what was parked is queued again. How many that are."""
    return await _queue_now(session, _of(channel, recipient), Delivery.state == "parked", now=now)


def _of(channel: str, recipient: str) -> ColumnElement[bool]:
    return (Delivery.channel == channel) & (Delivery.recipient == recipient)


async def _queue_now(session: AsyncSession, *conditions: ColumnElement[bool], now: datetime) -> int:
    query = (
        update(Delivery)
        .where(*conditions)
        .values(state="queued", not_before=now, attempts=0, updated_at=now)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    changed = len((await session.scalars(query)).all())
    if changed:
        await touch(session, OUTBOX)
    return changed


async def report(
    session: AsyncSession,
    provider_id: str,
    state: str,
    now: datetime,
    *,
    delivery_id: int | None = None,
    error: str = "",
) -> bool:
    """What the vendor says became of a delivery: sent | delivered | read | failed. True if that was news.

    A state moves forward only, so that reports may come twice and in any order. `delivery_id` (a query parameter of
    the callback's URL) finds a delivery whose call's answer was lost, and settles it.
    """
    deliveries = await _locked(session, Delivery.provider_id == provider_id) if provider_id else []
    if not deliveries and delivery_id is not None and 0 < delivery_id <= MOST_ID:
        deliveries = await _locked(session, Delivery.id == delivery_id, Delivery.provider_id.is_(None))
    changed = False
    for delivery in deliveries:
        if not rules.moves(delivery.state, state):
            continue
        delivery.state, delivery.error, delivery.updated_at = state, error[:MAX_ERROR], now
        delivery.provider_id = provider_id or delivery.provider_id
        if state == "failed":
            await give_back_words(session, delivery.body, f"by {delivery.channel} too: {error}", now)
        changed = True
    await session.flush()
    return changed


async def give_back_words(session: AsyncSession, body: Mapping[str, Any], why: str, now: datetime) -> None:
    """The words of a delivery that went `instead_of` others did not arrive: those wait for the customer again."""
    if ids := body.get("instead_of"):
        await session.execute(
            update(Delivery)
            .where(Delivery.id.in_(ids), Delivery.state == "moved")
            .values(state="parked", via="", error=why[:MAX_ERROR], updated_at=now)
            .execution_options(synchronize_session=False)
        )
