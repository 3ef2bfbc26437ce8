"""Passwords: argon2id hashes, one-time ones, and which new ones are refused (NIST SP 800-63B, 5.1.1.2)."""

import asyncio
import re
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.errors import Problem

#: OWASP's parameters for argon2id. The sign-in is open to the internet: more memory would help attackers, too.
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
#: Hashing takes tens of milliseconds: never more than two at a time, never in the event loop.
_hashing = ThreadPoolExecutor(2, "hashing")
#: Checked where there is no such agent, so that both take the same time.
_NOBODY = _hasher.hash(secrets.token_hex(16))
LEAST, MOST = 8, 200
#: Letters and digits that nobody confuses when they are read out.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_ENDS = re.compile(r"^[\W\d_]+|[\W\d_]+$")


async def hash_password(password: str) -> str:
    """The argon2id hash of a password (RFC 9106)."""
    return await asyncio.get_running_loop().run_in_executor(_hashing, _hasher.hash, password)


async def password_is(password: str, expected: str | None) -> bool:
    """Whether a password has this hash; the same work where there is none."""

    def check() -> bool:
        try:
            return _hasher.verify(expected or _NOBODY, password) and bool(expected)
        except (VerificationError, InvalidHashError):
            return False

    return await asyncio.get_running_loop().run_in_executor(_hashing, check)


def grouped(groups: int, length: int) -> str:
    """Random letters and digits to be read out or typed, e.g. `k7fm-2qxd-9tbw`: nearly 5 bits a character."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(length)) for _ in range(groups))


def one_time_password() -> str:
    """A first password, for a colleague to pass on: 16 characters."""
    return grouped(4, 4)


@cache
def common() -> frozenset[str]:
    """What everybody tries first."""
    lines = Path(__file__).with_name("common_passwords.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def expect_good(password: str, username: str) -> None:
    """Problem 422 `weak-password` for a password that is too short, common, or the agent's own name."""
    if not LEAST <= len(password) <= MOST:
        raise Problem(422, "weak-password", f"A password has {LEAST} to {MOST} characters.")
    text = unicodedata.normalize("NFKC", password).casefold()
    core, name = _ENDS.sub("", text), username.casefold()
    if text in common() or core in common() or len(set(text)) < 3:
        raise Problem(422, "weak-password", "This password is one of the first that an attacker tries.")
    if text == name or (core and core in (name, _ENDS.sub("", name.partition("@")[0]))):
        raise Problem(422, "weak-password", "The password must not be the name.")
