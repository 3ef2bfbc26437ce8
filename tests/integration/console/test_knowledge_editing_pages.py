"""Changing articles and replies in the console: who may, what is said beside the form, what agents have at once."""

import re
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from api.audit.tables import AuditEntry
from api.console.pages import words
from api.db.engine import Database
from api.knowledge.drafts import WORDS, _sentences
from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.console.conftest import Desk, SeatDesk
from tests.integration.console.utility import EVIL

CARD = "/console/knowledge/card_refund"
REPLY = {"key": "cj", "group": "closing", "text_zh": "您好，祝您春节快乐。", "text_en": "Hello, and a happy New Year."}


async def article_form(desk: Desk, **changed: str) -> dict[str, Any]:
    """What a browser would send of the article's form."""
    page = (await desk.get(f"{CARD}/edit")).text
    found = re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page)
    found += re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)</textarea>', page)
    form: dict[str, Any] = {name: unescape(text) for name, text in found}
    form.pop("reviewed")
    for name in list(form):
        if name.startswith("step"):
            form[name] = ""
    return form | changed


async def acts(database: Database) -> list[str]:
    async with database.read() as session:
        entries = await session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id))
        return [f"{action} {subject}" for action, subject in entries if action != "read"]


@pytest.mark.parametrize("role", ["supervisor", "admin"])
async def test_a_supervisor_changes_an_article_and_agents_have_it(
    seat: SeatDesk, database: Database, role: str
) -> None:
    lead, agent = await seat("lead", role=role), await seat("mei")
    form = await article_form(lead, body_zh="从今天起，请到营业厅退。", body_en="From today on, at a service hall.")
    assert form["version"] == "0"
    saved = await lead.post(CARD, form | {"reviewed": "true"})
    assert saved.headers["HX-Redirect"] == CARD, saved.text
    page = (await agent.get(CARD)).text
    for text in ("从今天起，请到营业厅退。", "From today on, at a service hall.", "lead", "2026-03-04"):
        assert text in page
    assert "/edit" not in page
    assert "/return" not in page
    assert "从今天起" in (await agent.get("/console/_/knowledge", params={"q": "退费"})).text
    assert await acts(database) == ["article.changed article:card_refund"]


@pytest.mark.parametrize("role", ["agent", "dispatcher"])
async def test_others_read_only(seat: SeatDesk, role: str) -> None:
    desk = await seat(role=role)
    for path in (f"{CARD}/edit", "/console/replies", "/console/replies/greeting"):
        assert (await desk.get(path)).status_code == 403
    for path in (CARD, f"{CARD}/end", f"{CARD}/return", "/console/replies", "/console/replies/greeting/retire"):
        assert (await desk.post(path, {})).status_code == 403
    page = (await desk.get("/console/knowledge")).text
    assert "/console/replies" not in page


@pytest.mark.parametrize(
    ("language", "changed", "told"),
    [
        ("zh", {"body_en": ""}, "正文（英文）：请填写"),
        ("en", {"body_en": ""}, "Answer (English): Please fill it in"),
        ("zh", {"body_zh": "抱歉，不能退。"}, "正文（中文）：请不要对客户用：抱歉"),
        ("en", {"body_zh": "请" * 501}, "Answer (Chinese): Too long: 500"),
        ("en", {"advice_zh": "请看清楚。", "advice_en": ""}, "For agents (English): Please fill it in"),
        ("en", {"spoken_zh": "请来。", "spoken_en": ""}, "Answer, telephone (English): Please fill it in"),
        ("zh", {"step_zh": "请来。", "step_en": "请来。"}, "第1步（英文）：这里要写英文"),
        ("en", {"valid_until": "2025-01-01"}, "Last day: It cannot be before"),
        ("en", {"valid_until": "soon"}, "Last day: This is not a date"),
        ("en", {"keywords_en": " , "}, "Keywords (English): Please fill it in"),
        ("en", {"body_en": EVIL}, "Answer (English): Plain text only"),
    ],
)
async def test_what_cannot_be_saved_is_said_beside_the_form(
    seat: SeatDesk, database: Database, language: str, changed: dict[str, str], told: str
) -> None:
    desk = await seat(role="supervisor", language=language)
    form = await article_form(desk, **changed)
    refused = await desk.post(CARD, form)
    assert (refused.status_code, refused.headers["HX-Retarget"]) == (422, "#knowledge-errors")
    assert told in refused.text
    assert "<script>alert" not in refused.text
    tried = await desk.post("/console/_/knowledge/card_refund/preview", form)
    assert tried.status_code == 200
    assert told in tried.text
    assert "<script>alert" not in tried.text
    assert await acts(database) == [], "nothing was done"


async def test_a_preview_reads_and_speaks(seat: SeatDesk, database: Database) -> None:
    desk = await seat(role="supervisor")
    form = await article_form(desk, spoken_zh="每吨水减0.2元。", spoken_en="0.2 yuan off per ton.")
    page = (await desk.post("/console/_/knowledge/card_refund/preview", form)).text
    assert form["body_zh"] in page
    assert "每吨水减两角" in page
    assert re.search(r"\d+/70", page)
    assert (await desk.get(CARD)).text.count("修改记录") == 0


async def test_who_saves_second_is_told_and_keeps_his_text(seat: SeatDesk, database: Database) -> None:
    first, second = await seat("first", role="supervisor"), await seat("second", role="supervisor", language="en")
    early, late = await article_form(first, title_zh="电卡怎么退"), await article_form(second, title_zh="退电卡的钱")
    assert (await first.post(CARD, early)).status_code == 200
    refused = await second.post(CARD, late)
    assert refused.status_code == 409
    assert "first has changed this meanwhile" in refused.text
    assert 'data-version="1"' in refused.text
    assert (await second.post(CARD, late | {"version": "1"})).headers["HX-Redirect"] == CARD
    assert "退电卡的钱" in (await first.get(CARD)).text
    assert await acts(database) == ["article.changed article:card_refund"] * 2


async def test_history_and_the_shipped_text(seat: SeatDesk, clock: Clock) -> None:
    desk = await seat(role="supervisor")
    await desk.post(CARD, await article_form(desk, title_zh="电卡怎么退"))
    clock.advance(minutes=1)
    await desk.post(CARD, await article_form(desk, title_zh="退电卡的钱"))
    page = (await desk.get(CARD)).text
    for text in ("电卡怎么退", "退电卡的钱", "电卡退费", "修改记录"):
        assert text in page
    assert (await desk.post(f"{CARD}/return", {"version": "2", "to": "1"})).status_code == 200
    assert "<h1>电卡怎么退</h1>" in (await desk.get(CARD)).text
    gone = await desk.post(f"{CARD}/return", {"version": "2", "to": "0"})
    assert gone.status_code == 409
    assert "data-version" not in gone.text
    assert (await desk.post(f"{CARD}/return", {"version": "3", "to": "0"})).status_code == 200
    assert "<h1>电卡退费</h1>" in (await desk.get(CARD)).text


@pytest.mark.parametrize(
    ("until", "mark"), [("2026-03-03", "已过期：2026-03-03"), ("2026-04-03", "有效期到 2026-04-03")]
)
async def test_what_nears_its_end_stands_at_the_top_for_supervisors(seat: SeatDesk, until: str, mark: str) -> None:
    lead, agent = await seat("lead", role="supervisor"), await seat("mei")
    assert 'id="to-look-at"' not in (await lead.get("/console/knowledge")).text
    assert (await lead.post(f"{CARD}/renew", {"version": "0", "valid_until": until})).status_code == 200
    page = (await lead.get("/console/knowledge")).text
    assert mark in page
    assert page.index('id="to-look-at"') < page.index('href="/console/knowledge/arrears_cut_off"')
    assert 'id="to-look-at"' not in (await agent.get("/console/knowledge")).text
    assert (await lead.post(f"{CARD}/renew", {"version": "1", "valid_until": "2026-04-04"})).status_code == 200
    assert 'id="to-look-at"' not in (await lead.get("/console/knowledge")).text


async def test_an_article_is_ended_at_once(seat: SeatDesk, database: Database) -> None:
    lead, agent = await seat("lead", role="supervisor"), await seat("mei")
    assert (await lead.post(f"{CARD}/end", {"version": "0"})).headers["HX-Redirect"] == CARD
    assert "已过期，不要告诉客户" in (await agent.get(CARD)).text
    assert await acts(database) == ["article.ended article:card_refund"]


async def test_a_reply_is_added_changed_retired_and_brought_back(
    seat: SeatDesk, database: Database, conversation: Any
) -> None:
    lead, agent = await seat("lead", role="supervisor"), await seat("mei")
    await conversation("cv_1")

    async def offered() -> str:
        return (await agent.get("/console/_/c/cv_1/picker", params={"q": "cj"})).text

    form = {**REPLY, "nonce": "nc_12345678"}
    for _ in range(2):
        assert (await lead.post("/console/replies", form)).headers["HX-Redirect"] == "/console/knowledge?q=cj"
    assert "祝您春节快乐" in await offered()
    [path] = set(re.findall(r"/console/replies/own_\w+", (await lead.get("/console/knowledge")).text))
    changed = await lead.post(path, {**REPLY, "version": "1", "text_zh": "{name}您好。", "text_en": "Hello {name}."})
    assert changed.headers["HX-Redirect"] == path, changed.text
    assert "{name}您好" in await offered()
    assert (await lead.post(f"{path}/retire", {"version": "2"})).status_code == 200
    assert "{name}您好" not in await offered()
    assert path in (await lead.get("/console/knowledge")).text
    assert "已停用" in (await lead.get(path)).text
    assert (await lead.post(f"{path}/return", {"version": "3", "to": "3"})).status_code == 200
    assert "{name}您好" in await offered()
    name = path.rpartition("/")[2]
    of = [f"{act} reply:{name}" for act in ("reply.changed", "reply.retired", "reply.returned")]
    assert await acts(database) == ["reply.added replies", *of]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"text_en": ""}, "内容（英文）：请填写"),
        ({"text_zh": "{name}您好。"}, "内容（英文）：中文和英文里花括号的内容要一样"),
        ({"text_zh": "{nmae}您好。", "text_en": "Hello {nmae}."}, "{address} {agent} {name} {ticket}"),
        ({"key": "hi"}, "代码：这个代码已经是"),
        ({"key": "春节"}, "代码：请用 1 到 12 个"),
        ({"group": ""}, "类别：请选择"),
    ],
)
async def test_a_reply_that_cannot_be_sent_is_refused(seat: SeatDesk, changed: dict[str, str], told: str) -> None:
    desk = await seat(role="supervisor")
    refused = await desk.post("/console/replies", {**REPLY, "nonce": "nc_12345678", **changed})
    assert refused.status_code == 422
    assert told in refused.text
    page = (await desk.post("/console/_/reply-preview", {**REPLY, **changed})).text
    assert (told in page) is ("key" not in changed or changed["key"] != "hi")


async def test_the_pages_show_nobodys_markup(seat: SeatDesk, settings: Settings) -> None:
    (settings.home / "replies.yml").write_text(
        f"replies:\n- {{id: evil, key: ev, group: wait, text: {{zh: '您{EVIL}', en: 'x {EVIL}'}}}}\n", encoding="utf-8"
    )
    desk = await seat(role="supervisor")
    for path in ("/console/knowledge", "/console/replies/evil"):
        page = (await desk.get(path)).text
        assert "ev" in page
        assert "<script>alert" not in page


@pytest.mark.parametrize("path", [f"{CARD}x", f"{CARD}x/edit", "/console/replies/none"])
async def test_what_is_not_there(seat: SeatDesk, path: str) -> None:
    desk = await seat(role="supervisor")
    answer: httpx.Response = await desk.get(path)
    assert answer.status_code == 404


def test_the_sentences_stand_in_both_languages() -> None:
    assert WORDS.is_file()
    for part in _sentences().values():
        for name, pair in part.items():
            assert set(pair) == {"zh", "en"}, name
            assert set(re.findall(r"\{\w+\}", pair["zh"])) == set(re.findall(r"\{\w+\}", pair["en"])), name
    for act in ("added", "changed", "retired", "returned", "kept"):
        assert f"knowledge.act_{act}" in words()
