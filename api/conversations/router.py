"""/api/v1/conversations: the agents' side, and what the bot does to its own conversation."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.wechat.tables import Follower
from api.conversations import handover, ownership, places
from api.conversations.insight import understandings_of
from api.conversations.readable import readable
from api.conversations.schemas import (
    Acting,
    Close,
    ConversationChange,
    ConversationOut,
    DeliveryState,
    MessageOut,
    NewCallback,
    NewHandover,
    Owner,
    Release,
    Reply,
    TranscriptLine,
    Transfer,
    UnderstoodOut,
    Window,
)
from api.conversations.sentences import agent_hours, callback_due, hotline
from api.conversations.tables import Conversation
from api.conversations.transcript import Line, lines_after, state_of
from api.conversations.turns import LiveTurn
from api.customers.refs import number_for
from api.customers.rules import is_verified
from api.db.base import MOST_ID
from api.db.idempotency import once, require_key
from api.deps import Caller, CurrentCaller, Now, ReadSession, SettingsDep, Staff, WriteSession
from api.errors import not_found
from api.outbox.service import carried_lines
from api.paging import Limit, Page, cursor_of, newest_first, read_cursor

router = APIRouter(prefix="/conversations", tags=["conversations"])
Key = Annotated[str, Depends(require_key)]
DEFAULT_LIMIT = 50
#: Stands in the cursor of a list for a time that is missing.
NEVER_WAITED = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


def caller_name(caller: Caller) -> str:
    """Whose idempotency keys these are."""
    return f"{caller.kind}:{caller.agent_id or caller.conversation_id or ''}"


async def own(conversation_id: str, caller: CurrentCaller) -> str:
    """The conversation of the path; the bot has only its own (404 otherwise)."""
    if caller.kind == "bot" and caller.conversation_id != conversation_id:
        raise not_found("conversation")
    return conversation_id


Own = Annotated[str, Depends(own)]


async def found(session: AsyncSession, conversation_id: str) -> Conversation:
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    return conversation


async def shown(
    session: AsyncSession, conversation: Conversation, caller: Caller, now: datetime | None = None
) -> ConversationOut:
    """The conversation with its agent's name and whether the bot works on it.

    The account's number is whole for who looks at this one conversation (`now`) while its customer is verified.
    """
    out = ConversationOut.model_validate(conversation)
    if conversation.agent_id is not None:
        agent = await session.get(Agent, conversation.agent_id)
        out.agent = agent.username if agent else None
    state = await state_of(session, conversation.id)
    out.busy = state is not None and state.busy
    number = conversation.account_number if conversation.verified_at else None
    whole = now is not None and is_verified(conversation.verified_at, conversation.closed_at, now)
    out.verified_account = number if whole or number is None else number_for(caller, number)
    return out


@router.get("")
async def conversations(
    staff: Staff,
    session: ReadSession,
    settings: SettingsDep,
    now: Now,
    owner: Owner | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[ConversationOut]:
    """Conversations; those that wait in the order in which they should be taken, others newest first.

    An agent gets those that he may open.
    """
    if owner == "waiting":
        rows, following = await _waiting(session, limit, cursor)
    else:
        query = select(Conversation)
        if staff.role == "agent" and not settings.agents_read_all:
            query = query.where(readable(str(staff.agent_id), now))
        if owner:
            query = query.where(Conversation.owner == owner)
        rows, following = await newest_first(session, query, Conversation.created_at, Conversation.id, limit, cursor)
    return Page(items=[await shown(session, row, staff) for row in rows], next=following)


async def _waiting(session: AsyncSession, limit: int, cursor: str | None) -> tuple[Sequence[Conversation], str | None]:
    """A page of those who wait, the most urgent first, then by how long."""
    query = select(Conversation).where(Conversation.owner == "waiting")
    query = query.order_by(Conversation.priority, Conversation.waiting_since, Conversation.id)
    if cursor:
        since, rest = read_cursor(cursor)
        priority, _, last_id = rest.partition(":")
        p, w = Conversation.priority, Conversation.waiting_since
        at = int(priority) if priority.isdigit() else 0
        query = query.where(
            (p > at) | ((p == at) & (w > since)) | ((p == at) & (w == since) & (Conversation.id > last_id))
        )
    rows = (await session.scalars(query.limit(limit + 1))).all()
    following = None
    if len(rows) > limit:
        last = rows[limit - 1]
        following = cursor_of(last.waiting_since or NEVER_WAITED, f"{last.priority}:{last.id}")
    return rows[:limit], following


@router.get("/{conversation_id}")
async def conversation(conversation_id: Own, caller: CurrentCaller, session: ReadSession, now: Now) -> ConversationOut:
    conversation = await found(session, conversation_id)
    out = await shown(session, conversation, caller, now)
    out.window = await window_of(session, conversation, now)
    return out


async def window_of(session: AsyncSession, conversation: Conversation, now: datetime) -> Window | None:
    """What WeChat still takes for this customer; None on other channels."""
    if conversation.channel != "wechat":
        return None
    follower = await session.get(Follower, conversation.deliver_to)
    if follower is None or follower.window_ends_at is None or follower.window_ends_at <= now:
        return Window(ends_at=follower.window_ends_at if follower else None, left=0)
    return Window(ends_at=follower.window_ends_at, left=max(follower.allowance - follower.spent, 0))


@router.get("/{conversation_id}/transcript")
async def transcript(
    conversation_id: str,
    _staff: Staff,
    session: ReadSession,
    limit: Limit = 200,
    cursor: Annotated[int, Query(ge=0, le=MOST_ID)] = 0,
) -> Page[TranscriptLine]:
    """The whole conversation in order; the cursor is the last line's seq."""
    await found(session, conversation_id)
    lines = await lines_after(session, conversation_id, cursor, limit + 1)
    page = lines[:limit]
    following = str(page[-1].message.seq) if len(lines) > limit else None
    carried = await carried_lines(session, [line.message.id for line in page])
    customers = [line.message.id for line in page if line.message.sender == "customer"]
    understood = await understandings_of(session, customers)
    items = []
    for line in page:
        out = TranscriptLine.model_validate(MessageOut.of(line), from_attributes=True)
        if (delivery := carried.get(line.message.id)) is not None:
            out.delivery = DeliveryState.model_validate(delivery)
        if line.message.id in understood:
            out.understood = UnderstoodOut.model_validate(understood[line.message.id])
        items.append(out)
    return Page(items=items, next=following)


async def _act(
    session: AsyncSession,
    request: Request,
    key: str,
    caller: Caller,
    now: datetime,
    body: Acting,
    do: Callable[[Agent | None], Awaitable[Conversation | Line]],
) -> dict[str, Any]:
    """Run an agent's act once for its key; the answer is the conversation, or the line that was written."""

    async def run() -> dict[str, Any]:
        result = await do(await ownership.acting_agent(session, caller, body.agent))
        out: BaseModel = (
            MessageOut.of(result) if isinstance(result, Line) else await shown(session, result, caller, now)
        )
        return out.model_dump(mode="json", by_alias=True)

    return await once(session, request, key, caller_name(caller), now, run)


@router.post("/{conversation_id}/claim", response_model=ConversationOut)
async def claim(
    conversation_id: str, body: Acting, request: Request, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Take the conversation; 409 for every claim after the first."""
    return await _act(
        session, request, key, caller, now, body, lambda agent: ownership.claim(session, conversation_id, agent, now)
    )


@router.post("/{conversation_id}/reply", status_code=201, response_model=None)
async def reply(
    conversation_id: str, body: Reply, request: Request, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Say something to the customer; only the conversation's own agent may (409)."""

    async def do(agent: Agent | None) -> Line:
        return Line(await ownership.reply(session, conversation_id, caller, agent, body.text, now), [])

    return await _act(session, request, key, caller, now, body, do)


@router.post("/{conversation_id}/release", response_model=ConversationOut)
async def release(
    conversation_id: str, body: Release, request: Request, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Give the conversation back to the bot, with what was agreed."""
    return await _act(
        session,
        request,
        key,
        caller,
        now,
        body,
        lambda agent: ownership.release(
            session, conversation_id, caller, agent, now, summary=body.summary, slots=body.slots
        ),
    )


@router.post("/{conversation_id}/transfer", response_model=ConversationOut)
async def transfer(
    conversation_id: str, body: Transfer, request: Request, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Pass the conversation to the agent `to`, or back to the queue."""
    return await _act(
        session,
        request,
        key,
        caller,
        now,
        body,
        lambda agent: ownership.transfer(
            session,
            conversation_id,
            caller,
            agent,
            body.to,
            now,
            note=body.note,
            skill=body.skill,
            language=body.language,
        ),
    )


@router.post("/{conversation_id}/close", response_model=ConversationOut)
async def close(
    conversation_id: str, body: Close, request: Request, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """End the conversation; the customer's next message opens it again, with the bot."""
    return await _act(
        session,
        request,
        key,
        caller,
        now,
        body,
        lambda agent: ownership.close(
            session, conversation_id, caller, agent, now, outcome=body.outcome, note=body.note
        ),
    )


@router.post("/{conversation_id}/handover")
async def hand_over(
    conversation_id: Own,
    body: NewHandover,
    request: Request,
    caller: CurrentCaller,
    _turn: LiveTurn,
    key: Key,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:
    """Put the conversation in the queue for an agent; tells who is on duty, and until when it takes otherwise."""

    async def do() -> dict[str, Any]:
        conversation = await ownership.locked(session, conversation_id)
        await handover.hand_over(session, conversation, body.reason, now, caller.message_id, body.skill)
        hours, due = await agent_hours(session), await callback_due(session, now, settings.zone)
        place = await places.place_of(session, conversation, now)
        return {
            "owner": conversation.owner,
            "agents_on_duty": await handover.agents_on_duty(session, now),
            "position": place.number,
            "expected_wait_minutes": place.minutes,
            "own_language": place.own_language,
            "hours": {"zh": hours.get("zh", ""), "en": hours.get("en", "")},
            "hotline": await hotline(session),
            "callback_due_at": rfc3339(due),
        }

    return await once(session, request, key, caller_name(caller), now, do)


@router.post("/{conversation_id}/callbacks", status_code=201)
async def call_back(
    conversation_id: Own,
    body: NewCallback,
    request: Request,
    caller: CurrentCaller,
    _turn: LiveTurn,
    key: Key,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:
    """Promise a call in the agents' next working time; an open promise gets the new number instead."""

    async def do() -> dict[str, Any]:
        await ownership.expect_own(session, conversation_id, caller)
        callback = await handover.promise_callback(session, conversation_id, body.phone, now, settings.zone)
        return {"id": callback.id, "due_at": rfc3339(callback.due_at), "status": callback.status}

    return await once(session, request, key, caller_name(caller), now, do)


@router.patch("/{conversation_id}")
async def change(
    conversation_id: Own,
    body: ConversationChange,
    caller: CurrentCaller,
    _turn: LiveTurn,
    session: WriteSession,
    now: Now,
) -> ConversationOut:
    """Set the language that the customer asked for; 409 for an agent whose conversation it is not."""
    await ownership.expect_own(session, conversation_id, caller)
    conversation = await found(session, conversation_id)
    if body.language is not None:
        conversation.language = body.language
        await session.flush()
    return await shown(session, conversation, caller, now)


def rfc3339(moment: datetime) -> str:
    """UTC with Z, as all times of the API."""
    return moment.isoformat().replace("+00:00", "Z")
