"""What customers answered in follow-up calls, in figures and words, for supervisors (D8, D9)."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select

from api.console.pages import render
from api.console.quality import moments, period
from api.console.session import Me
from api.deps import Now, ReadSession, SettingsDep
from api.surveys import service
from api.surveys.tables import Survey, SurveyAnswer

router = APIRouter()
MOST_WORDS = 50


@router.get("/console/surveys")
async def page(
    request: Request,
    me: Me,
    session: ReadSession,
    settings: SettingsDep,
    now: Now,
    first: Annotated[str, Query(max_length=10)] = "",
    last: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Figures of a period, and what customers said."""
    days = period(first, last, now, settings.zone)
    since, until = moments(*days, settings.zone)
    said = (
        select(SurveyAnswer.words, SurveyAnswer.at, Survey.ticket_number, Survey.language)
        .join(Survey, Survey.id == SurveyAnswer.survey_id)
        .where(SurveyAnswer.words != "", Survey.created_at >= since, Survey.created_at < until)
        .order_by(SurveyAnswer.at.desc(), Survey.id)
        .limit(MOST_WORDS)
    )
    questions = {one.id: one for one in service.all_questions()}
    return render(
        request,
        me,
        "surveys.html",
        first=days[0],
        last=days[1],
        figures=await service.figures(session, since, until),
        questions=questions,
        said=(await session.execute(said)).all(),
    )
