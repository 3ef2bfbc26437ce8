"""Signing in to the console, its cookie, its forms' token, its idle time-out."""

import httpx
import pytest

from api.console.navigation import entries
from api.console.session import COOKIE
from tests.integration.conftest import Clock
from tests.integration.console.conftest import SeatDesk


async def test_who_is_not_signed_in_is_led_to_the_sign_in_page(client: httpx.AsyncClient) -> None:
    answer = await client.get("/console")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")
    asked = await client.get("/console/_/alarms", headers={"HX-Request": "true", COOKIE: "x"})
    assert asked.headers["hx-redirect"] == "/console/login"


async def test_a_form_without_its_token_changes_nothing(seat: SeatDesk) -> None:
    desk = await seat()
    refused = await desk.client.post("/console/language", data={"lang": "en"})
    assert refused.status_code == 403
    taken = await desk.post("/console/language", {"lang": "en"})
    assert taken.headers["hx-redirect"]
    assert 'lang="en"' in (await desk.get("/console")).text


@pytest.mark.parametrize("header", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
async def test_a_form_of_another_site_is_refused(seat: SeatDesk, header: dict[str, str]) -> None:
    desk = await seat()
    answer = await desk.client.post("/console/language", data={"lang": "en", "csrf": desk.csrf}, headers=header)
    assert answer.status_code == 403


async def test_a_console_nobody_uses_asks_to_sign_in_again(seat: SeatDesk, clock: Clock) -> None:
    desk = await seat()
    clock.advance(minutes=20)
    assert (await desk.get("/console")).status_code == 200
    clock.advance(minutes=29)
    assert (await desk.get("/console")).status_code == 200
    clock.advance(minutes=31)
    assert (await desk.get("/console")).status_code == 303


@pytest.mark.parametrize(
    ("referer", "to"),
    [
        ("http://desk/console/tickets?x=1", "/console/tickets"),
        ("http://elsewhere.example/console/tickets", "/console"),
        ("http://desk//elsewhere.example/console", "/console"),
        ("", "/console"),
    ],
)
async def test_a_change_of_language_stays_on_the_page(seat: SeatDesk, referer: str, to: str) -> None:
    desk = await seat()
    answer = await desk.client.post(
        "/console/language", data={"lang": "en", "csrf": desk.csrf}, headers={"Referer": referer} if referer else {}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, to)


@pytest.mark.parametrize(
    ("role", "path", "current", "count"),
    [
        ("agent", "/console/c/cv_1", "inbox", 6),
        ("agent", "/console/quality/mine", None, 6),
        ("supervisor", "/console/quality", "supervisor", 7),
        ("dispatcher", "/console/tickets/1", "tickets", 4),
        ("admin", "/console", "inbox", 8),
    ],
)
def test_the_bar_shows_what_a_role_has(role: str, path: str, current: str | None, count: int) -> None:
    found = entries(role, path)
    assert len(found) == count
    assert [entry.key for entry in found if entry.current] == ([current] if current else [])


@pytest.mark.parametrize("path", ["/console/c/%00", "/console/tickets?q=%00", "/api/v1/tickets/%00"])
async def test_addresses_that_no_database_can_hold_are_refused(seat: SeatDesk, path: str) -> None:
    assert (await (await seat()).get(path)).status_code == 400


async def test_texts_that_no_database_can_hold_are_refused(seat: SeatDesk) -> None:
    desk = await seat()
    assert (await desk.post("/console/presence", {"presence": "busy", "more": "a\0b"})).status_code == 422
