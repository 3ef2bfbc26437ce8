"""News told to a caller before the first question: bulletins for everybody, and large outages (A10, B18)."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.bulletins import telling
from api.bulletins.service import Spot
from api.channels.voice.prompts import words
from api.channels.voice.twiml import tuning
from api.conversations.sentences import local_time
from api.network.tables import AssetAncestor, Place, ServicePoint
from api.outages.queries import active, asset_column
from api.outages.tables import Outage


async def news(session: AsyncSession, conversation_id: str, language: str, now: datetime, zone: ZoneInfo) -> list[str]:
    """What a call begins with, a sentence each. Bulletins of an area follow when the caller's place is known."""
    announced = await telling.tell(session, conversation_id, Spot(), now, most=tuning()["bulletin"]["announced"])
    return [*(telling.words(one, language) for one in announced), *await outages(session, language, now, zone)]


async def outages(session: AsyncSession, language: str, now: datetime, zone: ZoneInfo) -> list[str]:
    """Sentences on the largest confirmed outages that go on now: at most `bulletin.most`, of `bulletin.affected`
    service points or more (voices.yml)."""
    rule = tuning()["bulletin"]
    query = (
        select(Outage)
        .where(active(now, now), Outage.kind != "predicted", Outage.affected_count >= rule["affected"])
        .order_by(Outage.affected_count.desc(), Outage.id)
        .limit(rule["most"])
    )
    told = []
    for outage in await session.scalars(query):
        places = await _places(session, outage, rule["places"])
        if places:
            told.append(sentence(outage, places, language, now, zone))
    return told


async def _places(session: AsyncSession, outage: Outage, most: int) -> Sequence[Place]:
    """The places with the most addresses below the outage's asset."""
    below = or_(AssetAncestor.asset_id == asset_column(outage.utility))
    query = (
        select(Place)
        .join(ServicePoint, ServicePoint.place_id == Place.id)
        .join(AssetAncestor, below)
        .where(AssetAncestor.ancestor_id == outage.asset_id)
        .group_by(Place.id)
        .order_by(func.count(ServicePoint.id).desc(), Place.id)
        .limit(most)
    )
    return (await session.scalars(query)).all()


def sentence(outage: Outage, places: Sequence[Place], language: str, now: datetime, zone: ZoneInfo) -> str:
    """One outage in one sentence. An end that is past is no news, and is left out (B5)."""
    names = ("、" if language == "zh" else " and ").join(
        place.name_zh if language == "zh" else place.name_en or place.name_zh for place in places
    )
    until = ""
    if outage.expected_end_at is not None and outage.expected_end_at > now:
        end = outage.expected_end_at.astimezone(zone)
        match (end.date() - now.astimezone(zone).date()).days:
            case 0:
                time = f"{end:%H:%M}"
            case 1 if (end.hour, end.minute) == (0, 0):
                time = words("midnight", language)
            case 1:
                time = words("tomorrow", language, time=f"{end:%H:%M}")
            case _:
                time = local_time(outage.expected_end_at, zone, language)
        until = words("bulletin_until", language, time=time)
    return words(
        "bulletin",
        language,
        places=names,
        what=words(f"bulletin_{outage.utility}", language),
        state=words("bulletin_planned" if outage.kind == "planned" else "bulletin_fault", language),
        until=until,
    )
