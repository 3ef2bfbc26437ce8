"""Two agents reach for one conversation: one gets it."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import func, insert, select

from api.agents.tables import Agent
from api.conversations import ownership
from api.conversations.assignment import take_next
from api.conversations.tables import Conversation, Message, QueueWait
from api.db.base import table_of
from api.db.engine import Database
from api.errors import Problem
from tests.integration.conftest import Clock

RACES = 1000
#: Races at a time.
PAIRS = 5


async def seed(database: Database, clock: Clock, count: int = RACES) -> list[str]:
    """Conversations that wait."""
    ids = [f"cv_{n:04}" for n in range(count)]
    rows = [
        {"id": each, "channel": "web", "language": "zh", "owner": "waiting", "waiting_since": clock(), "last_seq": 0}
        | {"created_at": clock()}
        for each in ids
    ]
    async with database.write() as session, session.begin():
        await session.execute(insert(table_of(Conversation)), rows)
    return ids


async def test_a_thousand_races_have_one_winner_each(database: Database, clock: Clock) -> None:
    ids = await seed(database, clock)

    async def reach(conversation_id: str, name: str) -> str:
        try:
            async with database.write() as session, session.begin():
                agent = await session.get_one(Agent, f"ag_{name}")
                await ownership.claim(session, conversation_id, agent, clock())
        except Problem as lost:
            return lost.type
        return name

    outcomes: dict[str, list[str]] = {}
    order = ("li", "wang")
    for start in range(0, RACES, PAIRS):
        pairs = ids[start : start + PAIRS]
        order = order[::-1]
        answers = await asyncio.gather(*(reach(each, name) for each in pairs for name in order))
        for n, each in enumerate(pairs):
            outcomes[each] = answers[2 * n : 2 * n + 2]
    for pair in outcomes.values():
        (winner,) = set(pair) - {"already-claimed"}
        assert winner in order
        assert "already-claimed" in pair
    async with database.read() as session:
        owners = await session.execute(select(Conversation.id, Conversation.owner, Conversation.agent_id))
        for conversation_id, owner, agent_id in owners:
            assert owner == "agent"
            assert agent_id.removeprefix("ag_") in outcomes[conversation_id]
        lines = Counter((await session.scalars(select(Message.conversation_id))).all())
        assert set(lines.values()) == {1}, "each customer hears once that a colleague has joined"
        assert len(lines) == RACES
        assert await session.scalar(select(func.count()).select_from(QueueWait)) == RACES


@pytest.mark.parametrize("hands", [4])
async def test_who_takes_the_next_one_never_gets_another_s(database: Database, clock: Clock, hands: int) -> None:
    """All take at once, again and again, until nobody waits; nobody ever gets more than he may have."""
    await seed(database, clock, 24)
    got: Counter[str] = Counter()
    refusals: set[str] = set()

    async def take(name: str) -> bool:
        try:
            async with database.write() as session, session.begin():
                taken = await take_next(session, await session.get_one(Agent, f"ag_{name}"), clock())
        except Problem as refused:
            refusals.add(refused.type)
            return False
        if taken is not None:
            got[name] += 1
        return taken is not None

    names = ("li", "wang", "boss") * hands
    while any(await asyncio.gather(*(take(name) for name in names))):
        pass
    assert (got["li"], got["wang"]) == (5, 5)
    assert refusals == {"at-capacity"}
    assert got["boss"] == 14, "a supervisor may have any number"
