"""What the outbox counts, for /metrics."""

from prometheus_client import Counter, Gauge, Histogram
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.outbox.tables import Delivery

DELIVERIES = Counter("mainsdesk_deliveries_total", "Vendor calls of the outbox by outcome.", ["channel", "outcome"])
DELIVERY_SECONDS = Histogram(
    "mainsdesk_delivery_seconds",
    "From when a delivery was due to the vendor's answer.",
    ["channel"],
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800),
)
UNSENT = Gauge(
    "mainsdesk_deliveries_unsent", "Deliveries that are not sent, by state.", ["state"], multiprocess_mode="mostrecent"
)
OPEN_STATES = ("queued", "sending", "parked", "unknown", "failed", "dead")


async def count_unsent(session: AsyncSession) -> None:
    """Set the gauge."""
    query = select(Delivery.state, func.count()).where(Delivery.state.in_(OPEN_STATES)).group_by(Delivery.state)
    found = {row[0]: row[1] for row in await session.execute(query)}
    for state in OPEN_STATES:
        UNSENT.labels(state).set(found.get(state, 0))
