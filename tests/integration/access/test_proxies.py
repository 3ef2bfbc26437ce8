"""A proxy before the desk that nobody told the desk of: said to the operator, once."""

import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

Headers = dict[str, str]


async def asked(app: Any, peer: str, told: str, **headers: str) -> dict[str, Any]:
    """What /readyz says to a request that a proxy at `peer` passed on for `told`."""
    transport = httpx.ASGITransport(app, client=(peer, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
        forwarded = {"X-Forwarded-For": told} if told else {}
        answer: dict[str, Any] = (await client.get("/readyz", headers=forwarded | headers)).json()
        return answer


def warned(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """The addresses that the log warns of."""
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines() if line.startswith("{")]
    return [line["peer"] for line in lines if line["event"] == "proxy.not_trusted"]


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3", "fd00::1", "::1"])
async def test_a_proxy_that_nobody_named_is_told_of_once_and_to_the_operator_alone(
    app: FastAPI, service: Headers, peer: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for told in ("203.0.113.7", "203.0.113.7, 198.51.100.2:8000"):
        assert "warnings" not in await asked(app, peer, told)
    assert warned(capfd) == [peer]
    (words,) = (await asked(app, "127.0.0.1", "", **service))["warnings"]
    assert f"A proxy at {peer} is not in MAINSDESK_TRUSTED_PROXIES" in words


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        ("10.1.2.3", "203.0.113.7"),
        ("10.1.2.3", "198.51.100.2, 203.0.113.7:4711"),
        ("10.1.2.3", "[2001:db8::1]:4711"),
        ("10.1.2.3", "2001:db8::1"),
        ("10.1.2.3", ""),
        ("93.184.216.34", "203.0.113.7"),  # a customer's own idea
    ],
)
async def test_a_named_one_and_strangers_headers_are_not(
    app: FastAPI, service: Headers, peer: str, told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    await asked(ProxyHeadersMiddleware(app, "10.1.2.3"), peer, told)
    assert warned(capfd) == []
    assert (await asked(app, "127.0.0.1", "", **service))["warnings"] == []
