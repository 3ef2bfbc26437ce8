"""Write a migration of what the tables say and the last one lacks: `python scripts/new_migration.py "message"`."""

import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from alembic import command
from sqlalchemy import Connection

from api.db.engine import open_database
from api.db.schema import MIGRATIONS, alembic_config, upgrade


async def main(message: str) -> None:
    number = f"{len(list((MIGRATIONS / 'versions').glob('[0-9]*.py'))) + 1:04d}"
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite+aiosqlite:///{folder}/fresh.db")
        if number != "0001":
            await upgrade(database)

        def revise(connection: Connection) -> None:
            command.revision(alembic_config(connection), message, autogenerate=True, rev_id=number)

        async with database.engine.begin() as connection:
            await connection.run_sync(revise)
        await database.close()
    for script in (MIGRATIONS / "versions").glob(f"{number}_*.py"):
        # The truth values of SQLite, on which it was found, are numbers; PostgreSQL's are not.
        text = script.read_text(encoding="utf-8")
        for figure, value in (("0", "false"), ("1", "true")):
            text = text.replace(
                f"sa.Boolean(), server_default=sa.text('{figure}')", f"sa.Boolean(), server_default=sa.{value}()"
            )
        script.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
