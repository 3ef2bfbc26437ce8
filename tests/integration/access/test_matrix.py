"""The role matrix against the app: every endpoint, everybody, by a real request."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from api.access import REFUSED, Access, MatrixFault, Row, endpoints, matrix, read_matrix
from api.db.engine import Database
from tests.integration.access.conftest import PEOPLE, Knocker, knock, turned_away

AT_THE_API = ("nobody", "a false token", "customer", "a cookie's value as a token", "service", "bot", *PEOPLE)
AT_THE_CONSOLE = tuple(f"{role}@console" for role in PEOPLE)


def rows() -> list[Row]:
    """Signing out comes last: whoever did has no token any more."""
    return sorted(matrix(), key=lambda row: row.path.endswith("/logout"))


def expected(row: Row, knocker: Knocker) -> bool:
    """Whether the matrix lets somebody in. The console knows cookies only, everything else tokens only."""
    at_the_console = knocker.name.endswith("@console")
    return knocker.role in row.who and row.path.startswith("/console") is at_the_console


def refused_by_the_matrix(row: Row, answer: httpx.Response) -> bool:
    if not turned_away(row, answer):
        return False
    if answer.status_code != 403 or row.path.startswith("/console"):
        return True
    return bool(answer.json()["detail"] == REFUSED)


@pytest.mark.parametrize("who", [*AT_THE_API, *AT_THE_CONSOLE])
async def test_everybody_is_let_in_exactly_where_the_matrix_says_so(
    who: str, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    knocker, wrong = knockers[who], []
    for row in rows():
        if row.unsigned:
            continue
        answer = await knock(door, knocker, row.method, row.path)
        if answer.status_code == 500 or refused_by_the_matrix(row, answer) is expected(row, knocker):
            wrong.append(f"{row.method} {row.path}: {answer.status_code} {answer.text[:80]!r}")
    assert wrong == []


@pytest.mark.parametrize("who", [*AT_THE_API, *AT_THE_CONSOLE])
async def test_a_customers_chat_is_open_to_its_customer_alone(
    who: str, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    for row in rows():
        if "customer" in row.who:
            answer = await knock(door, knockers[who], row.method, row.path)
            assert answer.status_code in (401, 404, 422), row
            assert "messages" not in answer.text or answer.status_code == 422


@pytest.mark.parametrize("who", ["nobody", "service", "admin", "customer"])
async def test_vendors_sign_what_they_send_and_no_token_stands_for_that(
    who: str, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    for row in rows():
        if "vendor" in row.who:
            assert (await knock(door, knockers[who], row.method, row.path)).status_code in (400, 403), row


async def test_what_is_public_asks_nobody_who_he_is(door: httpx.AsyncClient, knockers: dict[str, Knocker]) -> None:
    for row in rows():
        if "public" in row.who:
            path = {"/static": "/static/index.html", "/docs/assets": "/docs/assets/swagger-ui.css"}.get(row.path)
            answer = await knock(door, knockers["nobody"], row.method, path or row.path)
            assert answer.status_code not in (401, 403), row
            assert answer.status_code != 404 or "oidc" in row.path, row  # no provider is configured


async def test_every_route_of_the_app_has_its_row_and_every_row_its_route(app: FastAPI) -> None:
    assert {(method, path) for method, path, _ in endpoints(app)} == {(row.method, row.path) for row in matrix()}
    assert len(matrix()) > 80


def _route(app: FastAPI, path: str, name: str = "") -> Callable[[], dict[str, str]]:
    def endpoint() -> dict[str, str]:
        return {}

    app.add_api_route(path, endpoint, name=name or None)
    return endpoint


async def test_the_desk_does_not_start_with_a_route_that_nobody_thought_of(app: FastAPI) -> None:
    _route(app, "/api/v1/new")
    with pytest.raises(MatrixFault, match=r"no rows in api/access\.yml for GET /api/v1/new"):
        Access(app, matrix())


async def test_nor_with_a_row_that_has_no_route_or_a_function_with_two_rows(app: FastAPI) -> None:
    everybody = frozenset({"service"})
    gone = Row("GET", "/api/v1/gone", everybody, "gone")
    with pytest.raises(MatrixFault, match="rows without a route: GET /api/v1/gone"):
        Access(app, (*matrix(), gone))
    app.add_api_route("/api/v1/other", _route(app, "/api/v1/one"))
    one, other = (Row("GET", f"/api/v1/{name}", everybody, name) for name in ("one", "other"))
    with pytest.raises(MatrixFault, match="functions of their own"):
        Access(app, (*matrix(), one, other))


async def test_a_route_that_came_later_is_refused_to_everybody(
    app: FastAPI, door: httpx.AsyncClient, knockers: dict[str, Knocker]
) -> None:
    _route(app, "/api/v1/new")
    for who in AT_THE_API:
        assert (await knock(door, knockers[who], "GET", "/api/v1/new")).status_code == 403


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("{who: [king], what: x}", "nobody we know: king"),
        ("{who: [service]}", "needs `who` and `what`"),
        ("{who: [], what: x}", "needs `who` and `what`"),
        ("{who: [service, public], what: x}", "open and closed at once"),
        ("{who: [service], what: x, read: y}", "unknown fields: read"),
        ("{who: [service], what: x, what: y}", "twice: what"),
    ],
)
def test_a_matrix_with_a_mistake_is_refused(row: str, fault: str) -> None:
    with pytest.raises(MatrixFault, match=fault):
        read_matrix(f"sets: {{}}\nrows:\n  /x: {{GET: {row}}}")


async def test_a_token_counts_only_until_its_agent_leaves(
    door: httpx.AsyncClient, knockers: dict[str, Knocker], database: Database
) -> None:
    from api.agents.tables import Agent

    assert (await knock(door, knockers["admin"], "GET", "/api/v1/agents")).status_code == 200
    async with database.write() as session, session.begin():
        (await session.get_one(Agent, "ag_admin")).active = False
    assert (await knock(door, knockers["admin"], "GET", "/api/v1/agents")).status_code == 401


#: The cells whose mistake would cost most, written by hand and not from the matrix: who may not, then who may.
DANGEROUS: list[tuple[str, str, Any, tuple[str, ...], tuple[str, ...]]] = [
    ("GET", "/api/v1/conversations/cv_1/transcript", None, ("bot", "dispatcher", "customer"), ("agent", "supervisor")),
    ("GET", "/api/v1/conversations", None, ("bot", "dispatcher", "nobody"), ("agent",)),
    ("GET", "/api/v1/accounts/2046810097", None, ("bot", "dispatcher", "customer"), ("agent",)),
    ("GET", "/api/v1/contact-records", None, ("bot", "dispatcher", "nobody"), ("agent",)),
    ("POST", "/api/v1/agents", {}, ("bot", "agent", "supervisor", "dispatcher", "nobody"), ("admin", "service")),
    ("GET", "/api/v1/agents", None, ("bot", "customer", "nobody"), ("agent",)),
    ("GET", "/api/v1/audit", None, ("bot", "agent", "supervisor", "dispatcher", "nobody"), ("admin", "service")),
    ("POST", "/api/v1/conversations/cv_1/reply", {}, ("bot", "dispatcher", "customer", "nobody"), ("agent",)),
    ("POST", "/api/v1/conversations/cv_1/claim", {}, ("bot", "dispatcher", "nobody"), ("agent",)),
    ("POST", "/api/v1/conversations/cv_1/close", {}, ("bot", "dispatcher", "customer"), ("agent",)),
    ("POST", "/api/v1/bulletins", {}, ("bot", "agent", "dispatcher", "nobody"), ("supervisor", "admin")),
    ("POST", "/api/v1/outages", {}, ("bot", "agent", "customer", "nobody"), ("dispatcher", "supervisor")),
    ("PATCH", "/api/v1/outages/1", {}, ("bot", "agent", "nobody"), ("dispatcher",)),
    ("GET", "/api/v1/callbacks", None, ("bot", "dispatcher", "nobody"), ("agent",)),
    ("POST", "/api/v1/callbacks/1/call", {}, ("bot", "dispatcher", "nobody"), ("agent",)),
    ("GET", "/api/v1/deliveries", None, ("bot", "dispatcher", "nobody"), ("agent",)),
    ("POST", "/api/v1/deliveries/1/retry", {}, ("bot", "dispatcher", "customer"), ("agent",)),
    ("GET", "/api/v1/attachments?conversation_id=cv_1", None, ("bot", "dispatcher", "customer"), ("agent",)),
    ("GET", "/api/v1/alarms", None, ("bot", "dispatcher", "nobody"), ("agent", "supervisor")),
    ("GET", "/metrics", None, ("bot", "agent", "admin", "nobody"), ("service",)),
]


@pytest.mark.parametrize("cell", DANGEROUS, ids=lambda cell: f"{cell[0]} {cell[1]}")
async def test_the_most_dangerous_cells(
    cell: tuple[str, str, Any, tuple[str, ...], tuple[str, ...]],
    door: httpx.AsyncClient,
    knockers: dict[str, Knocker],
) -> None:
    method, path, body, refused, let_in = cell
    options = {} if body is None else {"json": body}
    for who in (*refused, "a false token", "a cookie's value as a token", "admin@console"):
        answer = await knock(door, knockers[who], method, path, **options)
        assert answer.status_code in (401, 403), (who, answer.text)
    for who in let_in:
        answer = await knock(door, knockers[who], method, path, **options)
        assert answer.status_code in (200, 201, 404, 409, 422), (who, answer.text)
