"""Personal data in logs and masked fields: enough is left to recognise, too little to use."""

import hashlib
import hmac
import re

_LONG_DIGITS = re.compile(r"(?<!\d)\d{3}[\d\s-]*\d{4}(?!\d)")


def mask_phone(phone: str) -> str:
    """`13812345678` → `138****5678`; a short number keeps its last two digits only."""
    digits = re.sub(r"\D", "", phone)
    if len(digits) < 8:
        return "*" * max(len(digits) - 2, 0) + digits[-2:]
    return f"{digits[:-8]}****{digits[-4:]}"


def mask_number(number: str) -> str:
    """An account number with all but its last four characters hidden, its length kept."""
    return "*" * max(len(number) - 4, 0) + number[-4:] if len(number) > 4 else "*" * len(number)


def mask_digits(text: str) -> str:
    """Free text with every run of seven or more digits (phones, accounts, identity numbers) masked; for logs."""
    return _LONG_DIGITS.sub(lambda found: mask_number(re.sub(r"\D", "", found.group())), text)


def keyed_hash(secret: str, *parts: str) -> str:
    """64 hex digits that recognise a value again without telling it, not even to who can try all values."""
    return hmac.new(secret.encode(), "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()
