"""What goes in and out of `/api/v1/tickets`."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.phones import Phone
from api.tickets.rules import Kind, Status

Utility = Literal["power", "water"]
Scope = Literal["household", "surroundings", "unknown"]
Language = Literal["zh", "en"]
Priority = Annotated[int, Field(ge=1, le=5)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
Address = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)]
Topic = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000)]
RowId = Annotated[str, StringConstraints(min_length=1, max_length=40)]
GivenPhone = Annotated[Phone, StringConstraints(max_length=40)]


class Step(BaseModel):
    """One troubleshooting step and what the customer answered."""

    guide: str = Field(max_length=60)
    step: str = Field(max_length=60)
    answer: str = Field(max_length=300)


Steps = Annotated[list[Step], Field(max_length=100)]


class NewTicket(BaseModel):
    """A work order as filed; `conversation_id` is the bot's own where the bot files it."""

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    utility: Utility
    topic: Topic = ""
    scope: Scope = "unknown"
    priority: Priority | None = None
    unit: RowId | None = None
    address: Address = ""
    service_point_id: RowId | None = None
    place_resolved: bool = False
    contact_name: Name = ""
    contact_phone: GivenPhone = ""
    #: The bot's: take name and phone from the verified account, which the bot never sees in full.
    contact_on_file: bool = False
    description: Words = ""
    tried: Steps = []
    language: Language | None = None
    conversation_id: RowId | None = None
    outage_id: RowId | None = None
    account_number: Annotated[str, StringConstraints(strip_whitespace=True, max_length=20)] | None = None


class Handling(BaseModel):
    """The record of how an order was handled (A4); its wording is checked (A8)."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
    confirmed_true: bool
    liable: bool
    verifier: Name = ""
    handler: Name = ""
    satisfied: bool | None = None


class TicketChange(BaseModel):
    """A change of status, a correction, or both; `reason` and `details` go into the history (D3-D5, A3, A4)."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] = ""
    details: dict[str, Annotated[str, StringConstraints(max_length=500)]] = Field(default={}, max_length=20)
    handling: Handling | None = None
    address: Address | None = None
    service_point_id: RowId | None = None
    contact_name: Name | None = None
    contact_phone: GivenPhone | None = None
    description: Words | None = None
    scope: Scope | None = None
    topic: Topic | None = None
    priority: Priority | None = None
    unit: RowId | None = None
    outage_id: RowId | None = None


class NewNote(BaseModel):
    """Something learned later, or a further caller about the same trouble."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
    kind: Literal["note", "caller"] = "note"
    tried: Steps = []
    contact_name: Name = ""
    contact_phone: GivenPhone = ""
    #: The bot's: take name and phone from the verified account.
    contact_on_file: bool = False
    service_point_id: RowId | None = None


class EventOut(BaseModel):
    """A line of a ticket's history."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    by: str
    data: dict[str, Any]
    at: datetime


class TicketOut(BaseModel):
    """A ticket as it stands."""

    model_config = ConfigDict(from_attributes=True)

    number: str
    kind: Kind
    utility: Utility
    topic: str
    status: Status
    priority: int
    unit: str | None
    address: str
    place_resolved: bool
    service_point_id: str | None
    contact_name: str
    contact_phone: str
    description: str
    scope: Scope
    tried: list[Any]
    language: str
    conversation_id: str | None
    outage_id: str | None
    account_number: str | None
    created_at: datetime
    updated_at: datetime
    dispatch_due_at: datetime | None
    arrival_due_at: datetime | None


class FiledTicket(TicketOut):
    """The answer to filing; `existing` says that an open one of the same trouble was found instead."""

    existing: bool = False


class TicketWithHistory(TicketOut):
    """One ticket; staff see its history, which may name further callers."""

    events: list[EventOut] = []


class JoinedTicket(BaseModel):
    """Another caller's ticket as who was added to it may see it: how it stands, nothing of the other one."""

    model_config = ConfigDict(from_attributes=True)

    number: str
    kind: Kind
    utility: Utility
    topic: str
    status: Status
    created_at: datetime
    updated_at: datetime
    arrival_due_at: datetime | None


class NoteOut(BaseModel):
    """The note as taken down; `joined` where it was added to another caller's ticket."""

    number: str
    joined: bool
    arrival_due_at: datetime | None
