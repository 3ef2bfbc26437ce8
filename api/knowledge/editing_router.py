"""Articles and canned replies changed over `/api/v1`. Who may: api/access.yml."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.idempotency import once, require_key
from api.deps import Now, ReadSession, SettingsDep, Staff, WriteSession
from api.errors import not_found
from api.knowledge import editing
from api.knowledge.drafts import ArticleChange, NewReply, ReplyChange, Retirement, Return
from api.knowledge.editing import Desk
from api.knowledge.schemas import ArticleOut, ReplyWhole, VersionOut
from api.knowledge.search import Kind
from api.knowledge.store import read
from api.paging import Page
from api.settings import Settings

router = APIRouter(tags=["knowledge"])
Key = Annotated[str, Depends(require_key)]
Id = Annotated[str, Path(max_length=60)]


async def _desk(session: WriteSession, settings: SettingsDep, now: Now, caller: Staff) -> Desk:
    return Desk(session, settings.home, now, caller.name)


DeskDep = Annotated[Desk, Depends(_desk)]


async def _article(session: AsyncSession, settings: Settings, article_id: str, now: Now) -> dict[str, Any]:
    desk, today = await read(session, settings.home), now.astimezone(settings.zone).date()
    article = next((one for one in desk.articles if one.id == article_id), None)
    if article is None:
        raise not_found("article")
    return ArticleOut.of(article, desk, today, staff=True).model_dump(mode="json")


async def _reply(session: AsyncSession, settings: Settings, reply_id: str) -> dict[str, Any]:
    desk = await read(session, settings.home)
    reply = next((one for one in (*desk.replies, *desk.retired) if one.id == reply_id), None)
    if reply is None:
        raise not_found("reply")
    return ReplyWhole.of(reply, desk).model_dump(mode="json")


async def _versions(session: AsyncSession, kind: Kind, entry_id: str) -> Page[VersionOut]:
    rows = await editing.versions(session, kind, entry_id)
    return Page(
        items=[
            VersionOut(
                version=row.version,
                act=row.act,
                by=row.by,
                at=row.at,
                retired=row.retired,
                content=row.content or None,
            )
            for row in rows
        ]
    )


@router.patch("/articles/{article_id}", response_model=ArticleOut)
async def change_article(
    article_id: Id, body: ArticleChange, desk: DeskDep, settings: SettingsDep, now: Now
) -> dict[str, Any]:
    """Other words, another validity: what is told from now on. 409 where somebody else has changed it meanwhile."""
    await editing.change_article(desk, article_id, body, now.astimezone(settings.zone).date())
    return await _article(desk.session, settings, article_id, now)


@router.post("/articles/{article_id}/end", response_model=ArticleOut)
async def end_article(
    article_id: Id, body: Retirement, request: Request, caller: Staff, key: Key, desk: DeskDep, settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:  # fmt: skip
    """Have no customer told it from now on."""

    async def do() -> dict[str, Any]:
        await editing.end_article(desk, article_id, body.version, now.astimezone(settings.zone).date())
        return await _article(desk.session, settings, article_id, now)

    return await once(desk.session, request, key, caller.name, now, do)


@router.post("/articles/{article_id}/return", response_model=ArticleOut)
async def return_article(
    article_id: Id, body: Return, request: Request, caller: Staff, key: Key, desk: DeskDep, settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:  # fmt: skip
    """Have an earlier version stand again, 0 for the shipped text; the present one is kept over a newer file."""

    async def do() -> dict[str, Any]:
        today = now.astimezone(settings.zone).date()
        await editing.bring_back(desk, "article", article_id, body.version, body.to, today)
        return await _article(desk.session, settings, article_id, now)

    return await once(desk.session, request, key, caller.name, now, do)


@router.get("/articles/{article_id}/versions")
async def article_versions(article_id: Id, _caller: Staff, session: ReadSession) -> Page[VersionOut]:
    """Who changed it when, and the whole text each time, the newest first."""
    return await _versions(session, "article", article_id)


@router.post("/replies", status_code=201, response_model=ReplyWhole)
async def add_reply(
    body: NewReply, request: Request, caller: Staff, key: Key, desk: DeskDep, settings: SettingsDep, now: Now
) -> dict[str, Any]:
    """Add a canned reply."""

    async def do() -> dict[str, Any]:
        return await _reply(desk.session, settings, await editing.add_reply(desk, body))

    return await once(desk.session, request, key, caller.name, now, do)


@router.get("/replies/{reply_id}", response_model=ReplyWhole)
async def reply(reply_id: Id, _caller: Staff, session: ReadSession, settings: SettingsDep) -> dict[str, Any]:
    """One canned reply with its gaps, retired or not."""
    return await _reply(session, settings, reply_id)


@router.patch("/replies/{reply_id}", response_model=ReplyWhole)
async def change_reply(reply_id: Id, body: ReplyChange, desk: DeskDep, settings: SettingsDep) -> dict[str, Any]:
    """Other words, another code. 409 where somebody else has changed it meanwhile."""
    await editing.change_reply(desk, reply_id, body)
    return await _reply(desk.session, settings, reply_id)


@router.post("/replies/{reply_id}/retire", response_model=ReplyWhole)
async def retire_reply(
    reply_id: Id, body: Retirement, request: Request, caller: Staff, key: Key, desk: DeskDep, settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:  # fmt: skip
    """Offer it to nobody any more."""

    async def do() -> dict[str, Any]:
        await editing.retire_reply(desk, reply_id, body.version)
        return await _reply(desk.session, settings, reply_id)

    return await once(desk.session, request, key, caller.name, now, do)


@router.post("/replies/{reply_id}/return", response_model=ReplyWhole)
async def return_reply(
    reply_id: Id, body: Return, request: Request, caller: Staff, key: Key, desk: DeskDep, settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:  # fmt: skip
    """Have an earlier version stand again, a retired one too; 0 for the shipped text."""

    async def do() -> dict[str, Any]:
        today = now.astimezone(settings.zone).date()
        await editing.bring_back(desk, "reply", reply_id, body.version, body.to, today)
        return await _reply(desk.session, settings, reply_id)

    return await once(desk.session, request, key, caller.name, now, do)


@router.get("/replies/{reply_id}/versions")
async def reply_versions(reply_id: Id, _caller: Staff, session: ReadSession) -> Page[VersionOut]:
    """Who changed it when, and the whole text each time, the newest first."""
    return await _versions(session, "reply", reply_id)
