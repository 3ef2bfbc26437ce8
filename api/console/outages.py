"""Outages: what is off, what is planned, what is likely; recording them and keeping them current (A6, C4, D4, D5)."""

from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from api.console.forms import as_written, in_words, to_utc
from api.console.pages import redirect, render
from api.console.session import Me, SignedIn
from api.db.base import new_id
from api.db.idempotency import once_for
from api.deps import Now, ReadSession, SettingsDep, WriteSession
from api.network.tables import Asset
from api.outages import rules, service
from api.outages.board import PARTS, board, part_of, waiting_for
from api.outages.queries import shape
from api.outages.schemas import NewOutage, OutageChange

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]
Utility = Annotated[str, Query(pattern="^(power|water)?$")]
#: Who records and changes outages; agents read them.
RECORDERS = frozenset({"dispatcher", "supervisor", "admin"})
KINDS = ("fault", "planned", "predicted")
STATUSES = ("scheduled", "reported", "dispatched", "on_site", "repairing", "restored", "cancelled")


def records(me: SignedIn) -> bool:
    return me.agent.role in RECORDERS


@router.get("/console/outages")
async def page(request: Request, me: Me, session: ReadSession, now: Now, utility: Utility = "") -> Response:
    parts = await board(session, now, utility)
    return render(
        request,
        me,
        "outages.html",
        parts=parts,
        utility=utility,
        order=PARTS,
        may=records(me),
        kinds=KINDS,
        nonce=new_id("nc"),
    )


@router.get("/console/_/outages")
async def listing(request: Request, me: Me, session: ReadSession, now: Now, utility: Utility = "") -> Response:
    """The board alone, as it stands."""
    parts = await board(session, now, utility)
    return render(request, me, "outages_list.html", parts=parts, utility=utility, order=PARTS)


class Recorded(BaseModel):
    """The form of a new outage; times are local."""

    model_config = ConfigDict(extra="ignore")

    nonce: str = Field(min_length=8, max_length=60)
    kind: str = Field("", max_length=12)
    asset_id: str = Field("", max_length=40)
    cause_zh: str = Field("", max_length=400)
    cause_en: str = Field("", max_length=400)
    starts_at: str = Field("", max_length=30)
    expected_end_at: str = Field("", max_length=30)


@router.post("/console/outages")
async def record(
    request: Request,
    me: Me,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
    form: Annotated[Recorded, Form()],
) -> Response:
    """Record an outage once, however often the form is sent."""
    with in_words(me, "#outage-errors"):
        new = NewOutage.model_validate(
            {
                "kind": form.kind,
                "asset_id": form.asset_id,
                "cause_zh": form.cause_zh,
                "cause_en": form.cause_en,
                "starts_at": to_utc(form.starts_at, settings.zone, "starts_at"),
                "expected_end_at": to_utc(form.expected_end_at, settings.zone, "expected_end_at"),
            }
        )

        async def do() -> dict[str, Any]:
            return {"id": (await service.create(session, new, now, settings.zone)).id}

        asked = form.model_dump_json().encode()
        made = await once_for(session, request, form.nonce, me.caller.name, asked, now, do)
    return redirect(request, f"/console/outages/{made['id']}")


async def context(session: AsyncSession, me: SignedIn, outage_id: str, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """What the page of one outage shows."""
    outage = await service.find(session, outage_id)
    asset = await session.get_one(Asset, outage.asset_id)
    allowed = [status for status in STATUSES if status in rules.TRANSITIONS[outage.status]]
    return {
        "outage": shape(outage, asset, now),
        "asset": asset,
        "part": part_of(outage, now),
        "waiting": await waiting_for(session, outage, now),
        "may": records(me) and outage.status not in rules.ENDED,
        "allowed": [status for status in allowed if status not in rules.ENDED],
        "starts_at": as_written(outage.starts_at, zone),
        "expected_end_at": as_written(outage.expected_end_at, zone),
        "kinds": KINDS,
    }


@router.get("/console/outages/{outage_id}")
async def one_page(
    request: Request, outage_id: Id, me: Me, session: ReadSession, settings: SettingsDep, now: Now
) -> Response:
    return render(request, me, "outages_page.html", **await context(session, me, outage_id, now, settings.zone))


@router.get("/console/_/outages/{outage_id}")
async def one(
    request: Request, outage_id: Id, me: Me, session: ReadSession, settings: SettingsDep, now: Now
) -> Response:
    """Its facts and who waits, without the form."""
    return render(request, me, "outages_live.html", **await context(session, me, outage_id, now, settings.zone))


class Changed(BaseModel):
    """The form of an outage; what is left empty stays as it is."""

    model_config = ConfigDict(extra="ignore")

    kind: str = Field("", max_length=12)
    status: str = Field("", max_length=12)
    cause_zh: str = Field("", max_length=400)
    cause_en: str = Field("", max_length=400)
    starts_at: str = Field("", max_length=30)
    expected_end_at: str = Field("", max_length=30)


@router.post("/console/outages/{outage_id}")
async def change(
    request: Request,
    outage_id: Id,
    me: Me,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
    form: Annotated[Changed, Form()],
) -> Response:
    """Keep an outage current; `restored` and `cancelled` end it now."""
    with in_words(me, "#outage-errors"):
        wanted: dict[str, Any] = {
            name: value for name in ("kind", "status", "cause_zh", "cause_en") if (value := getattr(form, name).strip())
        }
        outage = await service.find(session, outage_id, lock=True)
        for name in ("starts_at", "expected_end_at"):
            # A form knows minutes only: what it did not change keeps its seconds.
            if getattr(form, name) != as_written(getattr(outage, name), settings.zone):
                wanted[name] = to_utc(getattr(form, name), settings.zone, name)
        await service.change(session, outage, OutageChange.model_validate(wanted), now)
    return render(request, me, "outages_one.html", **await context(session, me, outage_id, now, settings.zone))
