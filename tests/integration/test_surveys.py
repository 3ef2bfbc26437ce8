"""Follow-up calls: when they are made, what they ask, what is kept, the figures. On both databases."""

from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from api.channels.base import Retry, Sent
from api.channels.voice.calls_out import CallDeliverer
from api.conversations.tables import Conversation, Message
from api.danger import scan
from api.db.engine import Database
from api.notices.tables import OptOut
from api.outbox.tables import Delivery
from api.outlets.tables import UtilityFact
from api.settings import Settings
from tests.integration.caller import Caller, with_voice
from tests.integration.conftest import Clock

Headers = dict[str, str]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return with_voice(settings, twilio_from="+862395598000")


@pytest.fixture(autouse=True)
async def facts(database: Database) -> None:
    scan("")
    async with database.write() as session, session.begin():
        session.add(UtilityFact(key="name", value={"zh": "南岸供电供水服务中心", "en": "Nan'an power and water"}))
        session.add(UtilityFact(key="rest_hours", value=[["12:00", "14:00"], ["21:00", "09:00"]]))


class Desk:
    def __init__(self, client: httpx.AsyncClient, database: Database, service: Headers) -> None:
        self.client, self.database, self.service = client, database, service

    async def ticket(self, status: str = "customer_informed", **fields: Any) -> str:
        new = {"kind": "fault_report", "utility": "power", "contact_phone": "13812345678", "language": "zh", **fields}
        answer = await self.client.post("/api/v1/tickets", json=new, headers=self.service)
        assert answer.status_code == 201, answer.text
        number = str(answer.json()["number"])
        for step in ("dispatched", "accepted", "on_site", "repaired", "customer_informed", "closed"):
            if status == "received":
                break
            answer = await self.client.patch(f"/api/v1/tickets/{number}", json={"status": step}, headers=self.service)
            assert answer.status_code == 200, answer.text
            if step == status:
                break
        return number

    async def plan(self, number: str, **headers: str) -> httpx.Response:
        return await self.client.post(f"/api/v1/tickets/{number}/survey", headers=self.service | headers)

    async def call(self, number: str) -> Caller:
        """The follow-up call of a ticket, answered."""
        planned = await self.plan(number)
        assert planned.status_code == 201, planned.text
        self.delivery_id = planned.json()["delivery_id"]
        async with self.database.write() as session, session.begin():
            await session.execute(update(Delivery).where(Delivery.id == self.delivery_id).values(state="sending"))
        return await Caller(self.client).go(f"/voice/outbound?delivery={self.delivery_id}", follow=False)

    async def over(self, caller: Caller, status: str = "completed") -> None:
        await caller.post(f"/voice/status?delivery={self.delivery_id}", CallStatus=status)

    async def survey(self, number: str) -> dict[str, Any]:
        answer = await self.client.get("/api/v1/surveys", params={"ticket_number": number}, headers=self.service)
        (item,) = answer.json()["items"]
        return dict(item)


@pytest.fixture
def desk(client: httpx.AsyncClient, database: Database, service: Headers) -> Desk:
    return Desk(client, database, service)


async def test_the_whole_call(desk: Desk, client: httpx.AsyncClient, service: Headers) -> None:
    number = await desk.ticket()
    caller = await desk.call(number)
    assert caller.said.index("对不起") < caller.said.index("评价")
    await caller.press("1", follow=False)
    assert "总的来说" in caller.said
    assert "很满意" in caller.said
    await caller.press("5", follow=False)
    await caller.say("四分", follow=False)
    await caller.press("2", follow=False)
    assert "没有让您满意" in caller.said  # the grievance is heard
    await caller.press("7", follow=False)
    assert "没有听清" in caller.said
    await caller.press("3", follow=False)
    assert "供电质量" in caller.said
    await caller.press("1", follow=False)
    assert "没有让您满意" not in caller.said  # once is enough
    assert "意见" in caller.said
    await caller.say("希望来得再快一点", follow=False)
    assert "祝" in caller.said
    assert caller.heard.verbs[-1] == "Hangup"
    survey = await desk.survey(number)
    answers = {a["question"]: a["score"] or a["words"] for a in survey["answers"]}
    assert answers == {
        "overall": 5,
        "connection": 4,
        "manner": 2,
        "arrival_repair": 3,
        "power_quality": 1,
        "suggestions": "希望来得再快一点",
    }
    assert survey["state"] == "done"
    ticket = (await client.get(f"/api/v1/tickets/{number}", headers=service)).json()
    assert ticket["status"] == "followed_up"
    (event,) = [event for event in ticket["events"] if event["kind"] == "survey"]
    assert event["data"]["scores"]["manner"] == 2
    report = (await client.get("/api/v1/surveys/report", headers=service)).json()
    assert report["states"] == {"done": 1}
    figures = {q["question"]: (q["answers"], q["average"]) for q in report["questions"]}
    assert figures["overall"] == (1, 5.0)
    assert figures["water_quality"] == (0, None)
    empty = await client.get("/api/v1/surveys/report", params={"since": "2030-01-01T00:00:00Z"}, headers=service)
    assert empty.json()["states"] == {}


async def test_hanging_up_half_way_keeps_what_was_answered(
    desk: Desk, client: httpx.AsyncClient, service: Headers
) -> None:
    number = await desk.ticket("closed", utility="water", language="en")
    caller = await desk.call(number)
    assert "follow-up call" in caller.said
    await caller.say("yes", follow=False)
    await caller.say("very good", follow=False)
    for _ in range(2):
        await desk.over(caller)
    survey = await desk.survey(number)
    assert survey["state"] == "partial"
    assert [(a["question"], a["score"]) for a in survey["answers"]] == [("overall", 5)]
    late = await caller.press("1", follow=False)
    assert late.heard.verbs == ["Hangup"]
    assert len((await desk.survey(number))["answers"]) == 1
    assert (await client.get(f"/api/v1/tickets/{number}", headers=service)).json()["status"] == "closed"


@pytest.mark.parametrize(("key", "opted_out"), [("9", True), ("2", False)])
async def test_who_does_not_want_is_left_alone(desk: Desk, database: Database, key: str, opted_out: bool) -> None:
    number = await desk.ticket()
    caller = await desk.call(number)
    await caller.press(key, follow=False)
    assert "祝" in caller.said
    assert caller.heard.verbs[-1] == "Hangup"
    assert (await desk.survey(number))["state"] == "refused"
    async with database.read() as session:
        assert bool((await session.scalars(select(OptOut))).all()) is opted_out
    other = await desk.plan(await desk.ticket())
    assert (other.status_code == 409) is opted_out


async def test_silence_goes_on_and_ends(desk: Desk) -> None:
    number = await desk.ticket()
    caller = await desk.call(number)
    await caller.press("1", follow=False)
    for _ in range(40):
        if caller.heard.verbs[-1] == "Hangup":
            break
        await caller.silence(follow=False)
    assert caller.heard.verbs[-1] == "Hangup"
    assert (await desk.survey(number))["state"] == "refused"


@pytest.mark.parametrize("status", ["busy", "no-answer"])
async def test_nobody_reached(desk: Desk, status: str) -> None:
    number = await desk.ticket()
    planned = await desk.plan(number)
    desk.delivery_id = planned.json()["delivery_id"]
    async with desk.database.write() as session, session.begin():
        await session.execute(update(Delivery).values(state="sent"))
    await desk.over(Caller(desk.client), status)
    assert (await desk.survey(number))["state"] == "failed"


async def test_who_may_be_asked(desk: Desk, clock: Clock) -> None:
    refusals = {}
    for name, number in {
        "too-early": await desk.ticket("repaired"),
        "no-phone": await desk.ticket(contact_phone=""),
    }.items():
        refusals[name] = (await desk.plan(number)).json()["type"]
    assert refusals == {name: name for name in refusals}
    number = await desk.ticket()
    key = {"Idempotency-Key": "same"}
    first, again, second = await desk.plan(number, **key), await desk.plan(number, **key), await desk.plan(number)
    assert (first.status_code, again.json()) == (201, first.json())
    assert (second.status_code, second.json()["type"]) == (409, "survey-exists")
    assert (await desk.plan("000000000000")).status_code == 404
    assert (await desk.plan(number, **{"Idempotency-Key": ""})).status_code == 400
    async with desk.database.read() as session:
        (delivery,) = (await session.scalars(select(Delivery).where(Delivery.channel == "call"))).all()
    assert delivery.not_before == clock()


async def test_not_in_rest_hours(desk: Desk, clock: Clock) -> None:
    clock.advance(hours=8)  # 22:00
    planned = (await desk.plan(await desk.ticket())).json()
    assert planned["due_at"] == "2026-03-05T01:00:00Z"  # 9:00
    async with desk.database.read() as session:
        delivery = await session.get_one(Delivery, planned["delivery_id"])
    assert delivery.not_before == clock.advance(hours=11)


async def test_a_replayed_answer_counts_once(desk: Desk) -> None:
    number = await desk.ticket()
    caller = await desk.call(number)
    target = caller.action
    first = await caller.post(target, Digits="1")
    question = first.gather["action"]
    answers = {(await caller.post(question, Digits="5")).xml for _ in range(3)}
    assert len(answers) == 1
    assert (await caller.post(target, Digits="1")).xml == first.xml
    assert len((await desk.survey(number))["answers"]) == 1


async def test_an_opt_out_calls_off_what_is_planned(desk: Desk, database: Database, service: Headers) -> None:
    """Two tickets of one number: the first call ends in a 9, the second is not made."""
    first, second = await desk.ticket(), await desk.ticket()
    planned = (await desk.plan(second)).json()
    caller = await desk.call(first)
    await caller.press("9", follow=False)
    async with database.read() as session:
        delivery = await session.get_one(Delivery, planned["delivery_id"])
    assert (delivery.state, delivery.error) == ("failed", "opted-out")
    assert (await desk.survey(second))["state"] == "refused"


async def test_a_call_that_was_held_up_into_the_night_waits_for_the_morning(
    desk: Desk, settings: Settings, database: Database, clock: Clock
) -> None:
    planned = (await desk.plan(await desk.ticket())).json()
    async with database.read() as session:
        delivery = await session.get_one(Delivery, planned["delivery_id"])
    asked: list[httpx.Request] = []

    def vendor(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(201, json={"sid": "CA1"})

    deliverer = CallDeliverer(settings, httpx.MockTransport(vendor), clock=clock)
    clock.advance(hours=8)  # 22:00; they rest until 9:00
    assert await deliverer.deliver([delivery]) == Retry("rest hours", after=11 * 3600.0)
    assert not asked
    clock.advance(hours=11)
    assert await deliverer.deliver([delivery]) == Sent("CA1")
    await deliverer.close()


async def test_star_and_words_put_a_question_again(desk: Desk) -> None:
    caller = await desk.call(await desk.ticket())
    await caller.press("*", follow=False)
    assert "评价" in caller.said
    await caller.press("1", follow=False)
    await caller.press("*", follow=False)
    assert "总的来说" in caller.said
    assert "没有听清" not in caller.said
    await caller.say("再说一遍", follow=False)
    assert "总的来说" in caller.said
    assert "没有听清" not in caller.said


async def test_zero_is_a_person(desk: Desk, database: Database) -> None:
    number = await desk.ticket()
    caller = await desk.call(number)
    await caller.press("1", follow=False)
    await caller.press("5", follow=False)
    await caller.press("0", follow=False)
    assert "人工" in caller.said
    assert "要我们回电请按一" in caller.said
    survey = await desk.survey(number)
    assert (survey["state"], len(survey["answers"])) == ("partial", 1)
    async with database.read() as session:
        conversation = (await session.scalars(select(Conversation))).one()
        about = (await session.scalars(select(Message.text))).all()
    assert (conversation.owner, conversation.channel) == ("waiting", "voice")
    assert any(number in text for text in about)
    await desk.over(caller)
    async with database.read() as session:
        assert (await session.scalars(select(Conversation.owner))).one() == "bot"
