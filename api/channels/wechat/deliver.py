"""Sends a follower what the outbox holds for him, by customer-service messages.

What may be sent when, and the codes of refusals:
https://developers.weixin.qq.com/doc/offiaccount/en/Message_Management/Service_Center_messages.html and
…/en/Getting_Started/Global_Return_Code.html.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.base import Outcome, Parked, Rate, Refused, Retry, Sent, Unknown, offered
from api.channels.wechat.client import TOKEN_REFUSED, WechatClient
from api.channels.wechat.errors import AnswerLost, NotReached, WechatError
from api.channels.wechat.tables import Follower
from api.db.engine import Database
from api.outbox import rules
from api.outbox.tables import Delivery
from api.settings import Settings

#: response out of time limit or subscription is canceled
OUT_OF_WINDOW = 45015
#: out of response count limit
OUT_OF_QUOTA = 45047
#: The account itself may not use this interface (48001: not verified by WeChat): only passive replies go out.
PASSIVE_ONLY = (48001, 48004)
#: Not this customer, not this text: require subscribe, black list, invalid openid or user, risky or too long content.
NEVER = (40003, 40031, 43004, 43019, 45002, 44004, 46004, 50002, 87014)
#: reach max api daily quota limit; counted anew at midnight in China.
DAILY_LIMIT = 45009
VENDOR_ZONE = ZoneInfo("Asia/Shanghai")
#: Seconds until the next try, by code: busy; a call a minute too many; and what a person has to put right
#: (credentials, IP white list).
PAUSES = {-1: 2.0, 45011: 60.0, 40013: 300.0, 40125: 300.0, 40164: 300.0, 61004: 300.0}


@dataclass(frozen=True)
class _Slot:
    """One message of a window's allowance, taken before the call."""

    window_ends_at: datetime


class WechatDeliverer:
    """The deliverer `wechat`."""

    name = "wechat"
    rate = Rate(per_second=20.0, at_once=8)
    joins = 10

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Callable[[], datetime],
        client: WechatClient | None = None,
    ) -> None:
        self._database, self._clock = database, clock
        self.client = client or WechatClient(settings, database, clock)

    async def close(self) -> None:
        await self.client.close()

    async def deliver(self, deliveries: Sequence[Delivery]) -> Outcome:
        """Send these as one message, if the follower's window has room for it.

        A message is counted before the call, so that it is counted however the call ends, and given back when it
        certainly was not sent.
        """
        open_id = deliveries[0].recipient
        try:
            async with self._database.read() as session:
                text = await rendered(session, deliveries)
            slot = await self._take_slot(open_id)
        except SQLAlchemyError as error:
            return Retry(f"database: {type(error).__name__}")
        if not isinstance(slot, _Slot):
            return slot
        try:
            await self.client.send_text(open_id, rules.cut(self.name, text))
        except AnswerLost as lost:
            return Unknown(str(lost))
        except NotReached as problem:
            await self._give_back(open_id, slot)
            return Retry(str(problem), problem.after)
        except WechatError as refused:
            await self._give_back(open_id, slot, refused.code)
            return outcome_of(WechatError(refused.code, refused.words.replace(open_id, "…")), self._clock())
        return Sent(via="service")

    async def _take_slot(self, open_id: str) -> _Slot | Parked | Refused:
        now = self._clock()
        take = (
            update(Follower)
            .where(
                Follower.open_id == open_id,
                Follower.subscribed,
                Follower.window_ends_at > now,
                Follower.spent < Follower.allowance,
            )
            .values(spent=Follower.spent + 1)
            .returning(Follower.window_ends_at)
            .execution_options(synchronize_session=False)
        )
        async with self._database.write() as session, session.begin():
            ends_at = await session.scalar(take)
            if ends_at is not None:
                return _Slot(ends_at)
            follower = await session.get(Follower, open_id)
        if follower is not None and not follower.subscribed:
            return Refused("the customer follows the account no more")
        if follower is None or follower.window_ends_at is None or follower.window_ends_at <= now:
            return Parked("out of the time in which the customer may be written to")
        return Parked("the messages that the customer may be sent are used up")

    async def _give_back(self, open_id: str, slot: _Slot, code: int = 0) -> None:
        """Nothing was sent: the message counts no more; and what WeChat says about the window holds.

        A window that was opened meanwhile stays as it is.
        """
        change = update(Follower).where(Follower.open_id == open_id, Follower.window_ends_at == slot.window_ends_at)
        if code == OUT_OF_QUOTA:
            change = change.values(spent=Follower.allowance)
        else:
            ends = {"window_ends_at": self._clock()} if code == OUT_OF_WINDOW else {}
            change = change.where(Follower.spent > 0).values(spent=Follower.spent - 1, **ends)
        async with self._database.write() as session, session.begin():
            await session.execute(change.execution_options(synchronize_session=False))


def outcome_of(refused: WechatError, now: datetime) -> Outcome:
    """What WeChat's refusal means for the delivery; nothing was sent."""
    code, why = refused.code, str(refused)
    if code in (OUT_OF_WINDOW, OUT_OF_QUOTA) or code in PASSIVE_ONLY:
        return Parked(why)
    if code in NEVER:
        return Refused(why)
    if code == DAILY_LIMIT:
        return Retry(why, seconds_to_midnight(now))
    if code in TOKEN_REFUSED:
        return Retry(why, 60.0)
    # Codes that nobody has thought of: the outbox gives up after its tries, and shows them to a person.
    return Retry(why, PAUSES.get(code, 30.0))


def seconds_to_midnight(now: datetime) -> float:
    """Until WeChat counts the day's calls anew."""
    local = now.astimezone(VENDOR_ZONE)
    midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return float(math.ceil((midnight - local).total_seconds()))


async def rendered(session: AsyncSession, deliveries: Sequence[Delivery]) -> str:
    """The text of these deliveries as one message: choices under the numbers by which they can be taken now.

    A choice that can be taken no more, because the customer has written since, is shown without a number.
    """
    numbers: dict[tuple[str, int], int] = {}
    for conversation_id in {d.conversation_id for d in deliveries if d.conversation_id and d.body.get("choices")}:
        for number, choice in enumerate(await offered(session, conversation_id), 1):
            numbers[choice.message_id, choice.position] = number
    texts = []
    for delivery in deliveries:
        start = delivery.body.get("start", 0)
        choices = [
            (numbers.get((delivery.message_id or "", place)), label)
            for place, label in enumerate(delivery.body.get("choices", ()), start)
        ]
        texts.append(rules.worded(delivery.body.get("text", ""), choices))
    return rules.BETWEEN.join(texts)
