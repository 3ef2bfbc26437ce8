"""The supervisor's page: who waits, who works, what is at risk, the day in figures; and what can be done about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.console import lists
from api.console.acts import colleagues
from api.console.forms import in_words
from api.console.pages import render, word
from api.console.session import Me, SignedIn
from api.console.sheet import in_brief
from api.console.timeline import state_of
from api.conversations import figures, supervision
from api.conversations.overview import AtRisk, at_risk
from api.deps import Now, ReadSession, SettingsDep, WriteSession
from api.errors import Problem

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]
#: Where a form of the page says what is wrong with it.
ERRORS = "#act-errors"
LONGEST_WHISPER = 500
#: What the form of an assignment says for nobody in particular; no username is that.
QUEUE = "*"


@dataclass(frozen=True)
class Live:
    """Everything on the page that moves."""

    inbox: lists.Inbox
    risks: dict[str, AtRisk]
    agents: list[figures.AtWork]
    day: figures.Day

    @property
    def present(self) -> int:
        return sum(one.present and one.agent.presence != "away" for one in self.agents)

    @property
    def places(self) -> int:
        """How many more conversations the available agents may take."""
        free = [one for one in self.agents if one.present and one.agent.presence == "available"]
        return sum(max(one.agent.capacity - one.open, 0) for one in free)


async def live_of(session: AsyncSession, me: SignedIn, now: datetime, zone: Any) -> Live:
    risks = await at_risk(session, now)
    return Live(
        await lists.inbox(session, me),
        {risk.conversation_id: risk for risk in risks},
        await figures.at_work(session, now),
        await figures.day(session, figures.midnight(now, zone)),
    )


@router.get("/console/supervisor")
async def page(request: Request, me: Me, session: ReadSession, settings: SettingsDep, now: Now) -> Response:
    found = await live_of(session, me, now, settings.zone)
    return render(request, me, "supervisor.html", live=found, in_brief=in_brief)


@router.get("/console/_/supervisor")
async def live(request: Request, me: Me, session: ReadSession, settings: SettingsDep, now: Now) -> Response:
    """The same as it stands now."""
    found = await live_of(session, me, now, settings.zone)
    return render(request, me, "supervisor_live.html", live=found, in_brief=in_brief)


@router.get("/console/_/risks")
async def risks(request: Request, me: Me, session: ReadSession, now: Now) -> Response:
    """What is at risk, by why, on every page of a supervisor: nothing waits unseen."""
    found = await at_risk(session, now)
    counts = {why: sum(why in risk.why for risk in found) for why in ("danger", "waiting", "unanswered", "nobody")}
    return render(request, me, "supervisor_risks.html", counts=counts, total=len(found))


async def _one(
    request: Request, session: AsyncSession, me: SignedIn, conversation_id: str, now: datetime, done: str = ""
) -> Response:
    state = await state_of(session, conversation_id, me, now)
    found = {risk.conversation_id: risk for risk in await at_risk(session, now)}
    return render(
        request,
        me,
        "supervisor_one.html",
        state=state,
        here=conversation_id,
        risk=found.get(conversation_id),
        colleagues=[one for one in await colleagues(session, me, now) if one.agent.id != state.row.agent_id],
        longest=LONGEST_WHISPER,
        done=done,
    )


@router.get("/console/_/supervisor/{conversation_id}")
async def one(request: Request, conversation_id: Id, me: Me, session: ReadSession, now: Now) -> Response:
    """One conversation and what the supervisor can do with it."""
    return await _one(request, session, me, conversation_id, now)


@router.post("/console/supervisor/{conversation_id}/assign")
async def assign(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    to: Annotated[str, Form(max_length=60)] = "",
    note: Annotated[str, Form(max_length=300)] = "",
    force: Annotated[bool, Form()] = False,
) -> Response:
    """Give it to an agent, or back into the queue (`to` is QUEUE)."""
    queue = to == QUEUE
    supervisor = await session.get_one(Agent, me.agent.id)
    with in_words(me, ERRORS):
        if not to:
            raise Problem(422, "unknown-agent", "Choose an agent.")
        try:
            await supervision.assign(
                session,
                conversation_id,
                me.caller,
                supervisor,
                "" if queue else to,
                now,
                note=note.strip(),
                force=force,
            )
        except Problem as problem:
            if problem.type == "at-capacity":
                raise Problem(409, "colleague-full", problem.detail) from problem
            raise
    done = word("supervisor.done_queued" if queue else "supervisor.done_assigned", me.language, name=to)
    return await _one(request, session, me, conversation_id, now, done)


@router.post("/console/supervisor/{conversation_id}/whisper")
async def whisper(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    text: Annotated[str, Form(max_length=LONGEST_WHISPER)] = "",
) -> Response:
    """Words that the conversation's agent reads at once, and no customer ever."""
    supervisor = await session.get_one(Agent, me.agent.id)
    with in_words(me, ERRORS):
        if not text.strip():
            raise Problem(422, "message-empty", "There is nothing to say yet.")
        await supervision.whisper(session, conversation_id, supervisor, text.strip(), now)
    return await _one(request, session, me, conversation_id, now, word("supervisor.done_whispered", me.language))


@router.post("/console/supervisor/{conversation_id}/priority")
async def priority(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    priority: Annotated[Literal["urgent", "ordinary"], Form()],
) -> Response:
    """Before the others, or among them again."""
    with in_words(me, ERRORS):
        await supervision.prioritise(session, conversation_id, priority == "urgent")
    return await _one(request, session, me, conversation_id, now, word(f"supervisor.done_{priority}", me.language))
