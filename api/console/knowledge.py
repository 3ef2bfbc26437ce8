"""The knowledge base and the canned replies, for everybody to look up; both languages side by side."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from api.console.pages import render
from api.console.session import Me, SignedIn
from api.deps import Now, SettingsDep
from api.errors import not_found
from api.knowledge import service as knowledge
from api.knowledge.model import Article, Reply
from api.settings import Settings

router = APIRouter()
Words = Annotated[str, Query(max_length=60)]


def _found(request: Request, me: SignedIn, settings: Settings, now: Now, q: str, template: str) -> Response:
    today = now.astimezone(settings.zone).date()
    hits = knowledge.search(q, home=settings.home)
    articles = [(hit.entry, hit.entry.state(today)) for hit in hits if isinstance(hit.entry, Article)]
    replies = [hit.entry for hit in hits if isinstance(hit.entry, Reply)]
    return render(request, me, template, q=q.strip(), articles=articles, replies=replies)


@router.get("/console/knowledge")
async def page(request: Request, me: Me, settings: SettingsDep, now: Now, q: Words = "") -> Response:
    """All of it, or what the words find."""
    return _found(request, me, settings, now, q, "knowledge.html")


@router.get("/console/_/knowledge")
async def found(request: Request, me: Me, settings: SettingsDep, now: Now, q: Words = "") -> Response:
    """What the words find so far."""
    return _found(request, me, settings, now, q, "knowledge_found.html")


@router.get("/console/knowledge/{article_id}")
async def article(
    request: Request, article_id: Annotated[str, Path(max_length=60)], me: Me, settings: SettingsDep, now: Now
) -> Response:
    """One article in both languages, with where it is from and until when it holds."""
    one = next((entry for entry in knowledge.articles(settings.home) if entry.id == article_id), None)
    if one is None:
        raise not_found("article")
    state = one.state(now.astimezone(settings.zone).date())
    return render(request, me, "knowledge_article.html", article=one, state=state)
