"""Agents take, answer, pass on and close conversations. Functions take a session and never commit."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations import handover
from api.conversations.sentences import say
from api.conversations.tables import Conversation, Message
from api.conversations.transcript import add_message, drop_turns, lock_conversation
from api.deps import Caller
from api.errors import Problem, not_found

SUPERVISORS = ("supervisor", "admin")


async def agent_named(session: AsyncSession, username: str) -> Agent:
    """The agent of this name; Problem 422 where there is none."""
    agent = await session.scalar(select(Agent).where(Agent.username == username))
    if agent is None:
        raise Problem(422, "unknown-agent", "There is no agent of this name.")
    return agent


async def acting_agent(session: AsyncSession, caller: Caller, username: str | None) -> Agent | None:
    """Who acts: the token's agent, or with the service token the one named; None where it names nobody."""
    if caller.kind == "agent":
        return await session.get(Agent, caller.agent_id)
    return await agent_named(session, username) if username else None


async def locked(session: AsyncSession, conversation_id: str) -> Conversation:
    conversation = await lock_conversation(session, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    return conversation


async def claim(session: AsyncSession, conversation_id: str, agent: Agent | None, now: datetime) -> Conversation:
    """Take a conversation from the queue or the bot. Problem 409 for every claim after the first."""
    if agent is None:
        raise Problem(422, "agent-required", "Name the agent who claims.")
    taken = await session.scalar(
        update(Conversation)
        .where(
            Conversation.id == conversation_id,
            Conversation.owner.in_(("waiting", "bot")),
            Conversation.closed_at.is_(None),
        )
        .values(owner="agent", agent_id=agent.id, handover_message=None, waiting_told_at=None)
        .returning(Conversation.id)
        .execution_options(synchronize_session=False)
    )
    conversation = await locked(session, conversation_id)
    if taken is None:
        kind = "closed" if conversation.closed_at is not None else "already-claimed"
        raise Problem(409, kind, "This conversation cannot be claimed now.", owner=conversation.owner)
    await drop_turns(session, conversation.id)
    await handover.note_wait(session, conversation, now)
    await add_message(session, conversation, "system", say("agent_joined", conversation.language), now)
    return conversation


async def owned(
    session: AsyncSession, conversation_id: str, caller: Caller, agent: Agent | None, *, strictly: bool = False
) -> Conversation:
    """The locked conversation, if this caller may act on it; Problem 409 otherwise.

    That is its agent; unless `strictly`, a supervisor and the service token that names nobody may, too.
    """
    conversation = await locked(session, conversation_id)
    if conversation.owner == "agent" and agent is not None and conversation.agent_id == agent.id:
        return conversation
    above = (caller.kind == "service" and agent is None) or (agent is not None and agent.role in SUPERVISORS)
    if strictly or not above:
        raise Problem(409, "not-owner", "This conversation is not this agent's.", owner=conversation.owner)
    return conversation


async def reply(
    session: AsyncSession, conversation_id: str, caller: Caller, agent: Agent | None, text: str, now: datetime
) -> Message:
    """Say something as the conversation's agent."""
    conversation = await owned(session, conversation_id, caller, agent, strictly=True)
    return await add_message(session, conversation, "agent", text, now, agent_id=conversation.agent_id)


async def release(
    session: AsyncSession, conversation_id: str, caller: Caller, agent: Agent | None, now: datetime
) -> Conversation:
    """Give a conversation back to the bot, and tell the customer."""
    conversation = await owned(session, conversation_id, caller, agent)
    if conversation.owner == "bot":
        raise Problem(409, "not-owner", "The bot has this conversation already.", owner="bot")
    handover.give_to_bot(conversation)
    await session.flush()
    await add_message(session, conversation, "system", say("agent_released", conversation.language), now)
    return conversation


async def transfer(
    session: AsyncSession, conversation_id: str, caller: Caller, agent: Agent | None, to: str | None, now: datetime
) -> Conversation:
    """Pass a conversation to another agent, or back to the head of the queue."""
    conversation = await owned(session, conversation_id, caller, agent)
    if conversation.closed_at is not None:
        raise Problem(409, "closed", "This conversation is closed.", owner=conversation.owner)
    target = await agent_named(session, to) if to else None
    await drop_turns(session, conversation.id)
    conversation.owner = "agent" if target else "waiting"
    conversation.agent_id = target.id if target else None
    conversation.waiting_since = None if target else conversation.waiting_since or now
    conversation.handover_reason = "transfer"
    conversation.handover_message = None
    await session.flush()
    await add_message(session, conversation, "system", say("agent_transferred", conversation.language), now)
    return conversation


async def close(
    session: AsyncSession, conversation_id: str, caller: Caller, agent: Agent | None, now: datetime
) -> Conversation:
    """End a conversation. The customer's next message opens it again, with the bot."""
    conversation = await owned(session, conversation_id, caller, agent)
    if conversation.closed_at is not None:
        raise Problem(409, "closed", "This conversation is closed already.", owner=conversation.owner)
    await drop_turns(session, conversation.id)
    handover.give_to_bot(conversation)
    conversation.closed_at = now
    await session.flush()
    await add_message(session, conversation, "system", say("closed", conversation.language), now)
    return conversation
