"""Deliveries: every message that a vendor is to carry, and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Delivery(Base):
    """One vendor call to make. It is `sending` before the call and `unknown` after a crash in it.

    state: queued | sending | sent | delivered | read | failed | unknown | parked | moved | dead.
    `parked`: the vendor takes nothing now (window, quota); it goes with the customer's next message.
    `moved`: its words go by another delivery, which `error` names; parked again if that one fails.
    `dead`: given up, for a person to look at.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_state", "state", "not_before"),
        Index("ix_deliveries_recipient", "channel", "recipient", "state"),
    )

    #: Grows by commit within a recipient, so that lines keep their order.
    id: Mapped[int] = mapped_column(primary_key=True)
    #: Which adapter sends it: wechat | sms | call.
    channel: Mapped[str] = mapped_column(String(12))
    #: The vendor's address of the customer: OpenID, or E.164 number.
    recipient: Mapped[str] = mapped_column(String(64))
    #: reply | notice | survey | callback
    purpose: Mapped[str] = mapped_column(String(12), default="reply")
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"), index=True)
    message_id: Mapped[str | None] = mapped_column(ForeignKey("messages.id"), index=True)
    #: What the adapter renders: {"text", "choices": [label, …], "start": place of the first choice
    #: among the line's, …}; {"instead_of": [id, …]} where it carries the words of others.
    body: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: The same key is never queued twice; empty where the message itself is the key.
    key: Mapped[str | None] = mapped_column(String(120), unique=True)
    state: Mapped[str] = mapped_column(String(12), default="queued")
    #: How it went out, where the channel knows several ways: passive | service.
    via: Mapped[str] = mapped_column(String(12), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    #: Grows with every claim, so that who lost a delivery cannot write its end any more.
    fence: Mapped[int] = mapped_column(default=0)
    lease_until: Mapped[datetime | None]
    #: The vendor's id of the message or call, for its status callbacks.
    provider_id: Mapped[str | None] = mapped_column(String(80), index=True)
    #: Why it did not go out: the vendor's code and a word.
    error: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
