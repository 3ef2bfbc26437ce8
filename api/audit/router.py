"""`/api/v1/audit`: who read or did what, for admins."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from api.audit import service
from api.deps import ReadSession
from api.paging import Limit, Page

router = APIRouter(prefix="/audit", tags=["audit"])
Name = Annotated[str | None, Query(max_length=120)]


class EntryOut(BaseModel):
    """An entry of the log. `hash` covers it and the entry before; `python -m mainsdesk audit verify` checks them."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    details: dict[str, Any]
    hash: str


@router.get("")
async def entries(
    session: ReadSession,
    by: Name = None,
    subject: Name = None,
    since: AwareDatetime | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[EntryOut]:
    """The log, newest first. `by` is e.g. `agent:ag_…` or `service`, `subject` e.g. `conversation:cv_…`."""
    rows, following = await service.listed(session, by=by, subject=subject, since=since, limit=limit, cursor=cursor)
    return Page(items=[EntryOut.model_validate(row) for row in rows], next=following)
