"""Finding a piece of the network by its name, or by an address that it supplies. Reads only."""

from dataclasses import dataclass

from sqlalchemy import case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from api.network.lookup import find_places
from api.network.tables import Asset

MOST = 12


@dataclass(frozen=True)
class FoundAsset:
    """An asset, and the one above it."""

    asset: Asset
    above: Asset | None


async def find_assets(session: AsyncSession, words: str, limit: int = MOST) -> list[FoundAsset]:
    """Assets whose name or id holds the words, the wider first; else those that supply the address that they mean."""
    text = words.strip()
    if not text:
        return []
    named = or_(
        Asset.name_zh.icontains(text, autoescape=True),
        Asset.name_en.icontains(text, autoescape=True),
        Asset.id == text,
    )
    wide = case((Asset.kind.in_(("line", "zone", "section")), 0), (Asset.kind.in_(("substation", "plant")), 1), else_=2)
    parent = aliased(Asset)
    query = select(Asset, parent).outerjoin(parent, parent.id == Asset.parent_id)
    rows = (
        await session.execute(query.where(named).order_by(wide, func.length(Asset.name_zh), Asset.id).limit(limit))
    ).all()
    if not rows:
        places = await find_places(session, text, 3)
        chains = [asset.id for found in places.candidates for asset in (*found.chain.power, *found.chain.water)]
        ids = list(dict.fromkeys(chains))[:limit]
        order = {asset_id: position for position, asset_id in enumerate(ids)}
        rows = sorted((await session.execute(query.where(Asset.id.in_(ids)))).all(), key=lambda row: order[row[0].id])
    return [FoundAsset(asset, above) for asset, above in rows]
