"""Wrong tries to sign in: five lock a name, known or not, thirty from one address lock that address, for a while.

A lock stops signing in and nothing else: who is signed in stays so, and proves himself under a subject of his own, as
do the browsers that an agent has signed in by before (api.console.known).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from fastapi import Request
from sqlalchemy import delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.web import source_of
from api.customers import tries
from api.customers.tables import VerificationTry
from api.errors import Problem
from api.privacy import keyed_hash
from api.settings import Settings

LOCK = timedelta(minutes=15)


def _name(settings: Settings, username: str) -> str:
    return tries.subject(settings.service_token.get_secret_value(), "agent", username)


def subjects_of(settings: Settings, request: Request, username: str) -> list[str]:
    """What a try of this request to sign in by this name is counted against: the name and the address."""
    return [_name(settings, username), *source_subject(settings, request)]


def source_subject(settings: Settings, request: Request) -> list[str]:
    """What a try is counted against that names nobody: the address."""
    return [f"desk-source:{source_of(request, settings.service_token.get_secret_value())}"]


def browser_subject(settings: Settings, username: str, browser: str) -> list[str]:
    """What a try from a browser that this agent has signed in by is counted against: nobody else can lock it."""
    return [f"{_browsers(settings, username)}{browser}"]


def _browsers(settings: Settings, username: str) -> str:
    """What the subjects of an agent's browsers begin with."""
    return f"browser:{keyed_hash(settings.service_token.get_secret_value(), 'browsers', username)[:32]}:"


def own_subject(settings: Settings, agent_id: str) -> list[str]:
    """What a signed-in agent's wrong password or code is counted against: nobody else can lock it."""
    return [tries.subject(settings.service_token.get_secret_value(), "signed-in", agent_id)]


async def locked(session: AsyncSession, subjects: Sequence[str], now: datetime) -> Problem | None:
    """429 `locked` with Retry-After, the same whichever it is."""
    until = await tries.locked(session, subjects, now, LOCK)
    return tries.locked_problem(until, now) if until else None


async def take_turns(session: AsyncSession, subjects: Sequence[str]) -> None:
    """Let no two transactions count the same subject's tries at once."""
    await tries.take_turns(session, subjects)


async def count(session: AsyncSession, subjects: Sequence[str], now: datetime) -> bool:
    """Count a wrong try; whether it was the one that locks."""
    await tries.count(session, subjects, now)
    return await tries.locked(session, subjects, now, LOCK) is not None


async def forget(session: AsyncSession, settings: Settings, username: str) -> None:
    """Unlock a name and its browsers; an admin has just set the password anew."""
    subject, browsers = VerificationTry.subject, _browsers(settings, username)
    locked_ones = or_(subject == _name(settings, username), subject.startswith(browsers, autoescape=True))
    await session.execute(delete(VerificationTry).where(locked_ones))
