"""Who works at the console: the sign-in behind its cookie, and the token that its forms carry.

A console sign-in is a row of `agent_sessions` with `console` set. Its cookie is no bearer token and a bearer token no
cookie, so that neither page nor API opens the other.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.service import TOUCH_EVERY, token_hash
from api.agents.tables import Agent, AgentSession
from api.db.engine import Database
from api.deps import Caller, DatabaseDep, Now, SettingsDep, same
from api.errors import Problem
from api.settings import Settings

COOKIE = "mainsdesk_console"
#: Below it are the fragments that the page fetches by itself: fetching one is not the agent's doing.
FRAGMENTS = "/console/_/"
#: Asked with every request.
_SIGN_IN = (
    select(Agent, AgentSession)
    .join(AgentSession, AgentSession.agent_id == Agent.id)
    .where(
        AgentSession.token_hash == bindparam("token"),
        AgentSession.console.is_(True),
        AgentSession.expires_at > bindparam("now"),
        AgentSession.acted_at > bindparam("idle"),
        Agent.active.is_(True),
    )
)


class SignInRequired(Exception):
    """Nobody is signed in: leads to the sign-in page."""


@dataclass(frozen=True)
class SignedIn:
    """The agent at this console. `csrf` belongs into every form, or the header X-CSRF-Token."""

    agent: Agent
    token_hash: str
    csrf: str

    @property
    def caller(self) -> Caller:
        return Caller("agent", agent_id=self.agent.id, role=self.agent.role)

    @property
    def language(self) -> str:
        return self.agent.language

    @property
    def supervises(self) -> bool:
        return self.agent.role in ("supervisor", "admin")


def csrf_of(settings: Settings, cookie: str) -> str:
    """The token that only pages of this sign-in know."""
    key = settings.service_token.get_secret_value().encode()
    return hmac.new(key, f"csrf {cookie}".encode(), hashlib.sha256).hexdigest()


def is_secure(request: Request, settings: Settings) -> bool:
    """Whether the browser speaks TLS, with us or with the proxy before us; else it is a trial on the loopback."""
    return request.url.scheme == "https" or settings.public_url.startswith("https://")


def cookie_name(request: Request, settings: Settings, name: str = COOKIE) -> str:
    """`__Host-` where it can be: browsers then take the cookie from this host alone, over TLS only (RFC 6265bis)."""
    return f"__Host-{name}" if is_secure(request, settings) else name


def given_cookie(request: Request, name: str = COOKIE) -> str:
    """The value of our cookie, or ''."""
    return request.cookies.get(cookie_name(request, request.app.state.settings, name), "")


def set_cookie(
    response: Response, request: Request, token: str, name: str = COOKIE, *, seconds: int | None = None
) -> None:
    """Give the browser its sign-in, for as long as it runs; Lax, so that a link in a mail still opens the console."""
    settings: Settings = request.app.state.settings
    response.set_cookie(
        cookie_name(request, settings, name),
        token,
        max_age=seconds,
        path="/",
        httponly=True,
        secure=is_secure(request, settings),
        samesite="lax",
    )


def drop_cookie(response: Response, request: Request, name: str = COOKIE) -> None:
    """Take it away again."""
    settings: Settings = request.app.state.settings
    response.delete_cookie(
        cookie_name(request, settings, name),
        path="/",
        httponly=True,
        secure=is_secure(request, settings),
        samesite="lax",
    )


async def find_sign_in(database: Database, settings: Settings, cookie: str, now: datetime) -> SignedIn | None:
    """The sign-in of a cookie while it lasts and is used; None otherwise."""
    if not cookie:
        return None
    idle = now - timedelta(minutes=settings.console_idle_minutes)
    asked = {"token": token_hash(cookie), "now": now, "idle": idle}
    async with AsyncSession(database.glance, expire_on_commit=False) as session:
        found = (await session.execute(_SIGN_IN, asked)).one_or_none()
    if found is None:
        return None
    agent, signed_in = found
    return SignedIn(agent, signed_in.token_hash, csrf_of(settings, cookie))


async def signed_in(request: Request, database: DatabaseDep, settings: SettingsDep, now: Now) -> SignedIn:
    """The agent of the request's cookie; SignInRequired where there is none. Whatever an agent does keeps it alive."""
    known: SignedIn | None = getattr(request.state, "signed_in", None)
    if known is not None:  # admitted a moment ago (api.access)
        return known
    me = await find_sign_in(database, settings, given_cookie(request), now)
    if me is None:
        raise SignInRequired
    request.state.signed_in = me
    if not request.url.path.startswith(FRAGMENTS):
        await note_act(database, me.token_hash, now)
    return me


async def note_act(database: Database, hashed: str, now: datetime, *, acted: bool = True) -> None:
    """Keep that the agent is there (`seen_at`) and did something (`acted_at`); written at most once a minute."""
    async with database.read() as session:
        row = await session.get(AgentSession, hashed)
    if row is None:
        return
    before = row.acted_at if acted else row.seen_at
    if before is not None and now - before < TOUCH_EVERY:
        return
    async with database.write() as session, session.begin():
        row = await session.get(AgentSession, hashed)
        if row is not None:
            row.seen_at = now
            if acted:
                row.acted_at = now


Me = Annotated[SignedIn, Depends(signed_in)]


async def from_our_pages(request: Request, settings: SettingsDep) -> None:
    """Refuse a form that a browser says another site has sent (403): all that can be asked before anybody signed in."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    origin = request.headers.get("origin", "")
    ours = {request.url.netloc, urlsplit(settings.public_url).netloc} - {""}
    if request.headers.get("sec-fetch-site") == "cross-site" or (origin and urlsplit(origin).netloc not in ours):
        raise Problem(403, "csrf", "The request does not come from a page of this desk.")


async def csrf_checked(request: Request, settings: SettingsDep) -> None:
    """Refuse a request that changes something and does not come from a page of ours (403)."""
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    await from_our_pages(request, settings)
    form = await request.form()
    given = request.headers.get("x-csrf-token") or str(form.get("csrf", ""))
    if not same(given, csrf_of(settings, given_cookie(request))):
        raise Problem(403, "csrf", "The page is out of date. Please load it again.")
    if any("\0" in str(value) for value in form.values()):  # PostgreSQL keeps no such text
        raise Problem(422, "invalid", "Some fields are not valid.")
