"""Browsers that an agent has signed in by before: strangers' wrong tries do not lock them out (OWASP: device cookies).

The cookie opens nothing. A try that comes with it counts against the browser instead of the name and the address, so
that neither a name that somebody keeps locked nor an office's or a proxy's shared address stops who works there.
"""

import secrets
from datetime import datetime

from fastapi import Request, Response

from api.agents import lockout
from api.agents.sealing import Broken, seal, unseal
from api.console.session import given_cookie, set_cookie
from api.settings import Settings

COOKIE = "mainsdesk_browser"
#: Seconds since the last sign-in: two months.
LASTS = 60 * 24 * 3600
_PURPOSE = "known browser"


def remember(response: Response, request: Request, username: str, now: datetime) -> None:
    """After a sign-in: this browser is one that this agent uses."""
    sealed = seal(request.app.state.settings, _PURPOSE, [username, secrets.token_hex(16)], now)
    set_cookie(response, request, sealed, COOKIE, seconds=LASTS)


def subjects_of(request: Request, username: str, now: datetime) -> list[str]:
    """What a try to sign in by this name counts against: the browser that is known for it, else name and address."""
    settings: Settings = request.app.state.settings
    whose, browser = _given(request, now)
    if whose and whose == username:
        return lockout.browser_subject(settings, whose, browser)
    return lockout.subjects_of(settings, request, username)


def source_subject(request: Request, now: datetime) -> list[str]:
    """The same for a try that names nobody: any agent's known browser, else the address."""
    settings: Settings = request.app.state.settings
    whose, browser = _given(request, now)
    return lockout.browser_subject(settings, whose, browser) if whose else lockout.source_subject(settings, request)


def _given(request: Request, now: datetime) -> tuple[str, str]:
    """Whose browser the cookie says it is, and which; empty where there is no valid one."""
    try:
        whose, browser = unseal(request.app.state.settings, _PURPOSE, given_cookie(request, COOKIE), now, LASTS)
    except Broken:
        return "", ""
    return str(whose), str(browser)
