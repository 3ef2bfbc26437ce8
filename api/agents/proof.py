"""Proving who one is: password, then the second factor, each wrong try counted. Functions never commit.

Refusals are returned and not raised: the try that they count must not be rolled back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.agents import lockout, otp
from api.agents.passwords import password_is
from api.agents.service import agent_named
from api.agents.tables import Agent
from api.audit.service import record, reference
from api.db.engine import Database
from api.errors import Problem
from api.settings import Settings

WRONG = Problem(401, "wrong-credentials", "The name or the password is wrong.")
WRONG_CODE = Problem(401, "wrong-otp", "The code is not right, or was used already.")
OTP_REQUIRED = Problem(403, "otp-required", "Send the code of the second factor too, as otp.")
ENROL_FIRST = Problem(
    403, "otp-enrolment-required", "This role needs a second factor. Sign in at /console to set it up."
)
CHANGE_FIRST = Problem(
    403,
    "password-change-required",
    "Change the password first: POST /api/v1/agents/password with username, password and new_password.",
)


@dataclass(frozen=True)
class Claim:
    """Somebody says that he is an agent: the name, whether the password was right, what tries count against."""

    username: str
    right: bool
    subjects: Sequence[str]
    otp: str = ""


async def claim_of(
    database: Database, username: str, password: str, subjects: Sequence[str], now: datetime, otp: str = ""
) -> Claim | Problem:
    """Check the password before the writing transaction begins: hashing is slow, and SQLite has one writer.

    Who is locked is not worth the work: 429 at once.
    """
    async with database.read() as session:
        if problem := await lockout.locked(session, subjects, now):
            return problem
        agent = await agent_named(session, username)
    return Claim(username, await password_is(password, agent.password_hash if agent else None), subjects, otp)


async def by_password(session: AsyncSession, claim: Claim, now: datetime) -> Agent | Problem:
    """The agent with this name and password. An unknown and an inactive one are answered like a wrong password."""
    await lockout.take_turns(session, claim.subjects)
    if problem := await lockout.locked(session, claim.subjects, now):
        return problem
    agent = await agent_named(session, claim.username)
    if agent is None or not claim.right or not agent.active:
        whose = f"agent:{agent.id}" if agent else reference("name", claim.username)
        reason = "unknown" if agent is None else "password" if not claim.right else "inactive"
        await wrong(session, claim.subjects, whose, reason, now)
        return WRONG
    return agent


async def by_code(
    session: AsyncSession, settings: Settings, agent: Agent, code: str, subjects: Sequence[str], now: datetime
) -> Problem | None:
    """Whether the second factor is right, where there is one; the problem if not."""
    if not agent.totp_secret:
        return None
    if not code:
        return OTP_REQUIRED
    await lockout.take_turns(session, subjects)
    if problem := await lockout.locked(session, subjects, now):
        return problem
    await session.refresh(agent, with_for_update=True)  # a code is taken once, whoever else tries it at this moment
    way = otp.take(settings, agent, code, now)
    if way is None:
        await wrong(session, subjects, f"agent:{agent.id}", "code", now)
        return WRONG_CODE
    if way == "recovery":
        record(
            session,
            f"agent:{agent.id}",
            "agent.recovery_code_used",
            f"agent:{agent.id}",
            now,
            left=len(agent.recovery_codes),
        )
    return None


async def wrong(session: AsyncSession, subjects: Sequence[str], whose: str, reason: str, now: datetime) -> None:
    """Count a try that was wrong, and note it."""
    record(session, "nobody", "agent.sign_in_failed", whose, now, reason=reason)
    if await lockout.count(session, subjects, now):
        record(session, "nobody", "agent.locked_out", whose, now)
