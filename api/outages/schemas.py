"""JSON shapes of outages."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from api.network.schemas import Candidate
from api.outages.rules import Kind, Status

Utility = Literal["power", "water"]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class OutageOut(BaseModel):
    """An outage (A6). `cause` is the Chinese one where there is one; `affected_count` counts supply addresses."""

    id: str
    number: str
    utility: Utility
    kind: Kind
    cause: str
    cause_zh: str
    cause_en: str
    status: Status
    starts_at: datetime
    expected_end_at: datetime | None
    ended_at: datetime | None
    asset_id: str
    asset_name_zh: str
    asset_name_en: str
    affected_count: int
    #: Expected to be over and not over.
    overdue: bool


class PhasedOutage(OutageOut):
    """An outage as one address sees it."""

    phase: Literal["current", "upcoming"]


class NewOutage(BaseModel):
    """`cause` alone is taken for the Chinese one. `starts_at` may be left out for a fault: now."""

    model_config = ConfigDict(extra="forbid")

    utility: Utility | None = None
    kind: Kind
    asset_id: Reference
    cause: Short = ""
    cause_zh: Short = ""
    cause_en: Short = ""
    status: Status | None = None
    starts_at: AwareDatetime | None = None
    expected_end_at: AwareDatetime | None = None


class OutageChange(BaseModel):
    """What may change; a field that is left out stays. `kind` turns a predicted outage into a confirmed one."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind | None = None
    status: Status | None = None
    cause: Short | None = None
    cause_zh: Short | None = None
    cause_en: Short | None = None
    starts_at: AwareDatetime | None = None
    expected_end_at: AwareDatetime | None = None


class NewReport(BaseModel):
    """A customer added to a known outage (C7). The bot's conversation is its own."""

    model_config = ConfigDict(extra="forbid")

    service_point_id: Reference | None = None
    contact_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] = ""
    contact_phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=24)] = ""
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)] = ""
    conversation_id: Reference | None = None


class ReportOut(BaseModel):
    id: str
    outage_id: str


class LookupCandidate(Candidate):
    """The contract's candidate: with the outages that are active at the time asked for."""

    outages: list[PhasedOutage]


class LookupOut(BaseModel):
    candidates: list[LookupCandidate]


class PointOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    address_zh: str
    address_en: str
    area_class: str


class OpenTicket(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    number: str
    kind: str
    topic: str
    scope: str
    created_at: datetime


class AreaBulletin(BaseModel):
    """What whoever asks about the address is told with the answer (B18)."""

    text_zh: str
    text_en: str


class Situation(BaseModel):
    """What is known of one address: outages now and in the next 7 days, open fault tickets, minutes to arrival (D3)."""

    service_point: PointOut
    outages: list[PhasedOutage]
    open_tickets: list[OpenTicket]
    arrival_minutes: int = Field(description="The committed time from filing to arrival, minutes")
    bulletins: list[AreaBulletin] = Field(default_factory=list, description="In force for this area, not for everybody")


class PlaceOutages(BaseModel):
    """`covers_all`: one current outage covers every address of the place."""

    outages: list[PhasedOutage]
    covers_all: bool
