"""Reading and writing the lines of a conversation."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, Protocol

from sqlalchemy import Update, bindparam, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from api.conversations.bell import TURNS, touch
from api.conversations.tables import Choice, Conversation, Message, Turn
from api.db.base import new_id, table_of
from api.outbox.queue import OUTBOX, Route, push_lines

UNFINISHED = ("queued", "running")
MAX_LABEL = 200

# Statements of every turn are built once: building one costs as much as running it.
_LOCKED = (
    select(Conversation)
    .where(Conversation.id == bindparam("conversation"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
#: A turn, locked; its conversation must be already.
LOCKED_TURN = (
    select(Turn).where(Turn.message_id == bindparam("turn")).with_for_update().execution_options(populate_existing=True)
)
_BUSY = exists().where(Turn.conversation_id == Conversation.id, Turn.state.in_(UNFINISHED))
_STATE = select(Conversation.owner, _BUSY.label("busy"), Conversation.token_hash).where(
    Conversation.id == bindparam("conversation")
)
_LATER = (
    select(Message)
    .where(Message.conversation_id == bindparam("conversation"), Message.seq > bindparam("after"))
    .order_by(Message.seq)
    .limit(bindparam("limit"))
)
_CHOICES = (
    select(Choice)
    .where(Choice.message_id.in_(bindparam("messages", expanding=True)))
    .order_by(Choice.message_id, Choice.position)
)
_COUNT_LINES = (
    update(table_of(Conversation))
    .where(table_of(Conversation).c.id == bindparam("conversation"))
    .values(last_seq=bindparam("seq"), last_message_at=bindparam("moment"))
)
_CHANGE = update(table_of(Conversation)).where(table_of(Conversation).c.id == bindparam("conversation"))


@cache
def _change(columns: tuple[str, ...], *, counted: bool) -> Update:
    """The statement that sets columns of a conversation (`new_<column>`), and counts its lines on the way."""
    values = {name: bindparam(f"new_{name}", type_=table_of(Conversation).c[name].type) for name in columns}
    statement = _COUNT_LINES if counted else _CHANGE
    return statement.values(**values) if values else statement


_ADD_MESSAGES, _ADD_CHOICES, _ADD_TURN = (insert(table_of(c)) for c in (Message, Choice, Turn))


@dataclass(frozen=True)
class Offer:
    """A choice to put under a message: what the customer reads, and what is done when it is taken."""

    label: str
    payload: str


class Worded(Protocol):
    """Words with choices under them."""

    @property
    def text(self) -> str: ...

    @property
    def offers(self) -> Sequence[Offer]: ...

    @property
    def expects(self) -> str: ...


def route_of(conversation: Any) -> Route | None:
    """Where a conversation's lines are pushed; None where the customer fetches them."""
    if not conversation.deliver_to:
        return None
    return Route(conversation.channel, conversation.deliver_to, conversation.held_until)


async def lock_conversation(session: AsyncSession, conversation_id: str) -> Conversation | None:
    """The conversation, locked until the transaction ends. Always locked before its turns: one order, no deadlock."""
    return await session.scalar(_LOCKED, {"conversation": conversation_id})


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

    The conversation must be locked, or new: its row counts the lines, so that numbers grow in the order of commits.
    `fields` are further columns of Message: provider_id, content_hash, alert, agent_id.
    """
    conversation.last_seq += 1
    conversation.last_message_at = now
    row = _line(conversation.id, conversation.last_seq, sender, text, now, fields)
    route = None if sender == "customer" else route_of(conversation)
    await _insert(session, [row], [_choices(row, offers)], route, now)
    return Message(**row)


async def add_messages(
    session: AsyncSession,
    conversation_id: str,
    last_seq: int,
    sender: str,
    said: Sequence[Worded],
    now: datetime,
    route: Route | None = None,
    *,
    also: Mapping[str, Any] | None = None,
    **fields: Any,
) -> None:
    """Append several lines at once to a conversation of which no object is loaded; it must be locked.

    `also`: columns of the conversation to set in the same statement; without lines, in one of their own.
    """
    rows = [
        _line(conversation_id, seq, sender, message.text, now, {**fields, "expects": message.expects})
        for seq, message in enumerate(said, last_seq + 1)
    ]
    new = {f"new_{name}": value for name, value in (also or {}).items()}
    if new and not rows:
        await session.execute(_change(tuple(also or ()), counted=False), {"conversation": conversation_id, **new})
    if rows:
        count = {"conversation": conversation_id, "seq": rows[-1]["seq"], "moment": now, **new}
        await session.execute(_change(tuple(also or ()), counted=True), count)
        choices = [_choices(row, message.offers) for row, message in zip(rows, said, strict=True)]
        await _insert(session, rows, choices, route, now)


def _line(
    conversation_id: str, seq: int, sender: str, text: str, now: datetime, fields: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "id": new_id("ms"),
        "conversation_id": conversation_id,
        "seq": seq,
        "sender": sender,
        "text": text,
        "content_hash": "",
        "alert": False,
        "expects": "",
        "at": now,
        **fields,
    }


def _choices(line: Mapping[str, Any], offers: Iterable[Offer]) -> list[dict[str, Any]]:
    return [
        {
            "token": secrets.token_urlsafe(12),
            "message_id": line["id"],
            "conversation_id": line["conversation_id"],
            "position": position,
            "label": offer.label[:MAX_LABEL],
            "payload": offer.payload,
        }
        for position, offer in enumerate(offers)
    ]


async def _insert(
    session: AsyncSession,
    lines: list[dict[str, Any]],
    choices: list[list[dict[str, Any]]],
    route: Route | None,
    now: datetime,
) -> None:
    await session.execute(_ADD_MESSAGES, lines)
    if flat := list(chain.from_iterable(choices)):
        await session.execute(_ADD_CHOICES, flat)
    if route is not None:
        pushed = [
            {**line, "choices": [choice["label"] for choice in offered]}
            for line, offered in zip(lines, choices, strict=True)
        ]
        await push_lines(session, route, pushed, now)
        await touch(session, OUTBOX)
    await touch(session, lines[0]["conversation_id"])


async def queue_turn(session: AsyncSession, message: Message, payload: dict[str, Any], now: datetime) -> None:
    """Have the bot answer this message. `payload`: {"text", "choice", "danger", "language"}."""
    turn = {
        "message_id": message.id,
        "conversation_id": message.conversation_id,
        "seq": message.seq,
        "not_before": now,
        "payload": payload,
    }
    await session.execute(_ADD_TURN, turn)
    await touch(session, TURNS)


async def drop_turns(session: AsyncSession, conversation_id: str, but: str | None = None) -> bool:
    """Give up the bot's unfinished turns of a conversation that it no longer owns (except that of message `but`).

    Whether there were any: the customer has had no answer to them.
    """
    dropped = await session.execute(
        update(Turn)
        .where(Turn.conversation_id == conversation_id, Turn.state.in_(UNFINISHED), Turn.message_id != (but or ""))
        .values(state="dropped")
        .returning(Turn.message_id)
        .execution_options(synchronize_session=False)
    )
    await touch(session, conversation_id)
    return bool(dropped.all())


@dataclass(frozen=True)
class State:
    """Who owns the conversation, and whether a reply of the bot is under way."""

    owner: str
    busy: bool
    token_hash: str


async def state_of(session: AsyncSession, conversation_id: str) -> State | None:
    """Owner and busy; None for an unknown conversation."""
    row = (await session.execute(_STATE, {"conversation": conversation_id})).one_or_none()
    return State(row.owner, bool(row.busy), row.token_hash) if row is not None else None


@dataclass(frozen=True)
class Line:
    """A message with its choices, in order."""

    message: Message
    choices: Sequence[Choice]


async def lines_after(session: AsyncSession, conversation_id: str, after: int, limit: int = 200) -> list[Line]:
    """The messages after `seq` = `after`, oldest first, at most `limit`."""
    found = await session.scalars(_LATER, {"conversation": conversation_id, "after": after, "limit": limit})
    messages = found.all()
    offered: dict[str, list[Choice]] = {}
    wanted = [message.id for message in messages if message.sender in ("bot", "system")]
    if wanted:
        for choice in await session.scalars(_CHOICES, {"messages": wanted}):
            offered.setdefault(choice.message_id, []).append(choice)
    return [Line(message, offered.get(message.id, [])) for message in messages]


_c, _m, _o = table_of(Conversation).c, table_of(Message).c, table_of(Choice).c
_busy = exists().where(table_of(Turn).c.conversation_id == _c.id, table_of(Turn).c.state.in_(UNFINISHED))
_NEWS = (
    select(_c.owner, _busy.label("busy"), _c.token_hash, _m.id, _m.seq, _m.sender, _m.text, _m.alert, _m.at)
    .outerjoin_from(
        table_of(Conversation), table_of(Message), (_m.conversation_id == _c.id) & (_m.seq > bindparam("after"))
    )
    .where(_c.id == bindparam("conversation"))
    .order_by(_m.seq)
    .limit(bindparam("limit"))
)
_OFFERED = (
    select(_o.message_id, _o.token, _o.label)
    .where(_o.message_id.in_(bindparam("messages", expanding=True)))
    .order_by(_o.message_id, _o.position)
)


@dataclass(frozen=True)
class News:
    """What a customer's page asks for: rows of messages (seq, sender, text, alert, at) and their choices (token,
    label) by message id."""

    state: State
    lines: Sequence[Any]
    choices: dict[str, list[Any]]


async def news_of(connection: AsyncConnection, conversation_id: str, after: int, limit: int) -> News | None:
    """State and messages after `seq` = `after` as of one moment: what is not busy any more has all its replies there.

    None for an unknown conversation. A choice is never written after its message, and so needs no common moment.
    """
    asked = {"conversation": conversation_id, "after": after, "limit": limit}
    rows = (await connection.execute(_NEWS, asked)).all()
    if not rows:
        return None
    first, choices = rows[0], dict[str, list[Any]]()
    lines = [row for row in rows if row.id is not None]
    wanted = [line.id for line in lines if line.sender in ("bot", "system")]
    if wanted:
        for choice in await connection.execute(_OFFERED, {"messages": wanted}):
            choices.setdefault(choice.message_id, []).append(choice)
    return News(State(first.owner, bool(first.busy), first.token_hash), lines, choices)
