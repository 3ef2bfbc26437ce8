"""What an agent does with a conversation besides writing: take it, pass it on, give it back, end it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.console.pages import redirect, render, word
from api.console.session import Me, SignedIn
from api.console.timeline import State
from api.conversations import handover, ownership, supervision
from api.conversations.presence import SERVING, open_by_agent, seen_lately
from api.conversations.sentences import local_time
from api.conversations.tables import Callback
from api.deps import Now, SettingsDep, WriteSession
from api.errors import Problem
from api.phones import normal_phone
from api.tickets.tables import Ticket

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]
Skill = Literal["", "power", "water", "complaint"]
Language = Literal["", "zh", "en"]
Note = Annotated[str, Form(max_length=300)]
OUTCOMES = ("solved", "ticket", "callback", "no_answer", "other")


@dataclass(frozen=True)
class Colleague:
    """Somebody a conversation can be passed to, or who can be named in a note."""

    agent: Agent
    present: bool
    free: int

    @property
    def name(self) -> str:
        return self.agent.name or self.agent.username


async def colleagues(session: AsyncSession, me: SignedIn, now: datetime) -> list[Colleague]:
    """Who serves customers besides this agent: those present with room first."""
    query = select(Agent).where(Agent.active, Agent.role.in_(SERVING), Agent.id != me.agent.id)
    seen, opened = await seen_lately(session, now), await open_by_agent(session)
    found = [
        Colleague(a, a.id in seen and a.presence != "away", max(a.capacity - opened.get(a.id, 0), 0))
        for a in await session.scalars(query)
    ]
    return sorted(found, key=lambda one: (not one.present, one.free == 0, one.name))


async def choices_of(session: AsyncSession, me: SignedIn, state: State, now: datetime) -> dict[str, Any]:
    """What the forms of a page offer: colleagues, the conversation's tickets, a promised call, the known place."""
    row = state.row
    tickets = select(Ticket.number, Ticket.kind, Ticket.status).where(Ticket.conversation_id == row.id)
    place = row.sheet.get("place")
    return {
        "colleagues": await colleagues(session, me, now),
        "tickets": (await session.execute(tickets.order_by(Ticket.created_at.desc()).limit(10))).all(),
        "callback": await handover.open_callback(session, row.id),
        "place": place if isinstance(place, dict) and place.get("service_point_id") else None,
        "outcomes": OUTCOMES,
    }


async def acting(session: AsyncSession, me: SignedIn) -> Agent:
    return await session.get_one(Agent, me.agent.id)


@router.post("/console/c/{conversation_id}/claim")
async def claim(request: Request, conversation_id: Id, me: Me, session: WriteSession, now: Now) -> Response:
    agent = await acting(session, me)
    await ownership.claim(session, conversation_id, agent, now, strict=True, caller=me.caller)
    return redirect(request, f"/console/c/{conversation_id}")


@router.post("/console/c/{conversation_id}/take-over")
async def take_over(request: Request, conversation_id: Id, me: Me, session: WriteSession, now: Now) -> Response:
    """A supervisor takes a colleague's conversation."""
    if not me.supervises:
        raise Problem(403, "forbidden", "Only supervisors take over.")
    await supervision.take_over(session, conversation_id, me.caller, await acting(session, me), now)
    return redirect(request, f"/console/c/{conversation_id}")


@router.post("/console/c/{conversation_id}/release")
async def release(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    summary: Annotated[str, Form(max_length=500)] = "",
    service_point_id: Annotated[str, Form(max_length=40)] = "",
    ticket: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Back to the bot, with what it should know."""
    slots = {"service_point_id": service_point_id, "ticket": ticket}
    agent = await acting(session, me)
    await ownership.release(session, conversation_id, me.caller, agent, now, summary=summary.strip(), slots=slots)
    return redirect(request, "/console?done=handed_back")


@router.post("/console/c/{conversation_id}/transfer")
async def transfer(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    note: Note = "",
    to: Annotated[str, Form(max_length=60)] = "",
    skill: Annotated[Skill, Form()] = "",
    language: Annotated[Language, Form()] = "",
    force: Annotated[bool, Form()] = False,
) -> Response:
    """To a colleague, or into the queue of a skill; why has to be said."""
    if not note.strip():
        raise Problem(422, "reason-required", "Say why.")
    agent = await acting(session, me)
    try:
        await ownership.transfer(
            session,
            conversation_id,
            me.caller,
            agent,
            to or None,
            now,
            note=note.strip(),
            skill=skill,
            language=language,
            strict=True,
            force=force,
        )
    except Problem as problem:
        if problem.type == "at-capacity":
            raise Problem(409, "colleague-full", problem.detail) from problem
        raise
    return redirect(request, "/console?done=transferred")


@router.post("/console/c/{conversation_id}/close")
async def close(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    outcome: Annotated[Literal["solved", "ticket", "callback", "no_answer", "other"], Form()],
    note: Note = "",
) -> Response:
    agent = await acting(session, me)
    await ownership.close(session, conversation_id, me.caller, agent, now, outcome=outcome, note=note.strip())
    return redirect(request, "/console?done=closed")


@router.post("/console/c/{conversation_id}/language")
async def language(
    request: Request, conversation_id: Id, me: Me, session: WriteSession, lang: Annotated[Literal["zh", "en"], Form()]
) -> Response:
    """In which language the customer is written to by the desk and the bot."""
    conversation = await ownership.owned(session, conversation_id, me.caller, await acting(session, me))
    conversation.language = lang
    await session.flush()
    return said(request, me, "language_set", name=word(f"inbox.language_{lang}", me.language))


@router.post("/console/c/{conversation_id}/callback")
async def callback(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
    phone: Annotated[str, Form(max_length=24)] = "",
) -> Response:
    """Promise a call to the number, or to the one that is known already."""
    try:
        number = normal_phone(phone) if phone.strip() else ""
    except ValueError as error:
        raise Problem(422, "invalid-phone", str(error)) from error
    conversation = await ownership.owned(session, conversation_id, me.caller, await acting(session, me))
    promised: Callback = await handover.promise_callback(session, conversation.id, number, now, settings.zone)
    due = local_time(promised.due_at, settings.zone, me.language)
    return said(request, me, "callback_promised", due=due)


def said(request: Request, me: SignedIn, key: str, **values: object) -> Response:
    """A notice of what happened; the page fetches its state."""
    answer = render(request, me, "notice.html", words=word(f"conversation.{key}", me.language, **values), tone="good")
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#notices", "beforeend"
    answer.headers["HX-Trigger"] = '{"news": {}}'
    return answer
