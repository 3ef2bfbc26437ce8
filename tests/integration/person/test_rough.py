"""Calls as they are in the end: forms with little in them, keys where none are asked for, danger while waiting."""

import httpx
import pytest
from sqlalchemy import select

from api.channels.voice.tables import Call
from api.conversations.tables import Callback, Conversation, Message
from api.db.engine import Database
from api.network.tables import Place, ServicePoint
from api.settings import Settings
from api.tickets.tables import Ticket
from tests.integration.caller import FORM, Caller, signed
from tests.integration.conftest import Clock
from tests.integration.person.line import Desk, Line, hand_over

Headers = dict[str, str]


class Bare(Caller):
    """Its forms hold nothing but who calls whom."""

    @property
    def fields(self) -> dict[str, str]:
        return {"CallSid": self.sid, "From": self.number, "To": "+862160000000"}


async def test_a_form_that_names_no_account_is_of_the_token_s(client: httpx.AsyncClient) -> None:
    caller = await Bare(client).dial()
    assert "自动助手" in caller.said
    await caller.go("/voice/turn", Digits="1")
    assert "有什么可以帮您" in caller.said


@pytest.mark.parametrize(
    "request_of",
    [
        {},
        {"json": {}},
        {"content": b"x" * 70_000},
        {"content": b"CallSid=CA1", "headers": {"Content-Type": FORM}},
        {"content": b"CallSid=CA1", "headers": {"Content-Type": FORM, "X-Twilio-Signature": ""}},
    ],
)
async def test_whatever_is_unsigned_is_forbidden(client: httpx.AsyncClient, request_of: dict[str, object]) -> None:
    answer = await client.post("/voice/incoming", **request_of)  # type: ignore[arg-type]
    assert answer.status_code == 403


async def test_signed_and_too_large(client: httpx.AsyncClient) -> None:
    fields = {"CallSid": "CA1", "SpeechResult": "x" * 70_000}
    body = "&".join(f"{name}={value}" for name, value in fields.items())
    answer = await client.post("/voice/turn", content=body, headers=signed("/voice/turn", fields))
    assert answer.status_code == 413


@pytest.mark.parametrize("public_url", ["https://desk.example.com:8443", "https://desk.example.com/front/"])
async def test_public_urls_with_ports_and_prefixes(
    app: object, settings: Settings, client: httpx.AsyncClient, public_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.state, "settings", settings.model_copy(update={"public_url": public_url}))  # type: ignore[attr-defined]
    fields = {"CallSid": "CA1", "From": "+8613800138000"}
    headers = signed("/voice/incoming", fields, public_url=public_url.rstrip("/"))
    body = "CallSid=CA1&From=%2B8613800138000"
    assert (await client.post("/voice/incoming", content=body, headers=headers)).status_code == 200


async def test_silence_counts_from_the_first_question(line: Line, desk: Desk) -> None:
    await line.dial()
    await line.silence()
    assert "speech" in line.heard.gather["input"]
    await line.silence()
    assert line.heard.gather["input"] == "dtmf"
    await line.silence()
    await line.silence(follow=False)
    assert (await desk.row(line)).owner == "waiting"


async def test_a_known_caller_s_silence_takes_his_language(client: httpx.AsyncClient) -> None:
    await (await Line(client).dial()).press("2")
    line = await Line(client).dial()
    await line.silence()
    assert "How may I help you" in line.said
    await line.silence()
    assert "speech" in line.heard.gather["input"]


async def test_who_answers_with_keys_gets_a_menu_of_keys(line: Line) -> None:
    await line.dial()
    await line.press("1")
    await line.press("7")
    assert "没有这个按键" in line.said
    assert "停电请按一" in line.said
    assert line.heard.gather["input"] == "speech dtmf"


async def test_keys_only_does_not_ask_to_speak(line: Line) -> None:
    await line.dial()
    await line.press("1")
    await line.silence()
    await line.silence()
    assert line.heard.gather["input"] == "dtmf"
    assert "直接说" not in line.said
    assert "也可以说" not in line.said


# -- while nobody is there --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", ["offer", "number", "key"])
async def test_danger_is_heard_at_every_question(line: Line, desk: Desk, database: Database, question: str) -> None:
    await hand_over(line, desk)
    if question != "offer":
        await line.press("1", follow=False)
    if question == "key":
        await line.press("2", follow=False)
    assert f"ask={question}&" in line.action
    await line.say("着火了，电线在冒烟", confidence="0.1", follow=False)
    assert line.said.strip().startswith("请马上离开")
    assert "工单号" in line.said
    assert "留言" not in line.said
    async with database.read() as session:
        ticket = (await session.scalars(select(Ticket))).one()
        assert ticket.priority == 1
        said = select(Message.text).where(Message.sender == "customer")
        assert "着火了，电线在冒烟" in list(await session.scalars(said))
    await line.press("2", follow=False)
    assert "Record" not in line.heard.verbs


async def test_who_wants_a_person_is_not_told_that_he_was_not_understood(line: Line, desk: Desk) -> None:
    await hand_over(line, desk)
    for _ in range(2):
        await line.say("我就要人工", follow=False)
        assert "没有听清" not in line.said
        assert "没有人工客服在线" in line.said
    await line.say("我就要人工", follow=False)
    assert "给您回电" in line.said
    assert "Hangup" not in line.heard.verbs


async def test_a_matter_told_at_the_offer_goes_to_the_assistant(line: Line, desk: Desk, database: Database) -> None:
    await hand_over(line, desk)
    await line.say("和泰花园四栋停电了", follow=False)
    assert "back=1" in line.heard.redirect
    row = await desk.row(line)
    assert row.owner == "bot"
    async with database.read() as session:
        said = select(Message.text).where(Message.conversation_id == row.id, Message.sender == "customer")
        assert list(await session.scalars(said)) == ["和泰花园四栋停电了"]


async def test_goodbye_at_the_offer(line: Line, desk: Desk) -> None:
    await hand_over(line, desk)
    await line.say("不用了，再见", follow=False)
    assert line.heard.verbs[-1] == "Hangup"
    assert "没有听清" not in line.said
    await line.over()
    assert (await desk.row(line)).owner == "bot"


@pytest.mark.parametrize("wish", ["再说一遍", "说慢一点", "*"])
async def test_the_offer_is_said_again_without_a_reproach(line: Line, desk: Desk, wish: str) -> None:
    await hand_over(line, desk)
    for _ in range(5):
        await (line.press(wish, follow=False) if wish == "*" else line.say(wish, follow=False))
        assert "留言请按二" in line.said
        assert "没有听清" not in line.said
    assert ("slow" in line.heard.xml) is (wish == "说慢一点")


async def test_keys_may_be_said(line: Line, desk: Desk, database: Database) -> None:
    await hand_over(line, desk)
    await line.say("按一", follow=False)
    await line.say("不用换，就这个号码", follow=False)
    async with database.read() as session:
        assert await session.scalar(select(Callback.phone)) == "13800138000"


async def test_a_number_is_begun_again_without_a_reproach(line: Line, desk: Desk) -> None:
    await hand_over(line, desk)
    await line.press("1", follow=False)
    await line.press("2", follow=False)
    await line.press("1391234*", follow=False)
    assert "号码不对" not in line.said
    await line.silence(follow=False)
    assert "号码不对" not in line.said
    await line.press("12", follow=False)
    assert "号码不对" in line.said


# -- after the call ---------------------------------------------------------------------------------------------------


async def test_who_has_hung_up_is_not_put_in_the_queue(line: Line, desk: Desk, database: Database) -> None:
    """The caller pressed 0 and hung up: the bot hands over a call that is over."""
    await line.dial()
    await line.press("1")
    await line.over()
    await desk.act(line, "handover", None, reason="wish")
    row = await desk.row(line)
    assert (row.owner, row.closed_at is not None) == ("bot", True)


async def test_words_that_arrive_after_the_end_are_kept_and_queue_nobody(
    line: Line, desk: Desk, database: Database, clock: Clock
) -> None:
    await line.dial()
    await line.press("1")
    await line.over()
    await line.say("着火了，电线在冒烟", follow=False)
    row = await desk.row(line)
    assert (row.owner, row.closed_at is not None) == ("bot", True)
    async with database.read() as session:
        assert (await session.scalars(select(Ticket))).one().priority == 1
        waiting = await session.scalars(select(Conversation).where(Conversation.owner == "waiting"))
        assert not list(waiting)
        assert (await session.get_one(Call, line.sid)).ended_at is not None


async def test_the_agent_hears_a_place_that_no_ticket_names_yet(
    line: Line, desk: Desk, database: Database, client: httpx.AsyncClient, clock: Clock
) -> None:
    async with database.write() as session, session.begin():
        session.add(Place(id="p1", kind="estate", name_zh="和泰花园", name_en="Hetai Garden", area_class="urban"))
        await session.flush()
        for number in ("4", "11"):
            session.add(
                ServicePoint(
                    id=f"s{number}", place_id="p1", number=number, address_zh=f"和泰花园{number}栋",
                    address_en=f"Building {number}, Hetai Garden", area_class="urban",
                )
            )  # fmt: skip
    await line.dial()
    await line.press("1")
    await line.say("我家停电了，和泰花园4栋", follow=False)
    await line.go("/voice/turn", follow=False, SpeechResult="不对，是和泰花园11栋2单元")
    await desk.act(line, "handover", None, reason="wish")
    await desk.act(line, "claim")
    await line.go("/voice/turn?step=4", follow=False)
    asked, told = await line.take("1")
    assert "地点，和泰花园十一栋" in told.text
    assert "四栋" not in told.text.split("事情")[0]
    assert "和泰花园" not in asked.text
