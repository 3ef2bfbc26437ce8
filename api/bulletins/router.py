"""`/api/v1/bulletins`: what the supervisor has customers told (B18). Who may publish: api/access.yml."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.bulletins import service
from api.bulletins.schemas import BulletinChange, BulletinOut, NewBulletin
from api.bulletins.tables import Bulletin
from api.db.idempotency import once, require_key
from api.deps import Now, ReadSession, Staff, WriteSession
from api.paging import Limit, Page, newest_first

router = APIRouter(prefix="/bulletins", tags=["bulletins"])
Key = Annotated[str, Depends(require_key)]


async def _one(session: AsyncSession, bulletin: Bulletin, now: Now) -> dict[str, Any]:
    (out,) = await service.shown(session, [bulletin], now)
    return out.model_dump(mode="json")


@router.get("")
async def index(
    _staff: Staff,
    session: ReadSession,
    now: Now,
    current: bool = False,
    limit: Limit = 50,
    cursor: str | None = None,
) -> Page[BulletinOut]:
    """Bulletins, the latest first; `current`: all that are in force."""
    if current:
        return Page(items=await service.shown(session, await service.current(session, now), now))
    query = select(Bulletin)
    rows, following = await newest_first(session, query, Bulletin.created_at, Bulletin.id, limit, cursor)
    return Page(items=await service.shown(session, rows, now), next=following)


@router.post("", status_code=201, response_model=BulletinOut)
async def publish(
    request: Request, body: NewBulletin, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Publish one. It is told once in every conversation that it concerns."""

    async def do() -> dict[str, Any]:
        return await _one(session, await service.publish(session, body, caller.name, now), now)

    return await once(session, request, key, caller.name, now, do)


@router.patch("/{bulletin_id}", response_model=BulletinOut)
async def change(
    bulletin_id: str, body: BulletinChange, _caller: Staff, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Give it other words or another end; 409 where it is over."""
    return await _one(session, await service.change(session, bulletin_id, body, now), now)


@router.post("/{bulletin_id}/withdraw", response_model=BulletinOut)
async def withdraw(
    bulletin_id: str, request: Request, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Have it told to nobody from now on; 409 where it is over."""

    async def do() -> dict[str, Any]:
        return await _one(session, await service.withdraw(session, bulletin_id, now), now)

    return await once(session, request, key, caller.name, now, do)
