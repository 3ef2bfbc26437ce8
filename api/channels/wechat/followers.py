"""Followers: what may be sent to them, and which conversation of theirs goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.wechat.tables import Follower
from api.channels.wechat.words import limits
from api.conversations.tables import Conversation
from api.conversations.transcript import drop_turns, lock_conversation
from api.db.base import Base, new_id, table_of
from api.outbox.tables import Delivery
from api.privacy import keyed_hash
from api.settings import Settings


@dataclass(frozen=True)
class Window:
    """Until when, how many messages may be sent, and how many of them were."""

    ends_at: datetime | None = None
    allowance: int = 0
    spent: int = 0

    def after(self, act: str, now: datetime) -> "Window":
        """As an act leaves it (a name in limits.yml): numbers do not add up, the larger one and the later end hold."""
        limit = limits()["windows"][act]
        ends_at = now + timedelta(seconds=limit["seconds"])
        left = self.allowance - self.spent if self.ends_at is not None and self.ends_at > now else 0
        if left < limit["messages"]:
            return Window(max(ends_at, self.ends_at if left > 0 and self.ends_at else ends_at), limit["messages"])
        return Window(max(ends_at, self.ends_at or ends_at), self.allowance, self.spent)


@cache
def _insert_new(cls: type[Base], columns: tuple[str, ...], dialect: str) -> Any:
    table = table_of(cls)
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    key = list(table.primary_key.columns)
    statement = (sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)).values(values)
    return statement.on_conflict_do_nothing(index_elements=key).returning(key[0])


async def insert_new(session: AsyncSession, cls: type[Base], values: Mapping[str, object]) -> bool:
    """Insert a row unless its key is there, waiting for whoever is just inserting it. True if it was ours."""
    statement = _insert_new(cls, tuple(values), session.get_bind().dialect.name)
    return (await session.execute(statement, values)).first() is not None


_LOCKED = select(Follower).where(Follower.open_id == bindparam("follower")).with_for_update()
_d = table_of(Delivery).c
_RELEASE = (
    update(table_of(Delivery))
    .where(_d.channel == "wechat", _d.recipient == bindparam("follower"), _d.state == "parked")
    .values(state="queued", not_before=bindparam("due"), updated_at=bindparam("moment"), attempts=0, error="")
)


async def locked_follower(session: AsyncSession, open_id: str, now: datetime) -> Follower:
    """The follower, made if need be, and locked: his acts are taken in one after the other."""
    found = await session.scalar(_LOCKED, {"follower": open_id})
    if found is None:
        # Also someone who wrote without an event of ours, because he had followed before this desk was there.
        new = {"open_id": open_id, "subscribed": True, "allowance": 0, "spent": 0, "created_at": now}
        await insert_new(session, Follower, new)
        found = (await session.scalars(_LOCKED, {"follower": open_id})).one()
    return found


def note_act(follower: Follower, window: str, now: datetime) -> None:
    """Open the window of an act."""
    opened = Window(follower.window_ends_at, follower.allowance, follower.spent).after(window, now)
    follower.window_ends_at, follower.allowance, follower.spent = opened.ends_at, opened.allowance, opened.spent
    follower.subscribed = True
    if window == "message":
        follower.last_message_at = now


async def release_parked(session: AsyncSession, open_id: str, not_before: datetime, now: datetime) -> None:
    """Queue what was parked for this follower."""
    await session.execute(_RELEASE, {"follower": open_id, "due": not_before, "moment": now})


def goes_on(conversation: Conversation, now: datetime, idle: timedelta) -> bool:
    """Whether a follower's next message belongs to this conversation: it is open, and a person has it or will, or it
    was spoken in lately."""
    if conversation.closed_at is not None:
        return False
    last = conversation.last_message_at or conversation.created_at
    return conversation.owner != "bot" or now - last < idle


async def conversation_of(
    session: AsyncSession, follower: Follower, settings: Settings, held_until: datetime, now: datetime
) -> Conversation:
    """The (locked) follower's conversation, locked; a new one where the last one is over, which is then closed. What is
    said in it is held for the callback until then."""
    old = await lock_conversation(session, follower.conversation_id) if follower.conversation_id else None
    if old is not None and goes_on(old, now, timedelta(minutes=settings.wechat_idle_minutes)):
        old.held_until = held_until
        return old
    if old is not None and old.closed_at is None:
        await drop_turns(session, old.id)
        old.closed_at = now
    secret = settings.service_token.get_secret_value()
    conversation = Conversation(
        id=new_id("cv"),
        channel="wechat",
        deliver_to=follower.open_id,
        held_until=held_until,
        source_hash=keyed_hash(secret, "wechat", follower.open_id),
        language=follower.language,
        owner="bot",
        priority=4,
        last_seq=0,
        episode=1,
        created_at=now,
    )
    session.add(conversation)
    await session.flush()
    follower.conversation_id = conversation.id
    return conversation
