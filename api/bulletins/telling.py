"""Telling bulletins to those whom they concern, once in a conversation, in the transaction that says so.

They are lines of `system`. The bot's turn brings them before its own answer, as it knows by then where the customer is;
whoever is known to be in the area while one is published hears of it at once. While an agent owns a conversation
nothing is told: its next turn of the bot tells it.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import bindparam, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.bulletins import rules
from api.bulletins.board import board
from api.bulletins.rules import Announced
from api.bulletins.service import Spot, areas_of
from api.bulletins.tables import BulletinTold
from api.chores import again_and_again
from api.conversations.bell import BULLETINS
from api.conversations.rasa import Said
from api.conversations.tables import Conversation
from api.conversations.transcript import add_message, lock_conversation
from api.db.base import table_of
from api.db.engine import Database
from api.deps import Clock

#: A conversation in which nothing was said for so long is not live, and hears of it when it goes on.
LIVE = timedelta(minutes=30)
#: Seconds between looks for bulletins that begin, and for other machines'.
PERIOD = 30.0
_t = table_of(BulletinTold).c
_TOLD = select(_t.bulletin_id).where(
    _t.bulletin_id.in_(bindparam("bulletins", expanding=True)), _t.conversation_id == bindparam("conversation")
)
_TELL = insert(table_of(BulletinTold))


@cache
def _introduction() -> dict[str, str]:
    path = Path(__file__).with_name("sentences.yml")
    loaded: dict[str, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded["bulletin"]


def words(bulletin: Announced, language: str | None) -> str:
    """A bulletin as a customer gets it, in both languages where his is not known."""
    texts = {"zh": bulletin.text_zh, "en": bulletin.text_en}
    chosen = [language] if language in texts else ["zh", "en"]
    return "\n".join(_introduction()[one].format(text=texts[one]) for one in chosen)


def spot_of(sheet: Mapping[str, Any] | None) -> Spot:
    """Where the bot knows the customer to be."""
    place = (sheet or {}).get("place")
    known = place if isinstance(place, Mapping) else {}
    return Spot(*(str(known.get(name) or "") for name in ("service_point_id", "place_id")))


def in_danger(sheet: Mapping[str, Any] | None) -> bool:
    """Whether the bot deals with danger now: nothing else is said beside that."""
    return (sheet or {}).get("journey") == "hazard"


async def tell(
    session: AsyncSession,
    conversation_id: str,
    spot: Spot,
    now: datetime,
    *,
    most: int = rules.MOST_AT_ONCE,
    areas_only: bool = False,
) -> list[Announced]:
    """What is to be said to this (locked) conversation now, and is noted as told; commit it with the words."""
    announced = [b for b in await board(session, now) if not (areas_only and b.everywhere)]
    # What is for nobody here costs no further look at the database.
    possible = {b.id for b in announced if b.everywhere or spot}
    if not possible:
        return []
    told = set(await session.scalars(_TOLD, {"bulletins": sorted(possible), "conversation": conversation_id}))
    left = [b for b in announced if b.id in possible - told]
    local = any(not b.everywhere for b in left)
    area = (await areas_of(session, [spot]))[spot] if local else rules.NOWHERE
    found = rules.to_tell(left, area, now)[:most]
    if found:
        rows = [{"bulletin_id": b.id, "conversation_id": conversation_id, "at": now} for b in found]
        await session.execute(_TELL, rows)
    return found


async def said_first(
    session: AsyncSession, conversation_id: str, language: str | None, sheet: Mapping[str, Any] | None, now: datetime
) -> list[Said]:
    """The lines that come before the bot's answer; `sheet` is what the bot knows with this very answer."""
    if in_danger(sheet):
        return []
    found = await tell(session, conversation_id, spot_of(sheet), now)
    return [Said(words(bulletin, language), ()) for bulletin in found]


async def tell_live(database: Database, now: datetime) -> int:
    """Tell those at once who are talking to us and known to be in the area; how many conversations.

    A caller who talks with the bot hears it with the bot's next answer: nothing can be put into his ear between.
    """
    async with database.read() as session:
        local = [b for b in await board(session, now) if not b.everywhere and b.starts_at <= now < b.ends_at]
        if not local:
            return 0
        live = select(Conversation.id, Conversation.sheet).where(
            Conversation.owner.in_(("bot", "waiting")),
            Conversation.closed_at.is_(None),
            Conversation.last_message_at > now - LIVE,
            or_(Conversation.channel != "voice", Conversation.owner == "waiting"),
        )
        rows = (await session.execute(live)).all()
        spots = {row.id: spot_of(row.sheet) for row in rows if spot_of(row.sheet) and not in_danger(row.sheet)}
        if not spots:
            return 0
        areas = await areas_of(session, spots.values())
        pairs = await session.execute(
            select(_t.conversation_id, _t.bulletin_id).where(_t.bulletin_id.in_([b.id for b in local]))
        )
        told = {(row[0], row[1]) for row in pairs}
    concerned = [
        conversation_id
        for conversation_id, spot in spots.items()
        if any((conversation_id, b.id) not in told and rules.concerns(b, areas[spot]) for b in local)
    ]
    return sum([await _tell_one(database, conversation_id, now) for conversation_id in concerned])


async def _tell_one(database: Database, conversation_id: str, now: datetime) -> bool:
    async with database.write() as session, session.begin():
        conversation = await lock_conversation(session, conversation_id)
        if conversation is None or conversation.owner == "agent" or conversation.closed_at is not None:
            return False
        found = await tell(session, conversation_id, spot_of(conversation.sheet), now, areas_only=True)
        for bulletin in found:
            await add_message(session, conversation, "system", words(bulletin, conversation.language), now)
        return bool(found)


async def keep_telling(database: Database, clock: Clock) -> None:
    """Tell what begins or is published, until cancelled; a database that is away is asked again next time."""
    await again_and_again("bulletins", lambda: tell_live(database, clock()), PERIOD, BULLETINS)
