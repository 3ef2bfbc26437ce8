"""`/voice/…` of waiting for a person, of status reports, and of calls that the desk makes."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice import control, hold, legs, outbound, prompts, status, steps, survey_call, waiting, whisper
from api.channels.voice.moment import Moment, words
from api.channels.voice.person import ANSWERS, aside
from api.channels.voice.signature import SignedForm
from api.channels.voice.twiml import Links, Script, respond
from api.deps import Clock, DatabaseDep, Now, SettingsDep
from api.errors import not_found

router = APIRouter(prefix="/voice", tags=["telephone"])
log = structlog.get_logger(__name__)
#: To what is only told.
NOTHING = "<Response/>"
Count = Annotated[int, Query(ge=0, le=100_000)]
Told = Annotated[int, Query(ge=-1, le=100_000)]
Id = Annotated[str, Query(max_length=40)]
Build = Callable[[AsyncSession, Script], Awaitable[None]]


async def _once(
    request: Request, form: SignedForm, settings: SettingsDep, database: DatabaseDep, key: str, build: Build
) -> Response:
    """The TwiML of a step that is done once, however often Twilio asks for it."""
    clock: Clock = request.app.state.clock

    async def make(session: AsyncSession) -> str:
        script = Script(Links.of(settings))
        await build(session, script)
        return script.xml()

    async def work() -> str:
        return await steps.once(database, form.call_sid, key, form.body_hash, clock(), make)

    return await _in_time(request, form, settings, database, key, work)


async def _in_time(
    request: Request,
    form: SignedForm,
    settings: SettingsDep,
    database: DatabaseDep,
    key: str,
    work: Callable[[], Coroutine[Any, Any, str]],
) -> Response:
    """The TwiML of `work`, or an apology that leads back to the same address: the work goes on meanwhile."""
    query = {name: value for name, value in request.query_params.items() if name != "sorry"}
    sorry = request.query_params.get("sorry", "")
    times = int(sorry) if sorry.isdigit() else 0
    links = Links.of(settings)
    onward = links(request.url.path.rpartition("/")[2], **query, sorry=times + 1)
    late = prompts.apology(links, onward, None, form.get("SpeechResult"))
    if times >= prompts.MOST_SORRY:
        late = prompts.farewell(links, None)
    try:
        return respond(await steps.in_time(database, form.call_sid, key, work, late))
    except Exception:
        log.exception("voice.person_broken", step=key)
        return respond(late)


@router.post("/person", response_class=Response)
async def person(
    request: Request,
    form: SignedForm,
    settings: SettingsDep,
    database: DatabaseDep,
    now: Now,
    ask: Id,
    step: Count = 0,
    t: Count = 0,
    n: Count = 0,
) -> Response:
    """Everything that a caller answers while the bot does not own the call. `ask` names the question."""
    answer = ANSWERS.get(ask)
    if answer is None:
        raise not_found("step")

    async def build(session: AsyncSession, script: Script) -> None:
        found = await steps.locked_call(session, form.call_sid)
        if found is None:
            script.line(words("unknown_call", "zh"), "zh")
            script.line(words("unknown_call", "en"), "en")
            script.hangup()
            return
        call, conversation = found
        script.slow = call.slow
        call.step = max(call.step, step + 1)
        at = Moment(session, settings, script, call, conversation, now)
        if not await aside(at, form, ask, t):
            await answer(at, form, n if ask in ("talk", "done") else t)
        await session.flush()

    return await _once(request, form, settings, database, f"person:{step}:{ask}", build)


@router.post("/queue", response_class=Response)
async def queue(
    request: Request,
    form: SignedForm,
    settings: SettingsDep,
    database: DatabaseDep,
    now: Now,
    n: Count = 0,
    told: Told = -1,
) -> Response:
    """One round of waiting; it changes nothing."""

    async def work() -> str:
        script = Script(Links.of(settings))
        async with database.read() as session:
            await waiting.waiting_round(
                session, script, form.call_sid, now, rounds=n, told=told, keys=form.get("Digits")
            )
        return script.xml()

    return await _in_time(request, form, settings, database, f"queue:{n}:{form.get('Digits')}", work)


@router.post("/whisper", response_class=Response)
async def whispered(
    request: Request, form: SignedForm, settings: SettingsDep, database: DatabaseDep, call: Id, leg: Count = 0
) -> Response:
    """What who answers an agent's phone hears: `call` is the caller's, `leg` which time he is put through."""

    async def work() -> str:
        script = Script(Links.of(settings))
        async with database.read() as session:
            await whisper.whisper(session, script, call, leg)
        return script.xml()

    return await _in_time(request, form, settings, database, f"whisper:{call}:{leg}", work)


@router.post("/taken", response_class=Response)
async def taken(
    request: Request,
    form: SignedForm,
    settings: SettingsDep,
    database: DatabaseDep,
    now: Now,
    call: Id,
    leg: Count = 0,
    heard: Annotated[int, Query(ge=0, le=1)] = 0,
) -> Response:
    """The key that was pressed on an agent's phone, or none; then (`heard`) that he is joined with the caller."""

    async def build(session: AsyncSession, script: Script) -> None:
        key = form.get("Digits")
        await whisper.taken(session, script, call, leg, key, now, heard=bool(heard))
        await session.flush()

    return await _once(request, form, settings, database, f"taken:{leg}:{heard}", build)


@router.post("/leg", response_class=Response)
async def picked_up(form: SignedForm, database: DatabaseDep, now: Now, call: Id, leg: Count = 0) -> Response:
    """An agent's phone was answered: `call` is the caller's, `leg` which time he was put through."""

    async def take() -> str:
        async with database.write() as session, session.begin():
            found = await steps.locked_call(session, call)
            if found is not None and form.get("CallStatus") in ("in-progress", "answered"):
                legs.answered(*found, leg, now)
        return NOTHING

    async def work() -> str:
        return await steps.patiently(take)

    return respond(await steps.in_time(database, call, f"leg:{form.body_hash}", work, NOTHING))


@router.post("/moved", response_class=Response)
async def moved(
    request: Request,
    form: SignedForm,
    settings: SettingsDep,
    database: DatabaseDep,
    now: Now,
    act: Id,
    leg: Count = 0,
) -> Response:
    """A call that the desk took away from an agent's phone (api.channels.voice.control) goes on from here."""

    async def build(session: AsyncSession, script: Script) -> None:
        found = await steps.locked_call(session, form.call_sid)
        if found is None:
            script.hangup()
            return
        call, conversation = found
        script.slow = call.slow
        call.step += 1
        await control.moved(Moment(session, settings, script, call, conversation, now), act, leg)
        await session.flush()

    return await _once(request, form, settings, database, f"moved:{act}:{leg}", build)


@router.post("/hold", response_class=Response)
async def held(
    request: Request, form: SignedForm, settings: SettingsDep, database: DatabaseDep, leg: Count = 0, n: Count = 0
) -> Response:
    """One round on hold; it changes nothing."""

    async def work() -> str:
        script = Script(Links.of(settings))
        async with database.read() as session:
            await hold.hold_round(session, script, form.call_sid, leg, n)
        return script.xml()

    return await _in_time(request, form, settings, database, f"hold:{leg}:{n}", work)


@router.post("/status", response_class=Response)
async def report(
    form: SignedForm, database: DatabaseDep, now: Now, delivery: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    """What became of a call or a text message. Answered in time: what a stalled database holds up is recorded later."""

    async def take() -> str:
        async with database.write() as session, session.begin():
            await status.take_status(session, form, delivery, now)
        return NOTHING

    async def work() -> str:
        return await steps.patiently(take)

    sid = form.call_sid or form.get("MessageSid")
    return respond(await steps.in_time(database, sid, f"status:{form.body_hash}", work, NOTHING))


@router.post("/outbound", response_class=Response)
async def called(
    request: Request,
    form: SignedForm,
    settings: SettingsDep,
    database: DatabaseDep,
    now: Now,
    delivery: Annotated[int, Query(ge=0)],
    heard: Count = 0,
) -> Response:
    """Somebody whom the desk calls has picked up, or pressed a key."""

    async def build(session: AsyncSession, script: Script) -> None:
        await outbound.answered(session, settings, script, form, delivery, heard, now)
        await session.flush()

    return await _once(request, form, settings, database, f"outbound:{delivery}:{heard}", build)


@router.post("/survey", response_class=Response)
async def survey(
    request: Request,
    form: SignedForm,
    settings: SettingsDep,
    database: DatabaseDep,
    now: Now,
    survey: Id,
    q: Count = 0,
    t: Count = 0,
) -> Response:
    """An answer of a follow-up call: to whether there is time (`q` = 0), or to question `q`."""

    async def build(session: AsyncSession, script: Script) -> None:
        step = await survey_call.step_of(session, settings, script, survey, now)
        if step is None:
            script.hangup()
        elif form.get("Digits") == "0":
            await outbound.person_from_survey(step, form)
        elif q:
            await survey_call.after_question(step, form, q, t)
        else:
            await survey_call.after_opening(step, form, await outbound.name_of(session, step.survey.language), t)
        await session.flush()

    return await _once(request, form, settings, database, f"survey:{q}:{t}", build)
