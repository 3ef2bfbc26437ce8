"""The knowledge base and the canned replies, for everybody to look up; both languages side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path as File
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.console.pages import render
from api.console.session import Me, SignedIn
from api.deps import Now, ReadSession, SettingsDep
from api.errors import not_found
from api.knowledge import editing
from api.knowledge import service as knowledge
from api.knowledge.files import Knowledge, load
from api.knowledge.model import Article, Reply
from api.knowledge.search import Kind
from api.knowledge.store import entry_of
from api.settings import Settings

router = APIRouter()
Words = Annotated[str, Query(max_length=60)]
Id = Annotated[str, Path(max_length=60)]


@dataclass(frozen=True)
class Was:
    """One version of an entry as its history shows it; `entry` is None where it cannot be read any more."""

    version: int
    act: str
    by: str
    at: datetime
    entry: Article | Reply | None


def to_look_at(desk: Knowledge, today: date) -> list[tuple[Article | Reply, bool]]:
    """What a supervisor should see to: articles near or past their last day, and what the files say otherwise now.

    With it, whether the file has changed; the earliest last day first.
    """
    entries: list[Article | Reply] = [*desk.articles, *desk.replies]
    kinds: dict[type, Kind] = {Article: "article", Reply: "reply"}
    found = []
    for entry in entries:
        mark = desk.marks.get((kinds[type(entry)], entry.id))
        outdated = mark is not None and mark.outdated
        if outdated or (isinstance(entry, Article) and entry.soon_over(today)):
            found.append((entry, outdated))
    return sorted(found, key=lambda one: (one[0].valid_until or date.max) if isinstance(one[0], Article) else date.max)


async def names(session: AsyncSession, by: Sequence[str]) -> dict[str, str]:
    """Who made changes, by Caller.name; whoever is no agent has no name."""
    ids = {name.partition(":")[2] for name in by if name.startswith("agent:")}
    agents = await session.scalars(select(Agent).where(Agent.id.in_(ids))) if ids else ()
    return {f"agent:{agent.id}": agent.name or agent.username for agent in agents}


async def history(session: AsyncSession, home: File, kind: Kind, entry_id: str) -> list[Was]:
    """All versions, the newest first, each as it would stand today."""
    files = load(home)
    entries: Sequence[Article | Reply] = files.articles if kind == "article" else files.replies
    file = next((entry for entry in entries if entry.id == entry_id), None)
    rows = await editing.versions(session, kind, entry_id)
    called = await names(session, [row.by for row in rows])
    shown = []
    for row in rows:
        try:
            entry = entry_of(row, file)
        except (ValidationError, KeyError, TypeError):
            entry = None
        shown.append(Was(row.version, row.act, called.get(row.by, ""), row.at, entry))
    return shown


async def _found(
    request: Request, me: SignedIn, session: AsyncSession, settings: Settings, now: Now, q: str, template: str
) -> Response:
    today = now.astimezone(settings.zone).date()
    desk = await knowledge.known(session, settings.home)
    hits = knowledge.search(desk, q)
    return render(
        request,
        me,
        template,
        q=q.strip(),
        articles=[(hit.entry, hit.entry.state(today)) for hit in hits if isinstance(hit.entry, Article)],
        replies=[hit.entry for hit in hits if isinstance(hit.entry, Reply)],
        retired=desk.retired if me.supervises and not q.strip() else (),
        urgent=to_look_at(desk, today) if me.supervises else [],
        today=today,
        desk_marks=desk.marks,
        names=await names(session, [mark.by for mark in desk.marks.values()]),
    )


@router.get("/console/knowledge")
async def page(
    request: Request, me: Me, session: ReadSession, settings: SettingsDep, now: Now, q: Words = ""
) -> Response:
    """All of it, or what the words find."""
    return await _found(request, me, session, settings, now, q, "knowledge.html")


@router.get("/console/_/knowledge")
async def found(
    request: Request, me: Me, session: ReadSession, settings: SettingsDep, now: Now, q: Words = ""
) -> Response:
    """What the words find so far."""
    return await _found(request, me, session, settings, now, q, "knowledge_found.html")


@router.get("/console/knowledge/{article_id}")
async def article(
    request: Request, article_id: Id, me: Me, session: ReadSession, settings: SettingsDep, now: Now
) -> Response:
    """One article in both languages, with where it is from, until when it holds, and who changed it."""
    desk, today = await knowledge.known(session, settings.home), now.astimezone(settings.zone).date()
    one = next((entry for entry in desk.articles if entry.id == article_id), None)
    if one is None:
        raise not_found("article")
    shipped = next((entry for entry in load(settings.home).articles if entry.id == article_id), None)
    return render(
        request,
        me,
        "knowledge_article.html",
        article=one,
        state=one.state(today),
        today=today,
        mark=desk.marks.get(("article", article_id)),
        history=await history(session, settings.home, "article", article_id),
        shipped=shipped,
        version=desk.version("article", article_id),
    )
