"""`/api/v1/quality`: how conversations were scored. Who may see it: api/access.yml."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from api.deps import ReadSession, Staff
from api.paging import Limit
from api.quality import service

router = APIRouter(prefix="/quality", tags=["quality"])


class ReviewOut(BaseModel):
    """A review: points by criterion (2, 1, 0, null where it did not come up), and what they come to in percent."""

    id: str
    conversation_id: str
    agent: str
    reviewer: str
    scores: dict[str, Any]
    total: int
    remark: str
    at: datetime


class ReviewsOut(BaseModel):
    items: list[ReviewOut]


@router.get("")
async def reviews(
    caller: Staff,
    session: ReadSession,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    agent: Annotated[str | None, Query(max_length=60)] = None,
    limit: Limit = 50,
) -> ReviewsOut:
    """Reviews, the latest first; an agent gets his own."""
    own = caller.agent_id if caller.kind == "agent" and caller.role == "agent" else None
    found = await service.reviews(session, since=since, until=until, agent_id=own, username=agent, limit=limit)
    return ReviewsOut(
        items=[
            ReviewOut(
                id=one.review.id,
                conversation_id=one.review.conversation_id,
                agent=one.agent.username,
                reviewer=one.reviewer.username,
                scores=one.review.scores,
                total=one.review.total,
                remark=one.review.remark,
                at=one.review.at,
            )
            for one in found
        ]
    )
