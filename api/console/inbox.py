"""The inbox: who waits, the agent's own conversations, those closed today, and the search."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from api.agents.tables import Agent
from api.audit.service import record, reference
from api.console import lists
from api.console.pages import redirect, render, word
from api.console.session import Me
from api.console.sheet import in_brief
from api.conversations import assignment
from api.conversations.readable import readable
from api.deps import DatabaseDep, Now, ReadSession, SettingsDep, WriteSession

router = APIRouter()
Here = Annotated[str, Query(max_length=40)]
#: What an act leads back to the inbox with.
DONE = ("handed_back", "transferred", "closed", "nobody_waits", "elsewhere")


@router.get("/console")
async def page(
    request: Request, me: Me, session: ReadSession, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """The lists and, beside them, what can be done. Dispatchers work with tickets."""
    if me.agent.role == "dispatcher":
        return redirect(request, "/console/tickets")
    found = await lists.inbox(session, me)
    return render(request, me, "inbox.html", lists=found, here="", in_brief=in_brief, done=done if done in DONE else "")


@router.get("/console/_/inbox")
async def live(request: Request, me: Me, session: ReadSession, c: Here = "") -> Response:
    """The lists as they are now; `c` is the conversation that is open beside them."""
    return render(request, me, "inbox_list.html", lists=await lists.inbox(session, me), here=c, in_brief=in_brief)


@router.get("/console/_/tally")
async def tally(request: Request, me: Me, session: ReadSession) -> Response:
    """How many wait, for the bar of the pages that do not show the lists."""
    return render(request, me, "tally.html", tally=await lists.tally(session, me))


@router.get("/console/_/closed")
async def closed(
    request: Request, me: Me, session: ReadSession, settings: SettingsDep, now: Now, c: Here = ""
) -> Response:
    rows = await lists.closed_today(session, me, now, settings.zone)
    return render(request, me, "inbox_found.html", rows=rows, here=c, in_brief=in_brief, sought="")


@router.post("/console/_/search")
async def search(
    request: Request,
    me: Me,
    database: DatabaseDep,
    session: ReadSession,
    settings: SettingsDep,
    now: Now,
    q: Annotated[str, Form(max_length=100)] = "",
    c: Here = "",
) -> Response:
    """A POST, so that no customer's words or numbers stand in an address; every search is in the audit log."""
    sought = q.strip()
    only = None if me.supervises or settings.agents_read_all else readable(me.agent.id, now)
    rows = await lists.found(session, sought, now, only)
    if len(sought) >= lists.LEAST_SOUGHT:  # written apart: looking for words takes long, and SQLite has one writer
        async with database.write() as writing, writing.begin():
            seen = reference("search", sought)
            record(writing, me.caller.name, "conversations.searched", seen, now, found=len(rows))
    return render(request, me, "inbox_found.html", rows=rows, here=c, in_brief=in_brief, sought=sought)


@router.post("/console/take")
async def take(request: Request, me: Me, session: WriteSession, now: Now) -> Response:
    """Claim whoever should be served next; a notice where nobody waits for this agent."""
    agent = await session.get_one(Agent, me.agent.id)
    conversation = await assignment.take_next(session, agent, now)
    if conversation is not None:
        record(session, me.caller.name, "conversation.claimed", f"conversation:{conversation.id}", now)
        return redirect(request, f"/console/c/{conversation.id}")
    answer = render(request, me, "notice.html", words=word("inbox.nobody_waits", me.language), tone="good")
    answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#notices", "beforeend"
    return answer
