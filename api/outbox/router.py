"""/api/v1/deliveries and /api/v1/channels: what goes out to customers, for agents."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from sqlalchemy import select

from api.channels.base import Channel, Deliverer
from api.channels.wechat.token import token_state
from api.db.base import MOST_ID
from api.db.idempotency import once, require_key
from api.deps import DatabaseDep, Now, ReadSession, SettingsDep, Staff, WriteSession
from api.outbox import service
from api.outbox.schemas import (
    ChannelName,
    ChannelOut,
    DeliveryChannel,
    DeliveryOut,
    Purpose,
    RateOut,
    State,
    TokenOut,
)
from api.outbox.tables import Delivery
from api.paging import Limit, Page, newest_first

router = APIRouter(tags=["deliveries"])
Key = Annotated[str, Depends(require_key)]
DeliveryId = Annotated[int, Path(ge=1, le=MOST_ID)]
DEFAULT_LIMIT = 50
NAMES: tuple[ChannelName, ...] = ("web", "wechat", "voice", "sms", "call")


@router.get("/deliveries")
async def deliveries(
    _staff: Staff,
    session: ReadSession,
    channel: DeliveryChannel | None = None,
    state: State | None = None,
    conversation_id: str | None = None,
    purpose: Purpose | None = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: str | None = None,
) -> Page[DeliveryOut]:
    """Newest first. `state=dead` and `unknown` are for a person to look at; `parked` waits for the customer."""
    query = select(Delivery)
    for column, wanted in (
        (Delivery.channel, channel),
        (Delivery.state, state),
        (Delivery.conversation_id, conversation_id),
        (Delivery.purpose, purpose),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    rows, following = await newest_first(session, query, Delivery.created_at, Delivery.id, limit, cursor)
    return Page(items=[DeliveryOut.of(row) for row in rows], next=following)


@router.post("/deliveries/{delivery_id}/retry", response_model=DeliveryOut)
async def retry(
    delivery_id: DeliveryId, request: Request, caller: Staff, key: Key, session: WriteSession, now: Now
) -> dict[str, Any]:
    """Send again what failed, is dead, parked or unknown (of which the customer may get two); 409 for anything else."""

    async def do() -> dict[str, Any]:
        return DeliveryOut.of(await service.retry(session, delivery_id, now)).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)


@router.get("/channels")
async def channels(
    _staff: Staff, request: Request, session: ReadSession, database: DatabaseDep, settings: SettingsDep, now: Now
) -> Page[ChannelOut]:
    """Each way to customers: whether it is on, how fast it may send, and what it has to send."""
    made: list[Channel] = request.app.state.channels
    deliverers = {deliverer.name: deliverer for channel in made for deliverer in channel.deliverers}
    on = {"web", *(channel.name for channel in made), *deliverers}
    counted = await service.counts(session, now)
    items = [_channel(name, name in on, deliverers.get(name), counted.get(name), now) for name in NAMES]
    for item in items:
        if item.name == "wechat" and item.on:
            item.token = TokenOut.model_validate(await token_state(database, settings.wechat_app_id, now))
    return Page(items=items)


def _channel(
    name: ChannelName, on: bool, deliverer: Deliverer | None, counted: service.Counts | None, now: datetime
) -> ChannelOut:
    oldest = counted.oldest if counted else None
    return ChannelOut.model_validate(
        {
            "name": name,
            "on": on,
            "rate": deliverer and RateOut(per_second=deliverer.rate.per_second, at_once=deliverer.rate.at_once),
            "deliveries": counted.states if counted else {},
            "oldest_queued_seconds": max((now - oldest).total_seconds(), 0) if oldest else None,
        }
    )
