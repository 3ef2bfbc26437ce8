"""What the desk knows now: the files, with what supervisors changed over them.

Nothing is kept that could grow stale: rows are only ever added, so their number tells every process whether what it
read before still holds.
"""

import hashlib
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.base import table_of
from api.knowledge.files import Knowledge, Mark, load
from api.knowledge.model import Article, Reply
from api.knowledge.tables import KnowledgeVersion

log = structlog.get_logger(__name__)

_v = table_of(KnowledgeVersion).c
_COUNT = select(func.count()).select_from(table_of(KnowledgeVersion))
_NEWEST = select(_v.kind, _v.entry_id, func.max(_v.version).label("version")).group_by(_v.kind, _v.entry_id).subquery()
_LATEST = select(KnowledgeVersion).join(
    _NEWEST, and_(_v.kind == _NEWEST.c.kind, _v.entry_id == _NEWEST.c.entry_id, _v.version == _NEWEST.c.version)
)
#: What an edited article has of the shipped one whatever its row says: which questions it answers is an engineer's.
_FROM_FILE = frozenset({"id", "utility", "intents", "when", "unless", "safety"})
#: By database of this process: home, number of rows, and what they made of the files.
_known: weakref.WeakKeyDictionary[Any, tuple[Path | None, int, Knowledge]] = weakref.WeakKeyDictionary()


async def known(session: AsyncSession, home: Path | None) -> Knowledge:
    """All articles and replies as they stand in the database of this session, which must not have changed them."""
    count = await session.scalar(_COUNT) or 0
    pool = session.get_bind().engine.pool
    last = _known.get(pool)
    if last is None or last[:2] != (home, count):
        last = (home, count, await read(session, home))
        _known[pool] = last
    return last[2]


async def read(session: AsyncSession, home: Path | None) -> Knowledge:
    """The same, read afresh; for whoever changes them."""
    return over(load(home), await session.scalars(_LATEST.order_by(KnowledgeVersion.at, KnowledgeVersion.entry_id)))


def over(files: Knowledge, rows: Iterable[KnowledgeVersion]) -> Knowledge:
    """The files with the latest version of each changed entry over them; a row that cannot be used is left out."""
    articles = {article.id: article for article in files.articles}
    replies = {reply.id: reply for reply in files.replies}
    retired: dict[str, Reply] = {}
    marks: dict[tuple[str, str], Mark] = {}
    for row in rows:
        file = (articles if row.kind == "article" else replies).get(row.entry_id)
        usable = True
        try:
            match entry_of(row, file):
                case Article() as article:
                    articles[row.entry_id] = article
                case Reply() as reply:
                    replies[row.entry_id] = reply
        except ValidationError:
            usable = False
            log.error("knowledge.row_unusable", kind=row.kind, id=row.entry_id, version=row.version)
        if row.retired and usable and row.entry_id in replies:
            retired[row.entry_id] = replies.pop(row.entry_id)
        outdated = bool(row.content) and usable and row.shipped != digest(file)
        marks[row.kind, row.entry_id] = Mark(row.version, row.act, row.by, row.at, outdated)
    return Knowledge(tuple(articles.values()), tuple(replies.values()), files.own, tuple(retired.values()), marks)


def entry_of(row: KnowledgeVersion, file: Article | Reply | None) -> Article | Reply | None:
    """The entry that this row makes of the one in the files. Raises ValidationError."""
    if not row.content:
        return file
    if row.kind == "reply":
        return Reply.model_validate(row.content | {"id": row.entry_id})
    content = dict(row.content)
    if isinstance(file, Article):
        kept = file.model_dump()
        content |= {name: kept[name] for name in _FROM_FILE}
        content["source"] = content["source"] | {"processes": kept["source"]["processes"]}
    return Article.model_validate(content)


def content_of(entry: Article | Reply) -> dict[str, Any]:
    """An entry as a row keeps it: what has its default value is left out."""
    return entry.model_dump(mode="json", exclude_defaults=True)


def digest(file: Article | Reply | None) -> str:
    """Tells one shipped text from another; '' for none."""
    return hashlib.sha256(file.model_dump_json(exclude_defaults=True).encode()).hexdigest() if file else ""
