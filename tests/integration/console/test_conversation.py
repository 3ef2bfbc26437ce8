"""The conversation's page: its lines, what is new, writing once, notes that no customer gets, and the acts."""

import re
from typing import Any

import pytest
from sqlalchemy import select

from api.conversations.insight import Understood, write_understanding
from api.conversations.notes import add_note
from api.conversations.rules import content_hash
from api.conversations.tables import Choice, Conversation, Message
from api.db.engine import Database
from tests.integration.conftest import Clock
from tests.integration.console.conftest import Desk, SeatDesk
from tests.integration.console.desk import field, lines_of, nonce, say, seed


async def mine(seat: SeatDesk, database: Database, clock: Clock, **fields: Any) -> Desk:
    """An agent who has the conversation cv_1."""
    desk = await seat(
        "mei", name="小梅", **{key: fields.pop(key) for key in ("language", "languages") if key in fields}
    )
    given = {"owner": "agent", "agent_id": desk.agent.id, "waiting_since": None, "unanswered_since": clock()}
    await seed(database, clock(), **(given | fields))
    return desk


def shown(html: str) -> list[int]:
    return [int(seq) for seq in re.findall(r'id="line-(\d+)"', html)]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh", ("客户", "自动助手", "识别为 报停电 92%", "已选", "身份已核实 ******5678", "您在接待")),
        ("en", ("Customer", "Assistant", "understood as: power is off 92%", "taken", "Verified ******5678", "Yours")),
    ],
)
async def test_the_transcript_tells_who_what_and_how_it_was_understood(
    seat: SeatDesk, database: Database, clock: Clock, language: str, words: tuple[str, ...]
) -> None:
    desk = await mine(seat, database, clock, language=language, account_number="1234005678", verified_at=clock())
    asked = await say(database, clock(), "cv_1", "bot", "请问是整栋楼没电吗？", ("是", "只有我家"))
    async with database.write() as session, session.begin():
        first = await session.scalar(select(Message.id).where(Message.conversation_id == "cv_1", Message.seq == 1))
        understood = Understood(intent="report_outage", confidence=0.918)
        await write_understanding(session, str(first), "cv_1", "zh", understood, clock())
        token = await session.scalar(select(Choice.token).where(Choice.message_id == asked, Choice.position == 1))
    await say(database, clock(), "cv_1", "customer", "只有我家", content_hash=content_hash("choice", str(token)))
    await say(database, clock(), "cv_1", "system", "请远离电线。", alert=True)
    html = (await desk.get("/console/c/cv_1")).text
    assert shown(html) == [1, 2, 3, 4]
    assert all(word in html for word in words)
    assert "✓ 只有我家" in html
    assert 'class="line system alert"' in html
    assert "14:00" in html


async def test_lines_after_are_new_ones_only_and_nothing_comes_twice(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    desk = await mine(seat, database, clock)
    page = (await desk.get("/console/c/cv_1")).text
    state = {name: field(page, name) for name in ("after", "noted", "mark")}
    assert state["after"] == "1"
    await say(database, clock(), "cv_1", "customer", "还在吗？")
    await desk.post("/console/c/cv_1/note", {"nonce": nonce(), "text": "先查表箱"})
    news = (await desk.get("/console/_/c/cv_1/lines", params=state)).text
    assert shown(news) == [2]
    assert news.count("先查表箱") == 1
    assert 'id="composer"' not in news
    assert 'id="about-1"' not in news  # there is nothing about it
    async with database.write() as session, session.begin():
        first = await session.scalar(select(Message.id).where(Message.conversation_id == "cv_1", Message.seq == 1))
        understood = Understood(intent="report_outage", confidence=0.918)
        await write_understanding(session, str(first), "cv_1", "zh", understood, clock())
    again = {name: field(news, name) for name in ("after", "noted", "mark")}
    assert again["after"] == "2"
    nothing = (await desk.get("/console/_/c/cv_1/lines", params=again)).text
    assert shown(nothing) == []
    assert 'id="about-1"' in nothing  # which was learned since
    assert "先查表箱" not in nothing
    clock.advance(seconds=1)
    await desk.post("/console/c/cv_1/note", {"nonce": nonce(), "text": "再查电表"})
    third = (await desk.get("/console/_/c/cv_1/lines", params=again)).text
    assert "再查电表" in third
    assert "先查表箱" not in third


async def test_a_long_history_comes_in_parts(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await mine(seat, database, clock)
    for number in range(2, 131):
        await say(database, clock(), "cv_1", "customer", f"第 {number} 句")
    html = (await desk.get("/console/c/cv_1")).text
    assert shown(html) == list(range(31, 131))
    assert "/earlier?before=31" in html
    earlier = (await desk.get("/console/_/c/cv_1/earlier", params={"before": 31})).text
    assert shown(earlier) == list(range(1, 31))
    assert "before=" not in earlier


async def test_a_form_that_is_sent_twice_says_it_once(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await mine(seat, database, clock)
    form = {"nonce": field((await desk.get("/console/c/cv_1")).text, "nonce"), "text": "马上为您查。"}
    first = await desk.post("/console/c/cv_1/reply", form)
    second = await desk.post("/console/c/cv_1/reply", form)
    assert (first.status_code, second.status_code) == (200, 200)
    assert [line for line in await lines_of(database, "cv_1") if line[0] == "agent"] == [("agent", "马上为您查。")]
    assert field(first.text, "nonce") != form["nonce"]
    other = await desk.post("/console/c/cv_1/reply", form | {"text": "别的话"})
    assert other.status_code == 409
    assert "别的话" not in str(await lines_of(database, "cv_1"))


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (" \n ", 422, "还没有写内容"),
        ("好" * 1001, 422, "内容太长"),
        ("{name}您好", 422, "还没有填"),
        ("好" * 1000, 200, "已发送"),
    ],
)
async def test_what_cannot_be_sent_is_refused_with_a_reason(
    seat: SeatDesk, database: Database, clock: Clock, text: str, status: int, words: str
) -> None:
    desk = await mine(seat, database, clock)
    answer = await desk.post("/console/c/cv_1/reply", {"nonce": nonce(), "text": text})
    assert answer.status_code == status
    assert words in answer.text
    assert len(await lines_of(database, "cv_1")) == (2 if status == 200 else 1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"owner": "waiting"}, "接待后才能回复"),
        ({"owner": "bot", "waiting_since": None}, "自动助手会停止说话"),
        ({"owner": "bot", "waiting_since": None, "closed_at": True}, "会话已经结束"),
        ({"owner": "agent", "waiting_since": None, "agent_id": True}, "li 在接待，您不能回复"),
    ],
)
async def test_who_does_not_own_it_cannot_write_and_is_told_why(
    seat: SeatDesk, database: Database, clock: Clock, fields: dict[str, Any], words: str
) -> None:
    mei, li = await seat("mei"), await seat("li")
    fields = fields | ({"agent_id": li.agent.id} if "agent_id" in fields else {})
    fields |= {"closed_at": clock()} if "closed_at" in fields else {}
    await seed(database, clock(), **fields)
    async with database.write() as session, session.begin():  # so that she may open it, whoever has it
        await add_note(session, await session.get_one(Conversation, "cv_1"), li.agent.id, "note", "@mei", clock())
    html = (await mei.get("/console/c/cv_1")).text
    assert words in html
    assert re.search(r'<textarea id="reply-text"[^>]* disabled', html)
    refused = await mei.post("/console/c/cv_1/reply", {"nonce": nonce(), "text": "您好"})
    assert refused.status_code == 409
    assert len(await lines_of(database, "cv_1")) == 1


async def test_a_conversation_taken_away_bars_the_composer_at_once(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    mei = await mine(seat, database, clock)
    boss = await seat("boss", role="supervisor")
    page = (await mei.get("/console/c/cv_1")).text
    assert (await boss.post("/console/c/cv_1/take-over")).headers["hx-redirect"] == "/console/c/cv_1"
    state = {name: field(page, name) for name in ("after", "noted", "mark")}
    news = (await mei.get("/console/_/c/cv_1/lines", params=state)).text
    assert 'id="composer"' in news
    assert "boss 在接待" in news
    assert (await mei.post("/console/c/cv_1/take-over")).status_code == 403


async def test_a_note_is_marked_and_never_reaches_the_customer(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    desk = await mine(seat, database, clock)
    await desk.post("/console/c/cv_1/note", {"nonce": nonce(), "text": "<i>此人</i>已欠费三月"})
    html = (await desk.get("/console/c/cv_1")).text
    assert "&lt;i&gt;此人" in html
    assert 'class="note note"' in html
    assert "内部备注" in html
    assert all("欠费" not in text for _, text in await lines_of(database, "cv_1"))


async def test_only_supervisors_whisper(seat: SeatDesk, database: Database, clock: Clock) -> None:
    mei = await mine(seat, database, clock)
    boss = await seat("boss", role="supervisor")
    form = {"text": "请先安抚", "kind": "whisper"}
    assert (await mei.post("/console/c/cv_1/note", {"nonce": nonce(), **form})).status_code == 403
    assert (await boss.post("/console/c/cv_1/note", {"nonce": nonce(), **form})).status_code == 200
    assert "班长提示" in (await mei.get("/console/c/cv_1")).text
    assert len(await lines_of(database, "cv_1")) == 1


async def test_canned_replies_come_in_the_customers_language_filled_in(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    desk = await mine(seat, database, clock, language="zh", channel="web")
    async with database.write() as session, session.begin():
        (await session.get_one(Conversation, "cv_1")).language = "en"
    html = (await desk.get("/console/_/c/cv_1/picker", params={"q": "hi"})).text
    assert 'data-insert="Hello, this is 小梅 of the service desk.' in html
    assert "您好，我是人工客服小梅" in html
    everything = (await desk.get("/console/_/c/cv_1/picker")).text
    assert "知识库" in everything
    assert "来源：" in everything
    assert (await desk.get("/console/_/c/cv_1/picker", params={"q": "zzzzqqqq"})).text.count("没有找到") == 1


async def test_terms_stand_under_a_line_that_the_agent_does_not_read(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    desk = await mine(seat, database, clock, languages=["zh"], said="There is a power cut and low water pressure")
    html = (await desk.get("/console/c/cv_1")).text
    assert "术语对照，不是翻译" in html
    assert "停电" in html
    assert html.index("There is a power cut") < html.index("术语对照")
    both = await seat("li", languages=["zh", "en"])
    assert "术语对照" not in (await both.get("/console/c/cv_1")).text


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_every_act_leads_on_and_the_inbox_says_what_happened(
    seat: SeatDesk, database: Database, clock: Clock, language: str
) -> None:
    desk = await mine(seat, database, clock, language=language)
    await seat("li", name="小李")
    unsaid = await desk.post("/console/c/cv_1/transfer", {"to": "li"})
    assert unsaid.status_code == 422
    passed = await desk.post("/console/c/cv_1/transfer", {"to": "li", "note": "懂水表"})
    assert passed.headers["hx-redirect"] == "/console?done=transferred"
    assert 'class="notice good"' in (await desk.get("/console?done=transferred")).text
    assert 'class="notice good"' not in (await desk.get("/console?done=nonsense")).text
    async with database.read() as session:
        assert (await session.get_one(Conversation, "cv_1")).handover_reason == "transfer"
    assert "懂水表" in (await desk.get("/console/c/cv_1")).text


async def test_an_absent_colleague_gets_it_only_if_one_insists(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    desk = await mine(seat, database, clock)
    await seat("li", presence="away")
    form = {"to": "li", "note": "明早处理"}
    refused = await desk.post("/console/c/cv_1/transfer", form)
    assert refused.status_code == 409
    assert "现在不在" in refused.text
    assert (await desk.post("/console/c/cv_1/transfer", form | {"force": "true"})).status_code == 200


async def test_handing_back_tells_the_bot_what_was_agreed(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await mine(seat, database, clock)
    answer = await desk.post("/console/c/cv_1/release", {"summary": "明天上午换表"})
    assert answer.headers["hx-redirect"] == "/console?done=handed_back"
    async with database.read() as session:
        row = await session.get_one(Conversation, "cv_1")
    assert (row.owner, row.briefing["summary"]) == ("bot", "明天上午换表")


async def test_closing_needs_an_outcome(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await mine(seat, database, clock)
    assert (await desk.post("/console/c/cv_1/close", {"outcome": ""})).status_code == 422
    assert (await desk.post("/console/c/cv_1/close", {"outcome": "solved", "note": "已复电"})).status_code == 200
    async with database.read() as session:
        assert (await session.get_one(Conversation, "cv_1")).outcome == "solved"


async def test_language_and_call_back_are_set_in_the_page(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await mine(seat, database, clock)
    assert "英文" in (await desk.post("/console/c/cv_1/language", {"lang": "en"})).text
    assert (await desk.post("/console/c/cv_1/callback", {"phone": "123"})).status_code == 422
    assert "已登记回电" in (await desk.post("/console/c/cv_1/callback", {"phone": "13812345678"})).text


async def test_an_unknown_conversation_is_not_found(seat: SeatDesk) -> None:
    desk = await seat()
    for path in (
        "/console/c/cv_9",
        "/console/_/c/cv_9/lines",
        "/console/_/c/cv_9/earlier?before=1",
        "/console/_/c/cv_9/picker",
    ):
        assert (await desk.get(path)).status_code == 404
