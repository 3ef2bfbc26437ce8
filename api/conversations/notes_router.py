"""`/api/v1/conversations/{id}/notes`: what colleagues write to each other. No customer sees it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations import notes, ownership
from api.conversations.router import found
from api.conversations.schemas import NewNote, NoteOut
from api.db.idempotency import once, require_key
from api.deps import Caller, Now, ReadSession, Staff, WriteSession
from api.errors import Problem
from api.paging import Page

router = APIRouter(prefix="/conversations/{conversation_id}/notes", tags=["conversations"])
Key = Annotated[str, Depends(require_key)]


async def language_of(session: AsyncSession, caller: Caller) -> str:
    """In which language the caller reads: an agent's own; Chinese for another system."""
    agent = await ownership.acting_agent(session, caller, None)
    return agent.language if agent else "zh"


def shown(noted: notes.Noted, language: str) -> NoteOut:
    note = noted.note
    return NoteOut(
        id=note.id,
        kind=note.kind,
        agent=noted.author.username if noted.author else None,
        text=noted.told(language),
        facts=note.facts,
        mentions=list(noted.mentions),
        seq=note.seq,
        at=note.at,
    )


@router.get("")
async def index(conversation_id: str, caller: Staff, session: ReadSession) -> Page[NoteOut]:
    """All notes of a conversation, in order; what the desk tells in the agent's language."""
    await found(session, conversation_id)
    language = await language_of(session, caller)
    return Page(items=[shown(noted, language) for noted in await notes.list_notes(session, conversation_id)])


@router.post("", status_code=201, response_model=NoteOut)
async def add(
    conversation_id: str, body: NewNote, request: Request, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Write a note; whoever is named in it as @username is told. A whisper is a supervisor's word to the agent."""

    async def do() -> dict[str, Any]:
        agent = await ownership.acting_agent(session, caller, body.agent)
        if body.kind == "whisper" and agent is not None and agent.role not in ownership.SUPERVISORS:
            raise Problem(403, "forbidden", "Only a supervisor whispers.")
        conversation = await ownership.locked(session, conversation_id)
        note = await notes.add_note(session, conversation, agent.id if agent else None, body.kind, body.text, now)
        (noted,) = [each for each in await notes.list_notes(session, conversation_id) if each.note.id == note.id]
        return shown(noted, await language_of(session, caller)).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)
