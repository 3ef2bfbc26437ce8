"""Who wants no calls or messages that he did not ask for. Functions take a session and never commit."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.notices.tables import OptOut
from api.outbox.tables import Delivery
from api.privacy import keyed_hash
from api.settings import Settings
from api.surveys.tables import Survey


def address_hash(settings: Settings, recipient: str) -> str:
    return keyed_hash(settings.service_token.get_secret_value(), "opt-out", recipient)


async def opt_out(session: AsyncSession, settings: Settings, recipient: str, what: str, now: datetime) -> None:
    """Keep that this address wants no more `calls`, or nothing at `all`, of what it did not ask for itself."""
    known = (address_hash(settings, recipient), what)
    if await session.get(OptOut, known) is None:
        session.add(OptOut(address_hash=known[0], what=what, at=now))
        await session.flush()
    await _call_off(session, recipient, ("call",) if what == "calls" else ("call", "sms"), now)


async def _call_off(session: AsyncSession, recipient: str, channels: Sequence[str], now: datetime) -> None:
    """What was planned for this address and has not gone out yet."""
    query = (
        update(Delivery)
        .where(
            Delivery.recipient == recipient,
            Delivery.channel.in_(channels),
            Delivery.purpose.in_(("notice", "survey")),
            Delivery.state == "queued",
        )
        .values(state="failed", error="opted-out", updated_at=now, fence=Delivery.fence + 1)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    ids = list(await session.scalars(query))
    await session.execute(
        update(Survey)
        .where(Survey.delivery_id.in_(ids), Survey.state == "scheduled")
        .values(state="refused", ended_at=now)
        .execution_options(synchronize_session=False)
    )


async def opted_out(session: AsyncSession, settings: Settings, recipient: str, channel: str) -> bool:
    """Whether nothing may go to this address by this channel (sms | call | wechat)."""
    kinds = ("calls", "all") if channel == "call" else ("all",)
    query = select(OptOut).where(
        OptOut.address_hash == address_hash(settings, recipient),
        OptOut.what.in_(kinds),
    )
    return await session.scalar(query.limit(1)) is not None
