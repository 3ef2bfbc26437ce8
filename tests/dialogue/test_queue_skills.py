"""Whoever wants a person is queued for those who know what it is about."""

import httpx
import pytest

from tests.dialogue.customer import Customer
from tests.e2e.desk import Desk


@pytest.mark.parametrize(
    ("language", "said", "wish", "skill"),
    [
        (None, "water bill好像wrong", "I want to talk to a real person", "water"),
        ("zh", "这个月电费怎么这么多", "转人工", "power"),
        ("en", "I want to hand in my water meter reading", "get me a human please", "water"),
        ("zh", "弹子石正街18号明天停水吗", "找个真人跟我说", "water"),
        ("en", "you overcharged me for water", "no I want to talk to a human agent", "complaint"),
    ],
)
def test_the_queue_knows_what_it_is_about(desk: Desk, language: str | None, said: str, wish: str, skill: str) -> None:
    with httpx.Client(base_url=desk.base_url, timeout=30, trust_env=False) as client:
        customer = Customer(client, language)
        customer.send(said)
        customer.send(wish)
        assert customer.owner == "waiting"
        asked = {"Authorization": f"Bearer {desk.service_token}"}
        assert client.get(f"/api/v1/conversations/{customer.id}", headers=asked).json()["skill"] == skill


@pytest.mark.parametrize(
    ("language", "said", "skill"),
    [
        ("zh", "水费好像多收了，我要找人", "complaint"),
        ("zh", "我家停电了，给我转人工", "power"),
        ("en", "You overcharged me for water, let me talk to a person", "water"),
        ("en", "No water at my place, human please", "water"),
    ],
)
def test_a_person_wanted_beside_something_else(desk: Desk, language: str, said: str, skill: str) -> None:
    """One message with two wishes: the person is not forgotten over the other one."""
    with httpx.Client(base_url=desk.base_url, timeout=30, trust_env=False) as client:
        customer = Customer(client, language)
        customer.send(said)
        assert customer.owner == "waiting"
        asked = {"Authorization": f"Bearer {desk.service_token}"}
        assert client.get(f"/api/v1/conversations/{customer.id}", headers=asked).json()["skill"] == skill
