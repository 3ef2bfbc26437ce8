"""References to accounts: for who may open an account but needs not read its number to know which one it is."""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from api.agents.sealing import derived
from api.deps import Caller
from api.privacy import mask_number
from api.settings import Settings

PREFIX = "ar_"
_PURPOSE = "account reference"


def _box(settings: Settings) -> AESSIV:
    return AESSIV(derived(settings.secret_key.get_secret_value(), _PURPOSE))


def ref_of(settings: Settings, number: str) -> str:
    """The reference of an account, always the same one (AES-SIV, RFC 5297); tells nothing to who has not the key."""
    return PREFIX + base64.urlsafe_b64encode(_box(settings).encrypt(number.encode(), [])).decode().rstrip("=")


def number_of(settings: Settings, given: str) -> str:
    """The number behind a reference; what is none is given back as it is."""
    if not given.startswith(PREFIX):
        return given
    try:
        sealed = base64.urlsafe_b64decode(given.removeprefix(PREFIX).encode() + b"==")
        return _box(settings).decrypt(sealed, []).decode()
    except (InvalidTag, binascii.Error, ValueError):
        return given


def number_for(caller: Caller, number: str) -> str:
    """A number as a list shows it: whole to the utility's own systems, to people its last four digits."""
    return mask_number(number) if caller.kind == "agent" else number
