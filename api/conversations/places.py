"""Where those stand who wait for a person, and how long it takes: true for each of them, with the agents who are there.

Functions take a session and never commit.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations import rules
from api.conversations.presence import on_duty
from api.conversations.sentences import limits
from api.conversations.tables import Conversation, QueueWait

#: Waits of so long a time, and no longer ones, tell what to expect now.
RECENT = timedelta(hours=2)
#: The latest waits that are looked through for those of the same kind.
LOOKED_AT = 200
#: Why those wait who were with an agent before; how long ago they came is no measure of a wait.
RETURNED = ("transfer", "silent", "no-answer")
#: What queues tell apart: language, skill, priority, by whom it was passed on, whether it may go to anybody by now.
Kind = tuple[str | None, str, int, str | None, bool]
#: By which agents a customer is served; where that is nobody, his language.
Who = tuple[frozenset[str], str | None]


@dataclass(frozen=True)
class Place:
    """`number`: from 1, 0 for one that does not wait; `minutes`: what to expect, None where nobody can tell;
    `own_language`: whether an agent is there who has the customer's (True, too, where nobody is there at all)."""

    number: int = 0
    minutes: int | None = None
    own_language: bool = True


def suited_for() -> timedelta:
    """So long a conversation waits for an agent whom it suits."""
    return timedelta(minutes=limits()["suited_minutes"])


def waiting_of(row: Any, now: datetime) -> rules.Waiting:
    """A conversation (or a row with its columns) as the rules see it."""
    return rules.Waiting(
        conversation_id=row.id,
        priority=row.priority,
        since=row.waiting_since or now,
        language=row.language,
        skill=row.skill,
        passed_by=row.passed_by,
    )


async def place_of(session: AsyncSession, conversation: Conversation, now: datetime) -> Place:
    """The place of one conversation, counted by the database."""
    if conversation.owner != "waiting" or conversation.waiting_since is None:
        return Place()
    c, mine, ripe = Conversation, conversation, now - suited_for()
    longer = (c.waiting_since < mine.waiting_since) | ((c.waiting_since == mine.waiting_since) & (c.id < mine.id))
    kinds = (c.language, c.skill, c.priority, c.passed_by)
    counted = (
        select(*kinds, (c.waiting_since <= ripe).label("ripe"), longer.label("longer"), func.count().label("many"))
        .where(c.owner == "waiting", c.waiting_since.is_not(None), c.id != mine.id)
        .group_by(*kinds, "ripe", "longer")
    )
    before, later = Counter[Kind](), Counter[Kind]()
    for row in await session.execute(counted):
        kind = (row.language, row.skill, row.priority, row.passed_by, bool(row.ripe))
        (before if row.longer else later)[kind] += row.many
    standing = (
        select(c.waiting_since, c.language, c.skill)
        .where(c.owner == "waiting", longer, c.waiting_since > now - RECENT, c.handover_reason.not_in(RETURNED))
        .order_by(c.waiting_since, c.id)
        .limit(rules.MOST_WAITS)
    )
    rows = (await session.execute(standing)).all()
    board = await _board(session, now, {mine.passed_by, *(kind[3] for kind in (*before, *later))})
    return board.place(_kind(mine, ripe), conversation.waiting_since, before, later, rows)


async def places_of(session: AsyncSession, now: datetime, ids: Collection[str] | None = None) -> dict[str, Place]:
    """The places of all who wait (or of those of `ids`), by conversation id."""
    c = Conversation
    query = select(*(c.id, c.priority, c.waiting_since, c.language, c.skill, c.passed_by, c.handover_reason)).where(
        c.owner == "waiting", c.waiting_since.is_not(None)
    )
    rows = (await session.execute(query.order_by(c.waiting_since, c.id))).all()
    kinds = [_kind(row, now - suited_for()) for row in rows]
    board = await _board(session, now, {row.passed_by for row in rows})
    later, before = Counter(kinds), Counter[Kind]()
    found, standing = {}, list[Any]()
    for row, kind in zip(rows, kinds, strict=True):
        later[kind] -= 1
        if ids is None or row.id in ids:
            found[row.id] = board.place(kind, row.waiting_since, before, later, standing)
        before[kind] += 1
        recent = row.waiting_since > now - RECENT and row.handover_reason not in RETURNED
        if recent and len(standing) < rules.MOST_WAITS:
            standing.append(row)
    return found


def _kind(row: Any, ripe: datetime) -> Kind:
    return row.language, row.skill, row.priority, row.passed_by, row.waiting_since <= ripe


@dataclass(frozen=True)
class _Board:
    """Who is there (`apart`: one of each kind of agent), and how long others waited lately, the latest first."""

    seats: Sequence[rules.Seat]
    apart: Sequence[rules.Seat]
    waits: Sequence[Any]
    now: datetime
    _known: dict[tuple[str | None, str], Who] = field(default_factory=dict)
    _waited: dict[tuple[Who, bool], Sequence[float]] = field(default_factory=dict)
    _verdicts: dict[tuple[Kind, Kind], str] = field(default_factory=dict)

    def place(
        self,
        kind: Kind,
        since: datetime,
        before: Mapping[Kind, int],
        later: Mapping[Kind, int],
        standing: Iterable[Any],
    ) -> Place:
        """The place of one of this kind. `before`, `later`: how many of each kind wait longer, and less long."""
        mine = self._waiting(kind)
        number = 1 + sum(many for each, many in before.items() if self._before(each, kind) != "never")
        number += sum(many for each, many in later.items() if many and self._before(each, kind) == "always")
        own = not self.apart or any(rules.speaks(seat, mine.language) for seat in self.apart)
        return Place(number, self._minutes(mine, since, standing), own)

    def _before(self, other: Kind, mine: Kind) -> str:
        if (other, mine) not in self._verdicts:
            two = self._waiting(other), self._waiting(mine)
            self._verdicts[other, mine] = rules.comes_before(*two, self.apart, self.now, suited_for())
        return self._verdicts[other, mine]

    def _waiting(self, kind: Kind) -> rules.Waiting:
        """Anybody of this kind."""
        language, skill, priority, passed_by, ripe = kind
        return rules.Waiting("", priority, self.now - suited_for() if ripe else self.now, language, skill, passed_by)

    def _who(self, language: str | None, skill: str) -> Who:
        """Who serves this kind of customer; those whom nobody suits are one kind for each language."""
        if (language, skill) not in self._known:
            asked = rules.Waiting("", 5, self.now, language, skill)
            fit = frozenset(seat.agent_id for seat in self.seats if rules.suits(seat, asked))
            self._known[language, skill] = fit, None if fit else language
        return self._known[language, skill]

    def _waits_of(self, who: Who, *, urgent: bool) -> Sequence[float]:
        if (who, urgent) not in self._waited:
            there = max(len(who[0]), 1)
            self._waited[who, urgent] = [
                w.seconds * max(w.agents / there, 1)
                for w in self.waits
                if (w.priority == 1) is urgent and self._who(w.language, w.skill) == who
            ][: rules.MOST_WAITS]
        return self._waited[who, urgent]

    def _minutes(self, waiting: rules.Waiting, since: datetime, standing: Iterable[Any]) -> int | None:
        """From the waits of those whom the same agents serve; longer where there were more of these then.

        None, too, for who has waited so long already: nobody knows how much longer it takes.
        """
        who = self._who(waiting.language, waiting.skill)
        waits = self._waits_of(who, urgent=waiting.priority == 1)
        still = [
            (self.now - row.waiting_since).total_seconds()
            for row in standing
            if self._who(row.language, row.skill) == who
        ]
        minutes = rules.expected_wait(waits, still)
        over = minutes is not None and self.now - since >= timedelta(minutes=minutes)
        return None if over else minutes


async def _board(session: AsyncSession, now: datetime, named: Collection[str | None]) -> _Board:
    w = QueueWait
    waits = select(w.seconds, w.language, w.skill, w.priority, w.agents).where(w.at > now - RECENT)
    rows = (await session.execute(waits.order_by(w.at.desc(), w.id.desc()).limit(LOOKED_AT))).all()
    seats = await on_duty(session, now)
    return _Board(seats, rules.told_apart(seats, named), rows, now)


async def note_wait(session: AsyncSession, conversation: Conversation, now: datetime) -> None:
    """Keep how long a conversation waited that is taken now, of what kind it was, and how many were there for it."""
    if conversation.waiting_since is None:
        return
    waited = now - conversation.waiting_since
    if waited > RECENT:  # a night's wait says nothing about the day
        return
    asked = waiting_of(conversation, now)
    there = sum(rules.suits(seat, asked) for seat in await on_duty(session, now))
    kind = {"language": asked.language, "skill": asked.skill, "priority": asked.priority}
    session.add(QueueWait(seconds=int(waited.total_seconds()), at=now, agents=there, **kind))
