"""From a customer's words to service points: the name through the index, the number through the database."""

import asyncio
import re
import weakref
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.network import rules
from api.network.address import Numbers, read_numbers
from api.network.index import Match, Named, PlaceIndex
from api.network.schemas import AssetOut, Candidate, Chain, OutsideUnit, PlaceOut, PlacesOut
from api.network.tables import Asset, AssetAncestor, NetworkState, Place, ServicePoint
from api.network.words import HAN, normalise
from api.tickets.tables import Unit

#: Places considered for one question.
MOST_PLACES = 4
_HAN = re.compile(f"[{HAN}]")
# Built once: building a statement costs as much as running it.
_VERSION = select(NetworkState.version).where(NetworkState.id == 1)
_PLACES = select(Place).where(Place.id.in_(bindparam("places", expanding=True)))
_POINTS = select(ServicePoint).where(ServicePoint.place_id == bindparam("place"))
_NUMBERED = _POINTS.where(ServicePoint.number.in_(bindparam("numbers", expanding=True)))
_FIRST = _POINTS.order_by(func.length(ServicePoint.number), ServicePoint.number).limit(bindparam("limit"))
_CHAINS = (
    select(AssetAncestor.asset_id, Asset)
    .join(Asset, Asset.id == AssetAncestor.ancestor_id)
    .where(AssetAncestor.asset_id.in_(bindparam("leaves", expanding=True)))
    .order_by(AssetAncestor.depth)
)
#: One index per database of this process, with the network's version that it was built from.
_indexes: weakref.WeakKeyDictionary[Any, tuple[int, PlaceIndex]] = weakref.WeakKeyDictionary()


async def place_index(session: AsyncSession) -> PlaceIndex:
    """The index of this database's place names, built anew when the network has changed."""
    version = await session.scalar(_VERSION) or 0
    pool = session.get_bind().engine.pool
    known = _indexes.get(pool)
    if known is not None and known[0] == version:
        return known[1]
    named = [
        Named(p.id, p.kind, (p.name_zh, p.name_en, *p.aliases.split("|")), (p.district_zh, p.district_en))
        for p in await session.scalars(select(Place))
    ]
    index = await asyncio.to_thread(PlaceIndex.build, named)  # some 0.15 ms a place
    _indexes[pool] = (version, index)
    return index


async def find_places(session: AsyncSession, words: str, limit: int = 5) -> PlacesOut:
    """Service points that the words may mean, best first; see `PlacesOut`."""
    text = normalise(words)
    english = not _HAN.search(text)
    matches = [m for m in (await place_index(session)).find(text) if m.score >= rules.PLAUSIBLE][:MOST_PLACES]
    if not matches:
        return PlacesOut(candidates=[], place=None, places=[], detail="")
    places = {p.id: p for p in await session.scalars(_PLACES, {"places": [m.place_id for m in matches]})}
    # Nobody is sent to the neighbours on a guess.
    matches = [m for m in matches if places[m.place_id].served_by is None or m.score >= rules.CLEAR]
    if not matches:
        return PlacesOut(candidates=[], place=None, places=[], detail="")
    numbers = {m.place_id: read_numbers(text, m.span, estate=m.kind == "estate") for m in matches}
    found = await _points(session, matches, numbers, limit)
    rivals = len({point.place_id for point, _ in found}) > 1 or len(matches) > 1
    chains = await chains_of(session, [point for point, _ in found])
    candidates = [
        Candidate(
            service_point_id=point.id,
            place_id=point.place_id,
            place_name=places[point.place_id].name_zh,
            address=point.address_en if english else point.address_zh,
            address_zh=point.address_zh,
            address_en=point.address_en,
            area_class=point.area_class,
            score=rules.candidate_score(match.score, rivals=rivals, needs_number=_lacks_number(point, numbers)),
            chain=chains[point.id],
        )
        for point, match in found
    ]
    answered = {point.place_id for point, _ in found if not _lacks_number(point, numbers)}
    shapes = [
        await _place(session, places[m.place_id], m, numbers[m.place_id], m.place_id in answered) for m in matches
    ]
    return PlacesOut(
        candidates=candidates,
        place=shapes[0] if len(shapes) == 1 and (shapes[0].needs_number or shapes[0].outside) else None,
        places=shapes,
        detail=numbers[matches[0].place_id].detail(english),
    )


def _lacks_number(point: ServicePoint, numbers: dict[str, Numbers]) -> bool:
    return bool(point.number) and point.number != numbers[point.place_id].building


async def _points(
    session: AsyncSession, matches: Sequence[Match], numbers: dict[str, Numbers], limit: int
) -> list[tuple[ServicePoint, Match]]:
    """The points of the places with the number said; where none was said, the first ones of each place in turn."""
    found: list[tuple[ServicePoint, Match]] = []
    open_lists: list[list[tuple[ServicePoint, Match]]] = []
    for match in matches:
        number = numbers[match.place_id].building
        if number:
            points = (await session.scalars(_NUMBERED, {"place": match.place_id, "numbers": [number, ""]})).all()
            found += [(point, match) for point in points]
            continue
        points = (await session.scalars(_FIRST, {"place": match.place_id, "limit": limit})).all()
        open_lists.append([(point, match) for point in sorted(points, key=lambda p: rules.number_order(p.number))])
    for position in range(limit):
        found += [rows[position] for rows in open_lists if position < len(rows)]
    return found[:limit]


async def _place(session: AsyncSession, place: Place, match: Match, numbers: Numbers, answered: bool) -> PlaceOut:
    unit = await session.get(Unit, place.served_by) if place.served_by else None
    outside = unit and OutsideUnit(unit_id=unit.id, unit_zh=unit.name_zh, unit_en=unit.name_en, phone=unit.phone)
    needs_number = not answered and outside is None
    return PlaceOut(
        id=place.id,
        kind=place.kind,
        name_zh=place.name_zh,
        name_en=place.name_en,
        area_class=place.area_class,
        score=round(match.score),
        needs_number=needs_number,
        number_unknown=needs_number and bool(numbers.building),
        number=numbers.building,
        outside=outside,
    )


async def chains_of(session: AsyncSession, points: Sequence[ServicePoint]) -> dict[str, Chain]:
    """The assets above each service point, by its id."""
    leaves = {leaf for point in points for leaf in (point.power_asset_id, point.water_asset_id) if leaf}
    above: dict[str | None, list[AssetOut]] = {}
    for leaf, asset in await session.execute(_CHAINS, {"leaves": sorted(leaves)}):
        above.setdefault(leaf, []).append(
            AssetOut(
                id=asset.id,
                kind=asset.kind,
                name_zh=asset.name_zh,
                name_en=asset.name_en,
                voltage_kv=asset.voltage_kv,
            )
        )
    return {
        point.id: Chain(power=above.get(point.power_asset_id, []), water=above.get(point.water_asset_id, []))
        for point in points
    }
