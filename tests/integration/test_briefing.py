"""What an agent may tell the bot on handing a conversation back."""

from typing import Any

import httpx
import pytest

from api.conversations.tables import Conversation
from api.db.engine import Database
from tests.integration.conftest import NewConversation

Bodies = dict[str, Any]


async def file(client: httpx.AsyncClient, service: dict[str, str], conversation_id: str | None) -> str:
    body = {
        "kind": "fault_report",
        "utility": "power",
        "topic": "outage",
        "address": "x",
        "description": "dark",
        "contact_name": "Ann",
        "contact_phone": "13812345678",
        "language": "en",
        "scope": "household",
        "conversation_id": conversation_id,
    }
    answer = await client.post("/api/v1/tickets", json=body, headers=service)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["number"])


async def release(client: httpx.AsyncClient, service: dict[str, str], **body: Any) -> httpx.Response:
    for act, given in (("claim", {"agent": "ann"}), ("release", body)):
        answer = await client.post(f"/api/v1/conversations/cv_1/{act}", json=given, headers=service)
    return answer


@pytest.fixture
async def there(client: httpx.AsyncClient, service: dict[str, str], conversation: NewConversation) -> Conversation:
    body = {"username": "ann", "password": "a-long-password", "role": "agent", "languages": ["en"], "skills": []}
    assert (await client.post("/api/v1/agents", json=body, headers=service)).status_code == 201
    return await conversation("cv_1", language="en")


async def test_a_ticket_of_the_conversation_is_told(
    client: httpx.AsyncClient, service: dict[str, str], there: Conversation, database: Database
) -> None:
    number = await file(client, service, "cv_1")
    slots = {"ticket": number, "contact_phone": "138 1234 5678", "mood": "angry"}
    answer = await release(client, service, summary=" The crew \n comes. ", slots=slots)
    assert answer.status_code == 200, answer.text
    async with database.read() as session:
        conversation = await session.get_one(Conversation, "cv_1")
    assert conversation.briefing == {
        "summary": "The crew comes.",
        "slots": {"ticket": number, "contact_phone": "13812345678"},
    }


async def test_somebody_else_s_ticket_is_refused(
    client: httpx.AsyncClient, service: dict[str, str], there: Conversation
) -> None:
    number = await file(client, service, None)
    answer = await release(client, service, summary="x", slots={"ticket": number})
    assert (answer.status_code, answer.json()["type"]) == (422, "foreign-ticket")


@pytest.mark.parametrize(
    ("slots", "problem"),
    [
        ({"ticket": "123456789012"}, "foreign-ticket"),
        ({"service_point_id": "sp_nowhere"}, "unknown-service-point"),
        ({"outage_id": "ou_nothing"}, "unknown-outage"),
        ({"contact_phone": "123"}, "invalid-phone"),
    ],
)
async def test_what_there_is_not_is_refused(
    client: httpx.AsyncClient, service: dict[str, str], there: Conversation, slots: Bodies, problem: str
) -> None:
    answer = await release(client, service, summary="x", slots=slots)
    assert (answer.status_code, answer.json()["type"]) == (422, problem)


async def test_nothing_to_tell_is_no_briefing(
    client: httpx.AsyncClient, service: dict[str, str], there: Conversation, database: Database
) -> None:
    assert (await release(client, service)).status_code == 200
    async with database.read() as session:
        assert (await session.get_one(Conversation, "cv_1")).briefing == {"summary": "", "slots": {}}, (
            "only that a colleague was there"
        )
