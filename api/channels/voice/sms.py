"""Text messages by Twilio (https://www.twilio.com/docs/messaging/api/message-resource)."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx

from api.channels.base import Outcome, Rate, Refused, Retry
from api.channels.voice.rest import TwilioRest
from api.notices.rules import seconds_of_rest
from api.outbox import rules
from api.outbox.tables import Delivery
from api.settings import Settings

#: Twilio's MessageStatus as a state of a delivery; what is missing here (queued, sending, …) is no news.
STATES = {"sent": "sent", "delivered": "delivered", "read": "read", "undelivered": "failed", "failed": "failed"}


class SmsDeliverer:
    """The deliverer `sms`; to be made only where settings.twilio_from is set. `recipient`: E.164."""

    name = "sms"
    rate = Rate(per_second=10.0, at_once=4)
    joins = 1

    def __init__(
        self,
        settings: Settings,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._zone, self._clock = settings.zone, clock
        self._from = settings.twilio_from
        self._status_url = f"{settings.public_url.rstrip('/')}/voice/status"
        self._messages = TwilioRest(settings, "Messages", transport)

    async def deliver(self, deliveries: Sequence[Delivery]) -> Outcome:
        """Send this one: {"text": …}, cut with an ellipsis beyond 1,600 characters."""
        (delivery,) = deliveries
        text = str(delivery.body.get("text", "")).strip()
        if not text:
            return Refused("no text")
        if rest := seconds_of_rest(delivery.body.get("rest"), self._clock(), self._zone):
            return Retry("rest hours", rest)
        return await self._messages.create(
            {
                "To": delivery.recipient,
                "From": self._from,
                "Body": rules.cut(self.name, text),
                "StatusCallback": f"{self._status_url}?delivery={delivery.id}",
            }
        )

    async def close(self) -> None:
        await self._messages.close()
