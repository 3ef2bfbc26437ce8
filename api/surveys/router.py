"""`/api/v1/surveys`: follow-up calls and what they found."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.idempotency import once, require_key
from api.deps import Now, ReadSession, SettingsDep, Staff, WriteSession
from api.paging import Limit, Page, newest_first
from api.surveys import service
from api.surveys.tables import Survey
from api.tickets.service import find

router = APIRouter(tags=["surveys"])
Key = Annotated[str, Depends(require_key)]
State = Literal["scheduled", "answering", "done", "partial", "refused", "failed"]


class AnswerOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    question: str
    score: int | None
    words: str
    at: datetime


class SurveyOut(BaseModel):
    """A follow-up call; `delivery_id` is the call in `/api/v1/deliveries`."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    ticket_number: str
    utility: Literal["power", "water"]
    language: Literal["zh", "en"]
    state: State
    delivery_id: int | None
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None
    answers: list[AnswerOut] = []


class QuestionFigures(BaseModel):
    question: str
    answers: int
    average: float | None
    scores: dict[str, int]


class Report(BaseModel):
    """Follow-up calls by state, and each question's answers (D9)."""

    states: dict[str, int]
    questions: list[QuestionFigures]


async def shown(session: AsyncSession, survey: Survey) -> SurveyOut:
    out = SurveyOut.model_validate(
        {name: getattr(survey, name) for name in SurveyOut.model_fields if name != "answers"}
    )
    out.answers = [AnswerOut.model_validate(answer) for answer in await service.answers_of(session, survey.id)]
    return out


@router.post("/tickets/{number}/survey", status_code=201, response_model=SurveyOut)
async def schedule(
    number: str,
    request: Request,
    caller: Staff,
    key: Key,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:
    """Plan the follow-up call about a ticket; 409 for a second one, or where it is not to be made."""

    async def do() -> dict[str, Any]:
        ticket = await find(session, number, lock=True)
        survey = await service.schedule(session, settings, ticket, now)
        return (await shown(session, survey)).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)


@router.get("/surveys")
async def index(
    _staff: Staff,
    session: ReadSession,
    state: State | None = None,
    ticket_number: str | None = None,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[SurveyOut]:
    """Follow-up calls with their answers, newest first."""
    query = select(Survey)
    if state is not None:
        query = query.where(Survey.state == state)
    if ticket_number is not None:
        query = query.where(Survey.ticket_number == ticket_number)
    rows, following = await newest_first(session, query, Survey.created_at, Survey.id, limit, cursor)
    return Page(items=[await shown(session, row) for row in rows], next=following)


@router.get("/surveys/report")
async def report(
    _staff: Staff, session: ReadSession, since: AwareDatetime | None = None, until: AwareDatetime | None = None
) -> Report:
    """Figures of the calls planned from `since` to before `until`."""
    return Report(**await service.figures(session, since, until))
