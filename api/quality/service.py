"""Scoring conversations, and what the scores tell. Functions take a session and never commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from api.agents.tables import Agent
from api.conversations.bell import agent_key, touch
from api.conversations.tables import Conversation, Message, Note
from api.db.base import new_id
from api.errors import Problem, not_found
from api.quality import rules
from api.quality.rules import Line, Scores
from api.quality.tables import QualityReview

#: Samples are drawn from so long a time.
SAMPLED = timedelta(days=7)
SAMPLE = 5
LONGEST_REMARK = 2_000


async def served_by(session: AsyncSession, conversation_id: str) -> list[Agent]:
    """The agents who had a part in it: who wrote, who have it now, who passed it on, gave it back or closed it."""
    query = select(Agent).where(
        Agent.id.in_(
            union(
                select(Message.agent_id).where(Message.conversation_id == conversation_id, Message.sender == "agent"),
                select(Conversation.agent_id).where(Conversation.id == conversation_id, Conversation.owner == "agent"),
                select(Note.agent_id).where(
                    Note.conversation_id == conversation_id, Note.kind.in_(("handback", "close"))
                ),
            )
        )
    )
    return list(await session.scalars(query.order_by(Agent.username)))


async def review(
    session: AsyncSession,
    conversation_id: str,
    agent_id: str,
    reviewer_id: str,
    scores: Scores,
    remark: str,
    now: datetime,
) -> QualityReview:
    """Keep a supervisor's scores of an agent's part in a conversation.

    Problem 404; 409 for a conversation that the bot leads, 409 for one's own part; 422 for somebody who had no part in
    it and for scores that the form does not have.
    """
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    if conversation.closed_at is None and conversation.owner != "agent":
        raise Problem(409, "not-reviewable", "Only closed conversations and agents' ones are scored.")
    if agent_id not in {agent.id for agent in await served_by(session, conversation_id)}:
        raise Problem(422, "unknown-agent", "This agent had no part in the conversation.")
    if agent_id == reviewer_id:
        raise Problem(409, "own-work", "Nobody scores his own conversations.")
    if wrong := rules.complaint_about(scores, rules.form()):
        message = f"Give 2, 1, 0 or say that it did not come up: {wrong}."
        errors = [{"field": "body.scores", "message": message}]
        raise Problem(422, "invalid", "Some fields are not valid.", errors=errors)
    made = QualityReview(
        id=new_id("qr"),
        conversation_id=conversation_id,
        agent_id=agent_id,
        reviewer_id=reviewer_id,
        scores=dict(scores),
        total=rules.total(scores),
        remark=remark[:LONGEST_REMARK],
        at=now,
    )
    session.add(made)
    await session.flush()
    await touch(session, agent_key(agent_id))
    return made


@dataclass(frozen=True)
class Reviewed:
    """A review with the names in it."""

    review: QualityReview
    agent: Agent
    reviewer: Agent


def _where(since: datetime | None, until: datetime | None, agent_id: str | None) -> list[ColumnElement[bool]]:
    r = QualityReview
    return [
        *([r.at >= since] if since else []),
        *([r.at < until] if until else []),
        *([r.agent_id == agent_id] if agent_id else []),
    ]


async def reviews(
    session: AsyncSession,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agent_id: str | None = None,
    conversation_id: str | None = None,
    username: str | None = None,
    limit: int = 50,
) -> list[Reviewed]:
    """Reviews, the latest first."""
    reviewer = aliased(Agent)
    query = (
        select(QualityReview, Agent, reviewer)
        .join(Agent, Agent.id == QualityReview.agent_id)
        .join(reviewer, reviewer.id == QualityReview.reviewer_id)
        .where(*_where(since, until, agent_id))
    )
    if conversation_id:
        query = query.where(QualityReview.conversation_id == conversation_id)
    if username:
        query = query.where(Agent.username == username)
    rows = await session.execute(query.order_by(QualityReview.at.desc(), QualityReview.id).limit(limit))
    return [Reviewed(*row) for row in rows]


@dataclass(frozen=True)
class Report:
    """A period by agent and criterion (D9); `names` by agent id."""

    lines: Sequence[Line]
    whole: Line
    names: dict[str, str]


async def report(
    session: AsyncSession, since: datetime | None, until: datetime | None, agent_id: str | None = None
) -> Report:
    """What the reviews of a period come to, for each agent and for all; the best last, who may need help first."""
    r, by_agent = QualityReview, dict[str, list[tuple[int, Scores]]]()
    for row in await session.execute(select(r.agent_id, r.total, r.scores).where(*_where(since, until, agent_id))):
        by_agent.setdefault(row.agent_id, []).append((row.total, row.scores))
    criteria = rules.form()
    lines = [rules.line(one, given, criteria) for one, given in by_agent.items()]
    named = await session.execute(select(Agent.id, Agent.name, Agent.username).where(Agent.id.in_(by_agent)))
    names = {row.id: row.name or row.username for row in named}
    whole = rules.line(None, [review for given in by_agent.values() for review in given], criteria)
    return Report(sorted(lines, key=lambda line: (line.average, names[str(line.agent_id)])), whole, names)


async def sample(session: AsyncSession, now: datetime, reviewer_id: str, agent_id: str | None = None) -> Sequence[Any]:
    """Closed conversations of late that an agent other than the reviewer led and nobody scored: some, by chance."""
    c = Conversation
    wrote = [Message.conversation_id == c.id, Message.sender == "agent", Message.agent_id != reviewer_id]
    if agent_id:
        wrote.append(Message.agent_id == agent_id)
    led_by = (
        select(func.coalesce(func.nullif(Agent.name, ""), Agent.username))
        .join(Message, Message.agent_id == Agent.id)
        .where(*wrote)
        .order_by(Message.seq.desc())
        .limit(1)
        .correlate(c)
        .scalar_subquery()
    )
    scored = exists().where(QualityReview.conversation_id == c.id)
    query = (
        select(c.id, c.channel, c.language, c.skill, c.outcome, c.closed_at, led_by.label("agent"))
        .where(c.closed_at >= now - SAMPLED, exists().where(*wrote), ~scored)
        .order_by(func.random())
        .limit(SAMPLE)
    )
    return (await session.execute(query)).all()


async def reviewable(session: AsyncSession) -> Sequence[Agent]:
    """Agents who may be chosen in a filter: all who ever were scored, and who serve now."""
    scored = select(QualityReview.agent_id)
    return (
        await session.scalars(
            select(Agent)
            .where(or_(Agent.id.in_(scored), Agent.active & Agent.role.in_(("agent", "supervisor", "admin"))))
            .order_by(Agent.username)
        )
    ).all()
