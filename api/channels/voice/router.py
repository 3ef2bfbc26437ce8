"""`POST /voice/incoming` and `/voice/turn`: a call, step by step."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Query, Response

from api.channels.voice import prompts, steps, turns
from api.channels.voice.hooks import Hook, key_of
from api.channels.voice.signature import Form, SignedForm
from api.channels.voice.twiml import respond
from api.deps import DatabaseDep, Now, SettingsDep
from api.errors import Problem

router = APIRouter(prefix="/voice", tags=["telephone"])
log = structlog.get_logger(__name__)

#: Apologies after which work that breaks (and is not just slow) is given up.
MOST_BROKEN = 3

Count = Annotated[int, Query(ge=0, le=100_000)]
Lang = Annotated[Literal["zh", "en"] | None, Query()]


@router.post("/incoming", response_class=Response)
async def incoming(
    form: SignedForm, settings: SettingsDep, database: DatabaseDep, now: Now, sorry: Count = 0
) -> Response:
    """A call comes in."""
    hook = Hook(settings, database, _of_a_call(form), now, sorry=sorry)
    onward = hook.links("incoming", sorry=sorry + 1)
    return await _answered(hook, "incoming", lambda: turns.incoming(hook), onward, None)


@router.post("/turn", response_class=Response)
async def turn(
    form: SignedForm,
    settings: SettingsDep,
    database: DatabaseDep,
    now: Now,
    step: Annotated[int | None, Query(ge=0, le=100_000)] = None,
    wait: Count = 0,
    sorry: Count = 0,
    back: bool = False,
    lang: Lang = None,
) -> Response:
    """The caller said something, keyed something, or neither. `step` is the question's number."""
    hook = Hook(settings, database, _of_a_call(form), now, step, wait, sorry, back)
    onward = hook.links("turn", step=step, lang=lang, wait=wait or None, sorry=sorry + 1)
    if step is None:
        return await _answered(hook, f"turn?{form.body_hash}", lambda: turns.turn(hook), onward, lang)
    key = key_of(step, wait)
    if sorry and not steps.running(database, hook.sid, key):
        return await _answered(hook, f"{key}:s{sorry}", lambda: turns.after_apology(hook, step), onward, lang)
    if wait:
        return await _answered(hook, key, lambda: turns.waited(hook, step), onward, lang)
    return await _answered(hook, key, lambda: turns.turn(hook), onward, lang)


def _of_a_call(form: Form) -> Form:
    if not form.call_sid or len(form.call_sid) > 40:
        raise Problem(422, "call-required", "The form names no call.")
    return form


async def _answered(
    hook: Hook, key: str, work: Callable[[], Coroutine[Any, Any, str]], onward: str, language: str | None
) -> Response:
    """The step's TwiML, or an apology with a redirect to `onward`."""
    apology = prompts.apology(hook.links, onward, language, hook.form.get("SpeechResult"))
    late = apology if hook.sorry < prompts.MOST_SORRY else prompts.farewell(hook.links, language)
    try:
        return respond(await steps.in_time(hook.database, hook.sid, key, work, late))
    except Exception:
        log.exception("voice.broken", step=key)
        return respond(apology if hook.sorry < MOST_BROKEN else prompts.farewell(hook.links, language))
