"""Follow-up calls: scheduling, answering, reporting (D8, D9). Functions take a session and never commit."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import structlog
import yaml
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.sentences import fact
from api.db.base import new_id
from api.errors import Problem
from api.notices.opt_outs import opted_out
from api.notices.rules import as_data, periods, rest_ends
from api.outbox.queue import enqueue
from api.outbox.tables import Delivery
from api.phones import e164
from api.settings import Settings
from api.surveys import rules
from api.surveys.rules import Question
from api.surveys.tables import Survey, SurveyAnswer
from api.tickets.schemas import TicketChange
from api.tickets.service import change_ticket, record
from api.tickets.tables import Ticket

log = structlog.get_logger(__name__)
#: Nothing is added to these any more.
ENDED = ("done", "partial", "refused", "failed")


@cache
def texts() -> dict[str, Any]:
    """All of questions.yml."""
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("questions.yml").read_text(encoding="utf-8"))
    return loaded


@cache
def all_questions() -> tuple[Question, ...]:
    return tuple(Question.of(data) for data in texts()["questions"])


async def schedule(session: AsyncSession, settings: Settings, ticket: Ticket, now: datetime) -> Survey:
    """Plan the one follow-up call about a ticket whose customer knows its end, outside rest hours.

    Problem 409: `too-early`, `no-phone`, `survey-exists`, `opted-out`, `telephone-off`.
    """
    if not (settings.voice_on and settings.twilio_from):
        raise Problem(409, "telephone-off", "This desk is not configured to make calls.")
    if ticket.status not in rules.ASKABLE:
        raise Problem(409, "too-early", f"A ticket that is {ticket.status} is not followed up yet.")
    try:
        number = e164(ticket.contact_phone)
    except ValueError as error:
        raise Problem(409, "no-phone", "This ticket has no telephone number.") from error
    if await session.scalar(select(Survey.id).where(Survey.ticket_number == ticket.number)) is not None:
        raise Problem(409, "survey-exists", "This ticket was or will be followed up already.")
    if await opted_out(session, settings, number, "call"):
        raise Problem(409, "opted-out", "This customer does not want follow-up calls.")
    resting = periods(await fact(session, "rest_hours"))
    survey = Survey(
        id=new_id("sv"),
        ticket_number=ticket.number,
        utility=ticket.utility,
        language="en" if ticket.language == "en" else "zh",
        due_at=rest_ends(now, resting, settings.zone),
        created_at=now,
    )
    session.add(survey)
    await session.flush()
    survey.delivery_id = await enqueue(
        session,
        "call",
        number,
        {"survey": survey.id, "language": survey.language, "rest": as_data(resting)},
        now,
        key=f"survey:{ticket.number}",
        purpose="survey",
        not_before=survey.due_at,
    )
    await session.flush()
    log.info("survey.scheduled", survey=survey.id, ticket=ticket.number)
    return survey


async def questions_of(session: AsyncSession, survey: Survey) -> list[Question]:
    ticket = await session.get_one(Ticket, survey.ticket_number)
    return rules.questions_for(all_questions(), survey.utility, ticket.kind)


async def answers_of(session: AsyncSession, survey_id: str) -> list[SurveyAnswer]:
    query = select(SurveyAnswer).where(SurveyAnswer.survey_id == survey_id)
    return list(await session.scalars(query.order_by(SurveyAnswer.at, SurveyAnswer.question)))


async def keep_answer(
    session: AsyncSession, survey: Survey, question: str, score: int | None, words: str, now: datetime
) -> None:
    """Keep an answer; the first one to a question stands."""
    if await session.get(SurveyAnswer, (survey.id, question)) is None:
        session.add(
            SurveyAnswer(
                survey_id=survey.id, question=question, score=score, words=words[: rules.LONGEST_WORDS], at=now
            )
        )
        await session.flush()


async def end(session: AsyncSession, survey: Survey, now: datetime, state: str | None = None) -> None:
    """End a survey with what was answered, and tell its ticket; one that has ended stays as it is."""
    if survey.state in ENDED:
        return
    answers = await answers_of(session, survey.id)
    scores = {answer.question: answer.score for answer in answers if answer.score is not None}
    asked = sum(question.kind == "score" for question in await questions_of(session, survey))
    survey.state, survey.ended_at = state or rules.ended_as(len(scores), asked), now
    said = next((answer.words for answer in answers if answer.words), "")
    data = {"survey": survey.state, "scores": scores, "suggestion": said}
    await record(session, survey.ticket_number, "survey", "desk", now, {k: v for k, v in data.items() if v})
    ticket = await session.get(Ticket, survey.ticket_number, with_for_update=True)
    if survey.state == "done" and ticket is not None and ticket.status == "customer_informed":
        await change_ticket(session, ticket, TicketChange(status="followed_up"), "desk", now)
    await session.flush()


async def call_ended(session: AsyncSession, delivery: Delivery, answered: bool, now: datetime) -> None:
    """The survey's call is over: hung up half-way, declined by hanging up, or nobody was reached."""
    query = select(Survey).where(Survey.delivery_id == delivery.id).with_for_update()
    survey = await session.scalar(query)
    if survey is not None:
        await end(session, survey, now, None if answered else "failed")


async def figures(session: AsyncSession, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    """Counts by state, and for each scored question how many answered, the mean and how often each score (D9)."""
    period = [*([Survey.created_at >= since] if since else []), *([Survey.created_at < until] if until else [])]
    states = await session.execute(
        select(Survey.state, func.count().label("surveys")).where(*period).group_by(Survey.state)
    )
    query = (
        select(SurveyAnswer.question, SurveyAnswer.score, func.count())
        .join(Survey, Survey.id == SurveyAnswer.survey_id)
        .where(SurveyAnswer.score.is_not(None), *period)
        .group_by(SurveyAnswer.question, SurveyAnswer.score)
    )
    counts: dict[str, dict[int, int]] = {}
    for question, score, count in await session.execute(query):
        counts.setdefault(question, {})[int(score or 0)] = count
    return {
        "states": {row.state: row.surveys for row in states},
        "questions": [
            rules.summary(question.id, counts.get(question.id, {}))
            for question in all_questions()
            if question.kind == "score"
        ],
    }
