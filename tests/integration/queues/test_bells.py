"""Several front desks on one PostgreSQL hear each other, also after the connection that listens was lost."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest
from sqlalchemy import text

from api.agents.tables import Agent
from api.conversations import bell as bells
from api.conversations import ownership
from api.conversations.bell import ALARMS, QUEUE, Bell, agent_key, bell, hear_other_processes, touch, wait_for_ring
from api.conversations.tables import Conversation
from api.db.engine import Database, open_database
from tests.integration.conftest import Clock

KEYS = ("cv_1", QUEUE, agent_key("ag_li"))
LISTENS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


@pytest.fixture
async def elsewhere(database_url: str, database: Database) -> AsyncIterator[Database]:
    """Another front desk's own connections."""
    opened = open_database(database_url)
    yield opened
    await opened.close()


async def all_rung(rings: Mapping[str, asyncio.Event]) -> bool:
    """Whether all ring within some seconds; they are silent again afterwards."""
    for rung in rings.values():
        await wait_for_ring(rung, 5)
    heard = all(rung.is_set() for rung in rings.values())
    for rung in rings.values():
        rung.clear()
    return heard


async def test_a_transaction_rings_when_it_is_over(database: Database) -> None:
    with bell.listen_to([*KEYS, ALARMS]) as rings:
        async with database.write() as session, session.begin():
            for key in (*KEYS, *KEYS):
                await touch(session, key)
            async with session.begin_nested():
                await touch(session, ALARMS)
            assert not any(rung.is_set() for rung in rings.values())
        assert all(rung.is_set() for rung in rings.values())


async def test_another_desk_is_heard_by_its_database_alone(database: Database, elsewhere: Database) -> None:
    there = Bell()
    with there.listen(QUEUE) as rung:
        async with hear_other_processes(elsewhere, there):
            async with database.write() as session, session.begin():
                await touch(session, QUEUE)
            if database.is_sqlite:
                assert not rung.is_set()
            else:
                assert await all_rung({QUEUE: rung})


async def test_what_one_desk_commits_another_hears(
    database: Database, elsewhere: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A claim at one desk rings at the other; what is committed while its listener is dead rings when it is back."""
    if database.is_sqlite:
        return
    monkeypatch.setattr(bells, "AGAIN_AFTER", 0.2)
    async with database.write() as session, session.begin():
        session.add(Conversation(id="cv_1", channel="web", owner="waiting", waiting_since=clock(), created_at=clock()))
    there = Bell()
    with there.listen_to(KEYS) as rings:
        async with hear_other_processes(elsewhere, there):
            assert await all_rung(rings), "when it begins to listen"
            async with database.write() as session, session.begin():
                await ownership.claim(session, "cv_1", await session.get_one(Agent, "ag_li"), clock())
            assert await all_rung(rings)
            async with database.write() as session, session.begin():
                (pid,) = (await session.scalars(text(LISTENS))).all()
                await session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            async with database.write() as session, session.begin():
                await touch(session, "cv_1")
            assert await all_rung(rings), "whoever waits looks afresh once"
            for _ in range(20):
                async with database.write() as session, session.begin():
                    for key in KEYS:
                        await touch(session, key)
                assert await all_rung(rings)


async def test_a_rolled_back_transaction_tells_nobody_elsewhere(database: Database, elsewhere: Database) -> None:
    if database.is_sqlite:
        return
    there = Bell()
    with there.listen_to(["lost", "kept"]) as rings:
        async with hear_other_processes(elsewhere, there):
            assert await all_rung(rings)
            async with database.write() as session:
                await touch(session, "lost")
                await session.rollback()
            async with database.write() as session, session.begin():
                await touch(session, "kept")
            await wait_for_ring(rings["kept"], 5)
            assert (rings["kept"].is_set(), rings["lost"].is_set()) == (True, False)
