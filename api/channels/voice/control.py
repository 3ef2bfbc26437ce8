"""What an agent, or the desk itself, does to a call that is going on: hold, take up again, hang up, follow its owner.

Only taking a call away from an agent's phone and ending it need the vendor (`TwilioRest.update`). What is asked is on
file, as `Call.asked`, before the vendor is; it has come about when the vendor's own webhook says so. Where the vendor's
answer is lost nothing is asked again by a program: the agent sees that it is not known, and what the call does.

A call that is sent elsewhere while it is in a <Dial> stays in progress, and who was dialled is hung up; Twilio asks the
<Dial>'s `action` first, with DialCallStatus `completed`, and runs nothing of its answer, then the new address
(https://twilio.com/changelog/changes-to-dial-behavior-for-enhanced-programmable-sip-feature-accounts; measured in
https://github.com/qisoft/i-hate-making-calls/issues/25: 0.3 and 0.7 s later). For Twilio a call whose <Dial> still
rings is in progress (https://www.twilio.com/docs/api/rest/change-call-state).
"""

from datetime import datetime
from typing import Any, Literal

import httpx
import structlog
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.audit.service import record
from api.channels.base import Outcome, Refused, Retry, Sent
from api.channels.voice import hold, legs, person, steps
from api.channels.voice.ending import hung_up
from api.channels.voice.moment import Moment
from api.channels.voice.rest import TwilioRest
from api.channels.voice.tables import Call
from api.channels.voice.twiml import Links
from api.chores import again_and_again
from api.conversations import ownership
from api.conversations.bell import QUEUE
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.deps import Caller, Clock
from api.errors import Problem
from api.settings import Settings

log = structlog.get_logger(__name__)

Act = Literal["hold", "resume", "hangup"]
#: In which states of the agent's phone an act means something.
ALLOWED: dict[Act, tuple[str, ...]] = {
    "hold": ("talking",),
    "resume": ("held", "ended"),
    "hangup": (*legs.LIVE, "held", "written", "ended"),
}
#: The call is not in progress (https://www.twilio.com/docs/api/errors/21220: ours were answered before they can be
#: controlled, so it has ended), or not known any more (…/20404).
OVER = ("21220", "20404")
#: Seconds between looks at calls whose owner has changed.
PERIOD = 3.0
AT_ONCE = 50


async def live_call(session: AsyncSession, conversation_id: str) -> Call | None:
    """The conversation's call that is not over."""
    query = select(Call).where(Call.conversation_id == conversation_id, Call.ended_at.is_(None))
    return await session.scalar(query.order_by(Call.created_at.desc(), Call.sid).limit(1))


async def do(
    database: Database,
    settings: Settings,
    caller: Caller,
    conversation_id: str,
    act: Act,
    now: datetime,
    transport: httpx.AsyncBaseTransport | None = None,
) -> None:
    """Do it to the conversation's call, for the agent whose it is, or a supervisor.

    Problem 409 `no-call`, `not-now` or `control-under-way` where it cannot be done, 502 `call-refused` or 503
    `telephone-away` where the vendor did not do it, 504 `call-unknown` where nobody can tell.
    """
    if not settings.voice_on:
        raise Problem(409, "telephone-off", "This desk is not configured to make calls.")
    async with database.write() as session, session.begin():
        agent = await session.get(Agent, caller.agent_id) if caller.agent_id else None
        conversation = await ownership.owned(session, conversation_id, caller, agent)
        call = await live_call(session, conversation_id)
        if call is None:
            raise Problem(409, "no-call", "There is no call any more.")
        if call.leg_state not in ALLOWED[act]:
            raise Problem(409, "not-now", "The call is not where this can be done.", state=call.leg_state)
        if legs.pending(call, now):
            raise Problem(409, "control-under-way", "Something was asked of this call a moment ago.", asked=call.asked)
        legs.ask(call, conversation, act, now)
        record(session, caller.name, f"call.{act}", f"conversation:{conversation_id}", now)
        sid, leg = call.sid, call.leg
    if act == "resume":
        return  # the loop in which the caller waits sees it
    outcome = await _tell(settings, sid, act, leg, transport)
    over = await _settle(database, sid, act, outcome, now)
    if over and act == "hangup":
        return
    match outcome:
        case Sent():
            return
        case Refused():
            raise Problem(502, "call-over" if over else "call-refused", f"The telephone service refused: {outcome.why}")
        case Retry():
            raise Problem(503, "telephone-away", f"The telephone service did not take it: {outcome.why}")
        case _:
            raise Problem(504, "call-unknown", "Nobody can tell whether the telephone service did it.")


async def _tell(
    settings: Settings, sid: str, act: str, leg: int, transport: httpx.AsyncBaseTransport | None
) -> Outcome:
    """Ask Twilio to end a call, or to take it away from the agent's phone."""
    form: dict[str, Any] = {"Status": "completed"}
    if act != "hangup":
        base, prefix = settings.public_url.rstrip("/"), Links.of(settings).prefix
        url = base.removesuffix(prefix) + Links.of(settings)("moved", act=act, leg=leg)
        form = {"Url": url, "Method": "POST"}
    rest = TwilioRest(settings, "Calls", transport)
    try:
        return await rest.update(sid, form)
    finally:
        await rest.close()


async def _settle(database: Database, sid: str, act: str, outcome: Outcome, now: datetime) -> bool:
    """Keep what the vendor made of it; True where it says that the call is over, and nobody told us."""
    if isinstance(outcome, Sent):
        return False
    over = isinstance(outcome, Refused) and outcome.why.startswith(OVER)
    async with database.write() as session, session.begin():
        found = await steps.locked_call(session, sid)
        if found is None:
            return over
        call, conversation = found
        if over:
            await hung_up(session, call, conversation, now)
        elif call.asked == act:  # its webhook may have been faster than its answer
            if isinstance(outcome, Retry) or (isinstance(outcome, Refused) and act != "move"):
                legs.nothing_asked(call)
            else:
                call.asked_error = ("refused " if isinstance(outcome, Refused) else "unknown ") + outcome.why[:40]
            legs.tell(call, conversation)
    return over


async def moved(at: Moment, act: str, leg: int) -> None:
    """The call has been taken away from the agent's phone: it is held, or follows its conversation."""
    call, conversation = at.call, at.conversation
    mine = conversation.owner == "agent" and conversation.agent_id == call.agent_id
    if leg != call.leg or call.leg_state not in legs.LIVE:
        at.script.redirect(at.url("resumed"))
    elif act == "hold" and mine:
        hold.hold(at)
    else:
        legs.move(call, conversation, "ended", at.now)
        await person.go_on(at)


async def follow(
    database: Database, settings: Settings, now: datetime, transport: httpx.AsyncBaseTransport | None = None
) -> int:
    """Take calls away from the phones of agents whose they are not any more; how many were asked for.

    Each leg is asked for once: where the vendor refuses or its answer is lost, it follows when that agent hangs up.
    """
    astray = or_(Conversation.owner != "agent", Conversation.agent_id != Call.agent_id)
    query = select(Call.sid).join(Conversation, Conversation.id == Call.conversation_id)
    query = query.where(Call.ended_at.is_(None), Call.leg_state.in_(legs.LIVE), Call.asked != "move", astray)
    async with database.read() as session:
        found = (await session.scalars(query.order_by(Call.created_at).limit(AT_ONCE))).all()
    asked = 0
    for sid in found:
        async with database.write() as session, session.begin():
            pair = await steps.locked_call(session, sid)
            if pair is None or not _astray(*pair) or legs.pending(pair[0], now):
                continue
            legs.ask(pair[0], pair[1], "move", now)
            leg = pair[0].leg
        outcome = await _tell(settings, sid, "move", leg, transport)
        await _settle(database, sid, "move", outcome, now)
        log.info("voice.followed", outcome=type(outcome).__name__)
        asked += 1
    return asked


def _astray(call: Call, conversation: Conversation) -> bool:
    elsewhere = conversation.owner != "agent" or conversation.agent_id != call.agent_id
    return elsewhere and call.ended_at is None and call.leg_state in legs.LIVE and call.asked != "move"


async def keep_calls_following(settings: Settings, database: Database, clock: Clock) -> None:
    """The front desk's background task for it; nothing to do where the telephone is off."""
    if not settings.voice_on:
        return

    async def look() -> None:
        await follow(database, settings, clock())

    await again_and_again("calls", look, PERIOD, key=QUEUE)
