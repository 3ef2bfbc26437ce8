"""Errors of the console's pages: in the agent's words, beside what he was doing and not instead of it."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import StatementError
from starlette.exceptions import HTTPException

from api.console.pages import language_of, redirect, render, say_or
from api.console.session import FRAGMENTS, SignedIn, SignInRequired, find_sign_in, given_cookie
from api.errors import Problem, is_unkeepable

PREFIX = "/console"


def install(app: FastAPI) -> None:
    """Answer errors below /console with a page or a notice; all others go on as they did."""
    api_handlers: dict[Any, Any] = {
        kind: app.exception_handlers[kind] for kind in (Problem, RequestValidationError, StatementError, HTTPException)
    }

    async def handle(request: Request, error: Exception) -> Response:
        if not request.url.path.startswith(PREFIX):
            handler = next(handler for kind, handler in api_handlers.items() if isinstance(error, kind))
            answer: Response = await handler(request, error)
            return answer
        state = request.app.state
        me = await find_sign_in(state.database, state.settings, given_cookie(request), state.clock())
        match error:
            case Problem(type="not-readable") if is_refresh(request):  # a colleague took it while it was open
                return redirect(request, f"{PREFIX}?done=elsewhere")
            case Problem():
                return notice(request, me, error.status, error.type, error.detail, dict(error.headers or {}))
            case RequestValidationError():
                return notice(request, me, 422, "invalid", "")
            case StatementError() if is_unkeepable(error):
                return notice(request, me, 422, "invalid", "")
            case HTTPException():
                kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
                return notice(request, me, error.status_code, kind, str(error.detail))
        raise error

    for kind in api_handlers:
        app.add_exception_handler(kind, handle)

    @app.exception_handler(SignInRequired)
    async def sign_in(request: Request, _error: SignInRequired) -> Response:
        answer = redirect(request, f"{PREFIX}/login")
        if request.headers.get("accept", "").startswith("text/event-stream"):
            answer.status_code = 401
        return answer


def is_refresh(request: Request) -> bool:
    """Whether an open page fetches a part of itself anew."""
    return request.url.path.startswith(FRAGMENTS) and request.headers.get("hx-request") == "true"


def notice(
    request: Request, me: SignedIn | None, status: int, kind: str, detail: str, headers: dict[str, str] | None = None
) -> Response:
    """What went wrong: a line in the page's notices where htmx asked, a small page else."""
    language = me.language if me else language_of(request)
    words = say_or(f"problems.{kind}", detail or say_or("problems.other", "", language), language)
    if request.headers.get("hx-request") == "true":
        answer = render(request, me, "notice.html", status=status, lang=language, words=words, tone="bad")
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#notices", "beforeend"
    else:
        answer = render(request, me, "problem.html", status=status, lang=language, words=words)
    answer.headers.update(headers or {})
    return answer
