"""The board of work orders and the page of one: what is due, who is to be told, and what dispatch and agents do."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.console.forms import in_words, to_utc
from api.console.pages import render
from api.console.session import Me, SignedIn
from api.console.ticket_view import WAYS_OUT, view_of
from api.deps import Now, ReadSession, SettingsDep, WriteSession
from api.errors import Problem
from api.notices.tables import Notice
from api.tickets import board, news, rules, service
from api.tickets.due import due_of
from api.tickets.placement import invalid
from api.tickets.schemas import Handling, NewNote, TicketChange

router = APIRouter()
Number = Annotated[str, Path(max_length=12)]
KINDS = ("fault_report", "complaint", "damage_claim", "service_request", "enquiry")
STATUSES = (
    *("received", "dispatched", "accepted", "on_site", "repaired", "customer_informed", "followed_up"),
    *("transferred", "returned", "closed", "cancelled"),
)
#: Topics that agents choose from; the routing table may know more.
TOPICS = {
    "power": (
        "outage",
        "meter_switch",
        "indoor_fault",
        "voltage",
        "prepaid_card",
        "hazard",
        "cable_damage",
        "meter_check",
    ),
    "water": ("no_water", "low_pressure", "pipe_leak", "pipe_frozen", "water_quality"),
    "both": ("third_party", "meter_reading", "billing", "complaint", "damage_claim", "municipal_facility"),
    "rare": ("construction_leftover", "substation", "high_voltage_line", "not_distribution"),
}
#: Notes to a status: times, and words.
TIMES = ("eta", "expected", "arrived_at", "completed_at", "contacted_at")
WORDS = ("crew", "device", "cause", "work", "verifier", "assessment")


class Asked(BaseModel):
    """The board's filters as they stand in its address."""

    model_config = ConfigDict(extra="ignore")

    status: str = Field("open", max_length=20)
    kind: str = Field("", max_length=20)
    utility: str = Field("", max_length=8)
    unit: str = Field("", max_length=40)
    priority: str = Field("", max_length=1)
    due: str = Field("", max_length=8)
    words: str = Field("", max_length=100)
    page: int = Field(1, ge=1, le=1000)

    @property
    def filters(self) -> board.Filters:
        priority = int(self.priority) if self.priority in "12345" and self.priority else None
        return board.Filters(self.status, self.kind, self.utility, self.unit, priority, self.due, self.words)


async def listing(session: AsyncSession, asked: Asked, now: Any) -> dict[str, Any]:
    """What the list shows."""
    rows, more = await board.page(session, asked.filters, now, asked.page)
    dues = {row.number: due_of(row.status, row.dispatch_due_at, row.arrival_due_at, now) for row in rows}
    counts = await board.counts(session, asked.filters, now)
    units = {unit.id: unit for unit in await board.units(session)}
    return {"asked": asked, "rows": rows, "more": more, "dues": dues, "counts": counts, "units": units}


CHOICES: dict[str, Any] = {"kinds": KINDS, "statuses": STATUSES}


@router.get("/console/tickets")
async def page(request: Request, me: Me, session: ReadSession, now: Now, asked: Annotated[Asked, Query()]) -> Response:
    return render(request, me, "tickets.html", **await listing(session, asked, now), **CHOICES)


@router.get("/console/_/tickets")
async def rows(request: Request, me: Me, session: ReadSession, now: Now, asked: Annotated[Asked, Query()]) -> Response:
    """The list alone, as it stands."""
    return render(request, me, "tickets_list.html", **await listing(session, asked, now), **CHOICES)


@router.get("/console/_/to-tell")
async def to_tell(request: Request, me: Me, session: ReadSession, now: Now) -> Response:
    """Customers whom nobody has told yet what dispatch did (D4, D5)."""
    found = await news.to_tell(session, now)
    numbers = [one.ticket.number for one in found]
    sent = select(Notice.ticket_number).where(Notice.ticket_number.in_(numbers), Notice.state == "sent")
    notified = set(await session.scalars(sent)) if numbers else set()
    return render(request, me, "tickets_to_tell.html", found=found, notified=notified)


async def shown(
    request: Request, me: SignedIn, session: AsyncSession, number: str, now: Any, template: str = "tickets_one.html"
) -> Response:
    """One ticket with what can be done with it."""
    settings = request.app.state.settings
    view = await view_of(session, number, me.language, settings.zone, now)
    return render(
        request, me, template, view=view, units=await board.units(session), topics=TOPICS, ways_out=WAYS_OUT, **CHOICES
    )


@router.get("/console/tickets/{number}")
async def one_page(request: Request, number: Number, me: Me, session: ReadSession, now: Now) -> Response:
    return await shown(request, me, session, number, now, "tickets_page.html")


@router.get("/console/_/tickets/{number}")
async def one(request: Request, number: Number, me: Me, session: ReadSession, now: Now, live: bool = False) -> Response:
    """The ticket for the panel, or (`live`) its facts and history alone, so that no form is lost."""
    return await shown(request, me, session, number, now, "tickets_live.html" if live else "tickets_one.html")


class Change(BaseModel):
    """A form of a ticket; what is left empty stays as it is."""

    model_config = ConfigDict(extra="ignore")

    status: str = Field("", max_length=20)
    reason: str = Field("", max_length=600)
    unit: str = Field("", max_length=40)
    priority: str = Field("", max_length=1)
    topic: str = Field("", max_length=40)
    scope: str = Field("", max_length=20)
    place_words: str = Field("", max_length=400)
    service_point_id: str = Field("", max_length=40)
    contact_name: str = Field("", max_length=100)
    contact_phone: str = Field("", max_length=60)
    description: str = Field("", max_length=5000)
    eta: str = Field("", max_length=30)
    expected: str = Field("", max_length=30)
    arrived_at: str = Field("", max_length=30)
    completed_at: str = Field("", max_length=30)
    contacted_at: str = Field("", max_length=30)
    crew: str = Field("", max_length=200)
    device: str = Field("", max_length=200)
    cause: str = Field("", max_length=500)
    work: str = Field("", max_length=500)
    verifier: str = Field("", max_length=60)
    assessment: str = Field("", max_length=500)
    text: str = Field("", max_length=5000)
    confirmed_true: str = Field("", max_length=3)
    liable: str = Field("", max_length=3)
    satisfied: str = Field("", max_length=3)
    handler: str = Field("", max_length=100)


def change_of(form: Change, ticket: Any, zone: Any) -> TicketChange:
    """The change that a form asks for. Problem 422 or ValidationError for what is missing or wrong."""
    if form.status in WAYS_OUT and not form.reason.strip():
        raise invalid("reason", "A reason is needed (A3).")
    if form.status == "transferred" and not form.unit:
        raise invalid("unit", "Where does it go (A3)?")
    details = {name: text for name in WORDS if (text := getattr(form, name).strip())}
    for name in TIMES:
        if moment := to_utc(getattr(form, name), zone, name):
            details[name] = moment.isoformat()
    wanted: dict[str, Any] = {
        name: value
        for name in ("status", "unit", "priority", "topic", "scope", "contact_name", "contact_phone", "description")
        if (value := getattr(form, name).strip())
    }
    if form.service_point_id and form.service_point_id != ticket.service_point_id:
        wanted["service_point_id"] = form.service_point_id
    elif not form.service_point_id and form.place_words.strip() not in ("", ticket.address):
        wanted["address"] = form.place_words.strip()
    if form.text.strip():
        wanted["handling"] = Handling(
            text=form.text,
            confirmed_true=form.confirmed_true == "yes",
            liable=form.liable == "yes",
            verifier=form.verifier,
            handler=form.handler,
            satisfied={"yes": True, "no": False}.get(form.satisfied),
        )
    elif form.status == "closed" and ticket.kind in ("complaint", "damage_claim"):
        raise invalid("handling", "The order needs its handling record (A4).")
    return TicketChange(**wanted, reason=form.reason, details=details)


@router.post("/console/tickets/{number}")
async def change(
    request: Request,
    number: Number,
    me: Me,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
    form: Annotated[Change, Form()],
) -> Response:
    """Move a ticket on, correct it, or keep new times (C19, D3-D5)."""
    with in_words(me, f"#errors-{number}"):
        ticket = await service.find(session, number, lock=True)
        wanted = change_of(form, ticket, settings.zone)
        await service.change_ticket(session, ticket, wanted, me.caller.name, now, settings.zone)
    return await shown(request, me, session, number, now)


@router.post("/console/tickets/{number}/notes")
async def add_note(
    request: Request,
    number: Number,
    me: Me,
    session: WriteSession,
    now: Now,
    text: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    with in_words(me, f"#errors-{number}"):
        ticket = await service.find(session, number, lock=True)
        await service.add_note(session, ticket, NewNote(text=text), me.caller.name, now, "note")
    return await shown(request, me, session, number, now)


@router.post("/console/tickets/{number}/told")
async def told(
    request: Request,
    number: Number,
    me: Me,
    session: WriteSession,
    now: Now,
    what: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """The customer was told; a repaired fault's customer is informed by that (D5)."""
    with in_words(me, f"#errors-{number}"):
        ticket = await service.find(session, number, lock=True)
        if rules.may_change(ticket.kind, ticket.status, "customer_informed") and ticket.status == "repaired":
            wanted = TicketChange(status="customer_informed")
            await service.change_ticket(session, ticket, wanted, me.caller.name, now)
        elif ticket.status in rules.ENDED:
            raise Problem(409, "ticket-ended", "This ticket has ended.")
        else:
            await news.told(session, ticket, me.caller.name, now)
    if what == "list":
        return await to_tell(request, me, session, now)
    return await shown(request, me, session, number, now)
