"""Publishing bulletins, and finding those that concern somebody. Functions take a session and never commit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.bulletins import rules
from api.bulletins.board import board
from api.bulletins.rules import Announced, Area
from api.bulletins.schemas import BulletinChange, BulletinOut, NewBulletin
from api.bulletins.tables import Bulletin, BulletinTold
from api.conversations.bell import BULLETINS, touch
from api.db.base import new_id
from api.errors import Problem, not_found
from api.network.tables import Asset, AssetAncestor, Place, ServicePoint
from api.outages.service import invalid

# Statements of turns are built once: building one costs as much as running it.
_LEAVES = or_(
    AssetAncestor.asset_id == ServicePoint.power_asset_id, AssetAncestor.asset_id == ServicePoint.water_asset_id
)
_BY_POINT = (
    select(ServicePoint.id, ServicePoint.place_id, AssetAncestor.ancestor_id)
    .outerjoin(AssetAncestor, _LEAVES)
    .where(ServicePoint.id.in_(bindparam("keys", expanding=True)))
)
#: A place's addresses are many, and what supplies them is little.
_BY_PLACE = (
    select(ServicePoint.place_id, ServicePoint.place_id.label("place"), AssetAncestor.ancestor_id)
    .outerjoin(AssetAncestor, _LEAVES)
    .where(ServicePoint.place_id.in_(bindparam("keys", expanding=True)))
    .distinct()
)


async def publish(session: AsyncSession, new: NewBulletin, by: str, now: datetime) -> Bulletin:
    """Announce something. Problem 422 for an unknown asset or place, and for times that cannot stand."""
    if new.asset_id is not None and await session.get(Asset, new.asset_id) is None:
        raise invalid("asset_id", "There is no such asset.")
    if new.place_id is not None and await session.get(Place, new.place_id) is None:
        raise invalid("place_id", "There is no such place.")
    bulletin = Bulletin(
        id=new_id("bl"), **new.model_dump() | {"starts_at": new.starts_at or now}, created_by=by, created_at=now
    )
    if wrong := rules.complaint_about(bulletin.starts_at, bulletin.ends_at, now):
        raise invalid(*wrong)
    session.add(bulletin)
    await session.flush()
    await touch(session, BULLETINS)
    return bulletin


async def change(session: AsyncSession, bulletin_id: str, wanted: BulletinChange, now: datetime) -> Bulletin:
    """Other words, another end. Who has been told already is not told again."""
    bulletin = await _open(session, bulletin_id, now)
    for name, value in wanted.model_dump(exclude_none=True).items():
        setattr(bulletin, name, value)
    if wrong := rules.complaint_about(bulletin.starts_at, bulletin.ends_at, now):
        raise invalid(*wrong)
    await session.flush()
    await touch(session, BULLETINS)
    return bulletin


async def withdraw(session: AsyncSession, bulletin_id: str, now: datetime) -> Bulletin:
    """Have it told to nobody from now on."""
    bulletin = await _open(session, bulletin_id, now)
    bulletin.withdrawn_at = now
    await session.flush()
    await touch(session, BULLETINS)
    return bulletin


async def _open(session: AsyncSession, bulletin_id: str, now: datetime) -> Bulletin:
    """The bulletin, locked; Problem 404, or 409 where it is over."""
    # Not its key: who notes that it was told does not wait for this.
    lock = {"key_share": True}
    bulletin = await session.get(Bulletin, bulletin_id, with_for_update=lock, populate_existing=True)
    if bulletin is None:
        raise not_found("bulletin")
    state = rules.state_of(bulletin.starts_at, bulletin.ends_at, bulletin.withdrawn_at, now)
    if state in ("ended", "withdrawn"):
        raise Problem(409, "bulletin-over", "This bulletin is over; publish a new one.", state=state)
    return bulletin


async def current(session: AsyncSession, now: datetime) -> list[Bulletin]:
    """All that are in force, the latest first: what every agent sees."""
    query = select(Bulletin).where(Bulletin.withdrawn_at.is_(None), Bulletin.starts_at <= now, Bulletin.ends_at > now)
    return list(await session.scalars(query.order_by(Bulletin.starts_at.desc(), Bulletin.id)))


@dataclass(frozen=True)
class Spot:
    """Where a customer is, as far as it is known: an address, or a place alone."""

    service_point_id: str = ""
    place_id: str = ""

    def __bool__(self) -> bool:
        return bool(self.service_point_id or self.place_id)


async def areas_of(session: AsyncSession, spots: Iterable[Spot]) -> dict[Spot, Area]:
    """The areas of spots. That of an address is its place and all above its power and water; of a place alone,
    whatever supplies any address of it. An unknown id has none."""
    wanted = {spot for spot in spots if spot}
    points = sorted({spot.service_point_id for spot in wanted if spot.service_point_id})
    places = sorted({spot.place_id for spot in wanted if not spot.service_point_id})
    found: dict[str, tuple[set[str], set[str]]] = {}
    for query, keys in ((_BY_POINT, points), (_BY_PLACE, places)):
        for key, place_id, asset_id in await session.execute(query, {"keys": keys}) if keys else ():
            in_places, below = found.setdefault(key, (set(), set()))
            in_places.add(place_id)
            below.update({asset_id} - {None})
    areas = {}
    for spot in wanted:
        in_places, below = found.get(spot.service_point_id or spot.place_id, (set(), set()))
        areas[spot] = Area(frozenset(in_places | ({spot.place_id} - {""})), frozenset(below))
    return areas


async def concerning(
    session: AsyncSession, now: datetime, *, service_point_id: str | None = None, place_id: str | None = None
) -> list[Announced]:
    """Bulletins in force for an address or a place; only those for everybody where neither is given."""
    spot = Spot(service_point_id or "", place_id or "")
    area = (await areas_of(session, [spot]))[spot] if spot else rules.NOWHERE
    return rules.to_tell(await board(session, now), area, now)


async def shown(session: AsyncSession, bulletins: Sequence[Bulletin], now: datetime) -> list[BulletinOut]:
    """Bulletins with the names of their areas, and to how many conversations each was told."""
    ids = [bulletin.id for bulletin in bulletins]
    told = select(BulletinTold.bulletin_id, func.count()).where(BulletinTold.bulletin_id.in_(ids))
    counts = {row[0]: row[1] for row in await session.execute(told.group_by(BulletinTold.bulletin_id))}
    places = select(Place).where(Place.id.in_({b.place_id for b in bulletins if b.place_id}))
    assets = select(Asset).where(Asset.id.in_({b.asset_id for b in bulletins if b.asset_id}))
    named: dict[str | None, Place | Asset] = {place.id: place for place in await session.scalars(places)}
    named |= {asset.id: asset for asset in await session.scalars(assets)}
    items = []
    for bulletin in bulletins:
        area = named.get(bulletin.place_id or bulletin.asset_id)
        items.append(
            BulletinOut(
                id=bulletin.id,
                state=rules.state_of(bulletin.starts_at, bulletin.ends_at, bulletin.withdrawn_at, now),
                text_zh=bulletin.text_zh,
                text_en=bulletin.text_en,
                asset_id=bulletin.asset_id,
                place_id=bulletin.place_id,
                area_zh=area.name_zh if area else "",
                area_en=area.name_en if area else "",
                starts_at=bulletin.starts_at,
                ends_at=bulletin.ends_at,
                withdrawn_at=bulletin.withdrawn_at,
                created_by=bulletin.created_by,
                created_at=bulletin.created_at,
                told=counts.get(bulletin.id, 0),
            )
        )
    return items
