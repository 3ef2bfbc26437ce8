"""The conversation's page: transcript, state, composer; and the fragments by which it stays as things are."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.wechat import attachments
from api.console import lists, reading, timeline
from api.console.acts import choices_of
from api.console.pages import render
from api.console.session import Me, SignedIn
from api.console.sheet import in_brief
from api.conversations.notes import mark_read
from api.conversations.sentences import limits
from api.conversations.tables import Conversation, Mention, Note
from api.db.base import MOST_ID, new_id
from api.db.engine import Database
from api.deps import DatabaseDep, Now, ReadSession, SettingsDep, Staff

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]


@router.get("/console/c/{conversation_id}")
async def page(
    request: Request, conversation_id: Id, me: Me, database: DatabaseDep, session: ReadSession, now: Now
) -> Response:
    """The whole page. Mentions of this agent in it are read by that."""
    state = await timeline.state_of(session, conversation_id, me, now)
    shown = await timeline.last_lines(session, state)
    found = await lists.inbox(session, me)
    context = await composing(session, me, state, now)
    await read_mentions(database, session, me, state.row, now)
    return render(
        request,
        me,
        "conversation.html",
        lists=found,
        in_brief=in_brief,
        here=conversation_id,
        state=state,
        shown=shown,
        read=reading.reader(request, me, state),
        **context,
    )


async def read_mentions(
    database: Database, session: AsyncSession, me: SignedIn, row: Conversation, now: datetime
) -> None:
    """Keep that this agent has opened the conversation in whose notes he was named."""
    unread = (
        select(Mention.note_id)
        .join(Note, Note.id == Mention.note_id)
        .where(Mention.agent_id == me.agent.id, Mention.read_at.is_(None), Note.conversation_id == row.id)
    )
    ids = (await session.scalars(unread)).all()
    if ids:
        async with database.write() as writing, writing.begin():
            await mark_read(writing, me.agent.id, ids, now)


@router.get("/console/_/c/{conversation_id}/lines")
async def lines(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: ReadSession,
    now: Now,
    after: Annotated[int, Query(ge=0, le=MOST_ID)] = 0,
    noted: Annotated[str, Query(max_length=4000)] = "",
    mark: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """What is new after the line `after` and the notes `noted`; the state always; the composer where `mark` is old."""
    state = await timeline.state_of(session, conversation_id, me, now)
    shown = await timeline.news(session, state, after, noted)
    changed = state.mark != mark
    context = await composing(session, me, state, now) if changed else {}
    return render(
        request,
        me,
        "conversation_news.html",
        state=state,
        shown=shown,
        changed=changed,
        here=conversation_id,
        read=reading.reader(request, me, state),
        **context,
    )


@router.get("/console/_/c/{conversation_id}/earlier")
async def earlier(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: ReadSession,
    now: Now,
    before: Annotated[int, Query(ge=1, le=MOST_ID)],
) -> Response:
    """The lines before the line `before`."""
    state = await timeline.state_of(session, conversation_id, me, now)
    shown = await timeline.last_lines(session, state, before)
    return render(
        request,
        me,
        "conversation_earlier.html",
        state=state,
        shown=shown,
        here=conversation_id,
        read=reading.reader(request, me, state),
    )


async def composing(session: AsyncSession, me: SignedIn, state: timeline.State, now: datetime) -> dict[str, Any]:
    """What the composer and the acts need."""
    return {
        "nonce": new_id("nc"),
        "note_nonce": new_id("nc"),
        "longest": limits()["message_characters"],
        **await choices_of(session, me, state, now),
    }


@router.get("/console/attachments/{attachment_id}", response_class=FileResponse)
async def attachment(
    attachment_id: Id, me: Me, staff: Staff, session: ReadSession, settings: SettingsDep
) -> FileResponse:
    """A picture or a recording of a customer."""
    return await attachments.attachment(attachment_id, staff, session, settings)
