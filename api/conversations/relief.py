"""Who gives conversations up: a silent agent, one whose console is closed, one who signs out; and who gets them.

Functions take a session and never commit, but for `sign_out` and `leave`: each conversation has its own transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents import service
from api.agents.service import token_hash
from api.agents.tables import Agent, AgentSession
from api.channels.voice.legs import on_the_phone
from api.conversations import handover
from api.conversations.assignment import next_agent
from api.conversations.notes import add_note
from api.conversations.presence import ON_DUTY_FOR, set_presence
from api.conversations.tables import Conversation
from api.conversations.transcript import add_message, lock_conversation
from api.db.engine import Database

log = structlog.get_logger(__name__)
Why = Literal["silent", "gone", "left"]


async def pass_on(session: AsyncSession, conversation: Conversation, now: datetime, why: Why) -> None:
    """Give a (locked) agent's conversation to the next one, or put it back where it waited before; all are told."""
    before, since = conversation.agent_id, conversation.unanswered_since or now
    minutes = max(int((now - since).total_seconds() // 60), 1)
    to = await next_agent(session, conversation, now, but=before)
    reason = "transfer" if why == "left" else "silent"
    if to is not None:
        handover.give_to_agent(conversation, to, now)
        conversation.handover_reason = reason
    else:
        handover.give_to_queue(conversation, reason, now)
    conversation.passed_by = before
    facts = {"what": "passed", "why": why, "from": before, "to": to.id if to else None, "minutes": minutes}
    await add_note(session, conversation, None, "transfer", "", now, facts=facts)
    key = "agent_left" if why == "left" else "agent_passed"
    if to is not None:
        await add_message(session, conversation, "system", handover.taken_words(key, conversation, to), now)
    else:
        words = await handover.passed_words(session, conversation, f"{key}_back", now, by=before)
        offers = await handover.ways_out(session, conversation)
        await add_message(session, conversation, "system", words, now, offers=offers)
    await session.flush()
    log.info("agent.relieved", agent=before, conversation=conversation.id, why=why, to=to.id if to else None)


async def open_of(session: AsyncSession, agent_id: str) -> Sequence[Conversation]:
    """The conversations that are this agent's, the longest unanswered first."""
    c = Conversation
    query = select(c).where(c.owner == "agent", c.agent_id == agent_id, c.closed_at.is_(None))
    return (await session.scalars(query.order_by(c.unanswered_since.is_(None), c.unanswered_since, c.id))).all()


async def elsewhere(session: AsyncSession, agent_id: str, now: datetime, but: str = "") -> bool:
    """Whether the agent is there by another sign-in than that of the token `but`."""
    s = AgentSession
    query = select(s.agent_id).where(s.agent_id == agent_id, s.token_hash != token_hash(but), s.expires_at > now)
    return await session.scalar(query.where(s.seen_at > now - ON_DUTY_FOR).limit(1)) is not None


async def sign_out(database: Database, agent_id: str, token: str, now: datetime) -> int:
    """End a sign-in; after the agent's last one he is away, and others have his conversations at once; how many.

    Whom he speaks with on the telephone he keeps until the call is over.
    """
    async with database.write() as session, session.begin():
        await service.sign_out(session, token, now)
    async with database.read() as session:
        if await elsewhere(session, agent_id, now):
            return 0
    return await leave(database, agent_id, now)


async def leave(database: Database, agent_id: str, now: datetime) -> int:
    """Make an agent away and pass on what he has; how many conversations."""
    async with database.write() as session, session.begin():
        await set_presence(session, await session.get_one(Agent, agent_id), "away", now)
        ids = [row.id for row in await open_of(session, agent_id)]
    passed = 0
    for conversation_id in ids:  # each by itself: agents who leave together pass on to each other
        try:
            passed += await _give_up(database, agent_id, conversation_id, now)
        except SQLAlchemyError:  # the others are passed on all the same, and this one as a silent agent's
            log.exception("agent.leave_failed", agent=agent_id, conversation=conversation_id)
    return passed


async def _give_up(database: Database, agent_id: str, conversation_id: str, now: datetime) -> bool:
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, conversation_id)
        if conversation is None or conversation.owner != "agent" or conversation.agent_id != agent_id:
            return False
        if await on_the_phone(session, conversation, now):
            return False
        await pass_on(session, conversation, now, "left")
        return True
