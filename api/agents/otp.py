"""The second factor: time-based codes (RFC 6238), and one-time recovery codes for who has lost the device."""

import hmac
import unicodedata
from datetime import datetime
from typing import Literal

import pyotp
import segno
import structlog

from api.agents.passwords import grouped
from api.agents.sealing import Broken, derived, seal, unseal
from api.agents.tables import Agent
from api.errors import Problem
from api.settings import Settings

log = structlog.get_logger(__name__)

ISSUER = "Mainsdesk"
#: Seconds a code is shown, and steps that a device's clock may be off, to either side.
STEP, DRIFT = 30, 1
RECOVERY_CODES = 10
#: Seconds to scan the picture and type the first code.
ENROLMENT_LASTS = 900
_SECRET, _ENROLMENT, _RECOVERY = "totp secret", "totp enrolment", "recovery codes"
Way = Literal["code", "recovery"]


def begin(settings: Settings, agent: Agent, now: datetime) -> str:
    """A sealed new secret, for the page to bring back with its first code; nothing is on yet."""
    return seal(settings, _ENROLMENT, [agent.id, pyotp.random_base32()], now)


def secret_of(settings: Settings, agent: Agent, enrolment: str, now: datetime) -> str:
    """The secret of an enrolment that this agent began; Problem 422 `enrolment-expired`."""
    try:
        agent_id, secret = unseal(settings, _ENROLMENT, enrolment, now, ENROLMENT_LASTS)
    except Broken as error:
        raise Problem(422, "enrolment-expired", "This took too long; begin again.") from error
    if agent_id != agent.id:
        raise Problem(422, "enrolment-expired", "This was begun by somebody else.")
    return str(secret)


def picture(secret: str, username: str) -> str:
    """The QR code that authenticators read, as an SVG without styles."""
    address = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)
    return segno.make(address, micro=False).svg_inline(scale=5, light="#fff")


def _digits(code: str) -> str:
    return unicodedata.normalize("NFKC", code).replace(" ", "").replace("-", "").strip().lower()


def step_of(secret: str, code: str, now: datetime, last: int) -> int | None:
    """The time step whose code this is, if it is near the present one and later than the last that was taken."""
    given, totp, present = _digits(code).encode(), pyotp.TOTP(secret), int(now.timestamp()) // STEP
    found = None
    for step in range(present - DRIFT, present + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), given) and step > last:
            found = step
    return found


def _recovery_hash(settings: Settings, agent: Agent, code: str) -> str:
    key = derived(settings.secret_key.get_secret_value(), _RECOVERY)
    return hmac.new(key, f"{agent.id} {_digits(code)}".encode(), "sha256").hexdigest()


def turn_on(settings: Settings, agent: Agent, enrolment: str, code: str, now: datetime) -> list[str] | None:
    """Switch the second factor on by its first code; the recovery codes, which are shown this once.

    None for a wrong code; Problem 422 `enrolment-expired`.
    """
    secret = secret_of(settings, agent, enrolment, now)
    step = step_of(secret, code, now, 0)
    if step is None:
        return None
    codes = [grouped(2, 5) for _ in range(RECOVERY_CODES)]
    agent.totp_secret, agent.totp_step = seal(settings, _SECRET, [agent.id, secret], now), step
    agent.recovery_codes = [_recovery_hash(settings, agent, code) for code in codes]
    return codes


def turn_off(agent: Agent) -> None:
    agent.totp_secret, agent.totp_step, agent.recovery_codes = "", 0, []


def take(settings: Settings, agent: Agent, code: str, now: datetime) -> Way | None:
    """Take a code: of the device, or a recovery code, each once. None where it is not right.

    The caller holds what keeps two requests of one agent apart. Problem 503 where the secret cannot be read any more.
    """
    try:
        agent_id, secret = unseal(settings, _SECRET, agent.totp_secret, now)
    except Broken as error:
        log.error("agent.second_factor_unreadable", agent=agent.id)
        raise Problem(503, "second-factor-unreadable", "The second factor must be reset by an admin.") from error
    if agent_id != agent.id:
        raise Problem(503, "second-factor-unreadable", "The second factor must be reset by an admin.")
    if (step := step_of(secret, code, now, agent.totp_step)) is not None:
        agent.totp_step = step
        return "code"
    hashed = _recovery_hash(settings, agent, code)
    if any(hmac.compare_digest(hashed, kept) for kept in agent.recovery_codes):
        agent.recovery_codes = [kept for kept in agent.recovery_codes if kept != hashed]
        return "recovery"
    return None
