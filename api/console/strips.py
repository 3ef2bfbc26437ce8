"""What every page of the console shows on top: alarms, and what waits for this agent; and whether he is there."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.bulletins import service as bulletins
from api.console.pages import render, word
from api.console.session import Me, SignedIn
from api.conversations import alarms
from api.conversations.notes import mark_read, names_in, told
from api.conversations.presence import set_presence
from api.conversations.tables import Alarm, Conversation, Mention, Note
from api.deps import Now, ReadSession, WriteSession
from api.errors import Problem, not_found

router = APIRouter()
MOST_SHOWN = 5


async def concerned(session: AsyncSession, me: SignedIn) -> Sequence[Any]:
    """Danger that nobody has seen to, the last of each conversation: for agents of their own, for supervisors all."""
    query = (
        select(Alarm, Conversation.owner, Agent.name, Agent.username)
        .join(Conversation, Conversation.id == Alarm.conversation_id)
        .outerjoin(Agent, Agent.id == Conversation.agent_id)
        .where(Alarm.acknowledged_at.is_(None))
    )
    if not me.supervises:
        query = query.where(Conversation.owner == "agent", Conversation.agent_id == me.agent.id)
    latest: dict[str, Any] = {}
    for row in await session.execute(query.order_by(Alarm.at.desc(), Alarm.id).limit(200)):
        latest.setdefault(row[0].conversation_id, row)
    return list(latest.values())


@router.get("/console/_/alarms")
async def alarm_strip(request: Request, me: Me, session: ReadSession) -> Response:
    """Alarms that nobody has seen to yet; nothing for who does not talk with customers."""
    rows = [] if me.agent.role == "dispatcher" else await concerned(session, me)
    return render(request, me, "strip_alarms.html", rows=rows[:MOST_SHOWN], more=max(len(rows) - MOST_SHOWN, 0))


@router.post("/console/alarms/{alarm_id}/seen")
async def seen(
    request: Request, alarm_id: Annotated[str, Path(max_length=40)], me: Me, session: WriteSession, now: Now
) -> Response:
    """This agent sees to it, and to those of the same conversation before it."""
    alarm = await session.get(Alarm, alarm_id)
    if alarm is None:
        raise not_found("alarm")
    conversation = await session.get_one(Conversation, alarm.conversation_id)
    if not me.supervises and conversation.agent_id != me.agent.id:
        raise Problem(409, "not-owner", "This alarm is another agent's.")
    before = select(Alarm.id).where(
        Alarm.conversation_id == alarm.conversation_id, Alarm.at <= alarm.at, Alarm.acknowledged_at.is_(None)
    )
    for one in (await session.scalars(before.order_by(Alarm.id))).all():
        await alarms.see(session, one, me.agent.id, now)
    return await alarm_strip(request, me, session)


@router.get("/console/_/mine")
async def mine(request: Request, me: Me, session: ReadSession) -> Response:
    """Mentions that were not read, and customers who have waited for this agent too long."""
    c = Conversation
    late = select(c.id, c.channel, c.unanswered_since, c.priority).where(
        c.owner == "agent", c.agent_id == me.agent.id, c.closed_at.is_(None), c.reminded_at.is_not(None)
    )
    mentions = (
        select(Note.id, Note.conversation_id, Note.kind, Note.text, Note.facts, Note.at, Agent.name, Agent.username)
        .join(Mention, Mention.note_id == Note.id)
        .outerjoin(Agent, Agent.id == Note.agent_id)
        .where(Mention.agent_id == me.agent.id, Mention.read_at.is_(None))
        .order_by(Note.at.desc(), Note.id)
    )
    named = (await session.execute(mentions.limit(MOST_SHOWN))).all()
    names = await names_in(session, (row.facts for row in named))
    return render(
        request,
        me,
        "strip_mine.html",
        late=(await session.execute(late.order_by(c.unanswered_since).limit(MOST_SHOWN))).all(),
        mentions=named,
        told=lambda row: told(row.facts, row.text, names, me.language),
    )


@router.get("/console/_/bulletins")
async def bulletin_strip(request: Request, me: Me, session: ReadSession, now: Now) -> Response:
    """What customers are told at present (B18)."""
    return render(request, me, "strip_bulletins.html", bulletins=await bulletins.current(session, now))


@router.post("/console/mentions/{note_id}/read")
async def read(
    request: Request, note_id: Annotated[str, Path(max_length=40)], me: Me, session: WriteSession, now: Now
) -> Response:
    """The mention is done with."""
    await mark_read(session, me.agent.id, [note_id], now)
    return await mine(request, me, session)


@router.post("/console/presence")
async def presence(
    request: Request,
    me: Me,
    session: WriteSession,
    now: Now,
    presence: Annotated[Literal["available", "busy", "away"], Form()],
) -> Response:
    """Whether the agent takes conversations; who goes away and has some is told that they stay his."""
    left = await set_presence(session, await session.get_one(Agent, me.agent.id), presence, now)
    key = f"presence_{presence}" + ("_left" if presence == "away" and left else "")
    answer = render(request, me, "notice.html", words=word(f"inbox.{key}", me.language, count=left), tone="good")
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#notices", "beforeend"
    return answer
