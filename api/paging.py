"""Lists: `{"items": […], "next": <cursor or null>}`; a cursor is the sort key of the last item, opaque to callers."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from api.db.base import MOST_ID, Base
from api.errors import Problem

MAX_LIMIT = 200
Item = TypeVar("Item")
Row = TypeVar("Row", bound=Base)


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = None


Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]


def cursor_of(at: datetime, item_id: str) -> str:
    """The cursor after the item with this time and id."""
    return base64.urlsafe_b64encode(f"{at.isoformat()}|{item_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """Time and id out of a cursor; Problem 422 where it is not one of ours."""
    try:
        at, _, item_id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().partition("|")
        moment = datetime.fromisoformat(at)
    except (ValueError, binascii.Error) as error:
        raise Problem(422, "invalid", "This cursor is not valid.") from error
    if moment.tzinfo is None:
        raise Problem(422, "invalid", "This cursor is not valid.")
    return moment, item_id


async def newest_first(
    session: AsyncSession,
    query: Select[Row],
    at: InstrumentedAttribute[datetime],
    key: InstrumentedAttribute[Any],
    limit: int,
    cursor: str | None,
) -> tuple[Sequence[Row], str | None]:
    """At most `limit` rows of the query after the cursor, by `at` and then `key`, latest first; the next cursor."""
    if cursor:
        moment, text = read_cursor(cursor)
        last: Any = text
        if key.type.python_type is int:
            last = min(int(text), MOST_ID) if text.isascii() and text.isdigit() else 0
        query = query.where((at < moment) | ((at == moment) & (key < last)))
    rows = (await session.scalars(query.order_by(at.desc(), key.desc()).limit(limit + 1))).all()
    following = None
    if len(rows) > limit:
        end = rows[limit - 1]
        following = cursor_of(getattr(end, at.key), str(getattr(end, key.key)))
    return rows[:limit], following
