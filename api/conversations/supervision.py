"""What a supervisor does with others' conversations: assign, take over, whisper, hurry. Functions never commit."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations import ownership
from api.conversations.accept import ORDINARY
from api.conversations.bell import QUEUE, touch
from api.conversations.notes import add_note
from api.conversations.presence import SERVING, seen_lately
from api.conversations.tables import Conversation, Note
from api.deps import Caller
from api.errors import Problem

#: Marked by a supervisor: before what is ordinary, after danger.
URGENT = 2


async def assign(
    session: AsyncSession,
    conversation_id: str,
    caller: Caller,
    supervisor: Agent,
    to: str,
    now: datetime,
    *,
    note: str = "",
    force: bool = False,
) -> Conversation:
    """Give a conversation that waits, or another agent's, to the agent named `to`; '' puts it back into the queue.

    Problem 409 `agent-absent` or `at-capacity` unless `force`; 409 `not-waiting` for one that the bot has.
    """
    conversation = await ownership.locked(session, conversation_id)
    if conversation.closed_at is not None:
        raise Problem(409, "closed", "This conversation is closed.")
    if conversation.owner == "bot" or (conversation.owner == "waiting" and not to):
        raise Problem(409, "not-waiting", "This conversation waits for nobody any more.", owner=conversation.owner)
    if to and (await ownership.agent_named(session, to)).role not in SERVING:
        raise Problem(422, "unknown-agent", "This agent does not talk with customers.")
    if conversation.owner == "agent":
        return await ownership.transfer(
            session, conversation_id, caller, supervisor, to or None, now, note=note, strict=True, force=force
        )
    target = await ownership.agent_named(session, to)
    if not force and (target.presence == "away" or target.id not in await seen_lately(session, now)):
        raise Problem(409, "agent-absent", "This agent is not there.")
    own = target.id == supervisor.id
    given = await ownership.claim(session, conversation_id, target, now, strict=not force, given=not own)
    if note:
        facts = {"what": "transfer", "to": target.id}
        await add_note(session, given, supervisor.id, "transfer", note, now, facts=facts)
    return given


async def take_over(
    session: AsyncSession, conversation_id: str, caller: Caller, supervisor: Agent, now: datetime
) -> Conversation:
    """The supervisor has it from here; the agent who had it reads so on every page of the console."""
    conversation = await ownership.locked(session, conversation_id)
    if conversation.closed_at is not None:
        raise Problem(409, "closed", "This conversation is closed.")
    if conversation.owner != "agent":
        return await ownership.claim(session, conversation_id, supervisor, now, strict=True, caller=caller)
    if conversation.agent_id == supervisor.id:
        return conversation
    return await ownership.transfer(session, conversation_id, caller, supervisor, supervisor.username, now)


async def whisper(session: AsyncSession, conversation_id: str, supervisor: Agent, text: str, now: datetime) -> Note:
    """Words for the conversation's agent alone, in the transcript and on whatever page he has open.

    Problem 409 where no agent has it.
    """
    conversation = await ownership.locked(session, conversation_id)
    if conversation.owner != "agent" or conversation.agent_id is None:
        raise Problem(409, "no-agent", "No agent has this conversation.", owner=conversation.owner)
    owner = conversation.agent_id
    return await add_note(session, conversation, supervisor.id, "whisper", text, now, tell=(owner,))


async def prioritise(session: AsyncSession, conversation_id: str, urgent: bool) -> Conversation:
    """Before the others, or among them again; danger stays first whatever is asked. Problem 409 for a closed one."""
    conversation = await ownership.locked(session, conversation_id)
    if conversation.closed_at is not None:
        raise Problem(409, "closed", "This conversation is closed.")
    if conversation.priority > 1:
        conversation.priority = URGENT if urgent else ORDINARY
        await session.flush()
        await touch(session, QUEUE)
        await touch(session, conversation.id)
    return conversation
