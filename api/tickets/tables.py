"""Tickets, what happened to them, and the units that receive them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Unit(Base):
    """A department or station that receives work orders; data of the utility (A3)."""

    __tablename__ = "units"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    #: The number that customers may be given, for units outside the area above all; empty where there is none.
    phone: Mapped[str] = mapped_column(String(24), default="")


class RoutingRule(Base):
    """One row of the routing table; an empty column matches anything, the most specific row wins, then `rank`."""

    __tablename__ = "routing_rules"

    id: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(default=100)
    unit_id: Mapped[str] = mapped_column(ForeignKey("units.id"))
    utility: Mapped[str | None] = mapped_column(String(8))
    kind: Mapped[str | None] = mapped_column(String(20))
    area_class: Mapped[str | None] = mapped_column(String(8))
    district: Mapped[str | None] = mapped_column(String(40))
    topic: Mapped[str | None] = mapped_column(String(40))


class Ticket(Base):
    """A work order (C19, B16)."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index("ix_tickets_point_status", "service_point_id", "utility", "status"),
        Index("ix_tickets_created", "created_at", "number"),
    )

    number: Mapped[str] = mapped_column(String(12), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    utility: Mapped[str] = mapped_column(String(8))
    #: What it is about, for routing: outage, meter_switch, low_pressure, no_water, hazard, cable_damage, …
    topic: Mapped[str] = mapped_column(String(40), default="")
    status: Mapped[str] = mapped_column(String(20), default="received")
    priority: Mapped[int]
    unit: Mapped[str | None] = mapped_column(ForeignKey("units.id"))
    address: Mapped[str] = mapped_column(String(300), default="")
    #: False where the customer's words could not be matched to a service point.
    place_resolved: Mapped[bool] = mapped_column(default=False)
    service_point_id: Mapped[str | None] = mapped_column(ForeignKey("service_points.id"))
    contact_name: Mapped[str] = mapped_column(String(60), default="")
    contact_phone: Mapped[str] = mapped_column(String(24), default="")
    description: Mapped[str] = mapped_column(Text, default="")
    #: household | surroundings | unknown (D6)
    scope: Mapped[str] = mapped_column(String(12), default="unknown")
    #: Troubleshooting steps with their answers, so that nobody asks again: [{"guide", "step", "answer"}].
    tried: Mapped[list[Any]] = mapped_column(default=list)
    language: Mapped[str] = mapped_column(String(2))
    conversation_id: Mapped[str | None] = mapped_column(String(40), index=True)
    outage_id: Mapped[str | None] = mapped_column(ForeignKey("outages.id"))
    account_number: Mapped[str | None] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    dispatch_due_at: Mapped[datetime | None]
    arrival_due_at: Mapped[datetime | None]


class TicketEvent(Base):
    """What was done to a ticket, by whom and when: status changes, corrections, notes, further callers."""

    __tablename__ = "ticket_events"

    #: Grows by time, so that lines of one moment keep their order.
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_number: Mapped[str] = mapped_column(ForeignKey("tickets.number"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # created | changed | note | caller | told
    by: Mapped[str] = mapped_column(String(60))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    at: Mapped[datetime]
