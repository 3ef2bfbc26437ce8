"""A person takes over, and hands back to the bot: what each tells the other, with the real Rasa."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.dialogue.customer import Customer
from tests.e2e.desk import Desk


@dataclass
class Colleague:
    """An agent, over the API with the service token."""

    desk: Desk
    client: httpx.Client
    name: str

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1{path}", headers=self.desk.service).raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        headers = self.desk.service | {"Idempotency-Key": uuid.uuid4().hex}
        return self.client.post(f"/api/v1{path}", json=body, headers=headers).raise_for_status().json()

    def act(self, customer: Customer, act: str, **body: Any) -> Any:
        return self.post(f"/conversations/{customer.id}/{act}", agent=self.name, **body)

    def files(self, customer: Customer, address: str) -> str:
        """The number of a ticket filed for the customer."""
        ticket = self.post(
            "/tickets",
            kind="fault_report",
            utility="power",
            topic="outage",
            scope="household",
            address=address,
            description="dark",
            contact_name="Ann",
            contact_phone="13812345678",
            language=customer.language or "zh",
            conversation_id=customer.id,
        )
        return str(ticket["number"])

    def point(self, address: str) -> str:
        places = self.client.get("/api/v1/places", params={"q": address}, headers=self.desk.service).json()
        return str(places["candidates"][0]["service_point_id"])


@pytest.fixture
def client(desk: Desk) -> Iterator[httpx.Client]:
    with desk.client() as opened:
        yield opened


@pytest.fixture
def colleague(desk: Desk, client: httpx.Client) -> Colleague:
    who = Colleague(desk, client, f"ann-{uuid.uuid4().hex[:8]}")
    who.post("/agents", username=who.name, password=uuid.uuid4().hex, role="agent", languages=["zh"], skills=[])
    return who


def words(heard: list[dict[str, Any]]) -> str:
    return "\n".join(message["text"] for message in heard)


SAID = {
    "zh": {
        "dark": "家里没电了，海棠晓月3栋，只有我家",
        "check": "直接检查",
        "tripped": "没有跳闸",
        "person": "转人工",
        "summary": "师傅今晚八点前上门，请先不要合闸。",
        "asked": "刚才同事怎么说的",
        "ticket": "我的报修怎么样了",
        "water": "没水了",
        "here": "和泰花园3栋",
    },
    "en": {
        "dark": "My power is off, Building 3 Haitang Xiaoyue, only my home",
        "check": "Check right away",
        "tripped": "not tripped",
        "person": "I want to talk to a human",
        "summary": "A crew comes before eight tonight; leave the switch off.",
        "asked": "What did your colleague say?",
        "ticket": "What became of my report?",
        "water": "There is no water",
        "here": "Building 3, Hetai Garden",
    },
}


@pytest.mark.parametrize("language", SAID)
def test_each_side_knows_what_the_other_did(client: httpx.Client, colleague: Colleague, language: str) -> None:
    said, customer = SAID[language], Customer(client, language)
    customer.send(said["dark"])
    customer.choose(said["check"])
    customer.send(said["tripped"])
    customer.send(said["person"])
    assert customer.owner == "waiting"
    seen = colleague.get(f"/conversations/{customer.id}")
    assert (seen["skill"], seen["owner"]) == ("power", "waiting")
    lines = colleague.get(f"/conversations/{customer.id}/transcript")["items"]
    first = next(line for line in lines if line["from"] == "customer")
    assert first["understood"]["intent"] == "report_outage"
    assert first["understood"]["confidence"] > 0.5

    colleague.act(customer, "claim")
    number = colleague.files(customer, said["here"])
    slots = {"ticket": number, "service_point_id": colleague.point("和泰花园3栋")}
    colleague.act(customer, "release", summary=said["summary"], slots=slots)
    told = words(customer.send(said["asked"]))
    assert said["summary"] in told
    told = words(customer.send(said["ticket"])).replace(" ", "")
    assert number in told, "the ticket that the colleague filed, without asking for its number"
    told = words(customer.send(said["water"]))
    assert said["here"] in told, "the place that the colleague named is known"


def test_the_question_before_the_colleague_is_left_behind(client: httpx.Client, colleague: Colleague) -> None:
    customer = Customer(client, "en")
    assert "where" in words(customer.send("My power is off")).lower()
    colleague.act(customer, "claim")
    colleague.act(customer, "release", summary="It was the neighbour's fuse.")
    told = words(customer.send("Building 3 Haitang Xiaoyue"))
    assert "only your home" not in told, "the report that the colleague dealt with is not taken up again"
    listed = colleague.get("/misunderstood")["items"]
    assert all(item["text"] for item in listed)


@pytest.mark.parametrize("act", ["close", "release"])
@pytest.mark.parametrize("language", SAID)
def test_what_a_colleague_did_not_note_is_not_made_up(
    client: httpx.Client, colleague: Colleague, language: str, act: str
) -> None:
    said, customer = SAID[language], Customer(client, language)
    customer.send(said["person"])
    colleague.act(customer, "claim")
    colleague.act(customer, "reply", text="ok")
    colleague.act(customer, act)
    customer.hear()
    told = words(customer.send(said["asked"]))
    assert ("没有给我留下记录" if language == "zh" else "left me no note") in told
    assert ("人工" if language == "zh" else "agent") in told
    customer.send(said["person"])
    assert customer.owner == "waiting", "the way on is one"


def test_the_bot_is_silent_while_an_agent_owns_it(desk: Desk, client: httpx.Client, colleague: Colleague) -> None:
    """Whatever is typed, and though Rasa is killed and starts afresh."""
    customer = Customer(client, "zh")
    customer.send("家里没电了")
    colleague.act(customer, "claim")
    customer.hear()
    silent = [customer.send(text) for text in ("/restart", "/session_start", "海棠晓月3栋", "转人工", "你好")]
    killed = desk.kill("bot")
    silent += [customer.send(text) for text in ("在吗", "/restart")]
    desk.wait_replaced("bot", killed)
    silent += [customer.send(text) for text in ("/restart", "没电了", '/inform{"option": "person"}')]
    assert silent == [[]] * 10
    lines = colleague.get(f"/conversations/{customer.id}/transcript")["items"]
    claimed = max(line["seq"] for line in lines if line["from"] in ("bot", "system"))
    assert [line["from"] for line in lines if line["seq"] > claimed] == ["customer"] * 10
    colleague.act(customer, "release")
    assert "bot" in {message["from"] for message in customer.send("没电了")}
