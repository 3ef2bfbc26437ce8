"""The chain of the audit log: what each entry's hash covers, and what shows that the log was tampered with."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Details = Mapping[str, str | int | bool | None]


@dataclass(frozen=True)
class Entry:
    """What an entry says."""

    id: int
    at: datetime
    by: str
    action: str
    subject: str
    details: Details


def hash_of(key: str, entry: Entry, previous: str) -> str:
    """HMAC-SHA256 (64 hex digits) of the entry as canonical JSON together with the previous entry's hash.

    `previous` is '' for the first entry.
    """
    covered: dict[str, Any] = {
        "id": entry.id,
        "at": entry.at.astimezone(UTC).isoformat(),
        "by": entry.by,
        "action": entry.action,
        "subject": entry.subject,
        "details": dict(entry.details),
        "previous": previous,
    }
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


class Chain:
    """Follows the log from its first entry, or from the one after `after`, whose hash is `previous`."""

    def __init__(self, key: str, after: int = 0, previous: str = "") -> None:
        self._key = key
        self.last_id, self.last_hash, self.count = after, previous, 0

    def follow(self, entry: Entry, stored: str) -> str | None:
        """The next entry and its stored hash; what is wrong there, or None."""
        expected = self.last_id + 1
        if entry.id > expected:
            last = entry.id - 1
            return f"Entry {expected} is missing." if last == expected else f"Entries {expected} to {last} are missing."
        if entry.id < expected:
            return f"Entry {entry.id} was inserted."
        if not hmac.compare_digest(hash_of(self._key, entry, self.last_hash), stored):
            return f"Entry {entry.id} was altered, inserted or moved."
        self.last_id, self.last_hash, self.count = entry.id, stored, self.count + 1
        return None


def plain(text: str, longest: int) -> str:
    """Text that every database stores as it is: no control characters, no half of a surrogate pair; cut off."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in whole)[:longest]
