"""Bulletins, and to whom they were told."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Bulletin(Base):
    """What the supervisor says to the customers of an area for a time (B18)."""

    __tablename__ = "bulletins"
    __table_args__ = (Index("ix_bulletins_time", "starts_at", "ends_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: Where it applies: below an asset, in a place, or everywhere (both None).
    asset_id: Mapped[str | None] = mapped_column(ForeignKey("assets.id"), index=True)
    place_id: Mapped[str | None] = mapped_column(ForeignKey("places.id"), index=True)
    text_zh: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    created_by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]


class BulletinTold(Base):
    """Told once to a conversation, not again with every message."""

    __tablename__ = "bulletins_told"

    bulletin_id: Mapped[str] = mapped_column(ForeignKey("bulletins.id"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    at: Mapped[datetime]
