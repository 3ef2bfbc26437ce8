"""Makes a desk's database ready: `python -m api.prepare` prints what it did as one line of JSON.

The schema is brought up to date, an empty database gets the demo utility, the first start creates the admin. Articles
and replies of the home that cannot be used are refused here, before anything starts.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime

from alembic.util import CommandError
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from api.agents.service import ensure_admin
from api.audit.service import sign_with
from api.db.engine import Database, open_database
from api.db.schema import upgrade
from api.demo.seed import refresh_demo, seed_demo
from api.deps import utc_now
from api.knowledge.files import KnowledgeError, load
from api.settings import Settings, load_settings

#: Any number that is only ever used for this: one desk at a time prepares a shared PostgreSQL.
ADVISORY_LOCK = 955_980_001


@dataclass(frozen=True)
class Prepared:
    """What was new: the demo utility, the admin."""

    demo: bool
    admin: bool


async def prepare(settings: Settings, now: datetime) -> Prepared:
    """Bring the database of these settings to where the front desk can start on it. Safe to repeat."""
    settings.home.mkdir(parents=True, exist_ok=True)
    sign_with(settings.audit_key.get_secret_value())
    database = open_database(settings.sqlalchemy_url)
    try:
        async with _alone(database):
            await upgrade(database)
            async with database.write() as session, session.begin():
                demo = await seed_demo(session, now, settings.zone)
                if not demo:
                    await refresh_demo(session, now, settings.zone)
                admin = await ensure_admin(session, settings.admin_password.get_secret_value(), now)
        return Prepared(demo, admin)
    finally:
        await database.close()


async def create_schema(settings: Settings) -> None:
    """Bring the schema alone up to date, for a database that is about to be filled with something else."""
    settings.home.mkdir(parents=True, exist_ok=True)
    database = open_database(settings.sqlalchemy_url)
    try:
        async with _alone(database):
            await upgrade(database)
    finally:
        await database.close()


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[None]:
    if database.is_sqlite:  # a file in the home of one desk, which holds the home's lock
        yield
        return
    async with database.engine.connect() as connection:
        await connection.execute(select(func.pg_advisory_lock(ADVISORY_LOCK)))
        yield  # the lock ends with the connection, however that ends
        await connection.execute(select(func.pg_advisory_unlock(ADVISORY_LOCK)))


def main() -> int:
    """Exit status 0, or 1 with one sentence on standard error."""
    settings = load_settings()
    try:
        load(settings.home)
    except KnowledgeError as problem:
        print(f"These articles or replies cannot be used:\n{problem}", file=sys.stderr)
        return 1
    try:
        done = asyncio.run(prepare(settings, utc_now()))
    except (SQLAlchemyError, CommandError, OSError) as problem:
        reason = str(getattr(problem, "orig", None) or problem).splitlines()[0]
        where = make_url(settings.sqlalchemy_url).render_as_string(hide_password=True)
        print(f"The database {where} could not be prepared: {reason}", file=sys.stderr)
        return 1
    print(json.dumps(asdict(done)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
