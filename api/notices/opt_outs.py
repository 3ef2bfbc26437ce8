"""Who wants no calls or messages that he did not ask for. Functions take a session and never commit."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.notices.tables import OptOut
from api.privacy import keyed_hash
from api.settings import Settings


def address_hash(settings: Settings, recipient: str) -> str:
    return keyed_hash(settings.service_token.get_secret_value(), "opt-out", recipient)


async def opt_out(session: AsyncSession, settings: Settings, recipient: str, what: str, now: datetime) -> None:
    """Keep that this address wants no more `calls`, or nothing at `all`, of what it did not ask for itself."""
    known = (address_hash(settings, recipient), what)
    if await session.get(OptOut, known) is None:
        session.add(OptOut(address_hash=known[0], what=what, at=now))
        await session.flush()


async def opted_out(session: AsyncSession, settings: Settings, recipient: str, channel: str) -> bool:
    """Whether nothing may go to this address by this channel (sms | call | wechat)."""
    kinds = ("calls", "all") if channel == "call" else ("all",)
    query = select(OptOut).where(
        OptOut.address_hash == address_hash(settings, recipient),
        OptOut.what.in_(kinds),
    )
    return await session.scalar(query.limit(1)) is not None
