"""The file of names that the front desk writes for the bot."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import update

from api.db.engine import Database
from api.demo.seed import seed_demo
from api.network.names import write_names
from api.network.store import mark_network
from api.network.tables import Place


async def test_names_follow_the_network(database: Database, clock: Callable[[], datetime], tmp_path: Path) -> None:
    file = tmp_path / "names.json"
    assert await write_names(database, file, None) is None  # no network yet
    assert not file.exists()
    async with database.write() as session, session.begin():
        assert await seed_demo(session, clock())
    version = await write_names(database, file, None)
    names = json.loads(file.read_text("utf-8"))
    assert {"海棠晓月", "Haitang Xiaoyue"} <= set(names["place"])
    assert {"10千伏东洛线", "东洛线", "Dongluo line"} <= set(names["line"])
    assert "" not in names["place"]

    file.unlink()
    assert await write_names(database, file, version) == version
    assert not file.exists()  # nothing changed, nothing written
    async with database.write() as session, session.begin():
        await session.execute(update(Place).where(Place.id == "pl_haitang_xiaoyue").values(aliases="海棠苑|Crab Apple"))
        await mark_network(session, "loaded")
    assert await write_names(database, file, version) != version
    assert {"海棠苑", "Crab Apple"} <= set(json.loads(file.read_text("utf-8"))["place"])
