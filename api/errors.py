"""Errors as `application/problem+json` (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import StatementError
from starlette.exceptions import HTTPException

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """Raised anywhere below a router; becomes a problem+json answer.

    `type` is a short stable word that clients may branch on; `detail` is for people; `extra` is merged in.
    """

    def __init__(
        self,
        status: int,
        type: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status, self.type, self.detail = status, type, detail
        self.headers, self.extra = headers, extra


UNKEEPABLE = Problem(422, "invalid", "Some fields are not valid.")


def is_unkeepable(error: StatementError) -> bool:
    """Whether a database refused a value as such: NUL in a text, a time or a number out of range (SQLSTATE 22…)."""
    state = str(getattr(error.orig, "sqlstate", ""))
    return isinstance(error.orig, OverflowError | UnicodeError) or state.startswith("22")


def not_found(what: str) -> Problem:
    """One answer for an id that does not exist and for one that belongs to somebody else."""
    return Problem(404, "not-found", f"There is no such {what}.")


def problem_response(problem: Problem) -> JSONResponse:
    body = {
        "type": problem.type,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **problem.extra,
    }
    return JSONResponse(body, problem.status, headers=dict(problem.headers or {}), media_type=MEDIA_TYPE)


def install_error_handlers(app: FastAPI) -> None:
    """Make every error of the app a problem document; values that were sent are never echoed (they may be personal)."""

    @app.exception_handler(Problem)
    async def on_problem(_request: Request, error: Problem) -> JSONResponse:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        fields = [{"field": ".".join(str(part) for part in e["loc"]), "message": e["msg"]} for e in error.errors()]
        return problem_response(Problem(422, "invalid", "Some fields are not valid.", errors=fields))

    @app.exception_handler(StatementError)
    async def on_statement(request: Request, error: StatementError) -> JSONResponse:
        if not is_unkeepable(error):
            raise error
        log.warning("value.refused", path=request.url.path, reason=type(error.orig).__name__)
        return problem_response(UNKEEPABLE)

    @app.exception_handler(HTTPException)
    async def on_http(_request: Request, error: HTTPException) -> JSONResponse:
        kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return problem_response(Problem(error.status_code, kind, str(error.detail), headers=error.headers))
