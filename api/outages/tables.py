"""Outages and the customers added to them (A6, C4, C7)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Outage(Base):
    """An interruption of supply below one asset (A6). Times are UTC; `ended_at` is empty while it lasts."""

    __tablename__ = "outages"
    __table_args__ = (Index("ix_outages_asset_time", "asset_id", "starts_at", "ended_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    utility: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(12))  # planned | fault | predicted
    #: scheduled | reported | dispatched | on_site | repairing | restored | cancelled
    status: Mapped[str] = mapped_column(String(12))
    cause_zh: Mapped[str] = mapped_column(String(200), default="")
    cause_en: Mapped[str] = mapped_column(String(200), default="")
    asset_id: Mapped[str] = mapped_column(ForeignKey("assets.id"))
    starts_at: Mapped[datetime]
    expected_end_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    affected_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class OutageReport(Base):
    """A customer added to a known outage instead of a second ticket (C7); also the wish to be told the end."""

    __tablename__ = "outage_reports"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    outage_id: Mapped[str] = mapped_column(ForeignKey("outages.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(String(40), index=True)
    service_point_id: Mapped[str | None] = mapped_column(ForeignKey("service_points.id"))
    contact_name: Mapped[str] = mapped_column(String(60), default="")
    contact_phone: Mapped[str] = mapped_column(String(24), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime]
