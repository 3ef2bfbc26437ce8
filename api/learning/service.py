"""The list of misunderstood wordings, and reviewing one. Functions take a session and never commit."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.insight import Guess
from api.conversations.tables import Conversation, Message, Understanding
from api.customers.tables import Account
from api.errors import Problem, not_found
from api.learning import reviewed
from api.learning.masking import bare, example_of, impersonal
from api.learning.schemas import MisunderstoodOut, Reviewed, Why
from api.paging import newest_first
from api.tickets.tables import Ticket

#: An intent below this is a guess (bot.actions.journey.MEANT), unless it was the answer to a question.
UNSURE = 0.55
NONE = "none"


def _doubtful(below: float) -> Select[Any]:
    unsure = and_(Understanding.confidence < below, Understanding.answer == false())
    return select(Understanding).where(
        Understanding.reviewed_at.is_(None), or_(Understanding.missed, Understanding.person_next, unsure)
    )


async def misunderstood(
    session: AsyncSession,
    *,
    below: float = UNSURE,
    language: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> tuple[list[MisunderstoodOut], str | None]:
    """Wordings that nobody has reviewed, newest first, and the next cursor."""
    query = _doubtful(below)
    if language:
        query = query.where(Understanding.language == language)
    rows: Sequence[Understanding]
    rows, following = await newest_first(session, query, Understanding.at, Understanding.message_id, limit, cursor)
    words = {message.id: message for message in await _messages(session, rows)}
    names = await _names(session, [row.conversation_id for row in rows])
    return [
        MisunderstoodOut(
            message_id=row.message_id,
            conversation_id=row.conversation_id,
            seq=words[row.message_id].seq,
            text=impersonal(words[row.message_id].text, names.get(row.conversation_id, ())),
            language=row.language,
            intent=row.intent,
            confidence=row.confidence,
            ranking=[Guess.model_validate(guess) for guess in row.ranking],
            why=_why(row, below),
            at=row.at,
        )
        for row in rows
    ], following


def _why(row: Understanding, below: float) -> list[Why]:
    told: list[tuple[Why, bool]] = [
        ("asked_back", row.missed),
        ("unsure", row.confidence < below and not row.answer),
        ("person_next", row.person_next),
    ]
    return [why for why, so in told if so]


async def _messages(session: AsyncSession, rows: Sequence[Understanding]) -> Sequence[Message]:
    query = select(Message).where(Message.id.in_([row.message_id for row in rows]))
    return (await session.scalars(query)).all() if rows else ()


async def _names(session: AsyncSession, conversations: Sequence[str]) -> dict[str, set[str]]:
    """Names of people known in these conversations: of the account, of tickets, told to the bot."""
    found: dict[str, set[str]] = {}
    if not conversations:
        return found
    holders = select(Conversation.id, Account.holder_name).join(Account, Account.number == Conversation.account_number)
    contacts = select(Ticket.conversation_id, Ticket.contact_name).where(Ticket.conversation_id.in_(conversations))
    for query in (holders.where(Conversation.id.in_(conversations)), contacts):
        for conversation_id, name in await session.execute(query):
            found.setdefault(str(conversation_id), set()).add(name or "")
    sheets = select(Conversation.id, Conversation.sheet).where(Conversation.id.in_(conversations))
    for conversation_id, sheet in await session.execute(sheets):
        contact = (sheet or {}).get("contact")
        if isinstance(contact, dict) and isinstance(contact.get("name"), str):
            found.setdefault(conversation_id, set()).add(contact["name"])
    return found


async def review(
    session: AsyncSession,
    home: Path,
    message_id: str,
    intent: str,
    text: str | None,
    agent_id: str | None,
    now: datetime,
) -> Reviewed:
    """Settle what a wording means; unless `none`, it is written down for the next training.

    Problem 404 for an unknown message, 409 for one reviewed already or a text that the bot was taught otherwise, 422
    for an unknown intent or a text without words.
    """
    row = await session.get(Understanding, message_id, with_for_update=True)
    message = await session.get(Message, message_id)
    if row is None or message is None:
        raise not_found("message")
    if row.reviewed_at is not None:
        raise Problem(409, "already-reviewed", "This wording has been reviewed already.", intent=row.reviewed_as)
    example, added = "", False
    if intent != NONE:
        names = (await _names(session, [row.conversation_id])).get(row.conversation_id, set())
        example = example_of(impersonal(text if text is not None else message.text, names))
        added = await _learn(home, row.language, intent, example)
    row.reviewed_as, row.reviewed_by, row.reviewed_at = intent, agent_id, now
    await session.flush()
    return Reviewed(message_id=message_id, intent=intent, text=example, added=added)


async def _learn(home: Path, language: str, intent: str, example: str) -> bool:
    if intent not in reviewed.intents():
        raise Problem(422, "unknown-intent", "The bot knows no such intent.")
    if not example:
        raise Problem(422, "no-words", "There are no words in this text.")
    known = (await asyncio.to_thread(reviewed.taught_here)).get(bare(example))
    if known is not None and known != intent:
        detail = f"The bot was taught this very wording as {known}."
        raise Problem(409, "taught-otherwise", detail, intent=known)
    if known is not None:
        return False
    try:
        return await asyncio.to_thread(reviewed.add, home, language, intent, example)
    except reviewed.FileBroken as problem:
        raise Problem(409, "file-broken", f"The reviewed examples have to be mended first: {problem}") from problem
