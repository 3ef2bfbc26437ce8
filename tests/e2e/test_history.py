"""A conversation of 240 messages, spoken straight into Rasa's channel as the front desk does."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.dialogue.customer import Customer
from tests.e2e.desk import Desk

pytestmark = pytest.mark.xdist_group("customers")

MESSAGES = 240
#: In turn; the first opens a report, the others ask and go back to it.
SAID = ("我家停电了", "营业厅几点开门", "算了，不用了", "谢谢")


class Channel:
    """One conversation as the front desk speaks it to Rasa."""

    def __init__(self, desk: Desk, client: httpx.Client, conversation_id: str) -> None:
        self._client, self._id = client, conversation_id
        self._url = f"http://127.0.0.1:{desk.port + 10_000}/webhooks/desk/webhook"
        self._headers = {"Authorization": f"Bearer {desk.secret('RASA_TOKEN')}"}
        self._store = desk.home / "rasa.db"

    def say(self, number: int, fence: int = 1) -> dict[str, Any]:
        metadata = {"conversation_id": self._id, "message_id": f"m{number}", "language": "zh", "channel": "web"}
        body = {
            "sender": f"{self._id}.1",
            "message_id": f"m{number}",
            "message": SAID[number % len(SAID)],
            "metadata": {**metadata, "fence": fence, "choice": False, "danger": None},
        }
        answer = self._client.post(self._url, json=body, headers=self._headers)
        answer.raise_for_status()
        heard: dict[str, Any] = answer.json()
        assert heard["messages"], heard
        assert not heard["failed"]
        return heard

    def stored(self) -> str:
        with contextlib.closing(sqlite3.connect(self._store)) as database:
            query = "SELECT events FROM conversations WHERE sender_id = ?"
            (events,) = database.execute(query, (f"{self._id}.1",)).fetchone()
        return str(events)


@pytest.fixture
def channel(desk: Desk) -> Iterator[Channel]:
    desk.wait_ready()
    with desk.client() as client:
        yield Channel(desk, client, Customer(client, "zh").id)


def test_rasa_keeps_the_slots_and_the_last_turn_however_many_there_are(channel: Channel) -> None:
    sizes = []
    for number in range(MESSAGES):
        channel.say(number)
        sizes.append(len(channel.stored()))
    assert max(sizes) < 1.2 * max(sizes[: 2 * len(SAID)])
    said = [event["text"] for event in json.loads(channel.stored()) if event["event"] == "user"]
    assert said == [SAID[-1]]


def test_a_retried_turn_is_answered_from_what_is_kept_and_not_handled_again(channel: Channel) -> None:
    for number in range(3 * len(SAID) + 1):
        answer = channel.say(number)
    before = channel.stored()
    assert channel.say(number, fence=2) == answer
    assert channel.stored() == before
    assert channel.say(number + 1)["messages"] != answer["messages"]
