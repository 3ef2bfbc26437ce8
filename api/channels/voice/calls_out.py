"""Calls that the desk makes, by Twilio's Calls API (https://www.twilio.com/docs/voice/api/call-resource).

A call costs money and disturbs somebody: one delivery makes one call at most. Where the answer of Twilio is lost the
delivery is `unknown`, until Twilio's own webhooks for it (which name the delivery) tell that the call exists.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx

from api.channels.base import Outcome, Rate, Retry
from api.channels.voice.rest import TwilioRest
from api.notices.rules import seconds_of_rest
from api.outbox.tables import Delivery
from api.settings import Settings

#: Seconds that the customer's phone rings.
RINGS = 30


class CallDeliverer:
    """The deliverer `call`; to be made only where settings.twilio_from is set."""

    name = "call"
    rate = Rate(per_second=1.0, at_once=2)
    joins = 1

    def __init__(
        self,
        settings: Settings,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._clock = settings, clock
        self._calls = TwilioRest(settings, "Calls", transport)

    async def deliver(self, deliveries: Sequence[Delivery]) -> Outcome:
        """Make the call of one delivery."""
        (delivery,) = deliveries
        # What was planned for the evening may have been held up into the night.
        if rest := seconds_of_rest(delivery.body.get("rest"), self._clock(), self._settings.zone):
            return Retry("rest hours", after=rest)
        base = self._settings.public_url.rstrip("/")
        return await self._calls.create(
            {
                "To": delivery.recipient,
                "From": self._settings.twilio_from,
                "Url": f"{base}/voice/outbound?delivery={delivery.id}",
                "Method": "POST",
                "StatusCallback": f"{base}/voice/status?delivery={delivery.id}",
                "StatusCallbackMethod": "POST",
                "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
                "Timeout": str(RINGS),
            }
        )

    async def close(self) -> None:
        """Give back its connections."""
        await self._calls.close()
