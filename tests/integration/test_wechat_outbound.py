"""From a line of the transcript to a customer-service message: windows, quotas, choices, and text messages instead."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.channels.base import Parked, Refused, Retry, Sent
from api.channels.wechat.deliver import WechatDeliverer, outcome_of, seconds_to_midnight
from api.channels.wechat.errors import WechatError
from api.channels.wechat.tables import Follower
from api.outbox import queue
from api.outbox.tables import Delivery
from tests.integration.outbox.vendor import all_of, states
from tests.integration.test_wechat_client import Server
from tests.integration.wechat_account import Account, account, outbox, server

__all__ = ["account", "outbox", "server"]

SEND = "/cgi-bin/message/custom/send"


async def test_lines_are_joined_rather_than_spent(account: Account) -> None:
    await account.say("停电了吗？", "customer")
    await account.say("您好。")
    await account.say("请问是哪一个？", choices=("金秀苑", "金绣园"))
    await account.say("或者？", choices=("都不是",))
    await account.outbox.work_off()
    assert account.heard == ["您好。\n\n请问是哪一个？\n1. 金秀苑\n2. 金绣园\n\n或者？\n3. 都不是"]
    follower = await account.follower()
    assert follower.spent == 1
    assert {(d.state, d.via) for d in await all_of(account.database)} == {("sent", "service")}


async def test_choices_of_before_the_last_message_have_no_numbers(account: Account) -> None:
    await account.say("请问是哪一个？", choices=("金秀苑", "金绣园"))
    await account.say("我再说一下", "customer")
    await account.say("好的。", choices=("转人工",))
    await account.outbox.work_off()
    assert account.heard == ["请问是哪一个？\n金秀苑\n金绣园\n\n好的。\n1. 转人工"]


async def test_a_long_answer_goes_in_several_messages(account: Account) -> None:
    await account.say("\n".join(["我" * 500, "你" * 500, "他" * 500]), "agent", choices=())
    await account.say("完")
    await account.outbox.work_off()
    assert account.heard == ["我" * 500, "你" * 500, "他" * 500 + "\n\n完"]
    assert all(len(text.encode()) <= 2048 for text in account.heard)
    assert (await account.follower()).spent == 3


async def test_beyond_the_quota_lines_are_parked_and_go_with_the_next_window(account: Account) -> None:
    await account.open_window(allowance=2)
    for n in range(4):
        await account.say(f"{n}" + "我" * 600, "agent")
    await account.outbox.work_off()
    assert [text[0] for text in account.heard] == ["0", "1"]
    assert await states(account.database) == ["sent", "sent", "parked", "parked"]
    assert "used up" in (await all_of(account.database))[2].error
    assert (await account.follower()).spent == 2
    async with account.database.write() as session, session.begin():
        await queue.release_parked(session, "wechat", "o1", account.clock())
    await account.open_window()
    await account.outbox.work_off()
    assert [text[0] for text in account.heard] == ["0", "1", "2", "3"]
    assert (await account.follower()).spent == 2


@pytest.mark.parametrize("delta", [{"seconds": 0}, {"hours": -1}])
async def test_out_of_the_window_wechat_is_not_even_called(account: Account, delta: dict[str, float]) -> None:
    await account.open_window(**delta)
    await account.say("您好")
    await account.outbox.work_off()
    assert (account.heard, await states(account.database)) == ([], ["parked"])
    assert account.server.given == []


async def test_who_follows_no_more_is_not_written_to(account: Account) -> None:
    async with account.database.write() as session, session.begin():
        (await session.get_one(Follower, "o1")).subscribed = False
    await account.say("您好")
    await account.outbox.work_off()
    assert (account.heard, await states(account.database)) == ([], ["failed"])


@pytest.mark.parametrize(
    ("answer", "state", "spent", "left"),
    [
        ({"errcode": 45015, "errmsg": "out of time"}, "parked", 0, 0),
        ({"errcode": 45047, "errmsg": "out of count"}, "parked", 5, 0),
        ({"errcode": 48001, "errmsg": "api unauthorized"}, "parked", 0, 5),
        ({"errcode": 40003, "errmsg": "invalid openid o1"}, "failed", 0, 5),
        ({"errcode": 43004, "errmsg": "require subscribe"}, "failed", 0, 5),
        ({"errcode": -1, "errmsg": "system error"}, "queued", 0, 5),
        ({"errcode": 45009, "errmsg": "reach max api daily quota limit"}, "queued", 0, 5),
        (httpx.Response(500), "queued", 0, 5),
        (httpx.ConnectError("x"), "queued", 0, 5),
        (httpx.ReadTimeout("x"), "unknown", 1, 4),
        (httpx.Response(200, text="garbage"), "unknown", 1, 4),
    ],
)
async def test_what_wechat_says(account: Account, answer: Any, state: str, spent: int, left: int) -> None:
    """A message that was not sent is never marked so, nor counted; one that may have been is counted, not repeated."""
    account.server.script[SEND] = [answer]
    await account.say("您好")
    await account.outbox.work_off()
    assert await states(account.database) == [state]
    follower = await account.follower()
    assert follower.window_ends_at is not None
    assert "o1" not in (await all_of(account.database))[0].error
    open_still = follower.window_ends_at > account.clock()
    assert (follower.spent, follower.allowance - follower.spent if open_still else 0) == (spent, left)
    assert account.heard == []


async def test_a_busy_vendor_gets_it_once_later(account: Account) -> None:
    account.server.script[SEND] = [{"errcode": -1, "errmsg": "system error"}, httpx.Response(503)]
    await account.say("您好")
    for _ in range(3):
        await account.outbox.work_off()
        account.clock.advance(seconds=10)
    assert account.heard == ["您好"]
    assert await states(account.database) == ["sent"]
    assert (await account.follower()).spent == 1


async def test_a_window_that_opens_during_the_call_stays_open(account: Account) -> None:
    class Slow(Server):
        async def __call__(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == SEND:
                await account.open_window(hours=49)
                return httpx.Response(200, json={"errcode": 45047, "errmsg": "out of count"})
            return await super().__call__(request)

    deliverer = account.outbox._lanes["wechat"].deliverer
    assert isinstance(deliverer, WechatDeliverer)
    deliverer.client._client._transport = httpx.MockTransport(Slow())
    await account.say("您好")
    await account.outbox.work_off()
    follower = await account.follower()
    assert (follower.spent, follower.allowance) == (0, 5)


async def test_ones_own_database_in_the_way_is_tried_again(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    deliverer = account.outbox._lanes["wechat"].deliverer

    async def stalled(_open_id: str) -> None:
        raise OperationalError("update", {}, Exception("locked"))

    with monkeypatch.context() as patched:
        patched.setattr(deliverer, "_take_slot", stalled)
        await account.say("您好")
        await account.outbox.work_off()
    assert await states(account.database) == ["queued"]
    account.clock.advance(seconds=1)
    await account.outbox.work_off()
    assert account.heard == ["您好"]


# --- rules


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (45015, Parked),
        (45047, Parked),
        (48001, Parked),
        (40003, Refused),
        (43004, Refused),
        (43019, Refused),
        (45002, Refused),
        (-1, Retry),
        (45009, Retry),
        (45011, Retry),
        (40164, Retry),
        (40001, Retry),
        (99999, Retry),
    ],
)
def test_outcome_of(code: int, outcome: type) -> None:
    found = outcome_of(WechatError(code, "words"), datetime(2026, 3, 4, 6, 0, tzinfo=UTC))
    assert type(found) is outcome
    assert not isinstance(found, Sent)
    assert found.why == f"{code} words"
    if isinstance(found, Retry):
        assert found.after


def test_a_used_up_day_is_over_at_midnight_in_china() -> None:
    assert seconds_to_midnight(datetime(2026, 3, 4, 15, 59, tzinfo=UTC)) == 60
    assert seconds_to_midnight(datetime(2026, 3, 4, 16, 0, tzinfo=UTC)) == 24 * 3600


async def test_deliveries_of_long_ago_are_cut_rather_than_refused(account: Account) -> None:
    """A row that was queued as too long, by whatever way."""
    async with account.database.write() as session, session.begin():
        session.add(
            Delivery(
                channel="wechat",
                recipient="o1",
                body={"text": "停" * 3000},
                not_before=account.clock(),
                created_at=account.clock(),
                updated_at=account.clock(),
            )
        )
    await account.outbox.work_off()
    assert account.heard == ["停" * 681 + "…"]
    async with account.database.read() as session:
        assert (await session.scalars(select(Delivery.state))).one() == "sent"
