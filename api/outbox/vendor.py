"""HTTP to vendors: bounded calls, and what a broken one says about whether the vendor got it."""

from urllib.parse import urlsplit

import httpx

from api.channels.base import Retry, Unknown

#: Seconds for each part of a call: connecting, sending, waiting for the answer.
SECONDS = 5.0
#: Nothing has left this machine when one of these is raised.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def open_client(
    base_url: str, *, auth: tuple[str, str] | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """A client of one vendor; it follows no redirect. A proxy of the environment is used for all but the loopback."""
    return httpx.AsyncClient(
        base_url=base_url,
        auth=auth,
        transport=transport,
        timeout=SECONDS,
        # An idle connection that the vendor closes just as it is used again leaves a call in doubt.
        limits=httpx.Limits(max_connections=20, keepalive_expiry=4),
        trust_env=urlsplit(base_url).hostname not in _LOOPBACK,
    )


def was_not_sent(error: httpx.HTTPError) -> bool:
    """True where the request certainly never reached the vendor."""
    return isinstance(error, _NOT_SENT)


def failure_of(error: httpx.HTTPError) -> Retry | Unknown:
    """The outcome of a delivery whose call broke. Names the error's kind alone: its text may hold a URL."""
    why = type(error).__name__
    return Retry(why) if was_not_sent(error) else Unknown(why)


def retry_after(answer: httpx.Response) -> float | None:
    """Seconds of a Retry-After header; None without one (or with a date, which no vendor of ours sends)."""
    value = answer.headers.get("Retry-After", "").strip()
    return float(value) if value.isdigit() else None
