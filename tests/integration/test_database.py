"""Connections to PostgreSQL: readers without a transaction, and what was idle is asked whether it still stands."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.db import engine
from api.db.engine import Database, open_database
from tests.integration.conftest import database_of, run_sql

BACKEND = text("SELECT pg_backend_pid()")


@pytest.fixture
async def one(postgres: str) -> AsyncIterator[Database]:
    """A database behind a single connection."""
    opened = open_database(database_of(postgres, "postgres"), pool_size=1)
    yield opened
    await opened.close()


async def backend(database: Database) -> int:
    async with database.read() as session:
        return int(await session.scalar(BACKEND) or 0)


async def test_a_reader_sees_what_was_committed_between_its_statements_and_leaves_no_transaction(
    one: Database, postgres: str
) -> None:
    await run_sql(postgres, "CREATE TABLE seen (id INTEGER)")
    try:
        async with one.read() as session:
            assert await session.scalar(text("SELECT count(*) FROM seen")) == 0
            await run_sql(postgres, "INSERT INTO seen VALUES (1)")
            assert await session.scalar(text("SELECT count(*) FROM seen")) == 1
            pid = int(await session.scalar(BACKEND) or 0)
            connection = await asyncpg.connect(postgres)
            state = await connection.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", pid)
            await connection.close()
            assert state == "idle", "between its statements it holds nothing up"
    finally:
        await run_sql(postgres, "DROP TABLE seen")


async def write_and_fail(database: Database) -> None:
    async with database.write() as session, session.begin():
        await session.execute(text("INSERT INTO written VALUES (1)"))
        raise ZeroDivisionError


async def test_a_writer_writes_all_or_nothing(one: Database, postgres: str) -> None:
    await run_sql(postgres, "CREATE TABLE written (id INTEGER)")
    try:
        assert await backend(one)  # the same connection was a reader's before
        with pytest.raises(ZeroDivisionError):
            await write_and_fail(one)
        async with one.read() as session:
            assert await session.scalar(text("SELECT count(*) FROM written")) == 0
    finally:
        await run_sql(postgres, "DROP TABLE written")


async def test_a_connection_that_broke_while_it_was_idle_is_replaced(
    one: Database, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await backend(one)
    monkeypatch.setattr(engine, "IDLE", 0.0)
    await run_sql(postgres, f"SELECT pg_terminate_backend({first}, 5000)")
    assert await backend(one) != first


async def test_one_that_broke_a_moment_ago_fails_once(
    one: Database, postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await backend(one)
    monkeypatch.setattr(engine, "IDLE", 3600.0)
    await run_sql(postgres, f"SELECT pg_terminate_backend({first}, 5000)")
    with pytest.raises(DBAPIError):
        await backend(one)
    assert await backend(one) != first
