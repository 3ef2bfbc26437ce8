"""Lists: `{"items": […], "next": <cursor or null>}`; a cursor is the sort key of the last item, opaque to callers."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel

from api.errors import Problem

MAX_LIMIT = 200
Item = TypeVar("Item")


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
