"""The follow-up call itself: an apology, one question after another with the keys 1 to 5, a wish at the end (D8)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.keys import asks_again, asks_slower
from api.channels.voice.signature import Form
from api.channels.voice.twiml import Script
from api.notices.opt_outs import opt_out
from api.outbox.tables import Delivery
from api.settings import Settings
from api.surveys import rules, service
from api.surveys.rules import Question
from api.surveys.tables import Survey
from api.tickets.tables import Ticket

#: How often a question is put that gets no answer, before the next one.
TRIES = 2
_YES = re.compile(r"好|可以|愿意|行|是|嗯|\b(?:yes|yeah|ok|okay|sure|fine)\b", re.IGNORECASE)
_NO = re.compile(r"不|没空|没时间|忙|\b(?:no|not|busy)\b", re.IGNORECASE)


@dataclass
class SurveyStep:
    """One step of the call: its survey is locked, `script` is what will be answered."""

    session: AsyncSession
    settings: Settings
    script: Script
    survey: Survey
    delivery: Delivery
    now: datetime

    def say(self, key: str, **values: object) -> None:
        language = self.survey.language
        self.script.line(service.texts()[key][language].format(**values), language)

    def url(self, question: int, tries: int) -> str:
        return self.script.links("survey", survey=self.survey.id, q=str(question), t=str(tries))


async def step_of(
    session: AsyncSession, settings: Settings, script: Script, survey_id: str, now: datetime
) -> SurveyStep | None:
    """The step of a survey that is still to be answered; None where there is none such."""
    survey = await session.scalar(select(Survey).where(Survey.id == survey_id).with_for_update())
    if survey is None or survey.state in service.ENDED:
        return None
    delivery = await session.get(Delivery, survey.delivery_id) if survey.delivery_id else None
    return SurveyStep(session, settings, script, survey, delivery, now) if delivery is not None else None


async def begin(step: SurveyStep, name: str, tries: int = 0) -> None:
    """Say who calls and why, apologise, and ask whether the customer has a minute."""
    ticket = await step.session.get_one(Ticket, step.survey.ticket_number)
    matter = service.texts()["matter"][ticket.kind][step.survey.language]
    with step.script.gather(step.url(0, tries + 1), step.survey.language, keys=1):
        step.say("opening", name=name, matter=matter)


def wants_again(keys: str, speech: str) -> bool:
    return keys == "*" or (not keys and (asks_again(speech) or asks_slower(speech)))


async def after_opening(step: SurveyStep, form: Form, name: str, tries: int) -> None:
    keys, speech = form.get("Digits"), form.get("SpeechResult")
    if keys == "9":
        await opt_out(step.session, step.settings, step.delivery.recipient, "calls", step.now)
        await over(step, "no_more", "refused")
    elif keys == "1" or (not keys and _YES.search(speech) and not _NO.search(speech)):
        step.survey.state = "answering"
        await ask(step, await service.questions_of(step.session, step.survey), 1, 0)
    elif wants_again(keys, speech) or (not keys and not speech and tries < TRIES):
        await begin(step, name, tries)
    else:
        await over(step, "declined", "refused")


async def ask(step: SurveyStep, questions: Sequence[Question], number: int, tries: int, *, again: bool = False) -> None:
    """Put question `number` (from 1), `again` as the customer wished; after the last one, say goodbye."""
    if number > len(questions):
        await over(step, "closing")
        return
    question, language = questions[number - 1], step.survey.language
    with step.script.gather(step.url(number, tries + 1), language, keys=1, timeout=8):
        if tries and not again:
            step.say("not_understood")
        step.script.line(question.en if language == "en" else question.zh, language)
        if question.kind == "score" and (number == 1 or tries):
            step.say("scale")


async def after_question(step: SurveyStep, form: Form, number: int, tries: int) -> None:
    """Keep the answer to question `number`, and put the next one."""
    questions = await service.questions_of(step.session, step.survey)
    if not 0 < number <= len(questions):
        await over(step, "closing")
        return
    question = questions[number - 1]
    keys, speech = form.get("Digits"), form.get("SpeechResult")
    if wants_again(keys, speech):
        await ask(step, questions, number, tries, again=True)
        return
    if question.kind == "words":
        if speech:
            await service.keep_answer(step.session, step.survey, question.id, None, speech, step.now)
        await ask(step, questions, number + 1, 0)
        return
    score = rules.score_of(keys, speech)
    if score is None:
        if tries <= TRIES:
            await ask(step, questions, number, tries)
        else:
            await ask(step, questions, number + 1, 0)
        return
    earlier = await service.answers_of(step.session, step.survey.id)
    await service.keep_answer(step.session, step.survey, question.id, score, "", step.now)
    if score <= rules.GRIEVANCE and not any((each.score or 9) <= rules.GRIEVANCE for each in earlier):
        step.say("low_score")
    await ask(step, questions, number + 1, 0)


async def over(step: SurveyStep, key: str, state: str | None = None) -> None:
    await service.end(step.session, step.survey, step.now, state)
    step.say(key)
    step.script.hangup()
