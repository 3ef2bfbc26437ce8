"""Supervisors change articles and canned replies: both languages at once, tried before they are saved."""

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Form, Request, Response
from pydantic import ValidationError

from api.console.knowledge import Id, history
from api.console.knowledge_forms import ArticleForm, DeskDep, ReplyForm, Today, Validity, Wanted, previewed, told
from api.console.pages import render
from api.console.session import Me, SignedIn
from api.db.base import new_id
from api.db.idempotency import once_for
from api.deps import Now, ReadSession, SettingsDep
from api.errors import not_found
from api.knowledge import drafts, editing
from api.knowledge.drafts import MOST_STEPS, ArticleChange, NewReply, ReplyChange
from api.knowledge.files import load
from api.knowledge.model import PLACEHOLDERS, Group
from api.knowledge.store import known
from api.knowledge.wording import reply_faults

router = APIRouter()


# -- articles --------------------------------------------------------------------------------------------------------


@router.get("/console/knowledge/{article_id}/edit")
async def edit(
    request: Request, article_id: Id, me: Me, session: ReadSession, settings: SettingsDep, today: Today
) -> Response:
    """The form of an article."""
    desk = await known(session, settings.home)
    article = next((one for one in desk.articles if one.id == article_id), None)
    if article is None:
        raise not_found("article")
    return render(
        request,
        me,
        "knowledge_edit.html",
        article=article,
        version=desk.version("article", article_id),
        rows=[*article.steps, *[None] * (min(len(article.steps) + 2, MOST_STEPS) - len(article.steps))],
        today=today,
    )


@router.post("/console/_/knowledge/{article_id}/preview")
async def preview(
    request: Request,
    article_id: Id,
    me: Me,
    session: ReadSession,
    settings: SettingsDep,
    today: Today,
    form: Annotated[ArticleForm, Form()],
) -> Response:
    """What customers would read and hear, and what is wrong with it; nothing is saved."""
    desk = await known(session, settings.home)
    article = next((one for one in desk.articles if one.id == article_id), None)
    if article is None:
        raise not_found("article")
    try:
        wanted, faults = drafts.changed_article(article, form.change(today), today)
    except ValidationError as error:
        return previewed(request, me, [], drafts.faults_in(error))
    return previewed(request, me, [wanted.body, *wanted.steps], faults)


@router.post("/console/knowledge/{article_id}")
async def save(
    request: Request, article_id: Id, me: Me, desk: DeskDep, today: Today, form: Annotated[ArticleForm, Form()]
) -> Response:
    """Have customers told this from now on."""

    async def do() -> str:
        await editing.change_article(desk, article_id, form.change(today), today)
        return f"/console/knowledge/{article_id}"

    return await told(request, me, desk, "article", article_id, do)


@router.post("/console/knowledge/{article_id}/end")
async def end(
    request: Request, article_id: Id, me: Me, desk: DeskDep, today: Today, form: Annotated[Wanted, Form()]
) -> Response:
    """Have no customer told it from now on."""

    async def do() -> str:
        await editing.end_article(desk, article_id, form.version, today)
        return f"/console/knowledge/{article_id}"

    return await told(request, me, desk, "article", article_id, do)


@router.post("/console/knowledge/{article_id}/renew")
async def renew(
    request: Request, article_id: Id, me: Me, desk: DeskDep, today: Today, form: Annotated[Validity, Form()]
) -> Response:
    """It was compared with its source today, and holds until then."""

    async def do() -> str:
        asked = {"version": form.version, "valid_until": form.valid_until.strip() or None, "reviewed_on": today}
        await editing.change_article(desk, article_id, ArticleChange.model_validate(asked), today)
        return f"/console/knowledge/{article_id}"

    return await told(request, me, desk, "article", article_id, do)


@router.post("/console/knowledge/{article_id}/return")
async def take_back(
    request: Request, article_id: Id, me: Me, desk: DeskDep, today: Today, form: Annotated[Wanted, Form()]
) -> Response:
    """Have an earlier version stand again, 0 for the shipped text; the present one is kept over a newer file."""

    async def do() -> str:
        await editing.bring_back(desk, "article", article_id, form.version, form.to, today)
        return f"/console/knowledge/{article_id}"

    return await told(request, me, desk, "article", article_id, do)


# -- canned replies --------------------------------------------------------------------------------------------------


def _reply_page(request: Request, me: SignedIn, **context: Any) -> Response:
    gaps = " ".join(f"{{{name}}}" for name in sorted(PLACEHOLDERS))
    return render(request, me, "knowledge_reply.html", groups=get_args(Group), gaps=gaps, nonce=new_id("nc"), **context)


@router.get("/console/replies")
async def new_reply(request: Request, me: Me) -> Response:
    """The form of a new reply."""
    return _reply_page(request, me, reply=None, version=0, retired=False, mark=None, history=[], shipped=None)


@router.get("/console/replies/{reply_id}")
async def reply(request: Request, reply_id: Id, me: Me, session: ReadSession, settings: SettingsDep) -> Response:
    """The form of a reply, and who changed it."""
    desk = await known(session, settings.home)
    one = next((one for one in (*desk.replies, *desk.retired) if one.id == reply_id), None)
    if one is None:
        raise not_found("reply")
    return _reply_page(
        request,
        me,
        reply=one,
        version=desk.version("reply", reply_id),
        retired=one in desk.retired,
        mark=desk.marks.get(("reply", reply_id)),
        history=await history(session, settings.home, "reply", reply_id),
        shipped=next((one for one in load(settings.home).replies if one.id == reply_id), None),
    )


@router.post("/console/_/reply-preview")
async def reply_preview(request: Request, me: Me, form: Annotated[ReplyForm, Form()]) -> Response:
    """What customers would read and hear, with names made up; nothing is saved."""
    try:
        new = NewReply.model_validate(form.asked())
    except ValidationError as error:
        return previewed(request, me, [], drafts.faults_in(error))
    return previewed(request, me, [new.text], reply_faults(new.text))


@router.post("/console/replies")
async def add_reply(request: Request, me: Me, desk: DeskDep, now: Now, form: Annotated[ReplyForm, Form()]) -> Response:
    """Add one, once, however often the form is sent."""

    async def once() -> dict[str, Any]:
        return {"id": await editing.add_reply(desk, NewReply.model_validate(form.asked()))}

    async def do() -> str:
        body = form.model_dump_json().encode()
        await once_for(desk.session, request, form.nonce or new_id("nc"), me.caller.name, body, now, once)
        return "/console/knowledge?q=" + form.key.strip().lower()

    return await told(request, me, desk, "reply", "", do)


@router.post("/console/replies/{reply_id}")
async def save_reply(
    request: Request, reply_id: Id, me: Me, desk: DeskDep, form: Annotated[ReplyForm, Form()]
) -> Response:
    """Have agents send this from now on."""

    async def do() -> str:
        change = ReplyChange.model_validate({"version": form.version, **form.asked()})
        await editing.change_reply(desk, reply_id, change)
        return f"/console/replies/{reply_id}"

    return await told(request, me, desk, "reply", reply_id, do)


@router.post("/console/replies/{reply_id}/retire")
async def retire_reply(
    request: Request, reply_id: Id, me: Me, desk: DeskDep, form: Annotated[Wanted, Form()]
) -> Response:
    """Offer it to nobody any more."""

    async def do() -> str:
        await editing.retire_reply(desk, reply_id, form.version)
        return f"/console/replies/{reply_id}"

    return await told(request, me, desk, "reply", reply_id, do)


@router.post("/console/replies/{reply_id}/return")
async def bring_back_reply(
    request: Request, reply_id: Id, me: Me, desk: DeskDep, today: Today, form: Annotated[Wanted, Form()]
) -> Response:
    """Have an earlier version stand again, a retired one too; 0 for the shipped text."""

    async def do() -> str:
        await editing.bring_back(desk, "reply", reply_id, form.version, form.to, today)
        return f"/console/replies/{reply_id}"

    return await told(request, me, desk, "reply", reply_id, do)
