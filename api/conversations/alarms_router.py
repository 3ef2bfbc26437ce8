"""`/api/v1/alarms`: messages that spoke of danger, and who saw to them."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select

from api.conversations import alarms, ownership
from api.conversations.schemas import Acting, AlarmOut
from api.conversations.tables import Alarm
from api.db.idempotency import once, require_key
from api.deps import Now, ReadSession, Staff, WriteSession
from api.paging import Limit, Page, newest_first

router = APIRouter(prefix="/alarms", tags=["conversations"])
Key = Annotated[str, Depends(require_key)]


@router.get("")
async def raised(
    _staff: Staff, session: ReadSession, unseen: bool = False, limit: Limit = 50, cursor: str | None = None
) -> Page[AlarmOut]:
    """Messages that spoke of danger, newest first; `owner` agent: nothing was sent, that agent must act."""
    query = select(Alarm)
    if unseen:
        query = query.where(Alarm.acknowledged_at.is_(None))
    rows, following = await newest_first(session, query, Alarm.at, Alarm.id, limit, cursor)
    return Page(items=[AlarmOut.model_validate(row) for row in rows], next=following)


@router.post("/{alarm_id}/seen", response_model=AlarmOut)
async def seen(
    alarm_id: str, body: Acting, request: Request, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Say that somebody sees to it; who said so first stays."""

    async def do() -> dict[str, Any]:
        agent = await ownership.acting_agent(session, caller, body.agent)
        own = caller.kind == "agent" and caller.role not in ownership.SUPERVISORS
        alarm = await alarms.see(session, alarm_id, agent.id if agent else None, now, own=own)
        return AlarmOut.model_validate(alarm).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)
