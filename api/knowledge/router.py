"""Articles for the bot and for staff; canned replies for staff."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.deps import CurrentCaller, Now, ReadSession, SettingsDep, Staff
from api.errors import Problem, not_found
from api.knowledge import service
from api.knowledge.model import Article, Reply
from api.knowledge.schemas import ArticleOut, Articles, ReplyOut
from api.paging import Limit, Page

router = APIRouter(tags=["knowledge"])

Words = Annotated[str, Query(max_length=1000)]
Language = Literal["zh", "en"]


@router.get("/articles")
async def articles(
    caller: CurrentCaller,
    session: ReadSession,
    settings: SettingsDep,
    now: Now,
    q: Words = "",
    intent: str | None = None,
    language: Language | None = None,
    limit: Limit = 50,
) -> Articles:
    """With `intent`: its articles that answer the customer's words `q`, the one to say first. Else a search for `q`.

    The bot names an intent and gets only what customers may be told today; `withheld` where there is an answer that
    they may not be told.
    """
    staff, today = caller.kind != "bot", now.astimezone(settings.zone).date()
    desk = await service.known(session, settings.home)
    if intent is not None:
        found = service.for_intent(desk, intent, q)
    elif staff:
        found = [hit.entry for hit in service.search(desk, q, language, "article") if isinstance(hit.entry, Article)]
    else:
        raise Problem(422, "intent-required", "The bot must name an intent.")
    shown = found if staff else service.tellable(found, today)
    items = [ArticleOut.of(article, desk, today, staff=staff) for article in shown[:limit]]
    return Articles(items=items, withheld=not staff and not shown and bool(found))


@router.get("/articles/{article_id}")
async def article(
    caller: CurrentCaller, session: ReadSession, settings: SettingsDep, now: Now, article_id: str
) -> ArticleOut:
    """One article; for the bot, what is not valid today does not exist."""
    staff, today = caller.kind != "bot", now.astimezone(settings.zone).date()
    desk = await service.known(session, settings.home)
    found = next((known for known in desk.articles if known.id == article_id), None)
    if found is None or not (staff or found.state(today) == "current"):
        raise not_found("article")
    return ArticleOut.of(found, desk, today, staff=staff)


@router.get("/replies")
async def replies(
    caller: Staff,
    session: ReadSession,
    settings: SettingsDep,
    q: Words = "",
    conversation_id: str | None = None,
    language: Language | None = None,
    limit: Limit = 100,
) -> Page[ReplyOut]:
    """Canned replies for `q` (words, key), filled from the conversation where one is named."""
    facts = await service.conversation_facts(session, conversation_id, caller.agent_id) if conversation_id else {}
    desk = await service.known(session, settings.home)
    found = [hit.entry for hit in service.search(desk, q, language, "reply") if isinstance(hit.entry, Reply)]
    return Page(items=[ReplyOut.of(reply, facts, desk) for reply in found[:limit]])
