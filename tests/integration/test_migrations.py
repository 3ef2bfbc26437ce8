"""Migrations: they lead to what the tables say, and keep what a database of an earlier version holds."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from api.db.engine import Database, open_database
from api.db.schema import alembic_config, upgrade
from api.db.tables import Base
from tests.integration.conftest import run_sql


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[Database]:
    """A database without any table."""
    if database_url.startswith("sqlite"):
        database = open_database(f"{database_url}.empty")
    else:
        await run_sql(database_url.replace("+asyncpg", ""), "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        database = open_database(database_url)
    yield database
    await database.close()


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, Base.metadata)


async def test_migrations_lead_to_what_the_tables_say(empty: Database) -> None:
    await upgrade(empty)
    async with empty.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_earlier_database_keeps_its_rows(empty: Database) -> None:
    at = "'2026-03-04 06:00:00+00:00'"
    async with empty.engine.begin() as connection:
        await connection.run_sync(lambda sync: command.upgrade(alembic_config(sync), "0001"))
        await connection.execute(
            text(
                "INSERT INTO conversations (id, channel, token_hash, source_hash, owner, priority, handover_reason,"
                f" episode, last_seq, created_at) VALUES ('cv_1', 'web', '', '', 'bot', 4, '', 1, 1, {at})"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO messages (id, conversation_id, seq, sender, text, content_hash, alert, at)"
                f" VALUES ('ms_1', 'cv_1', 1, 'bot', 'hello', '', false, {at})"
            )
        )
    await upgrade(empty)
    async with empty.engine.connect() as connection:
        query = "SELECT deliver_to, text, expects FROM messages m JOIN conversations c ON c.id = m.conversation_id"
        assert (await connection.execute(text(query))).all() == [("", "hello", "")]
