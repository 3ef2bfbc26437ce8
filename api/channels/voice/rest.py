"""Creating messages and calls, and changing those that are there, by Twilio's REST API.

https://www.twilio.com/docs/usage/api; codes: https://www.twilio.com/docs/api/errors. A POST has no idempotency key, and
one that ends in a 500 may have been carried out (https://www.twilio.com/docs/errors/20500): its delivery is `unknown`
until Twilio's own webhooks, whose URLs name the delivery, settle it. A 429 was never processed (…/20429).
"""

from collections.abc import Mapping
from typing import Any

import httpx
import structlog

from api.channels.base import Outcome, Refused, Retry, Sent, Unknown
from api.outbox.vendor import failure_of, open_client, retry_after
from api.settings import Settings

log = structlog.get_logger(__name__)

#: Too many requests, also for one sender (the queue of the number is full): nothing was done.
SLOW_DOWN = (20429, 14107, 21611, 30022)
#: What a person has to put right, and the customer is no cause of: credentials, balance, the sender's number.
OURS = (20003, 20005, 21603, 21606, 21659, 21660, 30002)
#: Seconds until the next try after one of those.
PAUSE = 300.0


class TwilioRest:
    """One resource of our account: `Messages` or `Calls`."""

    def __init__(self, settings: Settings, resource: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        account = settings.twilio_account_sid
        auth = (account, settings.twilio_auth_token.get_secret_value())
        self._client = open_client(settings.twilio_api_base, auth=auth, transport=transport)
        self._path = f"/2010-04-01/Accounts/{account}/{resource}"

    async def create(self, form: Mapping[str, str | list[str]]) -> Outcome:
        """Create one; never raises for what Twilio or the network does."""
        return await self._post(f"{self._path}.json", form)

    async def update(self, sid: str, form: Mapping[str, str | list[str]]) -> Outcome:
        """Change one that is there, e.g. a call that goes on (`Url`) or ends (`Status`); never raises either.

        https://www.twilio.com/docs/voice/tutorials/how-to-modify-calls-in-progress
        """
        return await self._post(f"{self._path}/{sid}.json", form)

    async def _post(self, path: str, form: Mapping[str, str | list[str]]) -> Outcome:
        try:
            answer = await self._client.post(path, data=dict(form))
        except httpx.HTTPError as error:
            return failure_of(error)
        return outcome_of(answer)

    async def close(self) -> None:
        await self._client.aclose()


def outcome_of(answer: httpx.Response) -> Outcome:
    """What Twilio's answer to a creation or a change means."""
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
        log.error("twilio.not_allowed", why=why)
        return Retry(why, PAUSE)
    return Refused(why)
