"""`python -m mainsdesk backup FOLDER`: a copy of this home, made while the desk runs, that is itself a home.

Databases are copied by SQLite's online backup, each as of one moment, and before the files that they name. What can be
made again (logs, the model) is left out.
"""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from api.settings import Settings

#: Made anew by every start, or of use to the running processes only. `audit-head` may be ahead of the database's copy.
LEFT_OUT = frozenset(
    {"logs", "tmp", "pids", "model.tar.gz", ".model.new", "desk.lock", "processes.json", "names.json", "audit-head"}
)
_ASIDE = ("-wal", "-shm", "-journal")


class CannotBackUp(RuntimeError):
    """Why there is no backup, in a sentence."""


def back_up(settings: Settings, folder: Path) -> str:
    """Copy the home to a folder that is not there yet or empty; what was done, and what is still to do."""
    home = settings.home
    if folder.resolve().is_relative_to(home):
        raise CannotBackUp("A backup belongs outside the home that it is of.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CannotBackUp(f"{folder} is not empty.")
    url = make_url(settings.sqlalchemy_url)
    databases = {home / "rasa.db"}
    if url.get_backend_name() == "sqlite" and url.database:
        databases.add(Path(url.database).resolve())
    missing = [str(path) for path in databases if not path.is_file() and path.name != "rasa.db"]
    if missing:
        raise CannotBackUp(f"There is no database {missing[0]}.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # it holds secrets and personal data
        for path in sorted(databases):
            if path.is_file():
                _copy_database(path, folder / path.name)
        for path in home.iterdir():
            if path.name in LEFT_OUT or path in databases or path.name.endswith(_ASIDE) or path.is_symlink():
                continue
            if path.is_dir():
                shutil.copytree(path, folder / path.name)
            elif path.is_file():
                shutil.copy2(path, folder / path.name)
    except (OSError, sqlite3.Error) as error:
        raise CannotBackUp(f"The backup failed and is not whole: {error}") from error
    words = [f"backup: {folder}"]
    if url.get_backend_name() != "sqlite":
        shown = url.set(drivername="postgresql").render_as_string(hide_password=True)
        words.append(f"The database is on PostgreSQL. Back it up too: pg_dump -Fc -f {folder / 'desk.dump'} '{shown}'")
    return "\n".join(words)


def _copy_database(source: Path, target: Path) -> None:
    """One moment of a database that others go on writing to, checked."""
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        old.backup(new)
        (found,) = new.execute("PRAGMA integrity_check").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(f"{source.name}: {found}")
    target.chmod(0o600)
