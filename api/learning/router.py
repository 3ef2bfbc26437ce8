"""/api/v1/misunderstood: wordings that the bot did not understand, for supervisors to review."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request

from api.db.idempotency import once, require_key
from api.deps import Caller, CurrentCaller, Now, ReadSession, SettingsDep, WriteSession
from api.errors import Problem
from api.learning import reviewed, service
from api.learning.schemas import IntentsOut, MisunderstoodOut, Review, Reviewed
from api.paging import Limit, Page

router = APIRouter(prefix="/misunderstood", tags=["learning"])
Key = Annotated[str, Depends(require_key)]
ROLES = ("supervisor", "admin")


async def reviewer(caller: CurrentCaller) -> Caller:
    """A supervisor, an admin, or the service token; 403 for others."""
    if caller.kind == "service" or (caller.kind == "agent" and caller.role in ROLES):
        return caller
    raise Problem(403, "forbidden", "Only supervisors may do this.")


Reviewer = Annotated[Caller, Depends(reviewer)]


@router.get("")
async def misunderstood(
    _reviewer: Reviewer,
    session: ReadSession,
    below: Annotated[float, Query(ge=0, le=1)] = service.UNSURE,
    language: Literal["zh", "en"] | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[MisunderstoodOut]:
    """Wordings not reviewed yet, newest first: the bot asked back, was less sure than `below`, or the customer asked
    for a person right after."""
    items, following = await service.misunderstood(session, below=below, language=language, limit=limit, cursor=cursor)
    return Page(items=items, next=following)


@router.get("/intents")
async def intents(_reviewer: Reviewer) -> IntentsOut:
    """What a wording can be reviewed as, beside `none`."""
    return IntentsOut(items=list(reviewed.intents()))


@router.post("/{message_id}", response_model=Reviewed)
async def review(
    message_id: str,
    body: Review,
    request: Request,
    caller: Reviewer,
    key: Key,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:
    """Settle what a wording means; unless `none`, the next training learns it."""

    async def do() -> dict[str, Any]:
        done = await service.review(session, settings.home, message_id, body.intent, body.text, caller.agent_id, now)
        return done.model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)
