"""The audit log: what is written to it and when, that nobody changes it, and that a change shows all the same."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from api.audit.head import CUT_OFF, FILE, remembered
from api.audit.protection import PROTECTION
from api.audit.service import Verdict, key_fits, record, reference, sign_with, verify
from api.audit.start import look_at_the_log
from api.audit.tables import AuditEntry
from api.db.engine import Database
from api.db.schema import upgrade
from api.settings import Settings
from mainsdesk.audit import verify_log

Headers = dict[str, str]
KEY = "audit-key"
AUDIT = "/api/v1/audit"
START = datetime(2026, 3, 4, 6, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def key() -> None:
    sign_with(KEY)


async def write(database: Database, *subjects: str, by: str = "service") -> None:
    """One entry a subject, in a transaction each."""
    for subject in subjects:
        async with database.write() as session, session.begin():
            record(session, by, "read", subject, START, note="水", count=2, sure=True, nothing=None)


async def check(database: Database, **options: Any) -> Verdict:
    async with database.read() as session:
        return await verify(session, KEY, **options)


async def entries(database: Database) -> list[tuple[str, str, str]]:
    async with database.read() as session:
        rows = await session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(row.by, row.action, row.subject) for row in rows]


async def tamper(database: Database, *statements: str) -> None:
    """What somebody with all rights on the database can do: drop the triggers, then change what he likes."""
    async with database.engine.begin() as connection:
        for line in PROTECTION[connection.dialect.name]:
            name = line.split()[2]
            if line.startswith("CREATE TRIGGER"):
                on = " ON audit_entries" if connection.dialect.name == "postgresql" else ""
                await connection.execute(text(f"DROP TRIGGER {name}{on}"))
        for statement in statements:
            await connection.execute(text(statement))


async def test_entries_are_chained_without_gaps_and_hold(database: Database) -> None:
    assert await check(database) == Verdict(0, 0, "")
    await write(database, "conversation:cv_1", "conversation:cv_2")
    async with database.write() as session, session.begin():
        record(session, "agent:ag_1", "conversation.claimed", "conversation:cv_1\x00\ud800", START)
        record(session, "agent:ag_1", "conversation.closed", "c" * 500, START)
    async with database.read() as session:
        rows = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id))).all()
    assert [row.id for row in rows] == [1, 2, 3, 4]
    assert len({row.hash for row in rows}) == 4
    assert rows[0].details == {"note": "水", "count": 2, "sure": True, "nothing": None}
    assert (rows[2].subject, len(rows[3].subject)) == ("conversation:cv_1??", 120)
    assert await check(database) == Verdict(4, 4, rows[3].hash)
    async with database.read() as session:
        assert (await verify(session, "another key")).fault == "Entry 1 was altered, inserted or moved."


async def test_what_is_rolled_back_leaves_no_entry(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as session, session.begin():
            record(session, "service", "read", "x:1", START)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await fail()
    async with database.write() as session:
        await session.execute(text("SELECT 1"))
        record(session, "service", "read", "x:2", START)
        await session.rollback()
        async with session.begin():
            await session.execute(text("SELECT 1"))
    assert await entries(database) == []


async def test_a_transaction_within_another_writes_nothing_of_its_own(database: Database) -> None:
    async with database.write() as session, session.begin():
        record(session, "service", "read", "x:1", START)
        async with session.begin_nested():
            await session.execute(text("SELECT 1"))
        record(session, "service", "read", "x:2", START)
        with suppress(ValueError):
            async with session.begin_nested():
                record(session, "service", "read", "x:3", START)
                raise ValueError
        async with session.begin_nested():
            record(session, "service", "read", "x:4", START)
    assert [subject for _, _, subject in await entries(database)] == ["x:1", "x:2", "x:4"]
    assert (await check(database)).count == 3


async def test_without_a_key_nothing_is_signed(database: Database) -> None:
    sign_with("")
    with pytest.raises(RuntimeError, match="MAINSDESK_AUDIT_KEY"):
        await write(database, "x:1")
    assert await entries(database) == []


async def test_a_desk_with_another_key_is_noticed(database: Database) -> None:
    async def fits(key: str) -> bool:
        async with database.read() as session:
            return await key_fits(session, key)

    assert await fits(KEY)
    for subject in ("x:1", "x:2"):
        await write(database, subject)
        assert (await fits(KEY), await fits("another key")) == (True, False)


async def test_many_writers_at_once_leave_no_gap(database: Database) -> None:
    await asyncio.gather(*(write(database, f"x:{n}", f"y:{n}") for n in range(25)))
    assert (await check(database)).count == 50
    assert len(set(await entries(database))) == 50


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entries SET subject = 'x:9' WHERE id = 2", "DELETE FROM audit_entries WHERE id = 2",
     "DELETE FROM audit_entries", "TRUNCATE audit_entries",
     "INSERT OR REPLACE INTO audit_entries SELECT 2, at, by, action, 'x', details, hash FROM audit_entries WHERE id=1"],
)  # fmt: skip
@pytest.mark.parametrize("migrated", [False, True], ids=["tables", "migration"])
async def test_the_database_refuses_changes(database: Database, statement: str, migrated: bool) -> None:
    only = {"TRUNCATE": False, "INSERT": True}.get(statement.split()[0])
    if only is not None and database.is_sqlite is not only:
        return  # the other kind of database has no such statement
    if migrated:
        await fresh_by_migrations(database)
    await write(database, "x:1", "x:2", "x:3")
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.engine.begin() as connection:
            await connection.execute(text(statement))
    assert (await check(database)).count == 3


async def fresh_by_migrations(database: Database) -> None:
    """The same database with the schema that the migrations make."""
    async with database.engine.begin() as connection:
        if not database.is_sqlite:
            for line in ("DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
                await connection.execute(text(line))
        else:
            await connection.execute(text("PRAGMA defer_foreign_keys=ON"))
            found = await connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
            for (name,) in found.all():
                await connection.execute(text(f'DROP TABLE "{name}"'))
    await upgrade(database)


ALTERED = {
    "at": "'2026-03-04 06:00:01+00:00'",
    "by": "'agent:ag_2'",
    "action": "'wrote'",
    "subject": "'x:9'",
    "details": "'{}'",
    "hash": "'" + "0" * 64 + "'",
}


@pytest.mark.parametrize("column", ALTERED)
async def test_one_altered_row_shows_whatever_was_altered(database: Database, column: str) -> None:
    await write(database, "x:1", "x:2", "x:3", "x:4")
    await tamper(database, f"UPDATE audit_entries SET {column} = {ALTERED[column]} WHERE id = 3")
    verdict = await check(database)
    assert (verdict.count, verdict.fault) == (2, "Entry 3 was altered, inserted or moved.")


COPY = "INSERT INTO audit_entries SELECT {}, at, by, action, subject, details, hash FROM audit_entries WHERE id = {}"


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (["UPDATE audit_entries SET id = 9 WHERE id = 3"], "Entry 3 is missing."),
        (["DELETE FROM audit_entries WHERE id = 3"], "Entry 3 is missing."),
        (["DELETE FROM audit_entries WHERE id IN (2, 3)"], "Entries 2 to 3 are missing."),
        (["DELETE FROM audit_entries WHERE id = 1"], "Entry 1 is missing."),
        (["DELETE FROM audit_entries WHERE id = 2", "UPDATE audit_entries SET id = 2 WHERE id = 3",
          "UPDATE audit_entries SET id = 3 WHERE id = 4"], "Entry 2 was altered, inserted or moved."),
        ([COPY.format(5, 4)], "Entry 5 was altered, inserted or moved."),
        ([COPY.format(0, 1)], "Entry 0 was inserted."),
        (["UPDATE audit_entries SET id = 5 WHERE id = 4", "UPDATE audit_entries SET id = 4 WHERE id = 3",
          COPY.format(3, 2)], "Entry 3 was altered, inserted or moved."),
        (["UPDATE audit_entries SET id = 9 WHERE id = 2", "UPDATE audit_entries SET id = 2 WHERE id = 3",
          "UPDATE audit_entries SET id = 3 WHERE id = 9"], "Entry 2 was altered, inserted or moved."),
    ],
    ids=["renumbered", "removed", "two removed", "first removed", "closed up", "appended", "before the first",
         "inserted", "swapped"],
)  # fmt: skip
async def test_removed_inserted_and_swapped_rows_show(database: Database, statements: list[str], fault: str) -> None:
    await write(database, "x:1", "x:2", "x:3", "x:4")
    await tamper(database, *statements)
    assert (await check(database)).fault == fault


async def test_a_cut_off_end_shows_to_who_noted_the_last_hash(database: Database) -> None:
    await write(database, "x:1", "x:2")
    early = (await check(database)).last_hash
    await write(database, "x:3", "x:4")
    noted = (await check(database)).last_hash
    assert (await check(database, expect=early)).fault == (await check(database, expect=noted)).fault == ""
    await tamper(database, "DELETE FROM audit_entries WHERE id > 2")
    assert (await check(database)).fault == ""  # a shorter log is whole in itself
    assert (await check(database, expect=early)).fault == ""
    assert (await check(database, expect=noted)).fault.startswith("No entry has the expected hash")


async def test_a_cut_off_end_shows_to_the_desk_that_remembers_it(
    database: Database, settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    home = settings.home
    await look_at_the_log(database, settings)
    assert remembered(home) is None  # of an empty log
    await write(database, "x:1", "x:2", "x:3")
    await look_at_the_log(database, settings)
    async with database.read() as session:
        last = await session.get_one(AuditEntry, 3)
    assert remembered(home) == (3, last.hash)
    assert (home / FILE).stat().st_mode & 0o777 == 0o600
    await write(database, "x:4")
    status, words = await asyncio.to_thread(verify_log, settings)
    assert (status, words.split(";")[0]) == (0, "4 entries hold")
    known = remembered(home)
    assert known
    assert known[0] == 4
    assert not [line for line in capfd.readouterr().out.splitlines() if "audit" in line]
    await tamper(database, "DELETE FROM audit_entries WHERE id > 2")
    for _ in range(2):  # the desk does not get used to it, whatever is written by then
        status, words = await asyncio.to_thread(verify_log, settings)
        assert (status, words.splitlines()[0]) == (1, CUT_OFF.format(id=4, file=home / FILE))
        await look_at_the_log(database, settings)
        assert "audit.entries_are_gone" in capfd.readouterr().out
        await write(database, "x:5", "x:6")
    assert remembered(home) == known
    (home / FILE).unlink()
    assert (await asyncio.to_thread(verify_log, settings))[0] == 0


@pytest.mark.parametrize("text", ["", "x", "3:abc", "-1:" + "0" * 64, "\xff"])
def test_a_head_that_is_none_is_not_believed(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    assert remembered(tmp_path) is None


async def test_what_was_removed_by_procedure_is_left_out_of_the_check(database: Database) -> None:
    await write(database, "x:1", "x:2")
    until = await check(database)
    await write(database, "x:3")
    await tamper(database, "DELETE FROM audit_entries WHERE id <= 2")
    assert (await check(database)).fault == "Entries 1 to 2 are missing."
    assert (await check(database, after=2, previous=until.last_hash)).fault == ""
    await write(database, "x:4")
    assert (await check(database, after=2, previous=until.last_hash)).last_id == 4


async def test_a_reading_is_noted_before_the_answer_and_once_in_five_minutes(
    client: httpx.AsyncClient, service: Headers, conversation: Any, database: Database, clock: Any, app: FastAPI
) -> None:
    await conversation("cv_1")
    await conversation("cv_2")
    for path in ("cv_1", "cv_1/transcript", "cv_2", "cv_1"):
        assert (await client.get(f"/api/v1/conversations/{path}", headers=service)).status_code == 200
    assert await entries(database) == [
        ("service", "read", "conversation:cv_1"), ("service", "read", "conversation:cv_2")
    ]  # fmt: skip
    clock.advance(minutes=4, seconds=59)
    await client.get("/api/v1/conversations/cv_1", headers=service)
    app.state.access.readings.__init__()  # another process, which knows of none
    await client.get("/api/v1/conversations/cv_1", headers=service)
    assert len(await entries(database)) == 2
    clock.advance(seconds=1)
    await client.get("/api/v1/conversations/cv_1", headers=service)
    assert len(await entries(database)) == 3


async def test_without_its_entry_nothing_is_given(
    client: httpx.AsyncClient, service: Headers, conversation: Any, database: Database
) -> None:
    await conversation("cv_1")
    await tamper(database, "ALTER TABLE audit_entries RENAME TO elsewhere")
    refused = await client.get("/api/v1/conversations/cv_1/transcript", headers=service)
    assert (refused.status_code, refused.json()["type"]) == (503, "audit-unavailable")
    assert (await client.get("/api/v1/outages", headers=service)).status_code == 200


async def test_the_bot_speaks_for_its_customer_and_leaves_no_entry(
    client: httpx.AsyncClient, bot: Callable[..., Headers], conversation: Any, database: Database
) -> None:
    await conversation("cv_1")
    assert (await client.get("/api/v1/conversations/cv_1", headers=bot("cv_1"))).status_code == 200
    assert await entries(database) == []


async def test_lists_are_named_by_their_filters_and_accounts_by_a_reference(
    client: httpx.AsyncClient, service: Headers, database: Database
) -> None:
    for path in ("tickets", "tickets?kind=complaint&limit=5", "contact-records?account_number=2046810097",
                 "accounts/2046810097"):  # fmt: skip
        await client.get(f"/api/v1/{path}", headers=service)
    account = reference("account", "2046810097")
    assert account.startswith("account:****0097:")
    said = [subject for _, _, subject in await entries(database)]
    assert said[:2] == ["tickets", "tickets?kind=complaint"]
    assert said[2].startswith("contacts?account_number=account%3A%2A%2A%2A%2A0097")
    assert said[3] == account
    assert "2046810097" not in str(said)
    found = await client.get(AUDIT, params={"subject": "account:2046810097"}, headers=service)
    assert [item["subject"] for item in found.json()["items"]] == [account]


async def test_an_act_stands_in_the_log_if_it_was_done(
    client: httpx.AsyncClient, service: Headers, conversation: Any, database: Database
) -> None:
    await conversation("cv_1")
    mei = (
        await client.post("/api/v1/agents", json={"username": "mei", "password": "correct horse"}, headers=service)
    ).json()
    path, body = "/api/v1/conversations/cv_1/claim", {"agent": "mei"}
    claims = [(await client.post(path, json=body, headers=service | {"Idempotency-Key": k})) for k in "112"]
    assert [claim.status_code for claim in claims] == [200, 200, 409]  # the second is the first one's answer
    assert await entries(database) == [
        ("service", "agent.created", f"agent:{mei['id']}"),
        ("service", "conversation.claimed", "conversation:cv_1"),
    ]


async def test_admins_read_the_log_page_by_page_and_that_stands_in_it(
    client: httpx.AsyncClient, service: Headers, database: Database
) -> None:
    await write(database, "x:1", "x:2", by="agent:ag_1")
    await write(database, "x:1", by="agent:ag_2")

    async def subjects(**query: Any) -> list[int]:
        answer = await client.get(AUDIT, params=query, headers=service)
        return [item["id"] for item in answer.json()["items"]]

    first = (await client.get(AUDIT, params={"by": "agent:ag_1", "limit": 1}, headers=service)).json()
    assert [item["id"] for item in first["items"]] == [2]
    assert await subjects(by="agent:ag_1", cursor=first["next"]) == [1]
    assert await subjects(subject="x:1") == [3, 1]
    assert await subjects(since="2026-03-04T06:00:01Z") == []
    own = [subject for by, _, subject in await entries(database) if by == "service"]
    assert own[0] == "audit?by=agent%3Aag_1"
    assert len(own) == 4


async def test_fifty_agents_reading_at_once_do_not_queue_for_seconds(
    client: httpx.AsyncClient, service: Headers, conversation: Any, database: Database
) -> None:
    for number in range(50):
        await conversation(f"cv_{number}")
    loop = asyncio.get_running_loop()

    async def read(number: int) -> float:
        started = loop.time()
        answer = await client.get(f"/api/v1/conversations/cv_{number}/transcript", headers=service)
        assert answer.status_code == 200
        return loop.time() - started

    took = await asyncio.gather(*(read(number) for number in range(50)))
    assert (await check(database)).count == 50
    assert max(took) < 5.0
    print(f"50 readings at once: the slowest took {max(took) * 1000:.0f} ms")
