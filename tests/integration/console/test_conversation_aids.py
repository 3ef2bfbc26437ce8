"""What a vendor did with a line, how much WeChat still takes, and a translator behind the page."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from api.channels.wechat.tables import Attachment, Follower
from api.conversations.tables import Conversation
from api.db.engine import Database
from api.outbox.tables import Delivery
from api.translation.base import Kind, Language, Refused, Translation
from tests.integration.conftest import Clock
from tests.integration.console.conftest import Desk, SeatDesk
from tests.integration.console.desk import say, seed


async def on_wechat(seat: SeatDesk, database: Database, clock: Clock, **follower: Any) -> Desk:
    """An agent with a WeChat follower's conversation cv_1."""
    desk = await seat(languages=["zh"])
    await seed(
        database,
        clock(),
        channel="wechat",
        owner="agent",
        agent_id=desk.agent.id,
        waiting_since=None,
        deliver_to="open-1",
    )
    async with database.write() as session, session.begin():
        session.add(Follower(open_id="open-1", conversation_id="cv_1", created_at=clock(), **follower))
    return desk


@pytest.mark.parametrize(
    ("state", "words"),
    [("failed", "发送失败 (45015 window)"), ("sent", "已发送"), ("parked", "暂存，等客户下次发消息时送出")],
)
async def test_a_line_tells_how_it_went_out(
    seat: SeatDesk, database: Database, clock: Clock, state: str, words: str
) -> None:
    desk = await on_wechat(seat, database, clock)
    line = await say(database, clock(), "cv_1", "agent", "马上来。", agent_id=desk.agent.id)
    async with database.write() as session, session.begin():
        why = "45015 window" if state == "failed" else ""
        await session.execute(update(Delivery).where(Delivery.message_id == line).values(state=state, error=why))
    html = (await desk.get("/console/c/cv_1")).text
    assert words in html


async def test_the_window_of_wechat_stands_beside_the_composer(
    seat: SeatDesk, database: Database, clock: Clock
) -> None:
    ends = clock() + timedelta(minutes=20)
    desk = await on_wechat(seat, database, clock, window_ends_at=ends, allowance=5, spent=2)
    assert "微信还可以发 3 条，到 14:20 为止" in (await desk.get("/console/c/cv_1")).text
    clock.advance(minutes=21)
    assert "微信现在不能发" in (await desk.get("/console/c/cv_1")).text


async def test_a_picture_is_linked_beside_its_line(seat: SeatDesk, database: Database, clock: Clock) -> None:
    desk = await on_wechat(seat, database, clock)
    line = await say(database, clock(), "cv_1", "customer", "[图片]")
    async with database.write() as session, session.begin():
        common = {
            "conversation_id": "cv_1",
            "message_id": line,
            "attempts": 1,
            "not_before": clock(),
            "created_at": clock(),
        }
        session.add(Attachment(id="at_1", kind="image", media_id="m1", state="kept", **common))
        session.add(Attachment(id="at_2", kind="voice", media_id="m2", state="failed", **common))
    html = (await desk.get("/console/c/cv_1")).text
    assert 'href="/console/attachments/at_1"' in html
    assert "录音：没有取回" in html
    assert (await desk.get("/console/attachments/at_1")).status_code == 404  # its file is not there


class Fake:
    """A provider's translator."""

    name = "fake"
    kind: Kind = "machine"

    def __init__(self, *, refuses: bool) -> None:
        self.refuses = refuses

    async def translate(self, text: str, source: Language, target: Language) -> Translation:
        if self.refuses:
            raise Refused
        return Translation("machine", self.name, f"<{target}> 家里停电了")

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(("refuses", "words"), [(False, "&lt;zh&gt; 家里停电了"), (True, "现在不能翻译")])
async def test_a_translator_is_asked_by_the_page_without_a_click(
    seat: SeatDesk, database: Database, clock: Clock, app: FastAPI, refuses: bool, words: str
) -> None:
    app.state.translator = Fake(refuses=refuses)
    desk = await on_wechat(seat, database, clock)
    async with database.write() as session, session.begin():
        (await session.get_one(Conversation, "cv_1")).language = "en"
    await say(database, clock(), "cv_1", "customer", "There is no power at home")
    html = (await desk.get("/console/c/cv_1")).text
    assert 'hx-get="/console/_/c/cv_1/translation/2" hx-trigger="intersect once"' in html
    assert "translation/1" not in html  # the first line is Chinese
    assert words in (await desk.get("/console/_/c/cv_1/translation/2")).text
    assert (await desk.get("/console/_/c/cv_1/translation/9")).status_code == 404
