"""What goes in and out where customers and their accounts are concerned."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from api.outages.schemas import PhasedOutage
from api.tickets.rules import Kind, Status

Keyed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]


class Proof(BaseModel):
    """An account number and a second factor: the phone on file, or the last six of the identity document."""

    account_number: Keyed
    factor: Keyed


class Verified(BaseModel):
    verified: bool


class Lookup(BaseModel):
    """A ticket's number and the phone that it was filed with."""

    number: Keyed
    phone: Keyed


class FoundTicket(BaseModel):
    """As much of a ticket as somebody may hear who knows its number and phone."""

    model_config = ConfigDict(from_attributes=True)

    number: str
    status: Status
    kind: Kind
    utility: str
    created_at: datetime
    arrival_due_at: datetime | None
    updated_at: datetime


class LookupAnswer(BaseModel):
    """Not found and not yours are one answer."""

    found: bool
    ticket: FoundTicket | None = None


class OwnAccount(BaseModel):
    """An account as its verified customer sees it. Money in yuan."""

    number_masked: str
    holder_name: str
    utility: str
    state: str
    prepaid: bool
    balance: Decimal
    service_point_id: str
    address_zh: str
    address_en: str
    room: str
    flags: list[Any]
    last_bill: Decimal | None
    last_bill_at: datetime | None
    last_reading: Decimal | None
    last_reading_at: datetime | None
    contact_phone_masked: str


class OwnTicket(BaseModel):
    """An open ticket as its verified customer may hear of it on any channel; `joined`: somebody else's, added to."""

    model_config = ConfigDict(from_attributes=True)

    number: str
    kind: Kind
    utility: str
    topic: str
    status: Status
    scope: str
    service_point_id: str | None
    created_at: datetime
    arrival_due_at: datetime | None
    joined: bool = False


class Matters(BaseModel):
    """What a verified customer has going on: open tickets, newest first, and what is off at the account's address."""

    service_point_id: str
    tickets: list[OwnTicket]
    outages: list[PhasedOutage]


class AccountOut(BaseModel):
    """An account as staff see it; never the identity document's digits."""

    model_config = ConfigDict(from_attributes=True)

    number: str
    utility: str
    holder_name: str
    phone: str
    service_point_id: str
    room: str
    state: str
    prepaid: bool
    balance: Decimal
    flags: list[Any]
    last_reading: Decimal | None
    last_reading_at: datetime | None
    last_bill: Decimal | None
    last_bill_at: datetime | None


class FoundAccountOut(BaseModel):
    """An account as a search shows it: enough to tell which one is meant.

    To people `number` is masked; `ref` stands for it in `GET /api/v1/accounts/{number}`.
    """

    number: str
    ref: str
    holder_name: str
    phone_masked: str
    utility: str
    state: str
    service_point_id: str
    address_zh: str
    address_en: str
    room: str


class PointOut(BaseModel):
    """One of a customer's service points (C9); to people another account's number is masked, see `ref`."""

    service_point_id: str
    account_number: str
    ref: str = ""
    utility: str
    address_zh: str
    address_en: str
    room: str


class AccountFile(AccountOut):
    """An account with all service points of its customer."""

    service_points: list[PointOut]


class NewContact(BaseModel):
    """A contact to keep (C7, C16, C18); the bot's account is the verified one, whatever it names."""

    kind: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30)]
    summary: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] = ""
    account_number: Keyed | None = None
    service_point_id: Keyed | None = None


class ContactOut(BaseModel):
    """One contact with a customer; to people the account's number is masked."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    conversation_id: str
    account_number: str | None
    service_point_id: str | None
    kind: str
    summary: str
    at: datetime
