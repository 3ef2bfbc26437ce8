"""Writes the names of the utility's places and lines to a file, from which the bot learns them without training."""

import asyncio
import json
import os
import re
from itertools import chain
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.chores import again_and_again
from api.db.engine import Database
from api.network.tables import Asset, NetworkState, Place

#: Seconds between looks whether another network was loaded.
PERIOD = 10.0
#: Customers leave it out: 10千伏东洛线 is 东洛线 to them.
_VOLTAGE = re.compile(r"^\d+\s*(?:千伏|kV)\s*", re.IGNORECASE)


async def keep_names_written(database: Database, file: Path) -> None:
    """Write the file now and whenever the network has changed, until cancelled."""
    written: int | None = None

    async def write() -> None:
        nonlocal written
        written = await write_names(database, file, written)

    await again_and_again("names", write, PERIOD)


async def write_names(database: Database, file: Path, written: int | None) -> int | None:
    """Write {"place": […], "line": […]} unless version `written` of the network is still the present one, which is
    returned."""
    async with database.read() as session:
        version = await session.scalar(select(NetworkState.version).where(NetworkState.id == 1))
        if version is None or version == written:
            return version
        names = await _names(session)
    await asyncio.to_thread(_replace, file, json.dumps(names, ensure_ascii=False))
    return version


async def _names(session: AsyncSession) -> dict[str, list[str]]:
    places = (await session.execute(select(Place.name_zh, Place.name_en, Place.aliases))).all()
    lines = (await session.execute(select(Asset.name_zh, Asset.name_en).where(Asset.kind == "line"))).all()
    return {
        "place": sorted({name for zh, en, aliases in places for name in (zh, en, *aliases.split("|")) if name}),
        "line": sorted(
            {form for name in chain.from_iterable(lines) for form in (name, _VOLTAGE.sub("", name)) if form}
        ),
    }


def _replace(file: Path, text: str) -> None:
    """All of it or nothing: the bot may be reading."""
    scratch = file.with_suffix(f".{os.getpid()}.tmp")
    scratch.write_text(text, "utf-8")
    scratch.replace(file)
