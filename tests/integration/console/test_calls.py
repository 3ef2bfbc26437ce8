"""The page of calls where the telephone is off, in both languages and for every role."""

import pytest

from tests.integration.console.conftest import SeatDesk


@pytest.mark.parametrize(("language", "words"), [("zh", "没有配置呼出电话"), ("en", "not configured to make calls")])
async def test_a_desk_without_a_telephone_says_so(seat: SeatDesk, language: str, words: str) -> None:
    desk = await seat(language=language)
    for path in ("/console/calls", "/console/_/calls"):
        answer = await desk.get(path)
        assert answer.status_code == 200
        assert words in answer.text
    assert (await desk.get("/console/_/call")).text.strip() == ""


async def test_a_dispatcher_has_no_calls(seat: SeatDesk) -> None:
    desk = await seat(role="dispatcher")
    assert (await desk.get("/console/calls")).status_code == 403
    assert (await desk.get("/console/_/call")).text == ""
