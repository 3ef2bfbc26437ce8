"""`/api/v1/notices`: what was told to whom, and who wants none."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from api.db.idempotency import once, require_key
from api.deps import Now, ReadSession, SettingsDep, Staff, WriteSession
from api.notices.opt_outs import opt_out
from api.notices.tables import Notice
from api.paging import Limit, Page, newest_first
from api.phones import Phone, e164
from api.privacy import mask_phone

router = APIRouter(prefix="/notices", tags=["notices"])
Key = Annotated[str, Depends(require_key)]
State = Literal["pending", "sent", "dropped", "refused"]


class NoticeOut(BaseModel):
    """A notice; the recipient is masked."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    kind: Literal["restored", "expected", "repaired"]
    outage_id: str | None
    ticket_number: str | None
    channel: str
    recipient: str
    language: str
    conversation_id: str | None
    state: State
    why: str
    due_at: datetime
    created_at: datetime
    sent_at: datetime | None


class NewOptOut(BaseModel):
    """A number that is not to be called, or (`all`) not to be written to either."""

    phone: Phone = Field(min_length=5, max_length=40)
    what: Literal["calls", "all"] = "all"


class Done(BaseModel):
    done: bool = True


def shown(notice: Notice) -> NoticeOut:
    out = NoticeOut.model_validate(notice)
    out.recipient = mask_phone(notice.recipient) if notice.channel != "wechat" else f"{notice.recipient[:4]}…"
    return out


@router.get("")
async def index(
    _staff: Staff,
    session: ReadSession,
    outage_id: str | None = None,
    ticket_number: str | None = None,
    state: State | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[NoticeOut]:
    """Notices, newest first."""
    query = select(Notice)
    for column, wanted in ((Notice.outage_id, outage_id), (Notice.ticket_number, ticket_number), (Notice.state, state)):
        if wanted is not None:
            query = query.where(column == wanted)
    rows, following = await newest_first(session, query, Notice.created_at, Notice.id, limit, cursor)
    return Page(items=[shown(row) for row in rows], next=following)


@router.post("/opt-outs", status_code=201, response_model=Done)
async def add_opt_out(
    request: Request,
    body: NewOptOut,
    caller: Staff,
    key: Key,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:
    """Keep that somebody wants no more notices or surveys; his number is kept as a keyed hash."""

    async def do() -> dict[str, Any]:
        await opt_out(session, settings, e164(body.phone), body.what, now)
        return Done().model_dump()

    return await once(session, request, key, caller.name, now, do)
