"""Outlets and the utility's own facts (working hours, hotline, commitments)."""

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base, Json


class Outlet(Base):
    """A counter, machine or bank branch. `hours` is {"mon": ["08:30-17:30"], …, "sun": []}, local time."""

    __tablename__ = "outlets"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    utility: Mapped[str] = mapped_column(String(8))  # power | water | both
    kind: Mapped[str] = mapped_column(String(16))  # hall | machine | bank
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    address_zh: Mapped[str] = mapped_column(String(120))
    address_en: Mapped[str] = mapped_column(String(120))
    #: The place it stands at or next to; "nearest" is by shared place, then district.
    place_id: Mapped[str | None] = mapped_column(ForeignKey("places.id"), index=True)
    district_zh: Mapped[str] = mapped_column(String(40), default="")
    round_the_clock: Mapped[bool] = mapped_column(default=False)
    hours: Mapped[dict[str, Any]] = mapped_column(default=dict)


class UtilityFact(Base):
    """A fact that changes per utility: hotline, agents' hours, rest hours, arrival commitments, tariffs, …"""

    __tablename__ = "utility_facts"

    key: Mapped[str] = mapped_column(String(60), primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
