"""What was before with the same customer: conversations, tickets, promised calls. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.tables import Call
from api.conversations.tables import Callback, Conversation
from api.customers.matters import belongs
from api.customers.tables import Account
from api.tickets.tables import Ticket

#: So many are shown of each.
MOST = 10
Same = Literal["account", "follower", "number"]


@dataclass(frozen=True)
class Earlier:
    """Another conversation, and what it has in common with this one."""

    conversation: Conversation
    same: Same


async def number_of(session: AsyncSession, conversation_id: str) -> str:
    """The number that a call came from or went to, E.164; '' where there is none."""
    query = select(Call.number).where(Call.conversation_id == conversation_id).order_by(Call.created_at.desc()).limit(1)
    return await session.scalar(query) or ""


async def earlier(
    session: AsyncSession, conversation: Conversation, account: Account | None, number: str
) -> list[Earlier]:
    """Other conversations of the verified account, the same follower or the same number; the latest first."""
    same: dict[Same, ColumnElement[bool]] = {}
    if account is not None:
        same["account"] = Conversation.account_number == account.number
    if conversation.channel == "wechat" and conversation.deliver_to:
        same["follower"] = Conversation.deliver_to == conversation.deliver_to
    if number:
        same["number"] = Conversation.id.in_(select(Call.conversation_id).where(Call.number == number))
    if not same:
        return []
    query = select(Conversation, *(condition.label(name) for name, condition in same.items()))
    query = query.where(or_(*same.values()), Conversation.id != conversation.id)
    rows = await session.execute(query.order_by(Conversation.created_at.desc(), Conversation.id).limit(MOST))
    return [Earlier(row[0], next(name for name in same if getattr(row, name))) for row in rows]


async def tickets(
    session: AsyncSession, conversation: Conversation, account: Account | None, others: Sequence[Earlier]
) -> Sequence[Ticket]:
    """This conversation's tickets, the verified account's, and those of its earlier conversations; the latest first."""
    ids = [conversation.id, *(one.conversation.id for one in others)]
    ways: list[ColumnElement[bool]] = [Ticket.conversation_id.in_(ids)]
    if account is not None:
        ways += [Ticket.account_number == account.number, Ticket.service_point_id == account.service_point_id]
    query = select(Ticket).where(or_(*ways)).order_by(Ticket.created_at.desc(), Ticket.number).limit(MOST * 5)
    found = await session.scalars(query)
    own = [t for t in found if t.conversation_id in ids or (account is not None and belongs(t, account))]
    return own[:MOST]


async def callbacks(session: AsyncSession, conversation: Conversation, now: datetime) -> Sequence[Callback]:
    """Calls that were promised in this conversation, open ones first."""
    query = select(Callback).where(Callback.conversation_id == conversation.id)
    return (await session.scalars(query.order_by(Callback.status.desc(), Callback.due_at).limit(MOST))).all()
