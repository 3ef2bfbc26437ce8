"""The lists beside a conversation: who waits, whose is whose, what was closed, what is found. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.voice.tables import Call
from api.console.session import SignedIn
from api.conversations.tables import Conversation, Message
from api.tickets.tables import Ticket

#: Of each list at most; the heading counts all.
MOST = 200
#: What is searched for in words, and how far back.
LEAST_SOUGHT, SEARCHED = 2, timedelta(days=30)
MOST_FOUND = 30

_said = (
    select(Message.text)
    .where(Message.conversation_id == Conversation.id, Message.sender == "customer")
    .order_by(Message.seq.desc())
    .limit(1)
    .correlate(Conversation)
    .scalar_subquery()
)


def _rows() -> Any:
    c = Conversation
    return select(
        *(c.id, c.channel, c.language, c.skill, c.priority, c.owner, c.agent_id, c.handover_reason, c.outcome),
        *(c.waiting_since, c.unanswered_since, c.reminded_at, c.claimed_at, c.last_message_at, c.last_seq, c.closed_at),
        c.sheet["journey"].as_string().label("journey"),
        c.sheet["earlier"].label("earlier"),
        c.sheet["place"]["address"].label("address"),
        Agent.name.label("agent_name"),
        Agent.username.label("agent_username"),
        _said.label("said"),
    ).outerjoin(Agent, Agent.id == c.agent_id)


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
    c = Conversation
    owned = and_(c.owner == "agent", c.closed_at.is_(None))
    if not me.supervises:
        owned = and_(owned, c.agent_id == me.agent.id)
    by_agent = await session.execute(_rows().where(owned).order_by(c.priority > 1, c.claimed_at, c.id).limit(2 * MOST))
    queued = _rows().where(c.owner == "waiting").order_by(c.priority, c.waiting_since, c.id).limit(MOST)
    waiting = (await session.execute(queued)).all()
    count = len(waiting)
    if count == MOST:
        count = await session.scalar(select(func.count()).where(c.owner == "waiting")) or 0
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


async def closed_today(session: AsyncSession, me: SignedIn, now: datetime, zone: ZoneInfo) -> Sequence[Any]:
    """Conversations closed since midnight in which this agent wrote; for supervisors those of every agent."""
    c, midnight = Conversation, now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    wrote = exists().where(Message.conversation_id == c.id, Message.sender == "agent")
    if not me.supervises:
        wrote = wrote.where(Message.agent_id == me.agent.id)
    query = _rows().where(c.closed_at >= midnight.astimezone(now.tzinfo), wrote).order_by(c.closed_at.desc(), c.id)
    return (await session.execute(query.limit(MOST))).all()


async def found(session: AsyncSession, sought: str, now: datetime) -> Sequence[Any]:
    """Conversations by their id, a ticket's or account's or caller's number, or words that were said lately."""
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
    query = _rows().where(or_(*ways)).order_by(c.last_message_at.desc(), c.id).limit(MOST_FOUND)
    return (await session.execute(query)).all()
