"""Text messages by Twilio, its server played at the HTTP edge."""

import base64
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from api.channels.base import Rate
from api.channels.voice.sms import STATES, SmsDeliverer
from api.db.engine import Database
from api.outbox import queue
from api.outbox.worker import Outbox
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.outbox.vendor import all_of, put, states

SID = "AC" + "0" * 32
TO = "+8613812345678"


class Twilio:
    """Keeps the forms that it is sent, and answers 201 unless `script` holds something else."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.requests: list[httpx.Request] = []
        self.script: list[httpx.Response | Exception] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.script:
            answer = self.script.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        self.forms.append({name: values[0] for name, values in parse_qs(request.content.decode()).items()})
        return httpx.Response(201, json={"sid": f"SM{len(self.forms)}", "status": "queued", "error_code": None})


@pytest.fixture
def twilio() -> Twilio:
    return Twilio()


@pytest.fixture
async def outbox(settings: Settings, database: Database, clock: Clock, twilio: Twilio) -> AsyncIterator[Outbox]:
    on = settings.model_copy(
        update={
            "twilio_account_sid": SID,
            "twilio_auth_token": SecretStr("auth-token"),
            "twilio_from": "+15005550006",
            "public_url": "https://desk.example.com/",
        }
    )
    deliverer = SmsDeliverer(on, httpx.MockTransport(twilio))
    deliverer.rate = Rate(1000, 4)
    outbox = Outbox(database, clock, [deliverer])
    yield outbox
    await outbox.stop()


async def test_one_message(database: Database, clock: Clock, twilio: Twilio, outbox: Outbox) -> None:
    (delivery_id,) = await put(database, clock, "来电了。", to=TO, channel="sms")
    await outbox.work_off()
    (request,) = twilio.requests
    assert (request.method, request.url.path) == ("POST", f"/2010-04-01/Accounts/{SID}/Messages.json")
    assert request.url.host == "api.twilio.com"
    assert base64.b64decode(request.headers["Authorization"].split()[1]).decode() == f"{SID}:auth-token"
    assert twilio.forms == [
        {
            "To": TO,
            "From": "+15005550006",
            "Body": "来电了。",
            "StatusCallback": f"https://desk.example.com/voice/status?delivery={delivery_id}",
        }
    ]
    (delivery,) = await all_of(database)
    assert (delivery.state, delivery.provider_id) == ("sent", "SM1")


async def test_at_most_1600_characters(database: Database, clock: Clock, twilio: Twilio, outbox: Outbox) -> None:
    await put(database, clock, "停" * 2000, to=TO, channel="sms")
    await outbox.work_off()
    assert twilio.forms[0]["Body"] == "停" * 1599 + "…"


def error(status: int, code: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "message": f"about {TO}", "status": status}, headers=headers)


@pytest.mark.parametrize(
    ("answer", "state", "why"),
    [
        (error(400, 21211), "failed", "21211 400"),  # no such number
        (error(400, 21610), "failed", "21610 400"),  # wants no more
        (error(400, 21614), "failed", "21614 400"),  # no mobile number
        (error(400, 21408), "failed", "21408 400"),  # not to this country
        (error(429, 20429), "queued", "20429 429"),
        (httpx.Response(429), "queued", "HTTP 429"),
        (error(401, 20003), "queued", "20003 401"),  # our credentials
        (error(400, 21606), "queued", "21606 400"),  # our number
        (error(500, 20500), "unknown", "20500 500"),  # may have been sent, says Twilio
        (httpx.Response(502, text="<html>"), "unknown", "HTTP 502"),
        (error(503, 20503), "unknown", "20503 503"),
        (httpx.ConnectError("x"), "queued", "ConnectError"),
        (httpx.ConnectTimeout("x"), "queued", "ConnectTimeout"),
        (httpx.ReadTimeout("x"), "unknown", "ReadTimeout"),
        (httpx.RemoteProtocolError("x"), "unknown", "RemoteProtocolError"),
        (httpx.Response(201, text="garbage"), "unknown", "an answer without a sid"),
        (httpx.Response(404, text="<html>"), "failed", "HTTP 404"),
    ],
)
async def test_what_twilio_says(
    database: Database, clock: Clock, twilio: Twilio, outbox: Outbox, answer: Any, state: str, why: str
) -> None:
    """Never twice: what may have been sent is unknown, and is not sent again."""
    twilio.script = [answer]
    await put(database, clock, "x", to=TO, channel="sms")
    await outbox.work_off()
    (delivery,) = await all_of(database)
    assert (delivery.state, delivery.error, delivery.provider_id) == (state, why, None)
    clock.advance(hours=1)
    await outbox.work_off()
    assert len(twilio.requests) == (2 if state == "queued" else 1)
    assert len(twilio.forms) == (1 if state == "queued" else 0)


async def test_retry_after_is_honoured(database: Database, clock: Clock, twilio: Twilio, outbox: Outbox) -> None:
    twilio.script = [error(429, 20429, **{"Retry-After": "40"})]
    await put(database, clock, "x", to=TO, channel="sms")
    await outbox.work_off()
    clock.advance(seconds=39)
    assert await outbox.work_off() == 0
    clock.advance(seconds=2)
    assert await outbox.work_off() == 1


async def test_a_lost_answer_is_settled_by_the_status_callback(
    database: Database, clock: Clock, twilio: Twilio, outbox: Outbox
) -> None:
    twilio.script = [httpx.ReadTimeout("x")]
    (delivery_id,) = await put(database, clock, "x", to=TO, channel="sms")
    await outbox.work_off()
    assert await states(database) == ["unknown"]
    async with database.write() as session, session.begin():
        assert await queue.report(session, "SM77", STATES["delivered"], clock(), delivery_id=delivery_id)
    (delivery,) = await all_of(database)
    assert (delivery.state, delivery.provider_id, delivery.error) == ("delivered", "SM77", "")


async def test_without_words_nothing_goes_out(database: Database, clock: Clock, twilio: Twilio, outbox: Outbox) -> None:
    await put(database, clock, "  ", to=TO, channel="sms")
    await outbox.work_off()
    assert (await states(database), twilio.requests) == (["failed"], [])
