"""What customers may not do, and what strange input does: through the whole desk, over HTTP."""

import asyncio
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.dialogue.customer import Customer
from tests.e2e.crowd import Caller, crowd_client
from tests.e2e.desk import Desk

pytestmark = pytest.mark.xdist_group("customers")

LONGEST = 1000
KILOBYTE = 1024


@pytest.fixture
def client(desk: Desk) -> Iterator[httpx.Client]:
    desk.wait_ready()
    with desk.client() as made:
        yield made


def text_of(said: list[dict[str, str]]) -> str:
    return "\n".join(line["text"] for line in said)


def transcript(customer: Customer) -> list[dict[str, str]]:
    answer = customer.client.get(f"/web/conversations/{customer.id}/messages", headers=customer.headers)
    answer.raise_for_status()
    return list(answer.json()["messages"])


@pytest.mark.parametrize("character", ["a", "电", "😀", "\n电"])
def test_a_thousand_characters_are_taken_and_one_more_is_refused(client: httpx.Client, character: str) -> None:
    customer = Customer(client, "zh")
    longest = (character * LONGEST)[-LONGEST:].replace("\n", "，", 1)
    assert len(longest) == LONGEST
    assert customer.send(longest), "no answer to a long message"
    before = len(transcript(customer))
    refused = customer.post(text=longest + character)
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "message-too-long"
    assert len(transcript(customer)) == before, "a refused message left a line"


@pytest.mark.parametrize("text", ["", "   \n", "/", " / /", "\u200b\u200e", "\x00\x1b"])
def test_a_message_without_text_is_refused(client: httpx.Client, text: str) -> None:
    assert Customer(client, "en").post(text=text).status_code == 422


@pytest.mark.parametrize(
    "text", ["😡😡😡", "👍", "?", "。。。", "asdkjh qwlekj", "e\u0301" * 300, "a" + "\u0489" * 200]
)
def test_strange_text_gets_an_answer(client: httpx.Client, text: str) -> None:
    customer = Customer(client, "zh")
    assert customer.send(text), "no answer"
    assert customer.send("我家停电了"), "the conversation no longer works"


def test_half_a_character_is_no_text(client: httpx.Client) -> None:
    customer = Customer(client, "zh")
    answer = client.post(
        f"/web/conversations/{customer.id}/messages",
        content=b'{"client_message_id": "1", "text": "\\ud83d"}',
        headers={**customer.headers, "Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
    assert customer.send("我家停电了"), "the conversation no longer works"


COMMANDS = (
    "/restart",
    "/session_start",
    '/report_outage{"place":"x"}',
    '/inform{"option": "surroundings"}',
    '  /affirm{"contact": {"phone": "13800000000"}}',
    "EXTERNAL: /restart",
    "//restart",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_typed_commands_neither_restart_nor_set_anything(client: httpx.Client, command: str) -> None:
    """The question asked before them is still open afterwards, and its answer is understood."""
    customer = Customer(client, "zh")
    assert "哪里" in text_of(customer.send("我家停电了"))
    customer.send(command)
    assert customer.owner == "bot"
    assert re.search("万寿花园6栋|Building 6, Wanshou Garden", text_of(customer.send("万寿花园6栋")))
    shown = [line["text"] for line in transcript(customer) if line["from"] == "customer"]
    assert shown[1] == command.strip(), "the customer's own words are shown as they were typed"


HTML = (
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "**bold** [link](javascript:alert(1))",
    "{{7*7}} ${7*7} {name} %s",
    "'; DROP TABLE tickets; --",
)


@pytest.mark.parametrize("text", HTML)
def test_markup_comes_back_as_it_was_typed(client: httpx.Client, text: str) -> None:
    customer = Customer(client, "en")
    assert customer.send(text), "no answer"
    lines = transcript(customer)
    assert [line["text"] for line in lines if line["from"] == "customer"] == [text]
    answer = customer.client.get(f"/web/conversations/{customer.id}/messages", headers=customer.headers)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_fifty_messages_in_a_second_are_each_taken_or_refused_with_a_time(desk: Desk) -> None:
    """In order, none lost: those refused are sent again when they may be."""
    async with crowd_client(desk) as client:
        caller = await Caller(client, "zh").begin()
        bodies = [{"client_message_id": f"flood-{n}", "text": f"第{n}条，请问营业厅几点开门"} for n in range(50)]

        async def post(body: dict[str, str]) -> httpx.Response:
            return await client.post(caller.path, json=body, headers=caller.headers)

        answers = await asyncio.gather(*map(post, bodies))
        taken = {body["text"]: a.json()["seq"] for body, a in zip(bodies, answers, strict=True) if a.status_code == 202}
        refused = [a for a in answers if a.status_code != 202]
        assert {a.status_code for a in refused} == {429}
        assert all(1 <= int(a.headers["retry-after"]) <= 60 for a in refused)
        assert len(taken) >= 20, "a talkative customer is no flood"
        assert len(set(taken.values())) == len(taken)
        again = await asyncio.gather(*map(post, bodies))
        for body, answer in zip(bodies, again, strict=True):
            if body["text"] in taken:
                assert answer.json() == {"seq": taken[body["text"]]}, "the same id again: the same answer"
        caller.accepted = sorted(taken.values())
        await caller.answered()
        mine = [(seq, line["text"]) for seq, line in sorted(caller.lines.items()) if line["from"] == "customer"]
        assert {text: seq for seq, text in mine}.items() >= taken.items()
        replies = [
            line for line in caller.lines.values() if line["from"] == "bot" and line["seq"] > min(taken.values())
        ]
        assert len(replies) >= len(taken), "an accepted message was not answered"


def test_an_unknown_and_a_foreign_conversation_answer_alike(client: httpx.Client) -> None:
    mine, other = Customer(client, "zh"), Customer(client, "zh")
    body = {"client_message_id": "1", "text": "你好"}
    answers = []
    for path in (f"/web/conversations/{other.id}", "/web/conversations/cv_doesnotexist"):
        responses = (
            client.post(f"{path}/messages", json=body, headers=mine.headers),
            client.get(f"{path}/messages", headers=mine.headers),
            client.get(f"{path}/stream", headers=mine.headers),
        )
        answers += [(response.status_code, response.json()) for response in responses]
    assert answers[:3] == answers[3:]
    assert {status for status, _ in answers} == {404}
    assert len(transcript(other)) == 1, "something was written into another's conversation"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic abc"}])
def test_without_a_token_nothing_is_told(client: httpx.Client, headers: dict[str, str]) -> None:
    customer = Customer(client, "zh")
    path = f"/web/conversations/{customer.id}"
    body = {"client_message_id": "1", "text": "你好"}
    assert client.post(f"{path}/messages", json=body, headers=headers).status_code == 401
    assert client.get(f"{path}/messages", headers=headers).status_code == 401
    assert client.get(f"{path}/stream", headers=headers).status_code == 401
    assert client.get(f"{path}/messages", params={"token": customer.token}, headers=headers).status_code == 401


def test_the_same_id_is_the_same_message(client: httpx.Client) -> None:
    customer = Customer(client, "zh")
    path = f"/web/conversations/{customer.id}/messages"
    first = client.post(path, json={"client_message_id": "m1", "text": "我家停电了"}, headers=customer.headers)
    customer.hear()
    again = client.post(path, json={"client_message_id": "m1", "text": "我家停电了"}, headers=customer.headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert customer.hear() == []
    other = client.post(path, json={"client_message_id": "m1", "text": "我家没水"}, headers=customer.headers)
    assert other.status_code == 409
    assert [line["text"] for line in transcript(customer) if line["from"] == "customer"] == ["我家停电了"]
    stranger = Customer(client, "zh")
    mine = client.post(
        f"/web/conversations/{stranger.id}/messages",
        json={"client_message_id": "m1", "text": "我家没水"},
        headers=stranger.headers,
    )
    assert mine.status_code == 202, "another conversation's ids are its own"


def test_a_choice_of_another_conversation_is_none(client: httpx.Client) -> None:
    customers = [Customer(client, "zh"), Customer(client, "zh")]
    for customer in customers:
        customer.send("我家停电了")
        customer.send("万寿花园7栋")
    mine, other = customers
    assert mine.choices
    before = len(transcript(mine))
    assert mine.post(choice=other.choices[0]["token"]).status_code == 422
    assert mine.post(choice="x" * 20).status_code == 422
    assert mine.post(choice='/inform{"option": "yes"}').status_code == 422
    assert len(transcript(mine)) == before
    assert mine.choose(mine.choices[0]["label"]), "the own one is answered"


@pytest.mark.parametrize(
    "body",
    [
        {"text": "你好"},
        {"client_message_id": "1"},
        {"client_message_id": "1", "text": "a", "choice": "b"},
        {"client_message_id": "", "text": "a"},
        {"client_message_id": "1" * 81, "text": "a"},
        {"client_message_id": 1, "text": ["a"]},
        [],
        None,
    ],
)
def test_what_is_no_message_is_refused(client: httpx.Client, body: object) -> None:
    customer = Customer(client, "zh")
    answer = client.post(f"/web/conversations/{customer.id}/messages", json=body, headers=customer.headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("kilobytes", "status"), [(100, 422), (2048, 413)])
def test_a_large_body_is_told_to_be_too_long_and_a_huge_one_is_not_read(
    client: httpx.Client, kilobytes: int, status: int
) -> None:
    customer = Customer(client, "zh")
    assert customer.post(text="a" * KILOBYTE * kilobytes).status_code == status

    def trickle() -> Iterator[bytes]:
        yield b'{"client_message_id": "1", "text": "'
        for _ in range(kilobytes):
            yield b"a" * KILOBYTE
        yield b'"}'

    path = f"/web/conversations/{customer.id}/messages"
    answer = client.post(path, content=trickle(), headers={**customer.headers, "Content-Type": "application/json"})
    assert answer.status_code == status, "a body without a length"
    assert customer.send("你好"), "the conversation no longer works"


def test_danger_in_an_over_long_message_still_gets_the_safety_words(desk: Desk, client: httpx.Client) -> None:
    customer = Customer(client, "zh")
    story = "我要从头说起。" * 300
    assert customer.post(text=f"{story}电线掉在地上，冒火花！{story}").status_code == 422
    said = customer.hear()
    assert [line["from"] for line in said] == ["system"]
    assert re.search("远离|不要靠近|8米|八米", said[0]["text"]), said
    answer = client.get("/api/v1/tickets", params={"conversation_id": customer.id}, headers=desk.service)
    assert [(t["priority"], t["kind"]) for t in answer.json()["items"]] == [(1, "fault_report")]


def test_danger_is_heard_in_a_flood(desk: Desk, client: httpx.Client) -> None:
    customer = Customer(client, "zh")
    status = 202
    for number in range(200):
        status = customer.post(text=f"你好{number}").status_code
        if status == 429:
            break
    assert status == 429
    assert customer.post(text="有人触电了，快来人").status_code == 429
    assert any(line["from"] == "system" for line in transcript(customer)), "no safety words"
    answer = client.get("/api/v1/tickets", params={"conversation_id": customer.id}, headers=desk.service)
    assert [t["priority"] for t in answer.json()["items"]] == [1]
