"""Calls beside chats: who waits on the line, where one's own call is, whom to call back, and what to do about it."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.voice import control, legs
from api.console import calls_view
from api.console.pages import render, word
from api.console.session import Me, SignedIn
from api.conversations import callbacks
from api.conversations.notes import add_note
from api.conversations.rules import normalise
from api.conversations.tables import Conversation
from api.deps import DatabaseDep, Now, ReadSession, SettingsDep, WriteSession
from api.errors import Problem, not_found

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]
#: Calls that an agent should see wherever he is.
POPS = ("taken", "following", *legs.LIVE, "held", "written", "done", "missed", "calling", "not_reached")


async def _lists(session: AsyncSession, me: SignedIn, settings: Any, now: Any) -> dict[str, Any]:
    agent = await session.get_one(Agent, me.agent.id)
    return {
        "waiting": await calls_view.waiting(session, me, now),
        "promised": await calls_view.promised(session, me, now),
        "recent": await calls_view.recent(session, me),
        "messages": await calls_view.messages(session),
        "may_call": "" if not (settings.voice_on and settings.twilio_from) else "yes" if agent.phone else "no_phone",
    }


@router.get("/console/calls")
async def page(request: Request, me: Me, session: ReadSession, settings: SettingsDep, now: Now) -> Response:
    """The whole page."""
    own = await calls_view.mine(session, me, now)
    lists = await _lists(session, me, settings, now)
    return render(request, me, "calls.html", own=own, **lists)


@router.get("/console/_/calls")
async def live(request: Request, me: Me, session: ReadSession, settings: SettingsDep, now: Now) -> Response:
    """The lists as they are now."""
    return render(request, me, "calls_lists.html", **await _lists(session, me, settings, now))


@router.get("/console/_/calls/mine")
async def own(request: Request, me: Me, session: ReadSession, now: Now) -> Response:
    """One's own calls as they are now."""
    return render(request, me, "calls_mine.html", own=await calls_view.mine(session, me, now))


@router.get("/console/_/call")
async def strip(request: Request, me: Me, session: ReadSession, now: Now) -> Response:
    """On top of every page: the calls that are, or are about to be, put through to this agent."""
    if me.agent.role == "dispatcher":
        return Response("")
    here = request.headers.get("hx-current-url", "")
    own = [
        state
        for state in await calls_view.mine(session, me, now)
        if state.phase in POPS and f"/console/c/{state.conversation.id}" not in here and "/console/calls" not in here
    ]
    return render(request, me, "strip_call.html", own=own[:3])


@router.get("/console/_/c/{conversation_id}/call")
async def of_conversation(request: Request, conversation_id: Id, me: Me, session: ReadSession, now: Now) -> Response:
    """Where the conversation's call is, and what can be done with it; nothing where there was none."""
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    state = await calls_view.one(session, conversation, me, now)
    return render(request, me, "calls_one.html", state=state)


@router.post("/console/c/{conversation_id}/call/{act}")
async def control_call(
    request: Request,
    conversation_id: Id,
    act: Literal["hold", "resume", "hangup"],
    me: Me,
    database: DatabaseDep,
    settings: SettingsDep,
    now: Now,
) -> Response:
    """Hold a caller, take him up again (which rings the agent's phone), or end the call."""
    await control.do(database, settings, me.caller, conversation_id, act, now)
    return _said(request, me, f"asked_{act}")


@router.post("/console/callbacks/{callback_id}/call")
async def call_back(
    request: Request, callback_id: Id, me: Me, session: WriteSession, settings: SettingsDep, now: Now
) -> Response:
    """Take the conversation, call its customer, and put him through to this agent's phone."""
    agent = await session.get_one(Agent, me.agent.id)
    callback, conversation = await callbacks.found(session, callback_id, lock=True)
    await callbacks.place_call(session, settings, callback, conversation, agent, now)
    return _said(request, me, "calling_now")


@router.post("/console/callbacks/{callback_id}/end")
async def end(
    request: Request,
    callback_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    status: Annotated[Literal["done", "cancelled"], Form()],
) -> Response:
    """The promise is kept, or not wanted any more. One of a colleague's conversation is his to end."""
    callback, conversation = await callbacks.found(session, callback_id, lock=True)
    if conversation.owner == "agent" and not callbacks.owns(me.caller, conversation):
        raise Problem(409, "not-owner", "This call-back is another agent's.", owner=conversation.owner)
    await callbacks.end(session, callback, conversation, status, now)
    return _said(request, me, f"ended_{status}")


@router.post("/console/callbacks/{callback_id}/note")
async def note(
    request: Request,
    callback_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    text: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """What colleagues should know about it; it stands in the conversation."""
    said = normalise(text.replace("\r\n", "\n"))
    if not said:
        raise Problem(422, "message-empty", "There is no text.")
    _callback, conversation = await callbacks.found(session, callback_id, lock=True)
    await add_note(session, conversation, me.agent.id, "note", said, now)
    return _said(request, me, "noted")


def _said(request: Request, me: SignedIn, key: str) -> Response:
    answer = render(request, me, "notice.html", words=word(f"calls.{key}", me.language), tone="good")
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#notices", "beforeend"
    answer.headers["HX-Trigger"] = '{"calls-changed": {}}'
    return answer
