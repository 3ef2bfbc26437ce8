"""Articles for the bot and for staff; canned replies for staff."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.deps import CurrentCaller, Now, ReadSession, SettingsDep, Staff
from api.errors import Problem, not_found
from api.knowledge import service
from api.knowledge.model import Article, Reply
from api.knowledge.schemas import ArticleOut, ReplyOut
from api.paging import Limit, Page

router = APIRouter(tags=["knowledge"])

Words = Annotated[str, Query(max_length=1000)]
Language = Literal["zh", "en"]


@router.get("/articles")
async def articles(
    caller: CurrentCaller,
    settings: SettingsDep,
    now: Now,
    q: Words = "",
    intent: str | None = None,
    language: Language | None = None,
    limit: Limit = 50,
) -> Page[ArticleOut]:
    """With `intent`: its articles that answer the customer's words `q`, the one to say first. Else a search for `q`.

    The bot names an intent and gets only what customers may be told today.
    """
    staff, today = caller.kind != "bot", now.astimezone(settings.zone).date()
    if intent is not None:
        found = service.for_intent(intent, q, home=settings.home)
    elif staff:
        hits = service.search(q, language, "article", home=settings.home)
        found = [hit.entry for hit in hits if isinstance(hit.entry, Article)]
    else:
        raise Problem(422, "intent-required", "The bot must name an intent.")
    shown = [article for article in found if staff or article.state(today) == "current"]
    return Page(items=[ArticleOut.of(article, today, staff=staff) for article in shown[:limit]])


@router.get("/articles/{article_id}")
async def article(caller: CurrentCaller, settings: SettingsDep, now: Now, article_id: str) -> ArticleOut:
    """One article; for the bot, what is not valid today does not exist."""
    staff, today = caller.kind != "bot", now.astimezone(settings.zone).date()
    found = next((known for known in service.articles(settings.home) if known.id == article_id), None)
    if found is None or not (staff or found.state(today) == "current"):
        raise not_found("article")
    return ArticleOut.of(found, today, staff=staff)


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
    hits = service.search(q, language, "reply", home=settings.home)
    found = [hit.entry for hit in hits if isinstance(hit.entry, Reply)]
    return Page(items=[ReplyOut.of(reply, facts) for reply in found[:limit]])
