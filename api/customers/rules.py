"""Verification: when it counts, when it is locked. Pure."""

import hmac
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta

IDLE = timedelta(minutes=30)
WINDOW = timedelta(minutes=30)
LOCK = timedelta(minutes=30)
TRIES = 5
#: A mobile carrier or an office puts many customers behind one source address; five would lock them all out.
SOURCE_TRIES = 20
#: Agents' sign-ins: a whole shift of one office comes from one address.
DESK_SOURCE_TRIES = 30


def is_verified(verified_at: datetime | None, closed_at: datetime | None, now: datetime) -> bool:
    """A verification lasts until 30 idle minutes have passed or the conversation was closed."""
    if verified_at is None or (closed_at is not None and closed_at >= verified_at):
        return False
    return now - verified_at <= IDLE


def locked_until(
    tries: Sequence[datetime],
    now: datetime,
    *,
    allowed: int = TRIES,
    window: timedelta = WINDOW,
    lock: timedelta = LOCK,
) -> datetime | None:
    """When the lock of a subject ends, or None if it is not locked.

    `allowed` wrong tries within the window lock from the last of them on; `tries` are their times, the oldest first.
    """
    last = tries[-allowed:]
    if len(last) < allowed or last[-1] - last[0] >= window or now >= last[-1] + lock:
        return None
    return last[-1] + lock


def plain(text: str) -> str:
    """Numbers and letters as keyed in by anybody: half width, capital, without spaces and dashes."""
    return re.sub(r"[\s\-]", "", unicodedata.normalize("NFKC", text)).upper()


def is_phone(given: str, on_file: str) -> bool:
    """Whether a number given is the one on file, however either is written; nothing on file equals nothing."""
    return _same(_digits(given), _digits(on_file))


def is_factor(given: str, *, phone: str, id_last6: str) -> bool:
    """Whether a second factor is the phone on file or the last six of the identity document (both are compared)."""
    by_phone, by_id = is_phone(given, phone), _same(plain(given), plain(id_last6))
    return by_phone or by_id


def _digits(phone: str) -> str:
    return re.sub(r"\D", "", re.sub(r"^(\+|00)86", "", plain(phone)))


def _same(given: str, on_file: str) -> bool:
    """In constant time; six characters are the least that can prove anything."""
    equal = hmac.compare_digest(given.encode(), on_file.encode())
    return equal and len(on_file) >= 6
