"""Who serves whom: the next conversation for an agent, the next agent for a conversation (rules.in_order, best_seat).

Functions take a session and never commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations import ownership, rules
from api.conversations.places import suited_for, waiting_of
from api.conversations.presence import on_duty, open_of, seat_of, seats
from api.conversations.sentences import fact, limits
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.errors import Problem

#: Of so many that wait the best is looked for.
LOOKED_AT = 500


async def mode(session: AsyncSession) -> Literal["claim", "automatic"]:
    """Whether agents take conversations themselves; the utility's fact `assignment` overrides limits.yml."""
    return "automatic" if (await fact(session, "assignment") or limits()["assignment"]) == "automatic" else "claim"


async def queue_of(session: AsyncSession, now: datetime, limit: int = LOOKED_AT) -> list[rules.Waiting]:
    """Who waits, in the order in which all agents see them."""
    c = Conversation
    query = select(c.id, c.priority, c.waiting_since, c.language, c.skill, c.passed_by).where(c.owner == "waiting")
    rows = await session.execute(query.order_by(c.priority, c.waiting_since, c.id).limit(limit))
    return [waiting_of(row, now) for row in rows]


async def next_waiting(
    session: AsyncSession, agent: Agent, now: datetime, *, danger_only: bool = False
) -> Conversation | None:
    """The conversation that this agent should take next, locked; None where nobody waits for him."""
    seat, present = seat_of(agent, 0), await on_duty(session, now)
    for waiting in rules.in_order(seat, await queue_of(session, now), now, suited_for(), present):
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
    session: AsyncSession,
    conversation: Conversation,
    now: datetime,
    but: str | None = None,
    present: Sequence[rules.Seat] = (),
) -> Agent | None:
    """Who should get a conversation: one who is available, has room and is not `but`; None where there is nobody.

    With `present`: nobody who leaves it to one of these (rules.others_do).
    """
    free = [seat for seat in await seats(session, now) if seat.agent_id != but]
    seat = rules.best_seat(free, waiting_of(conversation, now), now, suited_for(), present)
    return await session.get(Agent, seat.agent_id) if seat is not None else None


async def assign_waiting(database: Database, now: datetime) -> int:
    """Where agents do not take conversations themselves: give those that wait to who has room; how many.

    Several desks may do it at once: each conversation is locked, one that another desk has is left to it.
    """
    async with database.read() as session:
        if await mode(session) != "automatic":
            return 0
        queue, free, present = await queue_of(session, now), await seats(session, now), await on_duty(session, now)
    given, taken = 0, set[str]()
    # First everybody to agents who have his language, where such are there; what is left to whoever has room.
    for waiting, leaving in [*((each, present) for each in queue), *((each, ()) for each in queue)]:
        if waiting.conversation_id in taken or rules.best_seat(free, waiting, now, suited_for(), leaving) is None:
            continue
        async with database.write() as session, session.begin():
            query = select(Conversation).where(
                Conversation.id == waiting.conversation_id, Conversation.owner == "waiting"
            )
            conversation = await session.scalar(query.with_for_update(skip_locked=True))
            agent = await next_agent(session, conversation, now, present=leaving) if conversation is not None else None
            if conversation is None or agent is None:
                continue
            try:
                async with session.begin_nested():
                    await ownership.claim(session, conversation.id, agent, now, strict=True, given=True)
            except Problem:  # another desk filled his last place
                continue
            given += 1
            taken.add(waiting.conversation_id)
        async with database.read() as session:
            free = await seats(session, now)
    return given
