"""The web chat: conversations with a token, messages, long poll and server-sent events."""

import asyncio
import hashlib
import hmac
import ipaddress
import json
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import BaseModel, Field, model_validator
from sqlalchemy import func, select
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.channels.base import take_in
from api.conversations.accept import Incoming
from api.conversations.bell import bell, wait_for_ring
from api.conversations.schemas import Language, MessageOut, Owner
from api.conversations.sentences import limits, say
from api.conversations.tables import Conversation
from api.conversations.transcript import State, add_message, news_of
from api.db.base import new_id
from api.db.engine import Database
from api.deps import DatabaseDep, Now, SettingsDep, WriteSession, bearer
from api.errors import Problem, not_found
from api.privacy import keyed_hash

router = APIRouter(prefix="/web", tags=["web chat"])

MAX_WAIT = 25.0
#: Seconds between looks at the database while nobody rings, should a ring ever be lost.
POLL = 10.0
HEARTBEAT = 15
#: Messages of one answer.
MOST_LINES = 200


class NewConversation(BaseModel):
    language: Language | None = None


class Created(BaseModel):
    conversation_id: str
    token: str


class NewMessage(BaseModel):
    """Either `text` or `choice`, the token of an option offered in this conversation."""

    client_message_id: str = Field(min_length=1, max_length=80)
    text: str | None = None
    choice: str | None = Field(default=None, min_length=1, max_length=40)

    @model_validator(mode="after")
    def one_content(self) -> "NewMessage":
        if (self.text is None) == (self.choice is None):
            raise ValueError("send either text or choice")
        return self


class Taken(BaseModel):
    seq: int


class News(BaseModel):
    messages: list[MessageOut]
    owner: Owner
    busy: bool


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def given_token(authorization: Annotated[str | None, Header()] = None) -> str:
    """The hash of the customer's token; 401 where there is none."""
    token = bearer(authorization)
    if not token:
        raise Problem(401, "unauthorised", "A token is required.", headers={"WWW-Authenticate": "Bearer"})
    return token_hash(token)


TokenHash = Annotated[str, Depends(given_token)]


def source_of(request: Request, secret: str) -> str:
    """A keyed hash of where the request comes from; of an IPv6 address its /64, which one customer has whole."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return keyed_hash(secret, host)
    if address.version == 6:
        host = str(ipaddress.ip_network(f"{host.partition('%')[0]}/64", strict=False))
    return keyed_hash(secret, host)


@router.post("/conversations", status_code=201)
async def create(
    request: Request, session: WriteSession, settings: SettingsDep, now: Now, body: NewConversation | None = None
) -> Created:
    """Begin a conversation; its first message says who speaks, how to reach a person, and where privacy is told."""
    source = source_of(request, settings.service_token.get_secret_value())
    minute_ago = now - timedelta(minutes=1)
    recent = select(func.count()).where(Conversation.source_hash == source, Conversation.created_at > minute_ago)
    if (await session.scalar(recent) or 0) >= limits()["conversations"]["per_minute"]:
        raise Problem(429, "too-many-conversations", "Please wait a moment.", headers={"Retry-After": "60"})
    token = secrets.token_urlsafe(32)
    conversation = Conversation(
        id=new_id("cv"),
        channel="web",
        token_hash=token_hash(token),
        source_hash=source,
        language=body.language if body else None,
        created_at=now,
    )
    session.add(conversation)
    await session.flush()
    await add_message(session, conversation, "bot", say("greeting", conversation.language), now)
    return Created(conversation_id=conversation.id, token=token)


@router.post("/conversations/{conversation_id}/messages", status_code=202)
async def post(
    conversation_id: str,
    body: NewMessage,
    token: TokenHash,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
) -> Taken:
    """Send a message; the same `client_message_id` again gets the same answer."""
    message = Incoming(body.client_message_id, body.text, body.choice)
    accepted = await take_in(database, conversation_id, message, now, settings.zone, token)
    if accepted.problem is not None:
        raise accepted.problem
    return Taken(seq=accepted.seq)


async def news(database: Database, conversation_id: str, token: str, after: int) -> tuple[State, list[MessageOut]]:
    """State and messages after seq `after`; Problem 404 unless the token is this conversation's."""
    async with database.glance.connect() as connection:
        found = await news_of(connection, conversation_id, after, MOST_LINES)
    if found is None or not hmac.compare_digest(found.state.token_hash, token):
        raise not_found("conversation")
    return found.state, [MessageOut.shown(line, found.choices.get(line.id, ())) for line in found.lines]


@router.get("/conversations/{conversation_id}/messages")
async def messages(
    conversation_id: str,
    token: TokenHash,
    database: DatabaseDep,
    after: Annotated[int, Query(ge=0)] = 0,
    wait: Annotated[float, Query(ge=0)] = 0,
) -> News:
    """The messages after seq `after`; with `wait` (seconds, 25 at most) as soon as there is one."""
    loop = asyncio.get_running_loop()
    until = loop.time() + min(wait, MAX_WAIT)
    with bell.listen(conversation_id) as rung:
        while True:
            rung.clear()
            state, lines = await news(database, conversation_id, token, after)
            left = until - loop.time()
            if lines or left <= 0:
                return News(messages=lines, owner=state.owner, busy=state.busy)
            await wait_for_ring(rung, min(left, POLL))


@router.get("/conversations/{conversation_id}/stream", response_class=EventSourceResponse)
async def stream(
    conversation_id: str,
    token: TokenHash,
    database: DatabaseDep,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventSourceResponse:
    """The messages as server-sent events (`id` = seq), and an event `state` whenever owner or busy change."""
    start = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
    await news(database, conversation_id, token, start)  # a refusal comes before the stream begins
    return EventSourceResponse(
        events(database, conversation_id, token, start),
        ping=HEARTBEAT,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def events(database: Database, conversation_id: str, token: str, after: int) -> AsyncIterator[ServerSentEvent]:
    known: State | None = None
    with bell.listen(conversation_id) as rung:
        while True:
            rung.clear()
            state, lines = await news(database, conversation_id, token, after)
            for line in lines:
                after = line.seq
                yield ServerSentEvent(data=line.model_dump_json(by_alias=True), id=str(line.seq))
            if state != known:
                known = state
                yield ServerSentEvent(data=json.dumps({"owner": state.owner, "busy": state.busy}), event="state")
            if len(lines) < MOST_LINES:
                await wait_for_ring(rung, POLL)
