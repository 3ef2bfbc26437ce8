"""`/api/v1/callbacks`: promised calls, making them, and ending them."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations import handover, ownership, places
from api.conversations.bell import QUEUE, touch
from api.conversations.schemas import Acting
from api.conversations.tables import Callback, Conversation
from api.db.idempotency import once, require_key
from api.deps import Caller, Now, ReadSession, SettingsDep, Staff, WriteSession
from api.errors import Problem, not_found
from api.outbox.queue import enqueue
from api.outbox.tables import Delivery
from api.paging import Limit, Page, cursor_of, read_cursor
from api.phones import e164
from api.privacy import mask_phone
from api.settings import Settings

router = APIRouter(prefix="/callbacks", tags=["callbacks"])
Key = Annotated[str, Depends(require_key)]
Status = Literal["open", "done", "cancelled"]
#: A call that was handed to the vendor and never reported on is over after this time.
UNDER_WAY = timedelta(minutes=10)


class CallbackOut(BaseModel):
    """A promised call. `phone` is masked, but for the conversation's own agent and for supervisors."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    conversation_id: str
    channel: str
    language: str | None
    phone: str
    status: Status
    due_at: datetime
    #: Place in the queue, from 1; 0 where the conversation does not wait.
    position: int
    #: How often the customer was called for it.
    calls: int
    created_at: datetime


class CallbackChange(BaseModel):
    """How it ended."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["done", "cancelled"]


class CalledBack(CallbackOut):
    """`delivery_id`: the call, in `/api/v1/deliveries`."""

    delivery_id: int


async def shown(
    session: AsyncSession,
    callback: Callback,
    conversation: Conversation,
    now: datetime,
    *,
    whole: bool = False,
    place: places.Place | None = None,
) -> CallbackOut:
    """A promised call; `place`: where its customer stands in the queue, if that is known already."""
    place = place or await places.place_of(session, conversation, now)
    return CallbackOut(
        id=callback.id,
        conversation_id=conversation.id,
        channel=conversation.channel,
        language=conversation.language,
        phone=callback.phone if whole else mask_phone(callback.phone),
        status=callback.status,
        due_at=callback.due_at,
        position=place.number,
        calls=callback.calls,
        created_at=callback.created_at,
    )


async def found(session: AsyncSession, callback_id: str, *, lock: bool = False) -> tuple[Callback, Conversation]:
    """A call-back and its conversation, which is locked first where both are to be changed; Problem 404."""
    callback = await session.get(Callback, callback_id)
    if callback is None:
        raise not_found("call-back")
    if lock:
        conversation = await ownership.locked(session, callback.conversation_id)
        await session.refresh(callback)
        return callback, conversation
    return callback, await session.get_one(Conversation, callback.conversation_id)


def owns(caller: Caller, conversation: Conversation) -> bool:
    """Whether the caller may see the whole number."""
    if caller.kind == "service" or caller.role in ownership.SUPERVISORS:
        return True
    return conversation.owner == "agent" and conversation.agent_id == caller.agent_id


@router.get("")
async def index(
    _staff: Staff,
    session: ReadSession,
    now: Now,
    status: Status | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[CallbackOut]:
    """Promised calls in the order in which they are due."""
    query = select(Callback, Conversation).join(Conversation, Conversation.id == Callback.conversation_id)
    if status is not None:
        query = query.where(Callback.status == status)
    if cursor:
        at, last_id = read_cursor(cursor)
        query = query.where((Callback.due_at > at) | ((Callback.due_at == at) & (Callback.id > last_id)))
    rows = (await session.execute(query.order_by(Callback.due_at, Callback.id).limit(limit + 1))).all()
    last = rows[limit - 1][0] if len(rows) > limit else None
    waiting = {conversation.id for _, conversation in rows if conversation.owner == "waiting"}
    stand = await places.places_of(session, now, waiting) if waiting else {}
    return Page(
        items=[
            await shown(session, callback, conversation, now, place=stand.get(conversation.id, places.Place()))
            for callback, conversation in rows[:limit]
        ],
        next=cursor_of(last.due_at, last.id) if last else None,
    )


@router.get("/{callback_id}")
async def read(callback_id: str, caller: Staff, session: ReadSession, now: Now) -> CallbackOut:
    """One promised call; with the whole number for who may call it."""
    callback, conversation = await found(session, callback_id)
    return await shown(session, callback, conversation, now, whole=owns(caller, conversation))


@router.post("/{callback_id}/call", status_code=201, response_model=CalledBack)
async def call(
    callback_id: str,
    body: Acting,
    request: Request,
    caller: Staff,
    key: Key,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:
    """Take the conversation and call the customer, who is then put through to the agent's phone."""

    async def do() -> dict[str, Any]:
        agent = await ownership.acting_agent(session, caller, body.agent)
        callback, conversation = await found(session, callback_id, lock=True)
        delivery_id = await place_call(session, settings, callback, conversation, agent, now)
        out = await shown(session, callback, conversation, now, whole=True)
        return CalledBack(**out.model_dump(), delivery_id=delivery_id).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)


def under_way(made: Delivery, now: datetime) -> bool:
    """Whether the call that was made last may still reach the customer."""
    fresh = now - made.updated_at < UNDER_WAY
    return made.state in ("queued", "sending") or (made.state in ("sent", "unknown") and fresh)


async def place_call(
    session: AsyncSession,
    settings: Settings,
    callback: Callback,
    conversation: Conversation,
    agent: Agent | None,
    now: datetime,
) -> int:
    """Take the (locked) conversation and queue the call; the delivery's id. Problem 409 or 422 where that cannot be."""
    if agent is None:
        raise Problem(422, "agent-required", "Name the agent who calls.")
    if not (settings.voice_on and settings.twilio_from):
        raise Problem(409, "telephone-off", "This desk is not configured to make calls.")
    if not agent.phone:
        raise Problem(409, "agent-phone-required", "This agent has no telephone to put the call through to.")
    if callback.status != "open":
        raise Problem(409, "callback-ended", f"This call-back is {callback.status}.")
    try:
        number = e164(callback.phone)
    except ValueError as error:
        raise Problem(409, "no-phone", "No number was given for this call-back.") from error
    if conversation.owner != "agent":
        await ownership.claim(session, conversation.id, agent, now)
    elif conversation.agent_id != agent.id:
        raise Problem(409, "not-owner", "This conversation is another agent's.", owner=conversation.owner)
    handover.expect_nothing(conversation)  # the two are going to talk
    last = select(Delivery).where(Delivery.key == f"callback:{callback.id}:{callback.calls}")
    earlier = await session.scalar(last)
    if earlier is not None and under_way(earlier, now):
        raise Problem(409, "call-under-way", "The customer is being called already.")
    callback.calls += 1
    delivery_id = await enqueue(
        session,
        "call",
        number,
        {"callback": callback.id, "language": conversation.language or "zh"},
        now,
        key=f"callback:{callback.id}:{callback.calls}",
        purpose="callback",
        conversation_id=conversation.id,
    )
    await session.flush()
    if delivery_id is None:
        raise Problem(409, "call-under-way", "The customer is being called already.")
    return delivery_id


@router.patch("/{callback_id}")
async def change(callback_id: str, body: CallbackChange, caller: Staff, session: WriteSession, now: Now) -> CallbackOut:
    """End a promise: made, or not wanted any more. A call that only waited for it leaves the queue."""
    callback, conversation = await found(session, callback_id, lock=True)
    await end(session, callback, conversation, body.status, now)
    return await shown(session, callback, conversation, now, whole=owns(caller, conversation))


async def end(
    session: AsyncSession,
    callback: Callback,
    conversation: Conversation,
    status: Literal["done", "cancelled"],
    now: datetime,
) -> None:
    """End a promise whose conversation is locked; Problem 409 where it ended otherwise."""
    if callback.status not in ("open", status):
        raise Problem(409, "callback-ended", f"This call-back is {callback.status}.")
    callback.status = status
    if conversation.owner == "waiting" and conversation.channel == "voice" and conversation.closed_at is None:
        handover.give_to_bot(conversation)
        conversation.closed_at = now
    await touch(session, QUEUE)
    await touch(session, conversation.id)
    await session.flush()
