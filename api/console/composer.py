"""Writing to the customer, and notes to colleagues: each form is sent once, whatever is clicked twice."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from api.agents.tables import Agent
from api.console.conversation import Id
from api.console.pages import render, word
from api.console.session import Me
from api.conversations import ownership
from api.conversations.notes import add_note
from api.conversations.rules import normalise
from api.conversations.sentences import limits
from api.conversations.supervision import whisper
from api.db.base import new_id
from api.db.idempotency import once_for
from api.deps import Now, WriteSession
from api.errors import Problem
from api.knowledge.model import PLACEHOLDERS
from api.knowledge.service import placeholders

router = APIRouter()
Nonce = Annotated[str, Form(min_length=8, max_length=60)]
#: Raw characters; what counts is what is left after normalising.
Raw = Annotated[str, Form(max_length=8000)]
LONGEST_NOTE = 2000


def words_of(raw: str, longest: int) -> str:
    """The text as it is sent; Problem 422 where it is none, too long, or still has a gap to fill."""
    text = normalise(raw.replace("\r\n", "\n"))
    if not text:
        raise Problem(422, "message-empty", "There is no text.")
    if len(text) > longest:
        raise Problem(422, "message-too-long", f"At most {longest} characters.")
    return text


@router.post("/console/c/{conversation_id}/reply")
async def reply(
    request: Request, conversation_id: Id, me: Me, session: WriteSession, now: Now, nonce: Nonce, text: Raw = ""
) -> Response:
    """Say something to the customer; the form's nonce makes it one line however often it is sent."""
    said = words_of(text, limits()["message_characters"])
    if PLACEHOLDERS & set(placeholders(said)):
        raise Problem(422, "placeholder-open", "A placeholder is not filled in.")

    async def do() -> dict[str, int]:
        agent = await session.get(Agent, me.agent.id)
        message = await ownership.reply(session, conversation_id, me.caller, agent, said, now)
        return {"seq": message.seq}

    await once_for(session, request, nonce, me.caller.name, said.encode(), now, do)
    return sent(request, me, "nonce")


@router.post("/console/c/{conversation_id}/note")
async def note(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    nonce: Nonce,
    text: Raw = "",
    kind: Annotated[Literal["note", "whisper"], Form()] = "note",
) -> Response:
    """Write to colleagues about a conversation; no customer ever gets it. Supervisors may whisper to its agent."""
    said = words_of(text, LONGEST_NOTE)
    if kind == "whisper" and not me.supervises:
        raise Problem(403, "forbidden", "Only supervisors whisper.")

    async def do() -> dict[str, str]:
        if kind == "whisper":
            return {"id": (await whisper(session, conversation_id, me.agent, said, now)).id}
        conversation = await ownership.locked(session, conversation_id)
        return {"id": (await add_note(session, conversation, me.agent.id, kind, said, now)).id}

    await once_for(session, request, nonce, me.caller.name, said.encode(), now, do)
    return sent(request, me, "note-nonce")


def sent(request: Request, me: Me, field: str) -> Response:
    """The form may be used again; the page empties it and fetches what was written."""
    answer = render(
        request,
        me,
        "conversation_sent.html",
        field=field,
        nonce=new_id("nc"),
        said=word("conversation.sent", me.language),
    )
    answer.headers["HX-Trigger"] = '{"form-sent": {}, "news": {}}'
    return answer
