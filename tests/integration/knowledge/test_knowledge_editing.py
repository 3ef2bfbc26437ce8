"""Knowledge changed at the desk, over HTTP: told at once, in both languages, by one after the other, and taken back."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from api.audit.tables import AuditEntry
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.knowledge import store
from api.knowledge.files import load
from api.knowledge.tables import KnowledgeVersion
from api.main import create_app
from api.settings import Settings
from tests.integration.conftest import Clock

Headers = dict[str, str]
Bot = Callable[..., Headers]
NewConversation = Callable[..., Awaitable[Conversation]]
CARD, REPLIES = "/api/v1/articles/card_refund", "/api/v1/replies"
NEW_RULE = {
    "zh": "从今天起，电卡余额请到营业厅退。",
    "en": "From today on, card credit is refunded at a service hall.",
}
HELLO = {"zh": "您好，祝您春节快乐。", "en": "Hello, and a happy New Year."}


async def change(client: httpx.AsyncClient, headers: Headers, path: str = CARD, version: int = 0, **fields: Any) -> Any:
    answer = await client.patch(path, json={"version": version, **fields}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def told(client: httpx.AsyncClient, headers: Headers, words: str = "电卡能退吗") -> Any:
    asked = {"intent": "faq_card_refund", "q": words}
    return (await client.get("/api/v1/articles", params=asked, headers=headers)).json()


def codes(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return {(one["field"], one.get("code", "")) for one in answer.json()["errors"]}


async def test_the_bot_tells_a_new_rule_at_once(
    client: httpx.AsyncClient, service: Headers, bot: Bot, conversation: NewConversation, clock: Clock
) -> None:
    await conversation()
    before = (await told(client, bot("cv_1")))["items"][0]
    changed = await change(client, service, body=NEW_RULE, reviewed_on="2026-03-04")
    assert (changed["version"], changed["outdated"]) == (1, False)
    [after] = (await told(client, bot("cv_1")))["items"]
    assert after["body"] == {**NEW_RULE, "spoken": NEW_RULE}
    assert after["reviewed_on"] == "2026-03-04"
    kept = {"id", "intents", "title", "steps", "keywords", "source", "valid_from", "valid_until"}
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    found = await client.get("/api/v1/articles", params={"q": "电卡余额请到营业厅退"}, headers=service)
    assert found.json()["items"][0]["id"] == "card_refund"


async def test_another_process_tells_it_at_once_too(
    client: httpx.AsyncClient, app: FastAPI, settings: Settings, service: Headers, clock: Clock
) -> None:
    other = create_app(settings, clock=clock)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(other), base_url="http://desk") as neighbour:
        for version, words in enumerate((NEW_RULE, HELLO, NEW_RULE)):
            await change(client, service, version=version, body=words)
            assert (await neighbour.get(CARD, headers=service)).json()["body"]["en"] == words["en"]
    await other.state.database.close()


async def test_what_is_told_is_read_from_the_database_only_when_it_has_changed(
    client: httpx.AsyncClient, service: Headers, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []

    async def read(*given: Any) -> Any:
        reads.append(1)
        return await original(*given)

    original = store.read
    monkeypatch.setattr(store, "read", read)
    for _ in range(3):
        await told(client, service)
    assert len(reads) == 1
    await change(client, service, body=NEW_RULE)
    for _ in range(3):
        await told(client, service)
    assert len(reads) == 2


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"body": {"zh": "请到营业厅。"}}, "body.body.en", ""),
        ({"body": {"zh": "请到营业厅。", "en": " "}}, "body.body.en", ""),
        ({"body": NEW_RULE | {"zh": "请" * 501}}, "body.body.zh", ""),
        ({"advice": {"en": "Look twice."}}, "body.advice.zh", ""),
        ({"colour": "blue"}, "body.colour", ""),
        ({"intents": ["faq_meter_check"]}, "body.intents", ""),
        ({"steps": [NEW_RULE] * 9}, "body.steps", ""),
        ({"keywords": {"zh": ["退费"], "en": []}}, "body.keywords.en", ""),
        ({"valid_until": "31.12.2026"}, "body.valid_until", ""),
        ({"body": NEW_RULE | {"en": "抱歉"}}, "body.en", "not_english"),
        ({"body": NEW_RULE | {"zh": "抱歉，电卡不能退。"}}, "body.zh", "words"),
        ({"body": NEW_RULE | {"en": "<script>alert(1)</script> Please come."}}, "body.en", "markup"),
        ({"title": {"zh": "退" * 81, "en": "Refund"}}, "title.zh", "too_long"),
        ({"steps": [NEW_RULE | {"zh": "请您拔下插头。"}]}, "steps.0.zh", "dangerous"),
        ({"valid_until": "2025-12-31"}, "valid_until", "before_start"),
        ({"reviewed_on": "2026-03-05"}, "reviewed_on", "not_yet"),
    ],
)
async def test_no_half_and_no_unfit_text_is_saved(
    client: httpx.AsyncClient, service: Headers, fields: Any, field: str, code: str
) -> None:
    answer = await client.patch(CARD, json={"version": 0, **fields}, headers=service)
    assert (field, code) in codes(answer)
    assert (await client.get(CARD, headers=service)).json()["version"] == 0


async def test_of_two_who_change_the_same_the_second_is_told(client: httpx.AsyncClient, service: Headers) -> None:
    await change(client, service, body=NEW_RULE)
    late = await client.patch(CARD, json={"version": 0, "body": HELLO}, headers=service)
    assert (late.status_code, late.json()["type"]) == (409, "changed-meanwhile")
    assert (late.json()["version"], late.json()["by"]) == (1, "service")
    assert (await change(client, service, version=1, body=HELLO))["version"] == 2
    again = await change(client, service, version=2, body=HELLO)
    assert again["version"] == 2, "the same text is no new version"


async def test_of_many_at_the_same_moment_one_wins(client: httpx.AsyncClient, service: Headers) -> None:
    changes = [{"version": 0, "body": NEW_RULE | {"zh": f"请到{number}号窗口办理。"}} for number in range(6)]
    answers = await asyncio.gather(*(client.patch(CARD, json=body, headers=service) for body in changes))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    new = {"key": "cj", "group": "closing", "text": HELLO}
    answers = await asyncio.gather(*(client.post(REPLIES, json=new, headers=service) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201, *[422] * 5]


async def test_an_earlier_text_and_the_shipped_one_are_taken_back(
    client: httpx.AsyncClient, service: Headers, clock: Clock
) -> None:
    shipped = (await client.get(CARD, headers=service)).json()
    await change(client, service, body=NEW_RULE)
    clock.advance(minutes=5)
    await change(client, service, version=1, body=HELLO, steps=[])
    back = await client.post(f"{CARD}/return", json={"version": 2, "to": 1}, headers=service)
    assert back.json()["body"]["zh"] == NEW_RULE["zh"]
    assert (await client.post(f"{CARD}/return", json={"version": 2, "to": 1}, headers=service)).status_code == 409
    assert (await client.post(f"{CARD}/return", json={"version": 3, "to": 9}, headers=service)).status_code == 404
    last = (await client.post(f"{CARD}/return", json={"version": 3, "to": 0}, headers=service)).json()
    assert {**last, "version": 0} == shipped
    items = (await client.get(f"{CARD}/versions", headers=service)).json()["items"]
    acts = ["returned", "returned", "changed", "changed"]
    assert [(one["version"], one["act"], one["by"]) for one in items] == [
        (4 - number, act, "service") for number, act in enumerate(acts)
    ]
    assert items[0]["content"] is None
    assert items[2]["content"]["body"] == HELLO
    assert items[2]["at"] > items[3]["at"]
    untouched = "/api/v1/articles/meter_check"
    assert (await client.get(f"{untouched}/versions", headers=service)).json()["items"] == []
    assert (await client.post(f"{untouched}/return", json={"version": 0, "to": 0}, headers=service)).status_code == 404


async def test_validity_is_ended_at_once_and_renewed(
    client: httpx.AsyncClient, service: Headers, bot: Bot, conversation: NewConversation, clock: Clock
) -> None:
    await conversation()
    ended = (await client.post(f"{CARD}/end", json={"version": 0}, headers=service)).json()
    assert (ended["state"], ended["valid_until"], ended["version"]) == ("expired", "2026-03-03", 1)
    assert await told(client, bot("cv_1")) == {"items": [], "next": None, "withheld": True}
    again = (await client.post(f"{CARD}/end", json={"version": 1}, headers=service)).json()
    assert again["version"] == 1
    await change(client, service, version=1, valid_until="2026-03-04", reviewed_on="2026-03-04")
    assert (await told(client, bot("cv_1")))["items"]
    clock.advance(days=1)
    assert (await told(client, bot("cv_1")))["withheld"]
    assert (await change(client, service, version=2, valid_until=None))["valid_until"] is None
    assert (await told(client, bot("cv_1")))["items"]


ESTATE = """
id: {id}
utility: water
intents: [faq_card_refund]
{more}
title: {{zh: 规定, en: Rule}}
body: {{zh: 请到营业厅办理。, en: Please come to a service hall.}}
keywords: {{zh: [规定], en: [rule]}}
source: {{document: {{zh: 本公司规定, en: Our own rules}}}}
reviewed_on: 2026-01-01
"""


async def test_no_general_answer_stands_in_for_a_particular_one_that_has_expired(
    client: httpx.AsyncClient, service: Headers, bot: Bot, conversation: NewConversation, tmp_path: Path
) -> None:
    (tmp_path / "articles").mkdir()
    text = ESTATE.format(id="estate", more="when: {zh: [小区], en: [estate]}\nvalid_until: 2026-03-03")
    (tmp_path / "articles" / "estate.yml").write_text(text, encoding="utf-8")
    await conversation()
    assert await told(client, bot("cv_1"), "小区的电卡能退吗") == {"items": [], "next": None, "withheld": True}
    assert len((await told(client, bot("cv_1"), "电卡能退吗"))["items"]) == 1
    assert (await told(client, bot("cv_1"), "水卡能退吗"))["withheld"] is False


async def test_a_shipped_text_that_changed_since_is_pointed_out(
    client: httpx.AsyncClient, service: Headers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await change(client, service, body=NEW_RULE)
    files = load(tmp_path)
    newer = tuple(
        one.model_copy(update={"advice": one.title, "intents": ("faq_new",)}) if one.id == "card_refund" else one
        for one in files.articles
    )
    upgraded = type(files)(newer, files.replies, files.own)
    monkeypatch.setattr(store, "load", lambda home: upgraded)
    monkeypatch.setattr("api.knowledge.editing.load", lambda home: upgraded)
    store._known.clear()
    found = (await client.get(CARD, headers=service)).json()
    assert (found["outdated"], found["body"]["zh"]) == (True, NEW_RULE["zh"])
    assert found["intents"] == ["faq_new"], "which questions it answers comes with the files"
    kept = (await client.post(f"{CARD}/return", json={"version": 1, "to": 1}, headers=service)).json()
    assert (kept["outdated"], kept["version"], kept["body"]["zh"]) == (False, 2, NEW_RULE["zh"])


async def test_a_row_that_no_model_understands_leaves_the_shipped_text(
    client: httpx.AsyncClient, service: Headers, database: Database, clock: Clock
) -> None:
    async with database.write() as session, session.begin():
        for kind, name in (("article", "card_refund"), ("reply", "greeting"), ("reply", "gone")):
            row = KnowledgeVersion(kind=kind, entry_id=name, version=1, act="changed", content={"x": 1, "source": {}})
            row.by, row.at = "service", clock()
            session.add(row)
    assert (await client.get(CARD, headers=service)).json()["version"] == 1
    assert len((await client.get(REPLIES, headers=service)).json()["items"]) == len(load().replies)


async def test_a_reply_is_added_changed_retired_and_brought_back(client: httpx.AsyncClient, service: Headers) -> None:
    added = await client.post(REPLIES, json={"key": "CJ", "group": "closing", "text": HELLO}, headers=service)
    assert added.status_code == 201, added.text
    path = f"{REPLIES}/{added.json()['id']}"
    assert (added.json()["key"], added.json()["version"]) == ("cj", 1)
    [found] = (await client.get(REPLIES, params={"q": "cj"}, headers=service)).json()["items"][:1]
    assert found["text"] == HELLO
    new = {"zh": "{name}您好，祝您春节快乐。", "en": "Hello {name}, and a happy New Year."}
    assert (await change(client, service, path, 1, text=new))["text"] == new
    late = await client.patch(path, json={"version": 1, "text": HELLO}, headers=service)
    assert late.status_code == 409
    retired = (await client.post(f"{path}/retire", json={"version": 2}, headers=service)).json()
    assert (retired["retired"], retired["version"]) == (True, 3)
    assert "cj" not in {one["key"] for one in (await client.get(REPLIES, headers=service)).json()["items"]}
    assert (await client.patch(path, json={"version": 3, "text": HELLO}, headers=service)).status_code == 404
    back = (await client.post(f"{path}/return", json={"version": 3, "to": 1}, headers=service)).json()
    assert (back["retired"], back["text"]) == (False, HELLO)
    assert (await client.post(f"{path}/return", json={"version": 4, "to": 0}, headers=service)).status_code == 404
    acts = [one["act"] for one in (await client.get(f"{path}/versions", headers=service)).json()["items"]]
    assert acts == ["returned", "retired", "changed", "added"]


async def test_a_shipped_reply_is_retired_and_frees_its_code(client: httpx.AsyncClient, service: Headers) -> None:
    new = {"key": "hi", "group": "greeting", "text": HELLO}
    assert codes(await client.post(REPLIES, json=new, headers=service)) == {("key", "key_taken")}
    assert (await client.post(f"{REPLIES}/greeting/retire", json={"version": 0}, headers=service)).status_code == 200
    assert (await client.post(REPLIES, json=new, headers=service)).status_code == 201
    back = await client.post(f"{REPLIES}/greeting/return", json={"version": 1, "to": 0}, headers=service)
    assert codes(back) == {("key", "key_taken")}
    taken = await client.patch(f"{REPLIES}/greeting_read", json={"version": 0, "key": "hi"}, headers=service)
    assert codes(taken) == {("key", "key_taken")}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"text": HELLO | {"zh": "{name}您好。"}}, "text.en"),
        ({"text": {"zh": "{colour}您好。", "en": "Hello {colour}."}}, "text.zh"),
        ({"text": {"zh": "您好。"}}, "body.text.en"),
        ({"key": "春节"}, "body.key"),
        ({"group": "party"}, "body.group"),
    ],
)
async def test_a_reply_that_cannot_be_sent_is_refused(
    client: httpx.AsyncClient, service: Headers, fields: Any, field: str
) -> None:
    new = {"key": "cj", "group": "closing", "text": HELLO, **fields}
    assert field in {name for name, _ in codes(await client.post(REPLIES, json=new, headers=service))}


async def test_sent_twice_it_is_added_once(client: httpx.AsyncClient, service: Headers, database: Database) -> None:
    headers = {**service, "Idempotency-Key": "one"}
    new = {"key": "cj", "group": "closing", "text": HELLO}
    first, second = [await client.post(REPLIES, json=new, headers=headers) for _ in range(2)]
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    async with database.read() as session:
        acts = (await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))).all()
    assert acts == ["reply.added"]


@pytest.mark.parametrize("role", ["agent", "dispatcher"])
async def test_only_supervisors_change_anything(client: httpx.AsyncClient, service: Headers, role: str) -> None:
    lee = {"username": "lee", "password": "correct horse", "role": role, "languages": ["zh"], "skills": []}
    assert (await client.post("/api/v1/agents", json=lee, headers=service)).status_code == 201
    login = {"username": "lee", "password": "correct horse"}
    token = (await client.post("/api/v1/agents/login", json=login)).json()["token"]
    mine = {"Authorization": f"Bearer {token}"}
    assert (await client.patch(CARD, json={"version": 0, "body": NEW_RULE}, headers=mine)).status_code == 403
    new = {"key": "cj", "group": "closing", "text": HELLO}
    assert (await client.post(REPLIES, json=new, headers=mine)).status_code == 403
    assert (await client.get(f"{CARD}/versions", headers=mine)).status_code == 200


async def test_the_texts_that_a_change_leaves_behind_are_all_kept(
    client: httpx.AsyncClient, service: Headers, database: Database, clock: Clock
) -> None:
    for version in range(3):
        await change(client, service, version=version, body=NEW_RULE | {"zh": f"请到{version + 1}号窗口办理。"})
        clock.advance(minutes=1)
    async with database.read() as session:
        rows = (await session.scalars(select(KnowledgeVersion).order_by(KnowledgeVersion.version))).all()
    assert [row.content["body"]["zh"][2] for row in rows] == ["1", "2", "3"]
    assert rows[2].at - rows[0].at == timedelta(minutes=2)
