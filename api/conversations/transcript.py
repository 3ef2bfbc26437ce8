"""Reading and writing the lines of a conversation."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.bell import TURNS, touch
from api.conversations.tables import Choice, Conversation, Message, Turn
from api.db.base import new_id

UNFINISHED = ("queued", "running")
MAX_LABEL = 200


@dataclass(frozen=True)
class Offer:
    """A choice to put under a message: what the customer reads, and what is done when it is taken."""

    label: str
    payload: str


async def lock_conversation(session: AsyncSession, conversation_id: str) -> Conversation | None:
    """The conversation, locked until the transaction ends. Always locked before its turns: one order, no deadlock."""
    query = select(Conversation).where(Conversation.id == conversation_id)
    return await session.scalar(query.with_for_update().execution_options(populate_existing=True))


async def next_seq(session: AsyncSession, conversation: Conversation, now: datetime) -> int:
    """The next line's number. The row stays locked until commit, so that numbers grow in the order of commits."""
    result = await session.execute(
        update(Conversation)
        .where(Conversation.id == conversation.id)
        .values(last_seq=Conversation.last_seq + 1, last_message_at=now)
        .returning(Conversation.last_seq)
        .execution_options(synchronize_session=False)
    )
    return result.scalar_one()


async def add_message(
    session: AsyncSession,
    conversation: Conversation,
    sender: str,
    text: str,
    now: datetime,
    *,
    offers: Iterable[Offer] = (),
    **fields: Any,
) -> Message:
    """Append a line (sender: customer | bot | agent | system) with its choices, and ring when it is committed.

    `fields` are further columns of Message: provider_id, content_hash, reply_to, agent_id.
    """
    message = Message(
        id=new_id("ms"),
        conversation_id=conversation.id,
        seq=await next_seq(session, conversation, now),
        sender=sender,
        text=text,
        at=now,
        **fields,
    )
    session.add(message)
    await session.flush()
    for position, offer in enumerate(offers):
        session.add(
            Choice(
                token=secrets.token_urlsafe(12),
                message_id=message.id,
                conversation_id=conversation.id,
                position=position,
                label=offer.label[:MAX_LABEL],
                payload=offer.payload,
            )
        )
    await touch(session, conversation.id)
    return message


async def queue_turn(session: AsyncSession, message: Message, payload: dict[str, Any], now: datetime) -> None:
    """Have the bot answer this message. `payload`: {"text", "choice", "danger", "language"}."""
    session.add(
        Turn(
            message_id=message.id,
            conversation_id=message.conversation_id,
            seq=message.seq,
            not_before=now,
            payload=payload,
        )
    )
    await touch(session, TURNS)


async def drop_turns(session: AsyncSession, conversation_id: str, but: str | None = None) -> None:
    """Give up the bot's unfinished turns of a conversation that it no longer owns (except that of message `but`)."""
    await session.execute(
        update(Turn)
        .where(Turn.conversation_id == conversation_id, Turn.state.in_(UNFINISHED), Turn.message_id != (but or ""))
        .values(state="dropped")
        .execution_options(synchronize_session=False)
    )
    await touch(session, conversation_id)


@dataclass(frozen=True)
class State:
    """Who owns the conversation, and whether a reply of the bot is under way."""

    owner: str
    busy: bool
    token_hash: str


async def state_of(session: AsyncSession, conversation_id: str) -> State | None:
    """Owner and busy; None for an unknown conversation.

    Read before the messages: what is not busy any more has all its replies in a later read.
    """
    busy = exists().where(Turn.conversation_id == conversation_id, Turn.state.in_(UNFINISHED))
    query = select(Conversation.owner, busy, Conversation.token_hash).where(Conversation.id == conversation_id)
    row = (await session.execute(query)).one_or_none()
    return State(row[0], bool(row[1]), row[2]) if row is not None else None


@dataclass(frozen=True)
class Line:
    """A message with its choices, in order."""

    message: Message
    choices: Sequence[Choice]


async def lines_after(session: AsyncSession, conversation_id: str, after: int, limit: int = 200) -> list[Line]:
    """The messages after `seq` = `after`, oldest first, at most `limit`."""
    query = select(Message).where(Message.conversation_id == conversation_id, Message.seq > after)
    messages = (await session.scalars(query.order_by(Message.seq).limit(limit))).all()
    offered: dict[str, list[Choice]] = {}
    wanted = [message.id for message in messages if message.sender in ("bot", "system")]
    if wanted:
        choices = await session.scalars(
            select(Choice).where(Choice.message_id.in_(wanted)).order_by(Choice.message_id, Choice.position)
        )
        for choice in choices:
            offered.setdefault(choice.message_id, []).append(choice)
    return [Line(message, offered.get(message.id, [])) for message in messages]
