"""The desk's own sentences, from sentences.yml, and the facts that they quote."""

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from api.conversations.rules import Hours, next_working_time
from api.outlets.tables import UtilityFact

DATA = Path(__file__).parent


@cache
def _sentences() -> dict[str, dict[str, str]]:
    loaded: dict[str, dict[str, str]] = yaml.safe_load((DATA / "sentences.yml").read_text(encoding="utf-8"))
    # Folded lines are joined by a blank, which Chinese does not want.
    for texts in loaded.values():
        texts["zh"] = "".join(texts["zh"].split(" "))
    return loaded


@cache
def limits() -> dict[str, Any]:
    """Paces and periods of conversations, from limits.yml."""
    loaded: dict[str, Any] = yaml.safe_load((DATA / "limits.yml").read_text(encoding="utf-8"))
    return loaded


def say(key: str, language: str | None, **values: object) -> str:
    """The sentence `key` in the language, in both where none is known. KeyError for an unknown key."""
    texts = _sentences()[key]
    chosen = [texts[language]] if language in texts else [texts["zh"], texts["en"]]
    return "\n".join(text.format(**values) for text in chosen)


async def fact(session: AsyncSession, key: str) -> Any:
    """A fact of the utility, None where it is not on file."""
    row = await session.get(UtilityFact, key)
    return None if row is None else row.value


async def hotline(session: AsyncSession) -> str:
    """The hotline's number, '' where it is not on file."""
    value = await fact(session, "hotline")
    return str(value.get("number", "")) if isinstance(value, dict) else str(value or "")


async def agent_hours(session: AsyncSession) -> dict[str, Any]:
    """When agents work: {"zh", "en", "from", "to", "days"}; {} where it is not on file."""
    value = await fact(session, "agent_hours")
    return value if isinstance(value, dict) else {}


async def hours_words(session: AsyncSession, language: str | None) -> str:
    """Agents' hours in words, for a sentence."""
    words = (await agent_hours(session)).get(language or "zh")
    return str(words) if words else say("hours_unknown", language or "zh")


async def callback_due(session: AsyncSession, now: datetime, zone: ZoneInfo) -> datetime:
    """When a call back made now is due: the agents' next working time (UTC)."""
    soonest = now + timedelta(minutes=limits()["callback_minutes"])
    return next_working_time(soonest, Hours.from_fact(await agent_hours(session)), zone)


def local_time(moment: datetime, zone: ZoneInfo, language: str | None) -> str:
    """A time as the customer reads it."""
    local = moment.astimezone(zone)
    if language == "en":
        return f"{local:%H:%M on} {local.day} {local:%B}"
    return f"{local.month}月{local.day}日{local:%H:%M}"
