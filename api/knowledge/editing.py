"""Changing articles and replies at the desk: every change is a new version over the files, and none is lost.

Functions take a session and never commit. Whoever changes names the version that he saw (0: the shipped text), and gets
Problem 409 `changed-meanwhile` where it is another one by now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.errors import Problem, not_found
from api.knowledge import drafts
from api.knowledge.drafts import ArticleChange, NewReply, ReplyChange, in_words
from api.knowledge.files import Knowledge, load
from api.knowledge.model import Article, Reply
from api.knowledge.search import Kind
from api.knowledge.store import content_of, digest, entry_of, read
from api.knowledge.tables import KnowledgeVersion
from api.knowledge.wording import Fault, reply_faults

#: Held on PostgreSQL by whoever changes something, until his transaction ends; on SQLite there is one writer anyway.
ADVISORY_LOCK = 955_980_007
Entry = Article | Reply
One = TypeVar("One", Article, Reply)


def unfit(faults: Sequence[Fault]) -> Problem:
    """A text that customers cannot be told; `errors` says why, `values` are what the sentences of faults.yml name."""
    errors = []
    for fault in faults:
        name, sentence = in_words(fault, "en")
        message = f"{name}: {sentence}"
        errors.append({"field": fault.field, "code": fault.code, "message": message, "values": dict(fault.values)})
    return Problem(422, "unfit", "Customers cannot be told this text.", errors=errors)


@dataclass(frozen=True)
class Desk:
    """The desk as one who changes it sees it; nobody else changes it meanwhile."""

    session: AsyncSession
    home: Path | None
    now: datetime
    #: Caller.name
    by: str

    async def stands(self) -> Knowledge:
        """Everything as it is, once nobody else is changing it."""
        if self.session.get_bind().dialect.name == "postgresql":
            await self.session.execute(select(func.pg_advisory_xact_lock(ADVISORY_LOCK)))
        return await read(self.session, self.home)

    def file(self, kind: Kind, entry_id: str) -> Entry | None:
        """The entry in the files."""
        files = load(self.home)
        return _by_id(files.articles, entry_id) if kind == "article" else _by_id(files.replies, entry_id)

    async def add(
        self, kind: Kind, entry_id: str, version: int, act: str, content: dict[str, Any], *, retired: bool = False
    ) -> None:
        row = KnowledgeVersion(kind=kind, entry_id=entry_id, version=version, act=act, content=content)
        row.retired, row.by, row.at = retired, self.by, self.now
        row.shipped = digest(self.file(kind, entry_id))
        self.session.add(row)
        await self.session.flush()


async def change_article(desk: Desk, article_id: str, change: ArticleChange, today: date) -> None:
    """Other words, another validity. Problem 404, 409, 422 `unfit`."""
    stands = await desk.stands()
    article = _by_id(stands.articles, article_id)
    if article is None:
        raise not_found("article")
    at = _seen(stands, "article", article_id, change.version)
    wanted, faults = drafts.changed_article(article, change, today)
    if faults:
        raise unfit(faults)
    if wanted != article or _outdated(stands, "article", article_id):
        await desk.add("article", article_id, at + 1, "changed" if wanted != article else "kept", content_of(wanted))


async def end_article(desk: Desk, article_id: str, version: int, today: date) -> None:
    """Have it told to nobody from now on. The wording is not looked at: what is wrong may always be ended."""
    stands = await desk.stands()
    article = _by_id(stands.articles, article_id)
    if article is None:
        raise not_found("article")
    at = _seen(stands, "article", article_id, version)
    last = today - timedelta(days=1)
    first = min(article.valid_from, last) if article.valid_from else None
    ended = article.model_copy(update={"valid_from": first, "valid_until": last})
    if article.state(today) != "expired":
        await desk.add("article", article_id, at + 1, "changed", content_of(ended))


async def add_reply(desk: Desk, new: NewReply) -> str:
    """A new canned reply; gives its id. Problem 422 `unfit`."""
    stands = await desk.stands()
    faults = [*_key_taken(stands, new.key, ""), *reply_faults(new.text)]
    if faults:
        raise unfit(faults)
    taken = {reply.id for reply in (*stands.replies, *stands.retired)}
    names = (f"own_{new.key}{suffix}" for suffix in ("", *(f"_{number}" for number in range(2, 1000))))
    reply_id = next(name for name in names if name not in taken and not stands.version("reply", name))
    reply = Reply.model_validate({"id": reply_id, **new.model_dump()})
    await desk.add("reply", reply_id, 1, "added", content_of(reply))
    return reply_id


async def change_reply(desk: Desk, reply_id: str, change: ReplyChange) -> None:
    """Other words, another code. Problem 404, 409, 422 `unfit`."""
    stands = await desk.stands()
    reply = _by_id(stands.replies, reply_id)
    if reply is None:
        raise not_found("reply")
    at = _seen(stands, "reply", reply_id, change.version)
    faults = list(_key_taken(stands, change.key, reply_id)) if change.key else []
    wanted, wrong = drafts.changed_reply(reply, change)
    if faults or wrong:
        raise unfit([*faults, *wrong])
    if wanted != reply or _outdated(stands, "reply", reply_id):
        await desk.add("reply", reply_id, at + 1, "changed" if wanted != reply else "kept", content_of(wanted))


async def retire_reply(desk: Desk, reply_id: str, version: int) -> None:
    """Offer it to nobody any more; it can be brought back. Problem 404, 409."""
    stands = await desk.stands()
    reply = _by_id(stands.replies, reply_id)
    if reply is None:
        raise not_found("reply")
    at = _seen(stands, "reply", reply_id, version)
    await desk.add("reply", reply_id, at + 1, "retired", content_of(reply), retired=True)


async def bring_back(desk: Desk, kind: Kind, entry_id: str, version: int, to: int, today: date) -> None:
    """Have an earlier version stand again, 0 for the shipped text. Problem 404, 409, 422 `unfit`.

    With `to` the present one, it is kept although the shipped text has changed. A version keeps to what customers may
    be told today: one that was saved under other rules may be refused.
    """
    stands = await desk.stands()
    if not stands.version(kind, entry_id):
        raise not_found("version")
    at = _seen(stands, kind, entry_id, version)
    file = desk.file(kind, entry_id)
    content: dict[str, Any]
    if to == 0:
        if file is None:
            raise not_found("version")
        entry, content, act = file, {}, "returned"
    else:
        row = await desk.session.get(KnowledgeVersion, (kind, entry_id, to))
        try:
            found = entry_of(row, file) if row is not None else None
        except ValidationError as error:
            raise unfit(drafts.faults_in(error)) from error
        if row is None or found is None:
            raise not_found("version")
        entry, content = found, row.content and content_of(found)
        act = "kept" if to == at and not row.retired else "returned"
    if isinstance(entry, Reply):
        if faults := [*_key_taken(stands, entry.key, entry_id), *(reply_faults(entry.text) if content else ())]:
            raise unfit(faults)
    elif content and (faults := drafts.changed_article(entry, ArticleChange(version=at), today)[1]):
        raise unfit(faults)
    await desk.add(kind, entry_id, at + 1, act, content)


async def versions(session: AsyncSession, kind: Kind, entry_id: str) -> Sequence[KnowledgeVersion]:
    """All versions of an entry, the newest first; none where nobody changed it."""
    query = select(KnowledgeVersion).where(KnowledgeVersion.kind == kind, KnowledgeVersion.entry_id == entry_id)
    return (await session.scalars(query.order_by(KnowledgeVersion.version.desc()))).all()


def _by_id(entries: Sequence[One], entry_id: str) -> One | None:
    return next((entry for entry in entries if entry.id == entry_id), None)


def _seen(stands: Knowledge, kind: Kind, entry_id: str, version: int) -> int:
    """The present version; Problem 409 where it is not the one that he saw."""
    mark = stands.marks.get((kind, entry_id))
    at = mark.version if mark else 0
    if at != version:
        by, when = (mark.by, mark.at.isoformat()) if mark else ("", "")
        raise Problem(409, "changed-meanwhile", "Somebody else has changed this meanwhile.", version=at, by=by, at=when)
    return at


def _outdated(stands: Knowledge, kind: Kind, entry_id: str) -> bool:
    """Whether saving the very same text still says something: that it was compared with the new shipped one."""
    mark = stands.marks.get((kind, entry_id))
    return mark is not None and mark.outdated


def _key_taken(stands: Knowledge, key: str, reply_id: str) -> list[Fault]:
    other = next((reply for reply in stands.replies if reply.key == key and reply.id != reply_id), None)
    return [Fault("key", "key_taken", {"other": other.text.zh[:20]})] if other else []
