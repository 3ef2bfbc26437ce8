"""Where to pay and buy, and the utility's own facts."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import AwareDatetime

from api.deps import CurrentCaller, Now, ReadSession, SettingsDep
from api.outlets import service
from api.outlets.schemas import OutletOut
from api.paging import Limit, Page

router = APIRouter(tags=["outlets"])


@router.get("/outlets")
async def outlets(
    _caller: CurrentCaller,
    session: ReadSession,
    settings: SettingsDep,
    now: Now,
    near: str | None = None,
    utility: Literal["power", "water"] | None = None,
    open_at: AwareDatetime | None = None,
    limit: Limit = 10,
) -> Page[OutletOut]:
    """Outlets, nearest first: `near` is a service point or place; `open_now` is told for `open_at` (default: now)."""
    items = await service.nearest(session, open_at or now, settings.zone, near=near, utility=utility, limit=limit)
    return Page(items=items)


@router.get("/facts")
async def facts(_caller: CurrentCaller, session: ReadSession) -> dict[str, Any]:
    """Hotline, agents' hours, emergency numbers, arrival commitments, tariffs: what changes per utility."""
    return await service.facts(session)
