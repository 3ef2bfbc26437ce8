"""`python -m mainsdesk audit verify`: whether the audit log of this home's desk is as it was written."""

import asyncio
import re
from dataclasses import replace

from api.audit import head
from api.audit.service import Verdict, verify
from api.db.engine import open_database
from api.settings import PREFIX, Settings


async def check(settings: Settings, expect: str, after: int, previous: str) -> Verdict:
    """Follow the log of this desk's database, to where the home says that it was before and to `expect`."""
    database = open_database(settings.sqlalchemy_url)
    try:
        async with database.read() as session:
            key = settings.audit_key.get_secret_value()
            verdict = await verify(session, key, expect=expect, after=after, previous=previous)
            fault = verdict.fault or await head.note(session, settings.home)
            return replace(verdict, fault=fault)
    finally:
        await database.close()


def verify_log(settings: Settings, expect: str = "", after: str = "") -> tuple[int, str]:
    """Exit status and words. `after` is `ID:HASH` of the last entry that was removed, both from an earlier check."""
    if not settings.audit_key.get_secret_value():
        return 1, f"{PREFIX}AUDIT_KEY is not set: the log cannot be checked without the key that signed it."
    found = re.fullmatch(r"(\d+):([0-9a-f]{64})", after) if after else None
    if after and found is None:
        return 1, "--after takes ID:HASH, as an earlier check printed them."
    number, previous = (int(found[1]), found[2]) if found else (0, "")
    verdict = asyncio.run(check(settings, expect, number, previous))
    state = f"{verdict.count} entries hold; last: {verdict.last_id}:{verdict.last_hash or '-'}"
    return (1, f"{verdict.fault}\n{state}") if verdict.fault else (0, state)
