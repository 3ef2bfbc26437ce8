"""The lists beside a conversation: who waits, whose is whose, what was closed, what is found. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.voice.tables import Call
from api.console.session import SignedIn
from api.conversations.tables import Conversation, Message
from api.db.base import table_of
from api.tickets.tables import Ticket

#: Of each list at most; the heading counts all.
MOST = 200
#: What is searched for in words, and how far back.
LEAST_SOUGHT, SEARCHED = 2, timedelta(days=30)
MOST_FOUND = 30

# Of tables and built once: the lists are what the console asks for most.
_c, _a, _m = table_of(Conversation).c, table_of(Agent).c, table_of(Message).c
_said = (
    select(_m.text)
    .where(_m.conversation_id == _c.id, _m.sender == "customer")
    .order_by(_m.seq.desc())
    .limit(1)
    .correlate(table_of(Conversation))
    .scalar_subquery()
)
_ROWS: Any = select(
    *(_c.id, _c.channel, _c.language, _c.skill, _c.priority, _c.owner, _c.agent_id, _c.handover_reason, _c.outcome),
    *(_c.waiting_since, _c.unanswered_since, _c.reminded_at, _c.claimed_at, _c.last_message_at, _c.last_seq),
    _c.closed_at,
    _c.sheet["journey"].as_string().label("journey"),
    _c.sheet["earlier"].label("earlier"),
    _c.sheet["place"]["address"].label("address"),
    _a.name.label("agent_name"),
    _a.username.label("agent_username"),
    _said.label("said"),
).outerjoin_from(table_of(Conversation), table_of(Agent), _a.id == _c.agent_id)
_OWNED = _ROWS.where(_c.owner == "agent", _c.closed_at.is_(None))
_OWNED = _OWNED.order_by(_c.priority > 1, _c.claimed_at, _c.id).limit(2 * MOST)
_OWN = _OWNED.where(_c.agent_id == bindparam("agent"))
_WAITING = _ROWS.where(_c.owner == "waiting").order_by(_c.priority, _c.waiting_since, _c.id).limit(MOST)


#: Stands for a time that is missing.
EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Inbox:
    """The live lists, each in its order, with how many there are of each."""

    waiting: Sequence[Any]
    mine: Sequence[Any]
    others: Sequence[Any]
    waiting_count: int

    @property
    def owed(self) -> int:
        """How many of one's own wait for an answer."""
        return sum(row.unanswered_since is not None for row in self.mine)


def _urgency(row: Any) -> tuple[bool, datetime]:
    """Who waits for a word the longest comes first."""
    return row.unanswered_since is None, row.unanswered_since or row.claimed_at or row.last_message_at or EARLIEST


async def inbox(session: AsyncSession, me: SignedIn) -> Inbox:
    """Who waits (as everybody sees it: the most urgent first, then the longest), one's own, and for supervisors all."""
    by_agent = await session.execute(_OWNED if me.supervises else _OWN, {"agent": me.agent.id})
    waiting = (await session.execute(_WAITING)).all()
    count = len(waiting)
    if count == MOST:
        count = await session.scalar(select(func.count()).where(_c.owner == "waiting")) or 0
    mine, others = list[Any](), list[Any]()
    for row in by_agent:
        (mine if row.agent_id == me.agent.id else others).append(row)
    others.sort(
        key=lambda row: (
            row.unanswered_since is None,
            row.unanswered_since or row.claimed_at or row.last_message_at or EARLIEST,
        )
    )
    return Inbox(waiting, mine, others, count)


@dataclass(frozen=True)
class Tally:
    """What the bar shows on every page."""

    #: How many of one's own wait for an answer, and when the last of them was heard.
    owed: int
    heard: datetime | None
    waiting: int


async def tally(session: AsyncSession, me: SignedIn) -> Tally:
    """The counts of the lists, for pages that do not show them."""
    c = Conversation
    unanswered = and_(c.agent_id == me.agent.id, c.owner == "agent", c.unanswered_since.is_not(None))
    query = select(
        func.count().filter(unanswered),
        func.max(c.last_message_at).filter(unanswered),
        func.count().filter(c.owner == "waiting"),
    ).where(c.owner.in_(("agent", "waiting")), c.closed_at.is_(None))
    owed, heard, waiting = (await session.execute(query)).one()
    return Tally(owed, heard, waiting)


async def closed_today(session: AsyncSession, me: SignedIn, now: datetime, zone: ZoneInfo) -> Sequence[Any]:
    """Conversations closed since midnight in which this agent wrote; for supervisors those of every agent."""
    c, midnight = Conversation, now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    wrote = exists().where(Message.conversation_id == c.id, Message.sender == "agent")
    if not me.supervises:
        wrote = wrote.where(Message.agent_id == me.agent.id)
    query = _ROWS.where(c.closed_at >= midnight.astimezone(now.tzinfo), wrote).order_by(c.closed_at.desc(), c.id)
    return (await session.execute(query.limit(MOST))).all()


async def found(
    session: AsyncSession, sought: str, now: datetime, only: ColumnElement[bool] | None = None
) -> Sequence[Any]:
    """Conversations by their id, a ticket's or account's or caller's number, or words that were said lately.

    `only`: which of them may be shown.
    """
    c, plain = Conversation, sought.strip()
    if len(plain) < LEAST_SOUGHT:
        return ()
    number = "".join(plain.split())
    words = plain.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    said = exists().where(Message.conversation_id == c.id, Message.text.ilike(f"%{words}%", escape="\\"))
    ways = [c.id == number, and_(c.last_message_at >= now - SEARCHED, said)]
    if number.lstrip("+").isdecimal():
        ways.append(c.account_number == number)
        ways.append(c.id.in_(select(Ticket.conversation_id).where(Ticket.number == number)))
        if len(number) >= 7:
            ways.append(c.id.in_(select(Call.conversation_id).where(Call.number.endswith(number.lstrip("+")))))
    query = _ROWS.where(or_(*ways)).order_by(c.last_message_at.desc(), c.id).limit(MOST_FOUND)
    if only is not None:
        query = query.where(only)
    return (await session.execute(query)).all()
