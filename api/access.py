"""Who may call what: the matrix of access.yml, enforced before every endpoint; what it does not name is refused.

The rows also say which answers hold personal data and which acts are security's business: the audit log gets both from
here. Finer rules (an agent's own conversation, the bot's own customer) stay with the services.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import structlog
import yaml
from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts
from sqlalchemy.ext.asyncio import AsyncSession

from api.audit.reading import Readings
from api.audit.service import reference
from api.console.session import signed_in
from api.conversations.readable import NOT_READABLE, conversation_of_file, may_open
from api.customers.refs import number_of
from api.db.engine import Database
from api.deps import Act, Caller, DatabaseDep, Now, SettingsDep, recognise
from api.errors import Problem

log = structlog.get_logger(__name__)

FILE = Path(__file__).with_name("access.yml")
#: Who a request can come from; the last three are recognised by the route itself.
ROLES = ("service", "bot", "agent", "supervisor", "dispatcher", "admin")
UNSIGNED = ("public", "customer", "vendor")
#: Parts of a channel that is not configured have no route.
CHANNELS = ("wechat", "voice")
NAMES = re.compile(r"\{(\w+)\}")
FIELDS = {"who", "what", "reads", "does", "of", "channel"}
#: Parameters of lists that hold somebody's number or name: the log has references instead.
PERSONAL = {"account_number": "account", "q": "words", "words": "words", "phone": "phone"}
NOTES = ("/api/v1/conversations/{conversation_id}/notes", "/console/c/{conversation_id}/note")
#: What a role reads that the matrix refuses.
REFUSED = "This role may not do this."
Endpoint = Callable[..., Any]


class MatrixFault(RuntimeError):
    """The matrix and the app do not agree; says where."""


@dataclass(frozen=True)
class Row:
    """One endpoint. `reads`: whose data its answer holds; `does`, `of`: the act it is and on what; templates."""

    method: str
    path: str
    who: frozenset[str]
    what: str
    reads: str = ""
    does: str = ""
    of: str = ""
    channel: str = ""

    @property
    def unsigned(self) -> bool:
        return bool(self.who & set(UNSIGNED))


class _Once(yaml.SafeLoader):
    """YAML in which a key that stands twice is an error, and not the last one's."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise MatrixFault(f"access.yml: twice: {', '.join(sorted(twice))}.")
        return super().construct_mapping(node, deep)


def read_matrix(text: str) -> list[Row]:
    """The rows of access.yml; MatrixFault for what is not one."""
    given = yaml.load(text, _Once)  # noqa: S506 (a SafeLoader)
    sets: Mapping[str, list[str]] = given["sets"]
    rows = []
    for path, methods in given["rows"].items():
        for method, fields in methods.items():
            if unknown := set(fields) - FIELDS:
                raise MatrixFault(f"access.yml: {method} {path} has unknown fields: {', '.join(sorted(unknown))}.")
            who = frozenset(_expanded(fields["who"], sets))
            if wrong := who - set(ROLES) - set(UNSIGNED):
                raise MatrixFault(f"access.yml: {method} {path} names nobody we know: {', '.join(sorted(wrong))}.")
            if not who or not fields.get("what"):
                raise MatrixFault(f"access.yml: {method} {path} needs `who` and `what`.")
            if who & set(UNSIGNED) and who & set(ROLES):
                raise MatrixFault(f"access.yml: {method} {path} cannot be open and closed at once.")
            rows.append(Row(method, path, **{**fields, "who": who}))
    return rows


def _expanded(names: list[str], sets: Mapping[str, list[str]]) -> Iterator[str]:
    for name in names:
        yield from sets.get(name, [name])


@cache
def matrix() -> tuple[Row, ...]:
    """The product's matrix."""
    return tuple(read_matrix(FILE.read_text(encoding="utf-8")))


def endpoints(app: FastAPI) -> Iterator[tuple[str, str, Endpoint | None]]:
    """Method, path and function of every route; a mounted folder counts as a GET without a function."""
    for route in iter_route_contexts(app.routes):
        for method in sorted((route.methods or {"GET"}) - {"HEAD", "OPTIONS"}):
            yield method, str(route.path), route.endpoint


class Access:
    """The matrix laid over one app."""

    def __init__(self, app: FastAPI, rows: tuple[Row, ...]) -> None:
        """MatrixFault where a route has no row, or a row no route."""
        settings = app.state.settings
        on = {"": True, "wechat": settings.wechat_on, "voice": settings.voice_on}
        expected = {(row.method, row.path): row for row in rows if on[row.channel]}
        self.rows: dict[tuple[str, Endpoint], Row] = {}
        self.readings = Readings()
        found, without = set(), []
        for method, path, endpoint in endpoints(app):
            row = expected.get((method, path))
            if row is None:
                without.append(f"{method} {path}")
                continue
            found.add((method, path))
            if endpoint is None:
                continue
            other = self.rows.setdefault((method, endpoint), row)
            if other is not row:
                raise MatrixFault(f"{method} {path} and {other.path} need functions of their own.")
        if without:
            raise MatrixFault(f"There are no rows in api/access.yml for {', '.join(without)}.")
        if left := expected.keys() - found:
            lines = ", ".join(f"{method} {path}" for method, path in sorted(left))
            raise MatrixFault(f"api/access.yml has rows without a route: {lines}.")


def lay_over(app: FastAPI) -> None:
    """Lay the matrix over an app whose routes are complete."""
    app.state.access = Access(app, matrix())


async def admit(request: Request, settings: SettingsDep, database: DatabaseDep, now: Now) -> None:
    """Before every endpoint: let the caller in by the matrix, and have what he reads noted.

    401 without a token, 403 for a role that has no business here, 503 where the audit log cannot be written.
    """
    access: Access = request.app.state.access
    row = access.rows.get((request.method, request.scope["endpoint"]))
    if row is None:
        raise Problem(403, "forbidden", "Nobody may do this.")
    if row.unsigned:
        return
    if row.path.startswith("/console"):
        caller = (await signed_in(request, database, settings, now)).caller
    else:
        caller = await recognise(request, settings, database, now)
    request.state.caller = caller
    if role_of(caller) not in row.who:
        log.warning("access.refused", by=caller.name, method=row.method, path=row.path)
        raise Problem(403, "forbidden", REFUSED)
    if caller.kind == "bot":  # it speaks for the customer, whose own data these are
        return
    whose = subject(row.reads, request) if row.reads else ""
    if caller.role == "agent" and not settings.agents_read_all and opens(row):
        await expect_readable(database, caller, whose or subject("conversation:{conversation_id}", request), now)
    if row.does:
        request.state.act = Act(caller.name, row.does, subject(row.of, request))
    if whose:
        try:
            await access.readings.note(database, caller.name, whose, now)
        except Exception as error:
            log.exception("audit.not_written", reason=type(error).__name__)
            raise Problem(503, "audit-unavailable", "The audit log cannot be written; try again later.") from error


def opens(row: Row) -> bool:
    """Whether it takes a conversation that the agent may open: its answer shows what was said there, or it is a note.

    Who has written a note has to do with a conversation, and nobody may say that of himself. Other acts at the API ask
    whose the conversation is.
    """
    return row.path in NOTES or (
        row.reads.startswith(("conversation:", "attachment:"))
        and (row.method == "GET" or row.path.startswith("/console"))
    )


async def expect_readable(database: Database, caller: Caller, whose: str, now: datetime) -> None:
    """Problem 403 `not-readable` for an agent whom this conversation does not concern."""
    kind, _, rest = whose.partition(":")
    async with AsyncSession(database.glance) as session:  # one statement mostly, asked for every part of a page
        named = rest.partition(":")[0] if kind == "conversation" else await conversation_of_file(session, rest)
        if not await may_open(session, str(caller.agent_id), named, now):
            log.warning("access.not_readable", by=caller.name, subject=whose)
            raise NOT_READABLE


def role_of(caller: Caller) -> str:
    """The caller's column of the matrix."""
    return (caller.role or "") if caller.kind == "agent" else caller.kind


def subject(template: str, request: Request) -> str:
    """What the log calls it: `{name}` is a parameter of the path or the query; a list (`tickets?`) has its filters.

    '' where the query lacks a parameter: nobody's data are asked for.
    """
    given = {**request.query_params, **request.path_params}

    def value(name: str) -> str:
        return number_of(request.app.state.settings, str(given.get(name, "")))

    if not all(value(name) for name in NAMES.findall(template)):
        return ""
    if template.endswith("?"):
        filters = {
            name: reference(PERSONAL[name], value(name)) if name in PERSONAL else value(name)
            for name in sorted(request.query_params)
            if name != "limit" and value(name)
        }
        return template + urlencode(filters) if filters else template[:-1]
    if template.startswith("account:"):
        return reference("account", value(template[len("account:{") : -1]))
    return NAMES.sub(lambda found: value(found[1]), template)
