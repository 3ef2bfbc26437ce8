"""Notices that are to be given, and who wants none."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Notice(Base):
    """One thing to tell one customer. Written with the change it tells of; a chore words and sends it.

    state: pending | sent | dropped (no longer true, or overtaken by a newer one) | refused (no way to tell him).
    """

    __tablename__ = "notices"
    __table_args__ = (Index("ix_notices_state", "state", "due_at"),)

    #: Grows by time, so that the news of one customer keep their order.
    id: Mapped[int] = mapped_column(primary_key=True)
    #: What it tells, to whom: the same is never told twice.
    key: Mapped[str] = mapped_column(String(160), unique=True)
    kind: Mapped[str] = mapped_column(String(12))  # restored | expected | repaired
    outage_id: Mapped[str | None] = mapped_column(ForeignKey("outages.id"), index=True)
    ticket_number: Mapped[str | None] = mapped_column(ForeignKey("tickets.number"), index=True)
    #: How he is told: wechat | sms | call.
    channel: Mapped[str] = mapped_column(String(12))
    #: The follower's OpenID, or the number in E.164.
    recipient: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(2))
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"))
    #: What was true when it was written, to see whether it still is: {"address", "expected_end_at"}.
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(8), default="pending")
    #: Why it was dropped or refused, in a word.
    why: Mapped[str] = mapped_column(String(40), default="")
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class OptOut(Base):
    """Somebody who wants no more calls or messages that he did not ask for; nothing but a keyed hash of his address."""

    __tablename__ = "opt_outs"

    address_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: calls | all
    what: Mapped[str] = mapped_column(String(8), primary_key=True)
    at: Mapped[datetime]
