"""The audit log for admins: who read and did what, and whether anything in the log was altered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.access import matrix
from api.agents.tables import Agent
from api.audit import service
from api.audit.reading import READ
from api.audit.tables import AuditEntry
from api.console.forms import to_utc
from api.console.pages import render, words
from api.console.session import Me
from api.deps import ReadSession, SettingsDep
from api.errors import Problem

router = APIRouter()
AT_ONCE = 100
Filter = Annotated[str, Query(max_length=120)]
#: What is no person has a name of its own in the log.
OTHERS = ("service", "nobody", "desk")


@dataclass(frozen=True)
class Shown:
    """An entry with its names in clear; `link` leads to what it is about, '' where there is no page for it."""

    entry: AuditEntry
    by: str
    #: What kind of thing the subject is, and which one; the second is '' for lists.
    kind: str
    which: str
    link: str


def actions() -> list[str]:
    """Every act that the log can hold: those of the matrix, and those that have words of their own."""
    named = {key.removeprefix("audit.act_").replace("__", ".") for key in words() if key.startswith("audit.act_")}
    return sorted({READ, *(row.does for row in matrix() if row.does), *named})


async def named(session: AsyncSession, entries: Sequence[AuditEntry]) -> list[Shown]:
    """Entries as they are read: an agent by his username."""
    given = {name for entry in entries for name in (entry.by, entry.subject)}
    ids = {name.partition(":")[2] for name in given if name.startswith("agent:")}
    rows = await session.execute(select(Agent.id, Agent.username).where(Agent.id.in_(ids)))
    names = {f"agent:{row.id}": row.username for row in rows}
    return [
        Shown(entry, names.get(entry.by, entry.by), *parts_of(entry.subject, names), link_of(entry.subject))
        for entry in entries
    ]


def parts_of(subject: str, names: Mapping[str, str]) -> tuple[str, str]:
    """Kind and name: `conversation:cv_1` is ("conversation", "cv_1"), `tickets?kind=x` ("tickets", "kind=x")."""
    kind, sign, rest = subject.replace("?", ":", 1).partition(":")
    return (kind, names.get(subject, rest)) if sign else (subject, "")


def link_of(subject: str) -> str:
    """The page of a subject."""
    kind, _, rest = subject.partition(":")
    key = rest.partition(":")[0]
    if not key.replace("_", "").isalnum():
        return ""
    return {"conversation": f"/console/c/{key}", "ticket": f"/console/tickets/{key}"}.get(kind, "")


async def who(session: AsyncSession, given: str) -> str | None:
    """Caller.name of an agent's username, or the name as it stands in the log; None for everybody."""
    if not given.strip() or given in OTHERS or ":" in given:
        return given.strip() or None
    agent_id = await session.scalar(select(Agent.id).where(Agent.username == given.strip()))
    return f"agent:{agent_id}" if agent_id else given.strip()


@router.get("/console/audit")
async def page(
    request: Request,
    me: Me,
    session: ReadSession,
    settings: SettingsDep,
    by: Filter = "",
    subject: Filter = "",
    action: Filter = "",
    since: Annotated[str, Query(max_length=30)] = "",
    cursor: Filter = "",
) -> Response:
    """Entries, the newest first."""
    try:
        moment = to_utc(since, settings.zone, "since")
    except Problem:
        moment, since = None, ""
    entries, following = await service.listed(
        session,
        by=await who(session, by),
        subject=subject.strip() or None,
        action=action or None,
        since=moment,
        limit=AT_ONCE,
        cursor=cursor or None,
    )
    agents: Iterable[str] = await session.scalars(select(Agent.username).order_by(Agent.username))
    return render(
        request,
        me,
        "audit.html",
        shown=await named(session, entries),
        following=following,
        filters={"by": by, "subject": subject, "action": action, "since": since},
        actions=actions(),
        people=[*agents, *OTHERS],
    )


@router.get("/console/_/audit/check")
async def check(request: Request, me: Me, session: ReadSession, settings: SettingsDep) -> Response:
    """Follow the whole chain now."""
    verdict = await service.verify(session, settings.audit_key.get_secret_value())
    return render(request, me, "audit_check.html", verdict=verdict)
