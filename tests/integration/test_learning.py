"""Misunderstood wordings: listed without personal data, reviewed once, written down for the next training."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.conversations.tables import Conversation, Message, Understanding
from api.customers.tables import Account
from api.db.engine import Database
from api.learning import reviewed
from api.settings import Settings
from tests.integration.conftest import Clock, Headers, NewConversation

URL = "/api/v1/misunderstood"


async def add(database: Database, clock: Clock, number: int, text: str, **fields: Any) -> str:
    """A customer's line `ms_<number>` of cv_1, and what it was taken for."""
    given = {"intent": "nlu_fallback", "confidence": 0.9, "language": "zh", "ranking": [], **fields}
    at = clock() + timedelta(seconds=number)
    message = Message(id=f"ms_{number}", conversation_id="cv_1", seq=number + 1, sender="customer", text=text, at=at)
    async with database.write() as session, session.begin():
        session.add(message)
        await session.flush()
        session.add(Understanding(message_id=message.id, conversation_id="cv_1", at=at, **given))
    return message.id


async def sign_in(client: httpx.AsyncClient, service: Headers, role: str) -> Headers:
    who = {"username": role, "password": "a-long-password"}
    body = {**who, "role": role, "languages": ["en"], "skills": []}
    assert (await client.post("/api/v1/agents", json=body, headers=service)).status_code == 201
    changed = {**who, "old_password": "a-long-password", "new_password": "another-password"}
    answer = await client.post("/api/v1/agents/login", json=who)
    if answer.status_code == 403:
        await client.post("/api/v1/agents/password", json=changed)
        answer = await client.post("/api/v1/agents/login", json=who | {"password": "another-password"})
    return {"Authorization": f"Bearer {answer.json()['token']}"}


@pytest.fixture
async def listed(database: Database, clock: Clock, conversation: NewConversation) -> None:
    await conversation("cv_1")
    await add(database, clock, 1, "蓝瘦香菇", missed=True, ranking=[{"name": "no_water", "confidence": 0.3}])
    await add(database, clock, 2, "没水了", intent="no_water", confidence=0.99)
    await add(database, clock, 3, "the juice is gone", intent="no_water", confidence=0.5, language="en")
    await add(database, clock, 4, "刘德华", confidence=0.2, answer=True)
    await add(database, clock, 5, "电话13812345678，我叫陈建国，电表疯了", intent="affirm", person_next=True)


async def texts(client: httpx.AsyncClient, headers: Headers, **params: Any) -> list[str]:
    answer = await client.get(URL, params=params, headers=headers)
    assert answer.status_code == 200, answer.text
    return [item["text"] for item in answer.json()["items"]]


async def test_the_list_holds_what_was_doubtful_newest_first(
    client: httpx.AsyncClient, service: Headers, listed: None
) -> None:
    items = (await client.get(URL, headers=service)).json()["items"]
    assert [(item["text"], item["why"]) for item in items] == [
        ("电话13900139000，我叫李明，电表疯了", ["person_next"]),
        ("the juice is gone", ["unsure"]),
        ("蓝瘦香菇", ["asked_back"]),
    ]
    assert (items[2]["ranking"], items[2]["conversation_id"], items[2]["seq"]) == (
        [{"name": "no_water", "confidence": 0.3}],
        "cv_1",
        2,
    )
    assert await texts(client, service, language="en") == ["the juice is gone"]
    assert await texts(client, service, below=0.4) == ["电话13900139000，我叫李明，电表疯了", "蓝瘦香菇"]
    page = (await client.get(URL, params={"limit": 2}, headers=service)).json()
    assert await texts(client, service, limit=2, cursor=page["next"]) == ["蓝瘦香菇"]


async def test_the_account_holder_s_name_is_not_shown(
    client: httpx.AsyncClient, service: Headers, listed: None, database: Database, clock: Clock
) -> None:
    from api.network.tables import Place, ServicePoint

    place = Place(id="pl", kind="estate", name_zh="x", name_en="x", area_class="urban")
    point = ServicePoint(id="sp", place_id="pl", address_zh="x", address_en="x", area_class="urban")
    account = Account(number="310045678901", utility="power", holder_name="王建国", phone="1", service_point_id="sp")
    async with database.write() as session, session.begin():
        for row in (place, point, account):
            session.add(row)
            await session.flush()
        (await session.get_one(Conversation, "cv_1")).account_number = account.number
    await add(database, clock, 6, "王建国家的电", missed=True)
    assert (await texts(client, service))[0] == "李明家的电"


async def test_a_reviewed_example_is_written_down_and_off_the_list(
    client: httpx.AsyncClient, service: Headers, listed: None, settings: Settings
) -> None:
    supervisor = await sign_in(client, service, "supervisor")
    assert "report_outage" in (await client.get(f"{URL}/intents", headers=supervisor)).json()["items"]
    for message, body, added in (
        ("ms_1", {"intent": "report_outage", "text": "蓝瘦香菇，屋里[黑](x)了"}, True),
        ("ms_3", {"intent": "no_water"}, True),
        ("ms_5", {"intent": "none"}, False),
    ):
        answer = await client.post(f"{URL}/{message}", json=body, headers=supervisor)
        assert (answer.status_code, answer.json()["added"]) == (200, added), answer.text
    assert await texts(client, service) == []
    fit, faults = reviewed.sound(settings.home)
    assert (fit, faults) == (
        {"zh": {"report_outage": ["蓝瘦香菇，屋里［黑］（x）了"]}, "en": {"no_water": ["the juice is gone"]}},
        [],
    )
    again = await client.post(f"{URL}/ms_1", json={"intent": "none"}, headers=supervisor)
    assert (again.status_code, again.json()["type"]) == (409, "already-reviewed")


@pytest.mark.parametrize(
    ("message", "body", "status", "problem"),
    [
        ("ms_1", {"intent": "sing"}, 422, "unknown-intent"),
        ("ms_1", {"intent": "nlu_fallback"}, 422, "unknown-intent"),
        ("ms_1", {"intent": "greet", "text": "？？"}, 422, "no-words"),
        ("ms_1", {"intent": "greet", "text": "停电了！"}, 409, "taught-otherwise"),
        ("ms_9", {"intent": "greet"}, 404, "not-found"),
    ],
)
async def test_what_cannot_be_learnt_is_refused(
    client: httpx.AsyncClient,
    service: Headers,
    listed: None,
    settings: Settings,
    message: str,
    body: dict[str, str],
    status: int,
    problem: str,
) -> None:
    answer = await client.post(f"{URL}/{message}", json=body, headers=service)
    assert (answer.status_code, answer.json()["type"]) == (status, problem)
    assert len(await texts(client, service)) == 3
    assert not (settings.home / reviewed.FOLDER).exists()


async def test_what_the_bot_was_taught_already_is_settled_without_a_word(
    client: httpx.AsyncClient, service: Headers, listed: None, settings: Settings
) -> None:
    answer = await client.post(f"{URL}/ms_1", json={"intent": "report_outage", "text": "停电了！"}, headers=service)
    assert (answer.status_code, answer.json()["added"]) == (200, False)
    assert not (settings.home / reviewed.FOLDER).exists()


@pytest.mark.parametrize("role", ["agent", "dispatcher"])
async def test_only_supervisors_review(client: httpx.AsyncClient, service: Headers, listed: None, role: str) -> None:
    headers = await sign_in(client, service, role)
    assert (await client.get(URL, headers=headers)).status_code == 403
    assert (await client.post(f"{URL}/ms_1", json={"intent": "none"}, headers=headers)).status_code == 403
