"""Canned replies and articles for the composer: found by a word, a code or pinyin, in the customer's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.console.pages import render
from api.console.session import Me
from api.conversations.tables import Conversation
from api.deps import Now, ReadSession, SettingsDep
from api.knowledge import service as knowledge
from api.knowledge.model import Article, Facts, Reply

router = APIRouter()
MOST = 12


@dataclass(frozen=True)
class Pick:
    """One entry: `text` goes into the composer, `other` is the same for the agent to read, '' where it is alike."""

    kind: Literal["reply", "article"]
    id: str
    head: str
    text: str
    other: str
    #: Placeholders that nothing is known for.
    gaps: list[str]
    article: Article | None = None
    state: str = ""


def pick(entry: Article | Reply, facts: Facts, customer: str, agent: str, today: date, *, aloud: bool) -> Pick:
    """An entry as it is offered in a conversation in `customer`'s language to an agent who reads `agent`."""
    if isinstance(entry, Reply):
        filled = knowledge.fill(entry, facts)
        text, other = filled[customer], filled[agent] if agent != customer else ""
        return Pick("reply", entry.id, entry.key, text, other, knowledge.placeholders(text))
    both: Mapping[str, str] = entry.body.aloud if aloud else entry.body.both
    other = entry.body.both[agent] if agent != customer else ""
    title = entry.title.both[agent]
    return Pick("article", entry.id, title, both[customer], other, [], entry, entry.state(today))


@router.get("/console/_/c/{conversation_id}/picker")
async def picker(
    request: Request,
    conversation_id: Annotated[str, Path(max_length=40)],
    me: Me,
    session: ReadSession,
    settings: SettingsDep,
    now: Now,
    q: Annotated[str, Query(max_length=60)] = "",
    kind: Annotated[Literal["", "reply", "article"], Query()] = "",
) -> Response:
    """What fits the words, best first; without words, all replies and then the articles."""
    facts = await knowledge.conversation_facts(session, conversation_id, me.agent.id)
    row = await session.get_one(Conversation, conversation_id)
    customer = row.language or "zh"
    today = now.astimezone(settings.zone).date()
    hits = knowledge.search(await knowledge.known(session, settings.home), q, None, kind or None)
    if not q.strip():
        hits = sorted(hits, key=lambda hit: hit.kind != "reply")
    picks = [
        pick(hit.entry, facts, customer, me.language, today, aloud=row.channel == "voice")
        for hit in hits[: MOST if q.strip() else None]
    ]
    return render(request, me, "conversation_picker.html", picks=picks, customer=customer, q=q)
