"""Articles and replies as `/api/v1` gives them."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel

from api.knowledge.files import Knowledge
from api.knowledge.model import Article, Facts, Reply, State, fill, placeholders
from api.paging import Page


class Both(BaseModel):
    """The same in both languages."""

    zh: str
    en: str


class TextOut(Both):
    """A sentence; `spoken` is what is said on the telephone, always there."""

    spoken: Both


class SourceOut(BaseModel):
    """Process ids and the document's name."""

    processes: list[str]
    document: Both


class KeywordsOut(BaseModel):
    zh: list[str]
    en: list[str]


class ArticleOut(BaseModel):
    """An article. `specific`: it answers because of the customer's very words. `advice` is for agents alone.

    `version`: how often it was changed at the desk. `outdated`: the shipped text has changed since (staff).
    """

    id: str
    utility: Literal["power", "water", "both"]
    intents: list[str]
    specific: bool
    title: Both
    body: TextOut
    steps: list[TextOut]
    keywords: KeywordsOut
    source: SourceOut
    valid_from: date | None
    valid_until: date | None
    reviewed_on: date
    state: State
    safety: bool
    advice: Both | None
    version: int
    outdated: bool

    @classmethod
    def of(cls, article: Article, desk: Knowledge, today: date, *, staff: bool) -> "ArticleOut":
        """`staff`: with the advice."""
        fields = article.model_dump(include={"id", "utility", "intents", "title", "keywords", "source", "safety"})
        dates = article.model_dump(include={"valid_from", "valid_until", "reviewed_on"})
        texts = [{**text.both, "spoken": text.aloud} for text in (article.body, *article.steps)]
        advice = article.advice.both if article.advice and staff else None
        mark = desk.marks.get(("article", article.id))
        return cls.model_validate(
            {
                **fields,
                **dates,
                "specific": article.when is not None,
                "body": texts[0],
                "steps": texts[1:],
                "state": article.state(today),
                "advice": advice,
                "version": mark.version if mark else 0,
                "outdated": bool(staff and mark and mark.outdated),
            }
        )


class Articles(Page[ArticleOut]):
    """Articles; `withheld`: what answers is past its validity, or not valid yet, and so is not told."""

    withheld: bool = False


class ReplyOut(BaseModel):
    """A canned reply, filled as far as the conversation tells; `missing` names what is still in braces."""

    id: str
    key: str
    group: str
    text: Both
    missing: list[str]
    version: int
    outdated: bool

    @classmethod
    def of(cls, reply: Reply, facts: Facts, desk: Knowledge) -> "ReplyOut":
        text = fill(reply, facts)
        missing = placeholders(f"{text['zh']}\n{text['en']}")
        mark = desk.marks.get(("reply", reply.id))
        return cls(
            id=reply.id,
            key=reply.key,
            group=reply.group,
            text=Both(**text),
            missing=missing,
            version=mark.version if mark else 0,
            outdated=bool(mark and mark.outdated),
        )


class ReplyWhole(BaseModel):
    """A canned reply as it is kept, with its gaps; `spoken`: where the telephone says it differently."""

    id: str
    key: str
    group: str
    text: Both
    spoken: Both | None
    version: int
    retired: bool
    outdated: bool

    @classmethod
    def of(cls, reply: Reply, desk: Knowledge) -> "ReplyWhole":
        mark = desk.marks.get(("reply", reply.id))
        return cls(
            id=reply.id,
            key=reply.key,
            group=reply.group,
            text=Both(**reply.text.both),
            spoken=Both(**reply.text.spoken.both) if reply.text.spoken else None,
            version=mark.version if mark else 0,
            retired=reply in desk.retired,
            outdated=bool(mark and mark.outdated),
        )


class VersionOut(BaseModel):
    """One version of an article or a reply: who made it, when, and the whole text then; None: the shipped one."""

    version: int
    act: str
    by: str
    at: datetime
    retired: bool
    content: dict[str, Any] | None
