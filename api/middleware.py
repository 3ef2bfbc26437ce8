"""Around every request: a bounded body, security headers, one log line without anything personal."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

import structlog
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import Problem, problem_response

log = structlog.get_logger(__name__)

#: Bytes. A thousand times a long message: what is longer than a message may be is told so, beyond this it is not read.
MAX_BODY = 1024 * 1024
#: For the whole body to arrive: a megabyte over a bad mobile line.
BODY_SECONDS = 60.0
CSP = (
    "default-src 'self'; script-src 'self'; script-src-attr 'none'; style-src 'self'; connect-src 'self'; "
    "object-src 'none'; worker-src 'none'; frame-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
#: The customer's pages build their DOM from text alone: nothing there may make markup or a script's address out of a
#: string. Not at the console, as htmx parses the fragments that it fetches.
TEXT_ONLY_CSP = f"{CSP}; require-trusted-types-for 'script'; trusted-types 'none'"
TEXT_ONLY = ("/", "/privacy")
#: Swagger's own script styles its elements inline and draws its icons from data.
DOCS_CSP = CSP.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'; img-src 'self' data:")
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"geolocation=(), camera=(), microphone=(), display-capture=(), payment=(), usb=(), serial=(), hid=(), midi=()",
    ),
)
#: At the console it stays with the desk; with `no-referrer` browsers would send its forms with `Origin: null`.
NO_REFERRER, OWN_REFERRER = (b"referrer-policy", b"no-referrer"), (b"referrer-policy", b"same-origin")
#: A year; other hosts of the utility's domain are not this desk's business.
HSTS = (b"strict-transport-security", b"max-age=31536000")


class BodyTooLarge(HTTPException):
    """The request's body went on beyond MAX_BODY; an HTTPException, which FastAPI lets through while it reads."""

    def __init__(self) -> None:
        super().__init__(413, "The request is too large.")


class BodyTooSlow(HTTPException):
    """The request's body was not there within BODY_SECONDS."""

    def __init__(self) -> None:
        super().__init__(408, "The request took too long.")


class Guard:
    """Refuses large bodies (413), slow ones (408) and NUL in addresses (400), adds security headers, logs one line.

    `https`: whether the desk's public address is, so that browsers need not come by plain HTTP again.
    """

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.perf_counter, *, https: bool = False) -> None:
        self._app, self._clock = app, clock
        self._headers = (*HEADERS, HSTS) if https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        notice_proxy(scope)
        started, status, size, whole = self._clock(), 500, 0, False
        deadline = asyncio.get_running_loop().time() + BODY_SECONDS
        csp = policy_of(scope["path"])

        async def bounded() -> Message:
            nonlocal size, whole
            if whole:  # what comes now is that the client has gone, which may be hours
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise BodyTooSlow from None
            size, whole = size + len(message.get("body", b"")), not message.get("more_body", False)
            if size > MAX_BODY:
                raise BodyTooLarge
            return message

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message["headers"]}
                referrer = OWN_REFERRER if scope["path"].startswith("/console") else NO_REFERRER
                added = [*self._headers, referrer, (b"content-security-policy", csp.encode())]
                if status in (408, 413):  # the rest of the body is not read
                    added.append((b"connection", b"close"))
                # The page's files carry no hash in their names: a browser asks whether they changed.
                private = scope["path"].startswith(("/web/", "/api/", "/console"))
                added.append((b"cache-control", b"no-store" if private else b"no-cache"))
                message["headers"] = [*message["headers"], *(h for h in added if h[0] not in present)]
            await send(message)

        try:
            if _announced(scope) > MAX_BODY:
                problem = Problem(413, "body-too-large", "The request is too large.")
                await problem_response(problem)(scope, receive, guarded)
            elif "\0" in scope["path"] or b"%00" in scope["query_string"]:  # no database keeps such a text
                await problem_response(Problem(400, "invalid", "The address is not valid."))(scope, receive, guarded)
            else:
                await self._app(scope, bounded, guarded)
        finally:
            route = scope.get("route")
            log.info(
                "http.request",
                method=scope["method"],
                path=getattr(route, "path", "-"),
                status=status,
                ms=round((self._clock() - started) * 1000, 1),
            )


def notice_proxy(scope: Scope) -> None:
    """Warn, once, of a proxy before the desk that MAINSDESK_TRUSTED_PROXIES does not name.

    All customers and agents then come from one address, and one of them who is locked out locks out all.
    """
    headers = dict(scope["headers"])
    if b"x-forwarded-for" not in headers or "app" not in scope or getattr(scope["app"].state, "unnamed_proxy", None):
        return
    peer = scope["client"][0] if scope["client"] else ""
    told = headers[b"x-forwarded-for"].decode("latin-1")
    for one in map(str.strip, told.split(",")):
        if peer in (one, one.strip("[]"), one.rpartition(":")[0].strip("[]")):  # the proxy is trusted in what it told
            return
    with suppress(ValueError):
        # Anybody can send the header. What comes from the internet by itself is no proxy of ours, and nobody's to name.
        if ip_address(peer.partition("%")[0]).is_global:
            return
    scope["app"].state.unnamed_proxy = peer
    log.warning("proxy.not_trusted", peer=peer, advice="set MAINSDESK_TRUSTED_PROXIES to the proxy's address")


def policy_of(path: str) -> str:
    """The Content-Security-Policy of a page."""
    if path in TEXT_ONLY:
        return TEXT_ONLY_CSP
    return DOCS_CSP if path.startswith("/docs") else CSP


def _announced(scope: Scope) -> int:
    value = dict(scope["headers"]).get(b"content-length", b"")
    return int(value) if value.isdigit() else 0
