"""What is heard on a call that the desk makes: a notice, a call back, a follow-up."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice import survey_call
from api.channels.voice.calls import hash_of
from api.channels.voice.moment import Moment, words
from api.channels.voice.person import go_on
from api.channels.voice.signature import Form
from api.channels.voice.tables import Call
from api.channels.voice.twiml import Script
from api.conversations import handover
from api.conversations.sentences import fact
from api.conversations.tables import Conversation
from api.conversations.transcript import add_message, lock_conversation
from api.db.base import MOST_ID, new_id
from api.notices.opt_outs import opt_out
from api.outbox.queue import report
from api.outbox.tables import Delivery
from api.settings import Settings
from api.surveys.service import end as end_survey

#: How often a notice is said.
MOST = 4


async def answered(
    session: AsyncSession, settings: Settings, script: Script, form: Form, delivery_id: int, heard: int, now: datetime
) -> None:
    """The customer has picked up (`heard` = 0), or pressed a key after he heard it `heard` times."""
    delivery = await session.get(Delivery, delivery_id) if 0 < delivery_id <= MOST_ID else None
    if delivery is None or delivery.channel != "call":
        script.line(words("unknown_call", "zh"), "zh")
        script.hangup()
        return
    # That the call is there settles a delivery whose answer was lost.
    await report(session, form.call_sid, "sent", now, delivery_id=delivery.id)
    language = "en" if delivery.body.get("language") == "en" else "zh"
    name = await name_of(session, language)
    match delivery.purpose:
        case "survey":
            step = await survey_call.step_of(session, settings, script, str(delivery.body.get("survey")), now)
            if step is None:
                script.hangup()
            else:
                await survey_call.begin(step, name)
        case "callback":
            await call_back(session, settings, script, form, delivery, now)
        case _:
            await notice(session, settings, script, form, delivery, language, name, heard, now)


async def name_of(session: AsyncSession, language: str) -> str:
    """The utility's name, as it introduces itself."""
    value = await fact(session, "name")
    return str(value.get(language, "") if isinstance(value, dict) else "") or words("the_utility", language)


async def call_back(
    session: AsyncSession, settings: Settings, script: Script, form: Form, delivery: Delivery, now: datetime
) -> None:
    """Put the customer through to the agent who calls him back."""
    conversation = await lock_conversation(session, str(delivery.conversation_id))
    if conversation is None:
        script.hangup()
        return
    call = await session.get(Call, form.call_sid)
    if call is None:
        call = new_call(form.call_sid, conversation, delivery.recipient, now)
        session.add(call)
        await session.flush()
    at = Moment(session, settings, script, call, conversation, now)
    at.say("callback_opening", name=await name_of(session, at.language))
    call.told_seq = conversation.last_seq  # what was written before is no news on this call
    await go_on(at)


def new_call(sid: str, conversation: Conversation, number: str, now: datetime) -> Call:
    return Call(
        sid=sid,
        conversation_id=conversation.id,
        direction="outbound",
        number=number,
        step=1,
        state="talk",
        told_seq=conversation.last_seq,
        created_at=now,
    )


async def notice(
    session: AsyncSession,
    settings: Settings,
    script: Script,
    form: Form,
    delivery: Delivery,
    language: str,
    name: str,
    heard: int,
    now: datetime,
) -> None:
    """Say it, and what the keys do: 1 again, 9 no more such calls, 0 a person."""
    text, keys = str(delivery.body.get("text", "")), form.get("Digits")
    if form.get("AnsweredBy").startswith(("machine", "fax")):
        script.line(words("notice_opening", language, name=name), language)
        script.line(text, language)
        script.hangup()
    elif heard and keys == "9":
        await opt_out(session, settings, delivery.recipient, "calls", now)
        script.line(words("no_more_calls", language), language)
        script.hangup()
    elif heard and keys == "0":
        await to_person(session, settings, script, form, delivery, language, text, now)
    elif heard and (keys not in ("1", "*") or heard >= MOST):
        script.line(words("goodbye", language), language)
        script.hangup()
    else:
        onward = script.links("outbound", delivery=delivery.id, heard=heard + 1)
        with script.gather(onward, language, speech=False, keys=1):
            if not heard:
                script.line(words("notice_opening", language, name=name), language)
            script.line(text, language)
            script.line(words("notice_keys", language), language)


async def to_person(
    session: AsyncSession,
    settings: Settings,
    script: Script,
    form: Form,
    delivery: Delivery,
    language: str,
    about: str,
    now: datetime,
) -> None:
    """The call becomes a conversation that waits for an agent, who finds in it what the call was `about`."""
    conversation = Conversation(
        id=new_id("cv"),
        channel="voice",
        language=language,
        source_hash=hash_of(settings, delivery.recipient),
        created_at=now,
    )
    session.add(conversation)
    await session.flush()
    await add_message(session, conversation, "system", about, now)
    await handover.hand_over(session, conversation, "wish", now)
    call = new_call(form.call_sid, conversation, delivery.recipient, now)
    session.add(call)
    await session.flush()
    await go_on(Moment(session, settings, script, call, conversation, now))


async def person_from_survey(step: survey_call.SurveyStep, form: Form) -> None:
    """Who presses 0 in a follow-up call has something to tell; what he answered until then is kept."""
    survey = step.survey
    await end_survey(step.session, survey, step.now)
    about = words("survey_person", survey.language, number=survey.ticket_number)
    await to_person(step.session, step.settings, step.script, form, step.delivery, survey.language, about, step.now)
