"""What deliveries and channels look like over HTTP."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from api.outbox.tables import Delivery
from api.privacy import mask_number, mask_phone

ChannelName = Literal["web", "wechat", "voice", "sms", "call"]
DeliveryChannel = Literal["wechat", "sms", "call"]
State = Literal["queued", "sending", "sent", "delivered", "read", "failed", "unknown", "parked", "moved", "dead"]
Purpose = Literal["reply", "notice", "survey", "callback"]


class DeliveryOut(BaseModel):
    """One message or call that a vendor is to carry, and what became of it. `recipient` is masked."""

    id: int
    channel: str
    recipient: str
    purpose: str
    conversation_id: str | None
    message_id: str | None
    text: str
    state: State
    #: How it went out: passive | service (WeChat), or sms where its words went by text message.
    via: str
    attempts: int
    not_before: datetime
    provider_id: str | None
    error: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, delivery: Delivery) -> "DeliveryOut":
        mask = mask_number if delivery.channel == "wechat" else mask_phone
        columns = {name: getattr(delivery, name) for name in cls.model_fields if name not in ("recipient", "text")}
        return cls(recipient=mask(delivery.recipient), text=str(delivery.body.get("text", "")), **columns)


class RateOut(BaseModel):
    """At most so many vendor calls, by each front desk."""

    per_second: float
    at_once: int


class TokenOut(BaseModel):
    """WeChat's access token, without itself."""

    state: Literal["none", "valid", "expired", "renewing"]
    expires_at: datetime | None


class ChannelOut(BaseModel):
    """A way to customers. `deliveries` counts by state what is not done, and what was done within the last day."""

    name: ChannelName
    on: bool
    rate: RateOut | None = None
    deliveries: dict[State, int] = {}
    #: Age of the oldest delivery that should have gone by now; None where there is none.
    oldest_queued_seconds: float | None = None
    token: TokenOut | None = None
