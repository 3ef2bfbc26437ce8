"""The console's stream of server-sent events: hints, by which the page fetches fragments afresh.

A hint holds no data, so none can be lost or doubled: at every connection all of them are sent once, and a fragment is
always the present state (or, for lines, what comes after the last one shown).
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.console.session import Me, SignedIn, find_sign_in, given_cookie, note_act
from api.conversations.bell import ALARMS, BULLETINS, QUEUE, TICKETS, agent_key, bell, list_key
from api.db.engine import Database
from api.deps import Clock, DatabaseDep, SettingsDep
from api.settings import Settings

router = APIRouter()
#: Seconds between checks that the sign-in still holds.
CHECK = 15.0
#: Seconds by which hints about lists that many people touch are held together.
CALM = 1.0
CALMED = (QUEUE, TICKETS)


@router.get("/console/_/events", response_class=EventSourceResponse)
async def events(
    request: Request,
    me: Me,
    database: DatabaseDep,
    settings: SettingsDep,
    c: Annotated[str, Query(max_length=40)] = "",
) -> EventSourceResponse:
    """Hints `queue`, `alarms`, `bulletins`, `tickets`, `mine`, `list`, and `lines` of `c`; `signed-out` ends."""
    cookie = given_cookie(request)
    clock: Clock = request.app.state.clock
    return EventSourceResponse(
        hints(database, settings, clock, me, cookie, c),
        ping=10,
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def hints(
    database: Database, settings: Settings, clock: Clock, me: SignedIn, cookie: str, conversation_id: str
) -> AsyncIterator[ServerSentEvent]:
    """The hints for one page."""
    names = {QUEUE: "queue", ALARMS: "alarms", BULLETINS: "bulletins", TICKETS: "tickets"}
    names[agent_key(me.agent.id)], names[list_key(me.agent.id)] = "mine", "list"
    if conversation_id:
        names[conversation_id] = "lines"
    loop = asyncio.get_running_loop()
    checked, calm_until = loop.time(), dict.fromkeys(CALMED, 0.0)
    with bell.listen_to(names) as rung:
        for key in names:
            rung[key].set()
        while True:
            for key, event in rung.items():
                if key not in CALMED and event.is_set():
                    event.clear()
                    yield ServerSentEvent(data="", event=names[key])
            wait, held = CHECK, set[str]()
            for key in CALMED:
                if rung[key].is_set() and (left := calm_until[key] - loop.time()) > 0:
                    held.add(key)
                    wait = min(wait, left)
                elif rung[key].is_set():
                    rung[key].clear()
                    calm_until[key] = loop.time() + CALM
                    yield ServerSentEvent(data="", event=names[key])
            if loop.time() - checked >= CHECK:
                checked = loop.time()
                if await find_sign_in(database, settings, cookie, clock()) is None:
                    yield ServerSentEvent(data="", event="signed-out")
                    return
                await note_act(database, me.token_hash, clock(), acted=False)
            await rung.first(wait, held)
