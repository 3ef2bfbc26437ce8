"""Help with lines in a language that the agent does not read: the utility's terms in them, the original first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import select

from api.console.pages import render
from api.console.session import Me, SignedIn
from api.console.timeline import State, state_of
from api.conversations.language import Language, language_of
from api.conversations.tables import Message
from api.db.base import MOST_ID
from api.deps import Now, ReadSession
from api.errors import not_found
from api.translation.base import Term, Translator
from api.translation.glossary import glossary
from api.translation.service import translate

router = APIRouter()


@dataclass(frozen=True)
class Foreign:
    """A line in a language that the agent does not read."""

    language: Language
    terms: Sequence[Term]
    #: The chosen translator does more than name terms: the page asks it for each line in sight.
    translated: bool


def reads(me: SignedIn, language: str) -> bool:
    """Whether the agent reads it; who has no languages set reads both."""
    return not me.agent.languages or language in me.agent.languages


def reader(request: Request, me: SignedIn, state: State) -> Callable[[str], Foreign | None]:
    """Tells what help a text needs; None for one that this agent reads himself."""
    translator: Translator = request.app.state.translator

    def help_with(text: str) -> Foreign | None:
        language = language_of(text, state.row.language)
        if reads(me, language):
            return None
        return Foreign(language, unlike(glossary().terms(text, language)), translator.kind == "machine")

    return help_with


def unlike(terms: Sequence[Term]) -> list[Term]:
    """Each pair once."""
    return list({(term.source.lower(), term.target): term for term in terms}.values())


@router.get("/console/_/c/{conversation_id}/translation/{seq}")
async def translation(
    request: Request,
    conversation_id: Annotated[str, Path(max_length=40)],
    seq: Annotated[int, Path(ge=1, le=MOST_ID)],
    me: Me,
    session: ReadSession,
    now: Now,
) -> Response:
    """One line by the chosen translator; where it fails, it says so."""
    state = await state_of(session, conversation_id, me, now)
    query = select(Message.text).where(Message.conversation_id == conversation_id, Message.seq == seq)
    text = await session.scalar(query)
    if text is None:
        raise not_found("line")
    source = language_of(text, state.row.language)
    await session.rollback()  # a provider takes its time, and needs no connection of ours
    target = cast(Language, me.language if me.language != source else ("en" if source == "zh" else "zh"))
    made = await translate(request.app.state.translator, text, source, target)
    return render(request, me, "conversation_translation.html", made=made)
