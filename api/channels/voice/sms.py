"""Text messages by Twilio.

https://www.twilio.com/docs/messaging/api/message-resource; codes: https://www.twilio.com/docs/api/errors. A POST has no
idempotency key, and one that ends in a 500 may have been sent (https://www.twilio.com/docs/errors/20500): its delivery
is `unknown` until a status callback, whose URL names the delivery, settles it. A 429 was never processed (…/20429).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx

from api.channels.base import Outcome, Rate, Refused, Retry, Sent, Unknown
from api.notices.rules import seconds_of_rest
from api.outbox import rules
from api.outbox.tables import Delivery
from api.outbox.vendor import failure_of, open_client, retry_after
from api.settings import Settings

#: Twilio's MessageStatus as a state of a delivery; what is missing here (queued, sending, …) is no news.
STATES = {"sent": "sent", "delivered": "delivered", "read": "read", "undelivered": "failed", "failed": "failed"}
#: Too many requests, also for one sender (the queue of the number is full): nothing was done.
SLOW_DOWN = (20429, 14107, 21611, 30022)
#: What a person has to put right, and the customer is no cause of: credentials, balance, the sender's number.
OURS = (20003, 20005, 21603, 21606, 21659, 21660, 30002)
#: Seconds until the next try after one of those.
PAUSE = 300.0


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
        sid = settings.twilio_account_sid
        self._path = f"/2010-04-01/Accounts/{sid}/Messages.json"
        self._from = settings.twilio_from
        self._status_url = f"{settings.public_url.rstrip('/')}/voice/status"
        auth = (sid, settings.twilio_auth_token.get_secret_value())
        self._client = open_client(settings.twilio_api_base, auth=auth, transport=transport)

    async def deliver(self, deliveries: Sequence[Delivery]) -> Outcome:
        """Send this one: {"text": …}, cut with an ellipsis beyond 1,600 characters."""
        (delivery,) = deliveries
        text = str(delivery.body.get("text", "")).strip()
        if not text:
            return Refused("no text")
        if rest := seconds_of_rest(delivery.body.get("rest"), self._clock(), self._zone):
            return Retry("rest hours", rest)
        form = {
            "To": delivery.recipient,
            "From": self._from,
            "Body": rules.cut(self.name, text),
            "StatusCallback": f"{self._status_url}?delivery={delivery.id}",
        }
        try:
            answer = await self._client.post(self._path, data=form)
        except httpx.HTTPError as error:
            return failure_of(error)
        return outcome_of(answer)

    async def close(self) -> None:
        await self._client.aclose()


def outcome_of(answer: httpx.Response) -> Outcome:
    """What Twilio's answer to the creation of a message (or a call) means for its delivery."""
    try:
        parsed = answer.json()
    except ValueError:
        parsed = None
    body: Mapping[str, Any] = parsed if isinstance(parsed, dict) else {}
    if answer.is_success:
        sid = body.get("sid")
        return Sent(sid) if isinstance(sid, str) and sid else Unknown("an answer without a sid")
    code = body.get("code") if isinstance(body.get("code"), int) else 0
    why = f"{code or 'HTTP'} {answer.status_code}"
    if answer.status_code == 429 or code in SLOW_DOWN:
        return Retry(why, retry_after(answer))
    if answer.status_code >= 500:
        return Unknown(why)
    if answer.status_code in (401, 403) or code in OURS:
        return Retry(why, PAUSE)
    return Refused(why)
