"""Keeping secrets where others can see them: encrypted, each kind with a key of its own from MAINSDESK_SECRET_KEY."""

import base64
import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from api.settings import Settings


class Broken(ValueError):
    """What was sealed with another key, for something else, too long ago, or by nobody of us."""


@lru_cache(maxsize=16)
def derived(secret: str, purpose: str) -> bytes:
    """32 bytes for one purpose (HKDF, RFC 5869); RuntimeError where no secret is set."""
    if not secret:
        raise RuntimeError("MAINSDESK_SECRET_KEY is not set: second factors cannot be kept.")
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(secret.encode())


def _box(settings: Settings, purpose: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived(settings.secret_key.get_secret_value(), purpose)))


def seal(settings: Settings, purpose: str, content: Any, now: datetime) -> str:
    """JSON content as a text that only this desk can read or make."""
    return _box(settings, purpose).encrypt_at_time(json.dumps(content).encode(), int(now.timestamp())).decode()


def unseal(settings: Settings, purpose: str, text: str, now: datetime, seconds: int | None = None) -> Any:
    """What was sealed, at most `seconds` ago where that is given; Broken otherwise."""
    box = _box(settings, purpose)
    try:
        if seconds is None:
            return json.loads(box.decrypt(text.encode()))
        return json.loads(box.decrypt_at_time(text.encode(), seconds, int(now.timestamp())))
    except (InvalidToken, ValueError) as error:
        raise Broken(purpose) from error
