"""Who serves whom: the next conversation for an agent, the next agent for a conversation (rules.in_order, best_seat).

Functions take a session and never commit.
"""

from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations import ownership, rules
from api.conversations.presence import open_of, seat_of, seats
from api.conversations.sentences import fact, limits
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.errors import Problem

#: Of so many that wait the best is looked for.
LOOKED_AT = 500


async def mode(session: AsyncSession) -> Literal["claim", "automatic"]:
    """Whether agents take conversations themselves; the utility's fact `assignment` overrides limits.yml."""
    return "automatic" if (await fact(session, "assignment") or limits()["assignment"]) == "automatic" else "claim"


def suited_for() -> timedelta:
    """So long a conversation waits for an agent whom it suits."""
    return timedelta(minutes=limits()["suited_minutes"])


def waiting_of(conversation: Conversation, now: datetime) -> rules.Waiting:
    """A conversation as the rules see it."""
    return rules.Waiting(
        conversation_id=conversation.id,
        priority=conversation.priority,
        since=conversation.waiting_since or now,
        language=conversation.language,
        skill=conversation.skill,
        passed_by=conversation.passed_by,
    )


async def queue_of(session: AsyncSession, now: datetime, limit: int = LOOKED_AT) -> list[rules.Waiting]:
    """Who waits, in the order in which all agents see them."""
    c = Conversation
    query = select(c.id, c.priority, c.waiting_since, c.language, c.skill, c.passed_by).where(c.owner == "waiting")
    rows = await session.execute(query.order_by(c.priority, c.waiting_since, c.id).limit(limit))
    return [
        rules.Waiting(row.id, row.priority, row.waiting_since or now, row.language, row.skill, row.passed_by)
        for row in rows
    ]


async def next_waiting(
    session: AsyncSession, agent: Agent, now: datetime, *, danger_only: bool = False
) -> Conversation | None:
    """The conversation that this agent should take next, locked; None where nobody waits for him."""
    seat = seat_of(agent, 0)
    for waiting in rules.in_order(seat, await queue_of(session, now), now, suited_for()):
        if danger_only and waiting.priority > 1:
            continue
        query = select(Conversation).where(Conversation.id == waiting.conversation_id, Conversation.owner == "waiting")
        query = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
        if (conversation := await session.scalar(query)) is not None:
            return conversation
    return None


async def take_next(session: AsyncSession, agent: Agent, now: datetime) -> Conversation | None:
    """Claim the next conversation for this agent; None where nobody waits for him.

    Problem 409 `at-capacity` where he has as many as he may have, unless it is danger or he is a supervisor.
    """
    full = agent.role not in ownership.SUPERVISORS and await open_of(session, agent.id) >= agent.capacity
    conversation = await next_waiting(session, agent, now, danger_only=full)
    if conversation is None and full:
        raise ownership.at_capacity(agent)
    if conversation is None:
        return None
    return await ownership.claim(session, conversation.id, agent, now, strict=True)


async def next_agent(
    session: AsyncSession, conversation: Conversation, now: datetime, but: str | None = None
) -> Agent | None:
    """Who should get a conversation: one who is available, has room and is not `but`; None where there is nobody."""
    free = [seat for seat in await seats(session, now) if seat.agent_id != but]
    seat = rules.best_seat(free, waiting_of(conversation, now), now, suited_for())
    return await session.get(Agent, seat.agent_id) if seat is not None else None


async def assign_waiting(database: Database, now: datetime) -> int:
    """Where agents do not take conversations themselves: give those that wait to who has room; how many.

    Several desks may do it at once: each conversation is locked, one that another desk has is left to it.
    """
    async with database.read() as session:
        if await mode(session) != "automatic":
            return 0
        queue, free = await queue_of(session, now), await seats(session, now)
    given = 0
    for waiting in queue:
        if rules.best_seat(free, waiting, now, suited_for()) is None:
            continue
        async with database.write() as session, session.begin():
            query = select(Conversation).where(
                Conversation.id == waiting.conversation_id, Conversation.owner == "waiting"
            )
            conversation = await session.scalar(query.with_for_update(skip_locked=True))
            agent = await next_agent(session, conversation, now) if conversation is not None else None
            if conversation is None or agent is None:
                continue
            try:
                async with session.begin_nested():
                    await ownership.claim(session, conversation.id, agent, now, strict=True, given=True)
            except Problem:  # another desk filled his last place
                continue
            given += 1
        async with database.read() as session:
            free = await seats(session, now)
    return given
