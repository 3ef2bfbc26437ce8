"""What is neither a channel nor /api/v1: health, metrics, the reference, and the customer's page."""

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.staticfiles import StaticFiles

from api.conversations.metrics import QUEUED, WAITING
from api.conversations.rasa import HEALTH
from api.conversations.tables import Conversation, Turn
from api.conversations.transcript import UNFINISHED
from api.db.engine import Database
from api.deps import DatabaseDep, ReadSession, SettingsDep, bearer, same
from api.errors import Problem, not_found
from api.outbox.metrics import count_unsent

WEB = Path(__file__).resolve().parent.parent / "web"
READY_SECONDS = 2.0
DOCS = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Mainsdesk API</title>
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></html>
"""
DOCS_START = 'SwaggerUIBundle({url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true});\n'

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    return {"status": "ok"}


async def _database_answers(database: Database) -> bool:
    try:
        async with database.read() as session:
            await session.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError):
        return False
    return True


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.HTTPError:
        return False


@router.get("/readyz")
async def readyz(
    request: Request,
    settings: SettingsDep,
    database: DatabaseDep,
    authorization: Annotated[str | None, Header()] = None,
) -> JSONResponse:
    """200 once database, bot and actions all answer. With the service token: what the operator should mend, too."""
    async with httpx.AsyncClient(timeout=READY_SECONDS, trust_env=False) as client:
        parts = {
            "database": await _database_answers(database),
            "bot": await _answers(client, settings.rasa_url + HEALTH),
            "actions": await _answers(client, f"{settings.actions_url}/health"),
        }
    ready = all(parts.values())
    answer: dict[str, Any] = {"ready": ready, **parts}
    if same(bearer(authorization), settings.service_token.get_secret_value()):
        answer["warnings"] = list(warnings_of(request))
    return JSONResponse(answer, 200 if ready else 503)


def warnings_of(request: Request) -> Iterator[str]:
    """What works and is not as it should be."""
    if proxy := getattr(request.app.state, "unnamed_proxy", ""):
        yield f"A proxy at {proxy} is not in MAINSDESK_TRUSTED_PROXIES: everybody seems to come from that address."


@router.get("/metrics")
async def metrics(
    settings: SettingsDep, session: ReadSession, authorization: Annotated[str | None, Header()] = None
) -> Response:
    """Prometheus text, for the service token."""
    if not same(bearer(authorization), settings.service_token.get_secret_value()):
        raise Problem(401, "unauthorised", "The service token is required.", headers={"WWW-Authenticate": "Bearer"})
    QUEUED.set(await session.scalar(select(func.count()).where(Turn.state.in_(UNFINISHED))) or 0)
    WAITING.set(await session.scalar(select(func.count()).where(Conversation.owner == "waiting")) or 0)
    await count_unsent(session)
    counted = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # one of several front desks, each of which counts its own
        MultiProcessCollector(counted := CollectorRegistry())  # type: ignore[no-untyped-call]
    return Response(generate_latest(counted), media_type=CONTENT_TYPE_LATEST)


@router.get("/docs")
async def docs() -> HTMLResponse:
    return HTMLResponse(DOCS)


@router.get("/docs/start.js")
async def docs_start() -> Response:
    return Response(DOCS_START, media_type="text/javascript")


def _page(name: str) -> FileResponse:
    path = WEB / name
    if not path.is_file():
        raise not_found("page")
    return FileResponse(path)


@router.get("/")
async def chat_page() -> FileResponse:
    return _page("index.html")


@router.get("/privacy")
async def privacy_page() -> FileResponse:
    return _page("privacy.html")


def install(app: FastAPI) -> None:
    """Add the pages and their static files."""
    app.include_router(router)
    swagger: Any = files("fastapi_offline") / "static"
    app.mount("/docs/assets", StaticFiles(directory=str(swagger)), name="docs-assets")
    app.mount("/static", StaticFiles(directory=WEB, check_dir=False), name="static")
