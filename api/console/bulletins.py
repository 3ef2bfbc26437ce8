"""Bulletins: what customers are told, where and until when; supervisors publish, change and withdraw them (B18)."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.bulletins import service
from api.bulletins.rules import MOST_CHARACTERS
from api.bulletins.schemas import BulletinChange, BulletinOut, NewBulletin
from api.bulletins.tables import Bulletin
from api.console.forms import as_written, in_words, to_utc
from api.console.pages import redirect, render
from api.console.session import Me, SignedIn
from api.db.base import new_id
from api.db.idempotency import once_for
from api.deps import Now, ReadSession, SettingsDep, WriteSession
from api.errors import Problem, not_found
from api.network.reach import addresses, find_areas

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]
SHOWN = 100
PARTS = ("current", "scheduled", "over")
ERRORS, CHANGE_ERRORS = "#bulletin-errors", "#change-errors"


async def parts_of(session: AsyncSession, now: datetime) -> dict[str, list[BulletinOut]]:
    """Bulletins in force, to come and over, the latest first."""
    query = select(Bulletin).order_by(Bulletin.starts_at.desc(), Bulletin.id).limit(SHOWN)
    shown = await service.shown(session, (await session.scalars(query)).all(), now)
    parts: dict[str, list[BulletinOut]] = {part: [] for part in PARTS}
    for one in shown:
        parts[one.state if one.state in parts else "over"].append(one)
    return parts


async def names(session: AsyncSession, parts: dict[str, list[BulletinOut]]) -> dict[str, str]:
    """Who published them, by Caller.name; whoever is no agent has none."""
    by = {one.created_by for found in parts.values() for one in found}
    ids = [name.partition(":")[2] for name in by if name.startswith("agent:")]
    agents = await session.scalars(select(Agent).where(Agent.id.in_(ids)))
    return {f"agent:{agent.id}": agent.name or agent.username for agent in agents}


@router.get("/console/bulletins")
async def page(request: Request, me: Me, session: ReadSession, now: Now) -> Response:
    parts = await parts_of(session, now)
    everywhere = await addresses(session) if me.supervises else 0
    return render(
        request,
        me,
        "bulletins.html",
        parts=parts,
        names=await names(session, parts),
        everywhere=everywhere,
        nonce=new_id("nc"),
        longest=MOST_CHARACTERS,
    )


@router.get("/console/_/bulletin-list")
async def listing(request: Request, me: Me, session: ReadSession, now: Now) -> Response:
    """The lists alone, as they stand."""
    parts = await parts_of(session, now)
    return render(request, me, "bulletins_list.html", parts=parts, names=await names(session, parts))


@router.get("/console/_/bulletin-areas")
async def areas(
    request: Request,
    me: Me,
    session: ReadSession,
    area_words: Annotated[str, Query(max_length=200)] = "",
    area: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """Places and pieces of the network to choose from, with how many addresses each has."""
    return render(
        request,
        me,
        "bulletins_areas.html",
        found=await find_areas(session, area_words),
        chosen=area,
        sought=area_words,
        everywhere=await addresses(session),
    )


class Published(BaseModel):
    """The form of a new bulletin; times are local. `area`: everywhere, place:<id> or asset:<id>."""

    model_config = ConfigDict(extra="ignore")

    nonce: str = Field(min_length=8, max_length=60)
    text_zh: str = Field("", max_length=1000)
    text_en: str = Field("", max_length=1000)
    area: str = Field("", max_length=60)
    starts_at: str = Field("", max_length=30)
    ends_at: str = Field("", max_length=30)


def where(area: str) -> dict[str, str]:
    """The area as the service takes it; Problem 422 where none was chosen."""
    kind, _, key = area.partition(":")
    if area == "everywhere":
        return {}
    if kind not in ("place", "asset") or not key:
        errors = [{"field": "body.area", "message": "Choose an area."}]
        raise Problem(422, "invalid", "Some fields are not valid.", errors=errors)
    return {f"{kind}_id": key}


@router.post("/console/bulletins")
async def publish(
    request: Request,
    me: Me,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
    form: Annotated[Published, Form()],
) -> Response:
    """Publish one, once, however often the form is sent."""
    with in_words(me, ERRORS):
        new = NewBulletin.model_validate(
            {
                "text_zh": form.text_zh,
                "text_en": form.text_en,
                "starts_at": to_utc(form.starts_at, settings.zone, "starts_at"),
                "ends_at": to_utc(form.ends_at, settings.zone, "ends_at"),
                **where(form.area),
            }
        )

        async def do() -> dict[str, Any]:
            return {"id": (await service.publish(session, new, me.caller.name, now)).id}

        await once_for(session, request, form.nonce, me.caller.name, form.model_dump_json().encode(), now, do)
    return redirect(request, "/console/bulletins")


async def _form(
    request: Request, session: AsyncSession, me: SignedIn, bulletin_id: str, zone: ZoneInfo, now: datetime
) -> Response:
    bulletin = await session.get(Bulletin, bulletin_id)
    if bulletin is None:
        raise not_found("bulletin")
    (shown,) = await service.shown(session, [bulletin], now)
    ends_at = as_written(bulletin.ends_at, zone)
    return render(request, me, "bulletins_change.html", one=shown, ends_at=ends_at, longest=MOST_CHARACTERS)


@router.get("/console/_/bulletins/{bulletin_id}")
async def form(
    request: Request, bulletin_id: Id, me: Me, session: ReadSession, settings: SettingsDep, now: Now
) -> Response:
    """The form by which one is changed or withdrawn."""
    return await _form(request, session, me, bulletin_id, settings.zone, now)


class Changed(BaseModel):
    model_config = ConfigDict(extra="ignore")

    text_zh: str = Field("", max_length=1000)
    text_en: str = Field("", max_length=1000)
    ends_at: str = Field("", max_length=30)


@router.post("/console/bulletins/{bulletin_id}")
async def change(
    request: Request,
    bulletin_id: Id,
    me: Me,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
    form: Annotated[Changed, Form()],
) -> Response:
    """Other words, another end. An end that the form did not change keeps its seconds."""
    with in_words(me, CHANGE_ERRORS):
        before = await session.get(Bulletin, bulletin_id)
        if before is None:
            raise not_found("bulletin")
        wanted: dict[str, Any] = {"text_zh": form.text_zh, "text_en": form.text_en}
        if form.ends_at != as_written(before.ends_at, settings.zone):
            wanted["ends_at"] = to_utc(form.ends_at, settings.zone, "ends_at") or now
        await service.change(session, bulletin_id, BulletinChange.model_validate(wanted), now)
    return redirect(request, "/console/bulletins")


@router.post("/console/bulletins/{bulletin_id}/withdraw")
async def withdraw(request: Request, bulletin_id: Id, me: Me, session: WriteSession, now: Now) -> Response:
    with in_words(me, CHANGE_ERRORS):
        await service.withdraw(session, bulletin_id, now)
    return redirect(request, "/console/bulletins")
