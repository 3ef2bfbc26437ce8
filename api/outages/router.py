"""`/api/v1/outages`, and what is known of an address or a place."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime
from sqlalchemy.ext.asyncio import AsyncSession

from api.bulletins.service import concerning
from api.conversations.turns import LiveTurn
from api.db.idempotency import once, require_key
from api.deps import CurrentCaller, Now, ReadSession, SettingsDep, Staff, WriteSession
from api.network.lookup import find_places
from api.network.tables import Asset
from api.outages import queries, service
from api.outages.rules import Kind
from api.outages.schemas import (
    AreaBulletin,
    LookupCandidate,
    LookupOut,
    NewOutage,
    NewReport,
    OutageChange,
    OutageOut,
    PlaceOutages,
    ReportOut,
    Situation,
)
from api.outages.tables import Outage
from api.paging import Limit, Page

router = APIRouter(tags=["outages"])
Key = Annotated[str, Depends(require_key)]
Utility = Literal["power", "water"]


async def shaped(session: AsyncSession, outage: Outage, now: datetime) -> OutageOut:
    asset = await session.get_one(Asset, outage.asset_id)
    return queries.shape(outage, asset, now)


@router.get("/outages")
async def index(
    _caller: Staff,
    session: ReadSession,
    now: Now,
    utility: Utility | None = None,
    kind: Kind | None = None,
    active: bool | None = None,
    since: AwareDatetime | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[OutageOut]:
    """Outages, latest start first. `active` is whether supply is off now, `since` when it was recorded."""
    items, following = await queries.listed(
        session, now, utility=utility, kind=kind, active_only=active, since=since, cursor=cursor, limit=limit
    )
    return Page(items=items, next=following)


@router.post("/outages", status_code=201, response_model=OutageOut)
async def create(
    request: Request, body: NewOutage, caller: Staff, key: Key, session: WriteSession, settings: SettingsDep, now: Now
) -> dict[str, Any]:
    """Record an outage; everything but a predicted one needs its expected end (C4)."""

    async def do() -> dict[str, Any]:
        outage = await service.create(session, body, now, settings.zone)
        return (await shaped(session, outage, now)).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)


@router.get("/outages/lookup")
async def lookup(
    _caller: Staff,
    session: ReadSession,
    now: Now,
    q: Annotated[str, Query(max_length=1000)],
    at: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=20)] = 5,
) -> LookupOut:
    """The service points that the words `q` may mean, each with the outages active at `at` (default: now)."""
    found = await find_places(session, q, limit)
    ids = [candidate.service_point_id for candidate in found.candidates]
    outages = await queries.of_points(session, ids, at or now, now, upcoming=False)
    return LookupOut(
        candidates=[
            LookupCandidate(**candidate.model_dump(), outages=outages[candidate.service_point_id])
            for candidate in found.candidates
        ]
    )


@router.get("/outages/{outage_id}")
async def read(outage_id: str, _caller: CurrentCaller, session: ReadSession, now: Now) -> OutageOut:
    """One outage."""
    return await shaped(session, await service.find(session, outage_id), now)


@router.patch("/outages/{outage_id}")
async def change(outage_id: str, body: OutageChange, _caller: Staff, session: WriteSession, now: Now) -> OutageOut:
    """Keep an outage current (C4, D4, D5); `restored` and `cancelled` end it now."""
    outage = await service.find(session, outage_id, lock=True)
    await service.change(session, outage, body, now)
    return await shaped(session, outage, now)


@router.post("/outages/{outage_id}/reports", status_code=201, response_model=ReportOut)
async def report(
    request: Request,
    outage_id: str,
    body: NewReport,
    caller: CurrentCaller,
    _turn: LiveTurn,
    key: Key,
    session: WriteSession,
    now: Now,
) -> dict[str, Any]:
    """Add a customer to a known outage (C7)."""

    async def do() -> dict[str, Any]:
        conversation_id = caller.conversation_id if caller.kind == "bot" else body.conversation_id
        outage = await service.find(session, outage_id)
        added = await service.add_report(session, outage, body, conversation_id or "", now)
        return ReportOut(id=added.id, outage_id=outage.id).model_dump()

    return await once(session, request, key, caller.name, now, do)


@router.get("/service-points/{service_point_id}/situation")
async def situation(
    service_point_id: str,
    _caller: CurrentCaller,
    session: ReadSession,
    now: Now,
    utility: Utility | None = None,
    at: AwareDatetime | None = None,
) -> Situation:
    """Outages of an address now and in the next seven days, its open fault tickets, the committed arrival (C4, D3), and
    the bulletins for its area (B18)."""
    found = await queries.situation(session, service_point_id, at or now, now, utility)
    announced = await concerning(session, now, service_point_id=service_point_id)
    found.bulletins = [AreaBulletin(text_zh=b.text_zh, text_en=b.text_en) for b in announced if not b.everywhere]
    return found


@router.get("/places/{place_id}/outages")
async def of_place(
    place_id: str,
    _caller: CurrentCaller,
    session: ReadSession,
    now: Now,
    utility: Utility | None = None,
    at: AwareDatetime | None = None,
) -> PlaceOutages:
    """Outages that touch any address of a place, so that an estate's cut can be told without a building number."""
    outages, covers_all = await queries.of_place(session, place_id, at or now, now, utility)
    return PlaceOutages(outages=outages, covers_all=covers_all)
