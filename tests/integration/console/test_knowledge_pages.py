"""The knowledge page: searching, both languages side by side, what has expired is marked."""

import pytest

from api.settings import Settings
from tests.integration.conftest import Clock
from tests.integration.console.conftest import SeatDesk
from tests.integration.console.utility import EVIL

OLD = f"""
id: old_rule
utility: power
title: {{zh: 旧规定, en: An old rule}}
body: {{zh: "旧的{EVIL}", en: "Old {EVIL}"}}
keywords: {{zh: [旧规定], en: [old rule]}}
source: {{processes: [B7], document: {{zh: 旧手册, en: Old manual}}}}
valid_until: 2026-01-31
reviewed_on: 2025-12-01
"""


@pytest.mark.parametrize("role", ["agent", "supervisor", "dispatcher", "admin"])
@pytest.mark.parametrize(("language", "title"), [("zh", "电表前的闸刀"), ("en", "The knife switch before the meter")])
async def test_everybody_looks_up(seat: SeatDesk, role: str, language: str, title: str) -> None:
    desk = await seat(role=role, language=language)
    page = await desk.get("/console/knowledge")
    assert page.status_code == 200
    assert title in page.text


@pytest.mark.parametrize("words", ["闸刀", "zhadao", "knife switch"])
async def test_words_pinyin_and_english_find_it(seat: SeatDesk, words: str) -> None:
    desk = await seat()
    for path in ("/console/knowledge", "/console/_/knowledge"):
        page = (await desk.get(path, params={"q": words})).text
        assert "/console/knowledge/knife_switch" in page
        assert "/console/knowledge/water_yellow" not in page


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_an_article_in_both_languages_with_its_source(seat: SeatDesk, language: str) -> None:
    desk = await seat(language=language)
    page = (await desk.get("/console/knowledge/knife_switch")).text
    for words in ("为了您的安全", "For your safety", "B14", "2026-01-01", "2026-11-20", "请不要指导客户合闸"):
        assert words in page


@pytest.mark.parametrize(("language", "words"), [("zh", "已过期，不要告诉客户"), ("en", "It has expired")])
async def test_what_has_expired_is_marked(
    seat: SeatDesk, settings: Settings, clock: Clock, language: str, words: str
) -> None:
    (settings.home / "articles").mkdir()
    (settings.home / "articles" / "old_rule.yml").write_text(OLD, encoding="utf-8")
    desk = await seat(language=language)
    article = (await desk.get("/console/knowledge/old_rule")).text
    assert words in article
    assert EVIL not in article
    found = (await desk.get("/console/_/knowledge", params={"q": "旧规定"})).text
    assert 'class="badge bad"' in found
    assert EVIL not in found


async def test_what_is_not_there(seat: SeatDesk) -> None:
    desk = await seat()
    assert (await desk.get("/console/knowledge/none")).status_code == 404
    page = await desk.get("/console/knowledge", params={"q": EVIL[:60]})
    assert page.status_code == 200
    assert "<script>alert" not in page.text


async def test_replies_by_their_code(seat: SeatDesk) -> None:
    desk = await seat(language="en")
    page = (await desk.get("/console/_/knowledge", params={"q": "hi"})).text
    assert "<kbd>hi</kbd>" in page
    assert "{agent}" in page
