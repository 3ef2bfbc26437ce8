"""What colleagues write to each other about a conversation, and whom they name in it. Never shown to customers.

Functions take a session and never commit.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations.bell import agent_key, touch
from api.conversations.tables import Conversation, Mention, Note
from api.db.base import new_id

Kind = Literal["note", "whisper", "transfer", "handback", "close"]


@dataclass(frozen=True)
class Noted:
    """A note, who wrote it (None: the desk itself), and the usernames of those it names."""

    note: Note
    author: Agent | None
    mentions: Sequence[str]


def mentioned(text: str, usernames: Iterable[str]) -> set[str]:
    """The usernames that stand in a text as @name, whatever their case; the longest that fits, and whole ones only.

    A Chinese sentence goes on without a blank: `@wang请看` names wang, `@wangfang` does not.
    """
    low, names, found = text.lower(), sorted(usernames, key=len, reverse=True), set[str]()
    at = low.find("@")
    while at >= 0:
        for name in names:
            end = at + 1 + len(name)
            if low.startswith(name.lower(), at + 1) and not _goes_on(low, end):
                found.add(name)
                break
        at = low.find("@", at + 1)
    return found


def _goes_on(text: str, end: int) -> bool:
    """Whether a Latin name is not over at `end`."""
    after = text[end : end + 1]
    return text[end - 1 : end].isascii() and after.isascii() and (after.isalnum() or after == "_")


async def add_note(
    session: AsyncSession, conversation: Conversation, agent_id: str | None, kind: Kind, text: str, now: datetime
) -> Note:
    """Keep a note after the latest line, and tell who is named in it (`@username`)."""
    note = Note(
        id=new_id("nt"),
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        kind=kind,
        agent_id=agent_id,
        text=text,
        at=now,
    )
    session.add(note)
    await session.flush()
    await touch(session, conversation.id)
    if kind == "whisper" and conversation.agent_id is not None:
        await touch(session, agent_key(conversation.agent_id))
    if "@" in text:
        await _mention(session, note, agent_id)
    return note


async def _mention(session: AsyncSession, note: Note, author: str | None) -> None:
    rows = await session.execute(select(Agent.username, Agent.id).where(Agent.active))
    agents = {row.username: row.id for row in rows}
    for username in sorted(mentioned(note.text, agents)):
        if agents[username] != author:
            session.add(Mention(note_id=note.id, agent_id=agents[username]))
            await touch(session, agent_key(agents[username]))
    await session.flush()


async def list_notes(session: AsyncSession, conversation_id: str) -> list[Noted]:
    """A conversation's notes in order."""
    query = select(Note, Agent).outerjoin(Agent, Agent.id == Note.agent_id)
    rows = await session.execute(
        query.where(Note.conversation_id == conversation_id).order_by(Note.seq, Note.at, Note.id)
    )
    named: dict[str, list[str]] = {}
    mentions = select(Mention.note_id, Agent.username).join(Agent, Agent.id == Mention.agent_id)
    mentions = mentions.join(Note, Note.id == Mention.note_id).where(Note.conversation_id == conversation_id)
    for note_id, username in await session.execute(mentions.order_by(Agent.username)):
        named.setdefault(note_id, []).append(username)
    return [Noted(note, author, named.get(note.id, ())) for note, author in rows]


async def unread_mentions(session: AsyncSession, agent_id: str, limit: int = 100) -> Sequence[Note]:
    """The notes that name this agent and that he has not read, newest first."""
    query = select(Note).join(Mention, Mention.note_id == Note.id)
    query = query.where(Mention.agent_id == agent_id, Mention.read_at.is_(None))
    return (await session.scalars(query.order_by(Note.at.desc(), Note.id).limit(limit))).all()


async def mark_read(session: AsyncSession, agent_id: str, note_ids: Collection[str], now: datetime) -> None:
    """He has read these."""
    await session.execute(
        update(Mention)
        .where(Mention.agent_id == agent_id, Mention.note_id.in_(note_ids), Mention.read_at.is_(None))
        .values(read_at=now)
        .execution_options(synchronize_session=False)
    )
    await touch(session, agent_key(agent_id))
