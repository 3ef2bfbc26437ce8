"""What colleagues write to each other about a conversation, and whom they name in it. Never shown to customers.

Functions take a session and never commit.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.conversations.bell import agent_key, touch
from api.conversations.sentences import say
from api.conversations.tables import Conversation, Mention, Note
from api.db.base import new_id

Kind = Literal["note", "whisper", "transfer", "handback", "close"]


#: Facts of a note that are ids of agents.
PEOPLE = ("from", "to")


@dataclass(frozen=True)
class Noted:
    """A note, who wrote it (None: the desk itself), the usernames of those it names, and names by agent's id."""

    note: Note
    author: Agent | None
    mentions: Sequence[str]
    names: Mapping[str, str] = field(default_factory=dict)

    def told(self, language: str) -> str:
        """The note in the reader's language; what a colleague wrote stays as it is."""
        return told(self.note.facts, self.note.text, self.names, language)


def told(facts: Mapping[str, Any], text: str, names: Mapping[str, str], language: str) -> str:
    """A note in words: what happened by its facts, then what a colleague wrote.

    Facts: {"what": passed, "why": silent | gone | left, "from", "to", "minutes"}; {"what": transfer, "to", "skill",
    "language"}; {"what": taken, "from"}; {"what": handback, "address_zh", "address_en", "ticket", "outage_id",
    "contact_phone"}. `from` and `to` are ids of agents (null: the queue); `names`: what these are called.
    """
    what, happened, known = facts.get("what"), "", dict[str, Any]()
    if what in ("passed", "transfer", "taken"):
        to = names.get(str(facts["to"]), "?") if facts.get("to") else say("note_queue", language)
        agent = names.get(str(facts.get("from")), "?")
        key = f"note_{facts['why'] if what == 'passed' else what}"
        happened = say(key, language, agent=agent, to=to, minutes=facts.get("minutes", 0))
    for name in ("skill", "language"):
        if facts.get(name):
            happened += say("note_wants", language, what=say(f"note_{name}_{facts[name]}", language))
    if what == "handback":
        known = {**facts, "address": facts.get(f"address_{language}")}
    named = [say(f"note_{name}", language, value=known[name]) for name in HANDED_BACK if known.get(name)]
    return "\n".join(filter(None, (happened, text, *named)))


#: What a note on handing back names beside the agent's words.
HANDED_BACK = ("address", "ticket", "outage_id", "contact_phone")


async def names_in(session: AsyncSession, facts: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What the agents are called whose ids stand in these facts."""
    ids = {str(each[name]) for each in facts for name in PEOPLE if each.get(name)}
    if not ids:
        return {}
    rows = await session.execute(select(Agent.id, Agent.name, Agent.username).where(Agent.id.in_(sorted(ids))))
    return {row.id: row.name or row.username for row in rows}


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
    session: AsyncSession,
    conversation: Conversation,
    agent_id: str | None,
    kind: Kind,
    text: str,
    now: datetime,
    *,
    facts: Mapping[str, Any] | None = None,
    tell: Iterable[str] = (),
) -> Note:
    """Keep a note after the latest line, and tell who is named in it (`@username`), and the agents of ids `tell`.

    `facts`: what happened, told to each reader in his language (`told`).
    """
    note = Note(
        id=new_id("nt"),
        conversation_id=conversation.id,
        seq=conversation.last_seq,
        kind=kind,
        agent_id=agent_id,
        text=text,
        facts=dict(facts or {}),
        at=now,
    )
    session.add(note)
    await session.flush()
    await touch(session, conversation.id)
    if kind == "whisper" and conversation.agent_id is not None:
        await touch(session, agent_key(conversation.agent_id))
    named = {*tell, *(await _named(session, text) if "@" in text else ())}
    for each in sorted(named - {agent_id}):
        session.add(Mention(note_id=note.id, agent_id=each))
        await touch(session, agent_key(each))
    await session.flush()
    return note


async def _named(session: AsyncSession, text: str) -> list[str]:
    """The ids of the agents who stand in it as @username."""
    rows = await session.execute(select(Agent.username, Agent.id).where(Agent.active))
    agents = {row.username: row.id for row in rows}
    return [agents[name] for name in mentioned(text, agents)]


async def list_notes(session: AsyncSession, conversation_id: str) -> list[Noted]:
    """A conversation's notes in order."""
    query = select(Note, Agent).outerjoin(Agent, Agent.id == Note.agent_id)
    rows = await session.execute(
        query.where(Note.conversation_id == conversation_id).order_by(Note.seq, Note.at, Note.id)
    )
    notes = [(note, author) for note, author in rows]
    names = await names_in(session, (note.facts for note, _ in notes))
    named: dict[str, list[str]] = {}
    mentions = select(Mention.note_id, Agent.username).join(Agent, Agent.id == Mention.agent_id)
    mentions = mentions.join(Note, Note.id == Mention.note_id).where(Note.conversation_id == conversation_id)
    for note_id, username in await session.execute(mentions.order_by(Agent.username)):
        named.setdefault(note_id, []).append(username)
    return [Noted(note, author, named.get(note.id, ()), names) for note, author in notes]


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
