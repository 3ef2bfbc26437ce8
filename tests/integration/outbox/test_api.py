"""Deliveries, channels and a conversation's window over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api.channels.base import Parked, Rate, Sent
from api.channels.wechat.tables import AccessToken, Follower
from api.conversations.tables import Conversation
from api.conversations.transcript import add_message, lock_conversation
from api.db.engine import Database
from api.main import create_app
from api.outbox.worker import Outbox
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.outbox.vendor import Vendor, all_of, put, states

Headers = dict[str, str]
OPEN_ID = "oABCDEFGHIJKLMNOPQRSTUVWXYZ1"


async def get(client: httpx.AsyncClient, path: str, headers: Headers, **params: Any) -> Any:
    answer = await client.get(f"/api/v1{path}", params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_list_with_filters_and_pages(
    client: httpx.AsyncClient, database: Database, clock: Clock, service: Headers
) -> None:
    await put(database, clock, "one", "two", to=OPEN_ID)
    clock.advance(seconds=1)
    await put(database, clock, "three", to="+8613812345678", channel="sms", state="dead", purpose="notice", error="x")
    page = await get(client, "/deliveries", service)
    assert [item["text"] for item in page["items"]] == ["three", "two", "one"]
    assert page["next"] is None
    dead, _, first = page["items"]
    assert (dead["recipient"], first["recipient"]) == ("86138****5678", "*" * 24 + "XYZ1")
    assert "13812345678" not in str(page)
    assert OPEN_ID not in str(page)
    assert (dead["state"], dead["error"], dead["purpose"], dead["attempts"]) == ("dead", "x", "notice", 0)
    assert first["created_at"] == "2026-03-04T06:00:00Z"
    for params, texts in (
        ({"channel": "sms"}, ["three"]),
        ({"state": "queued"}, ["two", "one"]),
        ({"purpose": "notice"}, ["three"]),
        ({"conversation_id": "cv_none"}, []),
        ({"state": "dead", "channel": "wechat"}, []),
    ):
        found = await get(client, "/deliveries", service, **params)
        assert [item["text"] for item in found["items"]] == texts, params
    seen, cursor = [], None
    while True:
        part = await get(client, "/deliveries", service, limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [item["text"] for item in part["items"]]
        cursor = part["next"]
        if cursor is None:
            break
    assert seen == ["three", "two", "one"]
    assert (await client.get("/api/v1/deliveries?state=lost", headers=service)).status_code == 422
    assert (await client.get("/api/v1/deliveries?cursor=x", headers=service)).status_code == 422


async def test_only_staff(client: httpx.AsyncClient, database: Database, clock: Clock, bot: Callable[..., Any]) -> None:
    (delivery_id,) = await put(database, clock, "one", state="dead")
    for method, path in (("GET", "deliveries"), ("POST", f"deliveries/{delivery_id}/retry"), ("GET", "channels")):
        assert (await client.request(method, f"/api/v1/{path}")).status_code == 401, path
        assert (await client.request(method, f"/api/v1/{path}", headers=bot("cv_1"))).status_code == 403, path


@pytest.mark.parametrize("state", ["dead", "failed", "unknown", "parked", "moved"])
async def test_retry(client: httpx.AsyncClient, database: Database, clock: Clock, service: Headers, state: str) -> None:
    (delivery_id,) = await put(database, clock, "one", state=state, attempts=20, error="HTTP 502")
    url = f"/api/v1/deliveries/{delivery_id}/retry"
    keyed = {**service, "Idempotency-Key": "k1"}
    first = await client.post(url, headers=keyed)
    assert first.status_code == 200
    assert (first.json()["state"], first.json()["attempts"], first.json()["error"]) == ("queued", 0, "")
    vendor = Vendor()
    await Outbox(database, clock, [vendor]).work_off()
    assert await states(database) == ["sent"]
    again = await client.post(url, headers=keyed)
    assert again.json() == first.json()
    assert await states(database) == ["sent"], "the same key does nothing twice"
    refused = await client.post(url, headers=service)
    assert (refused.status_code, refused.json()["state"]) == (409, "sent")
    assert (await client.post(url, headers={**service, "Idempotency-Key": ""})).status_code == 400


@pytest.mark.parametrize(("delivery_id", "status"), [("999", 404), ("0", 422), (str(2**31), 422), ("x", 422)])
async def test_no_such_delivery(client: httpx.AsyncClient, service: Headers, delivery_id: str, status: int) -> None:
    assert (await client.post(f"/api/v1/deliveries/{delivery_id}/retry", headers=service)).status_code == status


async def test_channels_that_are_off(client: httpx.AsyncClient, service: Headers) -> None:
    items = (await get(client, "/channels", service))["items"]
    assert [(item["name"], item["on"]) for item in items] == [
        ("web", True),
        ("wechat", False),
        ("voice", False),
        ("sms", False),
        ("call", False),
    ]
    assert all(item["token"] is None and item["rate"] is None for item in items)


async def test_channels_and_what_they_have_to_send(
    settings: Settings, database: Database, clock: Clock, service: Headers
) -> None:
    on = settings.model_copy(
        update={
            "wechat_app_id": "wx1",
            "wechat_app_secret": SecretStr("app-secret"),
            "wechat_token": SecretStr("callback-token"),
            "wechat_aes_key": SecretStr("k" * 43),
        }
    )
    app: FastAPI = create_app(on, clock=clock)
    app.state.settings, app.state.database, app.state.clock = on, database, clock
    await put(database, clock, "a", "b", to="o1")
    await put(database, clock, "c", to="o2", state="parked")
    await put(database, clock, "old", to="o2", state="sent", not_before=clock() - timedelta(days=2))
    await put(database, clock, "new", to="o2", state="sent")
    await put(database, clock, "later", to="o3", not_before=clock() + timedelta(hours=1))
    async with database.write() as session, session.begin():
        session.add(AccessToken(app_id="wx1", token="very-secret", version=3, expires_at=clock() + timedelta(hours=1)))
    clock.advance(seconds=90)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://desk") as client:
        found = await get(client, "/channels", service)
    wechat = found["items"][1]
    assert wechat == {
        "name": "wechat",
        "on": True,
        "rate": {"per_second": 20.0, "at_once": 8},
        "deliveries": {"queued": 3, "parked": 1, "sent": 1},
        "oldest_queued_seconds": 90.0,
        "token": {"state": "valid", "expires_at": "2026-03-04T07:00:00Z"},
    }
    assert "very-secret" not in str(found)
    for channel in app.state.channels:
        for deliverer in channel.deliverers:
            await deliverer.close()


async def test_a_conversations_window_and_its_lines_deliveries(
    client: httpx.AsyncClient, database: Database, clock: Clock, service: Headers
) -> None:
    async with database.write() as session, session.begin():
        session.add(Conversation(id="cv_1", channel="wechat", deliver_to="o1", language="zh", created_at=clock()))
        await session.flush()
        conversation = await lock_conversation(session, "cv_1")
        assert conversation is not None
        await add_message(session, conversation, "customer", "停电了", clock())
        await add_message(session, conversation, "bot", "您好。", clock())
        await add_message(session, conversation, "agent", "我" * 1500, clock())
    assert (await get(client, "/conversations/cv_1", service))["window"] == {"ends_at": None, "left": 0}
    async with database.write() as session, session.begin():
        ends = clock() + timedelta(hours=48)
        session.add(Follower(open_id="o1", window_ends_at=ends, allowance=5, spent=2, created_at=clock()))
    shown = await get(client, "/conversations/cv_1", service)
    assert shown["window"] == {"ends_at": "2026-03-06T06:00:00Z", "left": 3}

    vendor = Vendor(rate=Rate(1000, 4))
    vendor.script["o1"] = [Sent(via="service"), Sent(via="service"), Parked("45047 out of count")]
    await Outbox(database, clock, [vendor]).work_off()
    lines = (await get(client, "/conversations/cv_1/transcript", service))["items"]
    assert [line["delivery"] for line in lines] == [
        None,
        {"state": "sent", "via": "service", "error": ""},
        {"state": "parked", "via": "", "error": "45047 out of count"},  # a part of it
    ]
    assert [line["from"] for line in lines] == ["customer", "bot", "agent"]
    clock.advance(hours=49)
    assert (await get(client, "/conversations/cv_1", service))["window"]["left"] == 0
    listed = (await get(client, "/conversations", service))["items"]
    assert listed[0]["window"] is None
    assert len(await all_of(database)) == 4


async def test_a_web_conversation_has_no_window(
    client: httpx.AsyncClient, service: Headers, conversation: Callable[..., Any]
) -> None:
    await conversation("cv_1")
    assert (await get(client, "/conversations/cv_1", service))["window"] is None
    lines = (await get(client, "/conversations/cv_1/transcript", service))["items"]
    assert lines[0]["delivery"] is None


async def test_metrics_count_what_is_not_sent(
    client: httpx.AsyncClient, database: Database, clock: Clock, service: Headers
) -> None:
    await put(database, clock, "a", "b", state="dead")
    vendor = Vendor()
    await put(database, clock, "c", to="o2")
    await Outbox(database, clock, [vendor]).work_off()
    text = (await client.get("/metrics", headers=service)).text
    assert 'mainsdesk_deliveries_unsent{state="dead"} 2.0' in text
    assert 'mainsdesk_deliveries_unsent{state="queued"} 0.0' in text
    assert 'mainsdesk_deliveries_total{channel="wechat",outcome="sent"}' in text
    assert 'mainsdesk_delivery_seconds_count{channel="wechat"}' in text
