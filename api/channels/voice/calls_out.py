"""Calls that the desk makes, by Twilio's Calls API (https://www.twilio.com/docs/voice/api/call-resource).

A call costs money and disturbs somebody: one delivery makes one call at most. Where the answer of Twilio is lost the
delivery is `unknown`, until Twilio's own webhooks for it (which name the delivery) tell that the call exists.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import httpx
import structlog

from api.channels.base import Outcome, Rate, Refused, Retry, Sent, Unknown
from api.notices.rules import seconds_of_rest
from api.outbox.tables import Delivery
from api.outbox.vendor import failure_of, open_client, retry_after
from api.settings import Settings

log = structlog.get_logger(__name__)

#: Seconds that the customer's phone rings.
RINGS = 30
#: Seconds until a call is tried again that Twilio refuses for reasons of ours (credentials, sender), which pass.
LATER = 600.0
_TOO_MANY, _UNAVAILABLE, _UNAUTHORISED, _SERVER = 429, 503, (401, 403), 500


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
        account = settings.twilio_account_sid
        auth = (account, settings.twilio_auth_token.get_secret_value())
        self._client = open_client(settings.twilio_api_base, auth=auth, transport=transport)
        self._path = f"/2010-04-01/Accounts/{account}/Calls.json"

    async def deliver(self, deliveries: Sequence[Delivery]) -> Outcome:
        """Make the call of one delivery."""
        (delivery,) = deliveries
        # What was planned for the evening may have been held up into the night.
        if rest := seconds_of_rest(delivery.body.get("rest"), self._clock(), self._settings.zone):
            return Retry("rest hours", after=rest)
        base = self._settings.public_url.rstrip("/")
        form = {
            "To": delivery.recipient,
            "From": self._settings.twilio_from,
            "Url": f"{base}/voice/outbound?delivery={delivery.id}",
            "Method": "POST",
            "StatusCallback": f"{base}/voice/status?delivery={delivery.id}",
            "StatusCallbackMethod": "POST",
            "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
            "Timeout": str(RINGS),
        }
        try:
            answer = await self._client.post(self._path, data=form)
        except httpx.HTTPError as error:
            return failure_of(error)
        return outcome_of(answer)

    async def close(self) -> None:
        """Give back its connections."""
        await self._client.aclose()


def outcome_of(answer: httpx.Response) -> Outcome:
    """What became of the call, by Twilio's answer."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    told = told if isinstance(told, dict) else {}
    code = str(told.get("code") or answer.status_code)[:12]
    if answer.is_success:
        sid = told.get("sid")
        return Sent(str(sid)[:80]) if sid else Unknown("no call SID in the answer")
    if answer.status_code in (_TOO_MANY, _UNAVAILABLE):
        return Retry(code, after=retry_after(answer))
    if answer.status_code >= _SERVER:
        return Unknown(code)  # it may have been made all the same
    if answer.status_code in _UNAUTHORISED:
        log.error("call.not_allowed", code=code)
        return Retry(code, after=LATER)
    return Refused(code)
