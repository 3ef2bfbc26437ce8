"""How many addresses lie below an asset, in a place, or everywhere; finding areas by words. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.network.assets import find_assets
from api.network.lookup import find_places
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint

#: Of each kind.
MOST = 6


async def addresses(session: AsyncSession, *, asset_id: str | None = None, place_id: str | None = None) -> int:
    """How many service points there are; all of them where neither is given."""
    query = select(func.count()).select_from(ServicePoint)
    if asset_id is not None:
        below = select(AssetAncestor.asset_id).where(AssetAncestor.ancestor_id == asset_id)
        query = query.where(or_(ServicePoint.power_asset_id.in_(below), ServicePoint.water_asset_id.in_(below)))
    if place_id is not None:
        query = query.where(ServicePoint.place_id == place_id)
    return await session.scalar(query) or 0


@dataclass(frozen=True)
class Area:
    """A place or an asset, and how many addresses it has."""

    key: str
    place: Place | None
    asset: Asset | None
    above: Asset | None
    addresses: int

    @property
    def name_zh(self) -> str:
        return (self.place or self.asset).name_zh  # type: ignore[union-attr]

    @property
    def name_en(self) -> str:
        return (self.place or self.asset).name_en  # type: ignore[union-attr]


async def find_areas(session: AsyncSession, words: str, limit: int = MOST) -> Sequence[Area]:
    """Places that the words name, then pieces of the network by name or by an address that they supply."""
    if not words.strip():
        return []
    found, text = await find_places(session, words, limit), words.strip()
    alike = or_(Place.name_zh.icontains(text, autoescape=True), Place.name_en.icontains(text, autoescape=True))
    holding = await session.scalars(select(Place.id).where(alike).order_by(Place.name_zh, Place.id).limit(limit))
    meant = [*(one.place_id for one in found.candidates), *(one.id for one in found.places), *holding]
    keys = list(dict.fromkeys(meant))[:limit]
    named = {place.id: place for place in await session.scalars(select(Place).where(Place.id.in_(keys)))}
    areas = [
        Area(f"place:{key}", named[key], None, None, await addresses(session, place_id=key))
        for key in keys
        if key in named
    ]
    for one in await find_assets(session, words, limit):
        count = await addresses(session, asset_id=one.asset.id)
        areas.append(Area(f"asset:{one.asset.id}", None, one.asset, one.above, count))
    return areas
