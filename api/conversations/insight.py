"""What the bot tells the desk about itself: what it took a message for, and its sheet of what it knows.

Both are judged leniently: what is missing, too large or garbled is left out, and the customer's answer stands.
"""

import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.tables import Understanding
from api.db.base import table_of

#: Characters of a sheet as JSON; a whole guide with two earlier journeys takes about 3,000.
LONGEST_SHEET = 12_000
RANKED = 5


class Guess(BaseModel):
    """An intent, and how sure Rasa is of it (0..1)."""

    name: str = Field(min_length=1, max_length=40)
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)


class Understood(BaseModel):
    """What a message was taken for. `missed`: the bot asked back; `answer`: it was the reply to a question."""

    model_config = ConfigDict(frozen=True)

    intent: str = Field(min_length=1, max_length=40)
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    ranking: tuple[Guess, ...] = Field(default=(), max_length=RANKED)
    missed: bool = False
    answer: bool = False


def understood_in(given: Any) -> Understood | None:
    """The understanding that Rasa sent along; None where it is none."""
    try:
        return None if given is None else Understood.model_validate(given)
    except ValidationError:
        return None


def whole_sheet(given: Any) -> dict[str, Any] | None:
    """The sheet that Rasa sent along; None where it is none, or too large. PostgreSQL takes no NUL in JSON."""
    if not isinstance(given, dict):
        return None
    try:
        text = json.dumps(given, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return None
    return None if len(text) > LONGEST_SHEET or "\\u0000" in text else given


_u = table_of(Understanding).c
# Built once: they belong to every turn. The first understanding of a message stays.
_WRITE = {
    "sqlite": sqlite.insert(table_of(Understanding)).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(table_of(Understanding)).on_conflict_do_nothing(),
}
_LAST = (
    select(_u.message_id)
    .where(_u.conversation_id == bindparam("conversation"), _u.message_id != bindparam("message"))
    .order_by(_u.at.desc())
    .limit(1)
)
_PERSON_NEXT = update(table_of(Understanding)).where(_u.message_id == _LAST.scalar_subquery()).values(person_next=True)
_OF = select(Understanding).where(_u.message_id.in_(bindparam("messages", expanding=True)))


async def write_understanding(
    session: AsyncSession, message_id: str, conversation_id: str, language: str, understood: Understood, now: datetime
) -> None:
    """Keep what a message was taken for; what is kept of it already stays."""
    row = {
        "message_id": message_id,
        "conversation_id": conversation_id,
        "language": language[:2],
        "at": now,
        **understood.model_dump(mode="json"),
    }
    await session.execute(_WRITE[session.get_bind().dialect.name], row)


async def note_person_next(session: AsyncSession, conversation_id: str, message_id: str) -> None:
    """The message before `message_id` was followed by the wish for a person."""
    await session.execute(_PERSON_NEXT, {"conversation": conversation_id, "message": message_id})


async def understandings_of(session: AsyncSession, messages: list[str]) -> dict[str, Understanding]:
    """What is kept of these messages, by their ids."""
    if not messages:
        return {}
    return {row.message_id: row for row in await session.scalars(_OF, {"messages": messages})}
