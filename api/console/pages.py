"""Rendering the console: templates, words in two languages, times as the agent reads them."""

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import yaml
from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.console.navigation import entries
from api.console.session import SignedIn
from api.privacy import mask_number, mask_phone

ROOM = Path(__file__).parent


@cache
def words() -> dict[str, dict[str, str]]:
    """All words of the pages: {"inbox.title": {"zh": …, "en": …}}, from words/<room>.yml."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted((ROOM / "words").glob("*.yml")):
        for key, pair in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            found[f"{path.stem}.{key}"] = {"zh": str(pair["zh"]), "en": str(pair["en"])}
    return found


def word(key: str, language: str, **values: object) -> str:
    """One word or sentence; KeyError for a key that no file has."""
    return words()[key][language].format(**values)


def say_or(key: str, otherwise: str, language: str) -> str:
    """The word where there is one; codes that a utility added itself are shown as they are."""
    return words().get(key, {}).get(language, otherwise)


_templates = Environment(
    loader=FileSystemLoader(ROOM / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(masked=mask_number, masked_phone=mask_phone)


def _local(moment: datetime | None, zone: ZoneInfo, now: datetime) -> str:
    """`14:05` of today, `11-22 14:05` of this year, with the year else; '' for none."""
    if moment is None:
        return ""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def _since(moment: datetime | None, now: datetime) -> str:
    """How long ago, as `0:42`, `12:05` (minutes and seconds) or `3:07:00`; '' for none."""
    if moment is None:
        return ""
    seconds = max(int((now - moment).total_seconds()), 0)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def render(
    request: Request, me: SignedIn | None, template: str, *, status: int = 200, lang: str | None = None, **context: Any
) -> HTMLResponse:
    """A page or a fragment in the agent's language.

    Templates have: `me` (SignedIn or None), `lang`, `t(key, **values)`, `tr(key, otherwise)` for codes, `local(time)`,
    `since(time)`, `iso(time)`, `csrf`, `now`, `colon`.
    """
    settings, now = request.app.state.settings, request.app.state.clock()
    language = lang or (me.language if me else "zh")
    html = _templates.get_template(template).render(
        me=me,
        lang=language,
        csrf=me.csrf if me else "",
        colon="：" if language == "zh" else ": ",
        now=now,
        t=lambda key, **values: word(key, language, **values),
        tr=lambda key, otherwise: say_or(key, otherwise, language),
        local=lambda moment: _local(moment, settings.zone, now),
        since=lambda moment: _since(moment, now),
        iso=lambda moment: moment.isoformat() if moment else "",
        path=request.url.path,
        navigation=entries(me.agent.role, request.url.path) if me else [],
        **context,
    )
    return HTMLResponse(html, status, headers={"Cache-Control": "no-store"})


def language_of(request: Request, asked: str = "") -> str:
    """The pages' language before anybody is known: as asked for, else the browser's, else Chinese."""
    if asked in ("zh", "en"):
        return asked
    first = request.headers.get("accept-language", "").strip().lower()
    return "en" if first and not first.startswith(("zh", "*")) else "zh"


def redirect(request: Request, to: str) -> HTMLResponse:
    """Go to another page: by htmx's header where htmx asks, by 303 else. Names in it may be of any letters."""
    to = quote(to, safe="/:?#[]@!$&'()*+,;=%~")
    if request.headers.get("hx-request") == "true":
        return HTMLResponse("", 200, headers={"HX-Redirect": to})
    return HTMLResponse("", 303, headers={"Location": to})
