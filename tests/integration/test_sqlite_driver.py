"""The transactions of our SQLite driver, as another connection to the same file sees them."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from api.db.engine import Database, open_database


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE parents (id INTEGER PRIMARY KEY)")
        connection.execute("CREATE TABLE children (parent REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)")
    connection.close()
    return path


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    opened = open_database(f"sqlite:///{file}", pool_size=1)  # what a transaction leaves behind, the next one meets
    yield opened
    await opened.close()


def elsewhere(file: Path, statement: str) -> list[tuple[int]]:
    """Run a statement on a connection of its own, which waits for nobody."""
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


async def insert_twice(session: AsyncSession) -> None:
    """Fails at the second time."""
    for _ in range(2):
        await session.execute(text("INSERT INTO parents VALUES (1)"))


async def test_a_writer_has_the_lock_from_its_first_statement_until_it_commits(database: Database, file: Path) -> None:
    async with database.write() as session, session.begin():
        assert await session.scalar(text("SELECT count(*) FROM parents")) == 0
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            elsewhere(file, "INSERT INTO parents VALUES (9)")
        await session.execute(text("INSERT INTO parents VALUES (:id)"), [{"id": 1}, {"id": 2}])
        assert elsewhere(file, "SELECT id FROM parents") == []
    assert elsewhere(file, "SELECT id FROM parents") == [(1,), (2,)]
    elsewhere(file, "INSERT INTO parents VALUES (9)")


async def test_an_error_rolls_back(database: Database, file: Path) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as session, session.begin():
            await insert_twice(session)
    assert elsewhere(file, "SELECT id FROM parents") == []
    elsewhere(file, "INSERT INTO parents VALUES (9)")


async def test_a_savepoint_rolls_back_alone(database: Database, file: Path) -> None:
    async with database.write() as session, session.begin():
        with pytest.raises(IntegrityError):
            async with session.begin_nested():  # the very first statement
                await insert_twice(session)
        await session.execute(text("INSERT INTO parents VALUES (2)"))
    assert elsewhere(file, "SELECT id FROM parents") == [(2,)]


async def test_a_commit_that_fails_leaves_nothing_open(database: Database, file: Path) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as session, session.begin():
            await session.execute(text("INSERT INTO children VALUES (7)"))
    elsewhere(file, "INSERT INTO parents VALUES (9)")
    async with database.write() as session, session.begin():
        assert await session.scalar(text("SELECT count(*) FROM children")) == 0


async def test_a_cancelled_writer_leaves_nothing_open(database: Database, file: Path) -> None:
    wrote = asyncio.Event()

    async def write() -> None:
        async with database.write() as session, session.begin():
            await session.execute(text("INSERT INTO parents VALUES (1)"))
            wrote.set()
            await asyncio.Event().wait()

    writer = asyncio.create_task(write())
    await wrote.wait()
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    elsewhere(file, "INSERT INTO parents VALUES (9)")
    async with database.read() as session:
        assert (await session.scalars(text("SELECT id FROM parents"))).all() == [9]


async def test_a_reader_sees_one_moment_and_a_glance_each_statement_s_own(database: Database, file: Path) -> None:
    async with database.read() as session:
        assert await session.scalar(text("SELECT count(*) FROM parents")) == 0
        elsewhere(file, "INSERT INTO parents VALUES (1)")
        assert await session.scalar(text("SELECT count(*) FROM parents")) == 0
    async with database.glance.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM parents")) == 1
        elsewhere(file, "INSERT INTO parents VALUES (2)")
        assert await connection.scalar(text("SELECT count(*) FROM parents")) == 2


async def test_rows_can_be_streamed_inside_a_transaction(database: Database, file: Path) -> None:
    async with database.write() as session, session.begin():
        rows = await session.stream(text("SELECT 1 UNION SELECT 2"))
        assert [row[0] async for row in rows] == [1, 2]
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            elsewhere(file, "INSERT INTO parents VALUES (9)")
