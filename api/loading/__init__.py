"""Loading a utility's own data from CSV files (docs/loading.md)."""

import asyncio
import sys
from pathlib import Path

from api.db.engine import open_database
from api.deps import utc_now
from api.loading.load import Report, load_folder
from api.settings import load_settings

__all__ = ["Report", "load_folder", "main"]


def main(folder: str) -> int:
    """Load a folder into this desk's database and print the report; the exit status: 0, or 1 where nothing was loaded.

    The database must have its tables.
    """
    path = Path(folder)
    if not path.is_dir():
        print(f"{folder} is not a folder.", file=sys.stderr)
        return 1
    report = asyncio.run(_load(path))
    print(report, file=sys.stdout if report.ok else sys.stderr)
    return 0 if report.ok else 1


async def _load(path: Path) -> Report:
    settings = load_settings()
    database = open_database(settings.sqlalchemy_url)
    try:
        return await load_folder(database, path, utc_now(), settings.zone)
    finally:
        await database.close()
