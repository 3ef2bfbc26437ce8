"""Articles and replies as `/api/v1` gives them."""

from datetime import date
from typing import Literal

from pydantic import BaseModel

from api.knowledge.model import Article, Facts, Reply, State, fill, placeholders


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
    """An article. `specific`: it answers because of the customer's very words. `advice` is for agents alone."""

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

    @classmethod
    def of(cls, article: Article, today: date, *, staff: bool) -> "ArticleOut":
        """`staff`: with the advice."""
        fields = article.model_dump(include={"id", "utility", "intents", "title", "keywords", "source", "safety"})
        dates = article.model_dump(include={"valid_from", "valid_until", "reviewed_on"})
        texts = [{**text.both, "spoken": text.aloud} for text in (article.body, *article.steps)]
        advice = article.advice.both if article.advice and staff else None
        return cls.model_validate(
            {
                **fields,
                **dates,
                "specific": article.when is not None,
                "body": texts[0],
                "steps": texts[1:],
                "state": article.state(today),
                "advice": advice,
            }
        )


class ReplyOut(BaseModel):
    """A canned reply, filled as far as the conversation tells; `missing` names what is still in braces."""

    id: str
    key: str
    group: str
    text: Both
    missing: list[str]

    @classmethod
    def of(cls, reply: Reply, facts: Facts) -> "ReplyOut":
        text = fill(reply, facts)
        missing = placeholders(f"{text['zh']}\n{text['en']}")
        return cls(id=reply.id, key=reply.key, group=reply.group, text=Both(**text), missing=missing)
