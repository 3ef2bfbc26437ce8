"""Agents take, answer, pass on and close conversations. Functions take a session and never commit."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations import handover
from api.conversations.bell import agent_key, list_key, touch
from api.conversations.briefing import NOTHING_NOTED, complete_briefing
from api.conversations.notes import add_note
from api.conversations.presence import SERVING, open_of, seen_lately
from api.conversations.sentences import say
from api.conversations.tables import Conversation, Message
from api.conversations.transcript import add_message, drop_turns, lock_conversation
from api.deps import Caller
from api.errors import Problem, not_found

SUPERVISORS = ("supervisor", "admin")
Outcome = Literal["", "solved", "ticket", "callback", "no_answer", "other"]


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


def working(agent: Agent) -> None:
    """Problem 409 for who does not work here any more."""
    if not agent.active:
        raise Problem(409, "agent-inactive", "This agent is not active.")


async def claim(
    session: AsyncSession,
    conversation_id: str,
    agent: Agent | None,
    now: datetime,
    *,
    strict: bool = False,
    caller: Caller | None = None,
    given: bool = False,
) -> Conversation:
    """Take a conversation from the queue or the bot. Problem 409 for every claim after the first.

    `given`: by the desk or a supervisor; the agent may not have looked at it yet, and the customer is not told so.
    `strict`: 409 `at-capacity`, too, for an agent who has as many as he may have; danger, supervisors and the service
    token go beyond.
    """
    if agent is None:
        raise Problem(422, "agent-required", "Name the agent who claims.")
    working(agent)
    before = await session.scalar(select(Conversation.owner).where(Conversation.id == conversation_id))
    taken = await session.scalar(
        update(Conversation)
        .where(
            Conversation.id == conversation_id,
            Conversation.owner.in_(("waiting", "bot")),
            Conversation.closed_at.is_(None),
        )
        .values(owner="agent", agent_id=agent.id, claimed_at=now)
        .returning(Conversation.id)
        .execution_options(synchronize_session=False)
    )
    conversation = await locked(session, conversation_id)
    if taken is None:
        kind = "closed" if conversation.closed_at is not None else "already-claimed"
        raise Problem(409, kind, "This conversation cannot be claimed now.", owner=conversation.owner)
    above = agent.role in SUPERVISORS or (caller is not None and caller.kind == "service")
    if strict and not above and conversation.priority > 1:
        await _check_room(session, agent)
    unanswered = await drop_turns(session, conversation.id)
    handover.give_to_agent(conversation, agent, now, expected=before == "waiting" or unanswered)
    await handover.note_wait(session, conversation, now)
    words = handover.taken_words("agent_given" if given else "agent_joined", conversation, agent)
    await add_message(session, conversation, "system", words, now)
    return conversation


async def _check_room(session: AsyncSession, agent: Agent) -> None:
    """Problem 409 where the agent has more conversations, the one just taken among them, than he may have.

    Conversation, then agent: always locked in this order.
    """
    await session.refresh(agent, ["capacity"], with_for_update={"key_share": True})
    if await open_of(session, agent.id) > agent.capacity:
        raise at_capacity(agent)


def at_capacity(agent: Agent) -> Problem:
    return Problem(409, "at-capacity", "This agent has as many conversations as he may have.", capacity=agent.capacity)


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


async def expect_own(session: AsyncSession, conversation_id: str, caller: Caller) -> None:
    """Lock it; Problem 409 `not-owner` for an agent whose it is not. Supervisors, the bot and the service may."""
    if caller.kind == "agent":
        await owned(session, conversation_id, caller, await acting_agent(session, caller, None))
    else:
        await locked(session, conversation_id)


async def reply(
    session: AsyncSession, conversation_id: str, caller: Caller, agent: Agent | None, text: str, now: datetime
) -> Message:
    """Say something as the conversation's agent."""
    conversation = await owned(session, conversation_id, caller, agent, strictly=True)
    reminded = conversation.reminded_at is not None
    handover.expect_nothing(conversation)
    await touch(session, (agent_key if reminded else list_key)(conversation.agent_id or ""))
    return await add_message(session, conversation, "agent", text, now, agent_id=conversation.agent_id)


async def no_answer_needed(
    session: AsyncSession, conversation_id: str, caller: Caller, agent: Agent | None
) -> Conversation:
    """The agent says that the customer's last words ask for nothing ("thank you"): he is not silent."""
    conversation = await owned(session, conversation_id, caller, agent, strictly=True)
    handover.expect_nothing(conversation)
    await session.flush()
    await touch(session, agent_key(conversation.agent_id or ""))
    return conversation


async def release(
    session: AsyncSession,
    conversation_id: str,
    caller: Caller,
    agent: Agent | None,
    now: datetime,
    *,
    summary: str = "",
    slots: Mapping[str, Any] | None = None,
) -> Conversation:
    """Give a conversation back to the bot, and tell the customer.

    `summary`: what was agreed, and `slots`: what it was about (place, ticket, …): the bot goes on from there.
    """
    conversation = await owned(session, conversation_id, caller, agent)
    if conversation.owner == "bot":
        raise Problem(409, "not-owner", "The bot has this conversation already.", owner="bot")
    words = say("agent_released" if conversation.owner == "agent" else "queue_released", conversation.language)
    _note_agent(conversation)
    handover.give_to_bot(conversation)
    if summary or slots:
        conversation.briefing = await complete_briefing(session, conversation, summary, slots or {}, now)
        facts = {"what": "handback", **conversation.briefing.get("slots", {})}
        await add_note(session, conversation, agent.id if agent else None, "handback", summary, now, facts=facts)
    await session.flush()
    await add_message(session, conversation, "system", words, now)
    return conversation


def _note_agent(conversation: Conversation) -> None:
    """Let the bot know that a colleague had it, whether or not he tells anything."""
    if conversation.owner == "agent":
        conversation.briefing = conversation.briefing or NOTHING_NOTED


async def transfer(
    session: AsyncSession,
    conversation_id: str,
    caller: Caller,
    agent: Agent | None,
    to: str | None,
    now: datetime,
    *,
    note: str = "",
    skill: str = "",
    language: str = "",
    strict: bool = False,
    force: bool = False,
) -> Conversation:
    """Pass a conversation to another agent, or back to the head of the queue.

    `skill`, `language`: what who takes it should have, and in which language the customer is to be written to.
    `strict`: 409 `agent-absent` or `at-capacity` where the other one is not there or has no room, unless `force`.
    """
    conversation = await owned(session, conversation_id, caller, agent)
    if conversation.closed_at is not None:
        raise Problem(409, "closed", "This conversation is closed.", owner=conversation.owner)
    target = await agent_named(session, to) if to else None
    if target is not None:
        working(target)
        if target.role not in SERVING:
            raise Problem(422, "unknown-agent", "This agent does not talk with customers.")
        if strict and not force:
            await _check_takes(session, target, now)
    await drop_turns(session, conversation.id)
    conversation.skill = skill or conversation.skill
    conversation.language = language or conversation.language
    by, before = agent.id if agent else None, conversation.agent_id
    if target is not None:
        conversation.waiting_since = None
        handover.give_to_agent(conversation, target, now)
    else:
        handover.give_to_queue(conversation, "transfer", now)
    conversation.handover_reason = "transfer"
    conversation.passed_by = before or by
    facts: dict[str, Any] = {"what": "transfer", "to": target.id if target else None}
    if target is not None and target.id == by:
        facts = {"what": "taken", "from": before}
    facts |= {"skill": skill, "language": language}
    told = {before} - {by, None}  # who had it and did not pass it on himself
    await add_note(session, conversation, by, "transfer", note, now, facts=facts, tell=cast(set[str], told))
    await session.flush()
    if target is None:
        words = await handover.passed_words(session, conversation, "agent_queued", now, by=by)
    else:
        words = handover.taken_words("agent_transferred", conversation, target)
    await add_message(session, conversation, "system", words, now)
    return conversation


async def _check_takes(session: AsyncSession, target: Agent, now: datetime) -> None:
    if target.presence == "away" or target.id not in await seen_lately(session, now):
        raise Problem(409, "agent-absent", "This agent is not there.")
    if await open_of(session, target.id) >= target.capacity:
        raise at_capacity(target)


async def close(
    session: AsyncSession,
    conversation_id: str,
    caller: Caller,
    agent: Agent | None,
    now: datetime,
    *,
    outcome: Outcome = "",
    note: str = "",
) -> Conversation:
    """End a conversation. The customer's next message opens it again, with the bot."""
    conversation = await owned(session, conversation_id, caller, agent)
    if conversation.closed_at is not None:
        raise Problem(409, "closed", "This conversation is closed already.", owner=conversation.owner)
    await drop_turns(session, conversation.id)
    conversation.briefing = {}  # of a matter that ends here
    _note_agent(conversation)
    handover.give_to_bot(conversation)
    conversation.closed_at, conversation.outcome = now, outcome
    if note:
        await add_note(session, conversation, agent.id if agent else None, "close", note, now)
    await session.flush()
    await add_message(session, conversation, "system", say("closed", conversation.language), now)
    return conversation
