"""Quality: scoring a conversation by the form, samples to score, the report; and an agent's own reviews (D9–D11)."""

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.console import reading, timeline
from api.console.forms import in_words
from api.console.pages import redirect, render, word
from api.console.session import Me, SignedIn
from api.db.base import new_id
from api.db.idempotency import once_for
from api.deps import Now, ReadSession, SettingsDep, WriteSession
from api.quality import rules, service

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]
Day = Annotated[str, Query(max_length=10)]
Who = Annotated[str, Query(max_length=40)]
#: What the report shows where no days are given.
PERIOD = timedelta(days=30)
ERRORS = "#score-errors"
#: Of which there may be reviews; others are slips of the pen.
YEARS = (2000, 2200)


def period(first: str, last: str, now: datetime, zone: ZoneInfo) -> tuple[date, date]:
    """The local days asked for, the last 30 else; what is no date counts as not given."""
    today = now.astimezone(zone).date()

    def day(written: str, otherwise: date) -> date:
        try:
            found = date.fromisoformat(written)
        except ValueError:
            return otherwise
        return found if YEARS[0] <= found.year <= YEARS[1] else otherwise

    end = day(last, today)
    return day(first, end - PERIOD), end


def moments(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last, as moments."""
    return datetime.combine(first, time(), zone), datetime.combine(last + timedelta(days=1), time(), zone)


@router.get("/console/quality")
async def page(
    request: Request,
    me: Me,
    session: ReadSession,
    settings: SettingsDep,
    now: Now,
    first: Day = "",
    last: Day = "",
    agent: Who = "",
) -> Response:
    """The report of a period, a sample to score, the latest reviews."""
    days = period(first, last, now, settings.zone)
    since, until = moments(*days, settings.zone)
    return render(
        request,
        me,
        "quality.html",
        first=days[0],
        last=days[1],
        chosen=agent,
        agents=await service.reviewable(session),
        criteria=rules.form(),
        report=await service.report(session, since, until, agent or None),
        sample=await service.sample(session, now, me.agent.id, agent or None),
        reviews=await service.reviews(session, since=since, until=until, agent_id=agent or None),
    )


@router.get("/console/quality/report.csv")
async def download(
    me: Me, session: ReadSession, settings: SettingsDep, now: Now, first: Day = "", last: Day = "", agent: Who = ""
) -> Response:
    """The report as a file for spreadsheets, in the agent's language."""
    days = period(first, last, now, settings.zone)
    report = await service.report(session, *moments(*days, settings.zone), agent or None)
    name = f"quality-{days[0]}-{days[1]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    # The mark makes spreadsheets read UTF-8.
    return Response("\ufeff" + as_csv(report, me.language), media_type="text/csv; charset=utf-8", headers=headers)


def as_csv(report: service.Report, language: str) -> str:
    """One line for each agent and one for all; percents."""
    out = io.StringIO()
    writer = csv.writer(out)

    def row(*cells: object) -> None:
        writer.writerow([rules.guarded(cell) for cell in cells])

    criteria = rules.form()
    heads = [word(f"quality.{key}", language) for key in ("agent", "reviews", "average")]
    row(*heads, *(criterion.name(language) for criterion in criteria))
    for line in (*report.lines, report.whole):
        name = report.names[line.agent_id] if line.agent_id else word("quality.all", language)
        row(name, line.reviews, line.average if line.reviews else None, *(line.criteria[c.id] for c in criteria))
    return out.getvalue()


@router.get("/console/quality/mine")
async def mine(request: Request, me: Me, session: ReadSession) -> Response:
    """What supervisors said of one's own conversations."""
    found = await service.reviews(session, agent_id=me.agent.id)
    report = await service.report(session, None, None, me.agent.id)
    return render(request, me, "quality_mine.html", reviews=found, report=report, criteria=rules.form())


async def _context(session: AsyncSession, request: Request, me: SignedIn, id: str, now: datetime) -> dict[str, Any]:
    state = await timeline.state_of(session, id, me, now)
    return {
        "state": state,
        "shown": await timeline.last_lines(session, state),
        "here": id,
        "read": reading.reader(request, me, state),
        "agents": [agent for agent in await service.served_by(session, id) if agent.id != me.agent.id],
        "open": state.row.closed_at is not None or state.row.owner == "agent",
        "before": await service.reviews(session, conversation_id=id),
        "criteria": rules.form(),
        "points": rules.POINTS,
        "nonce": new_id("nc"),
        "longest": service.LONGEST_REMARK,
    }


@router.get("/console/quality/c/{conversation_id}")
async def form(request: Request, conversation_id: Id, me: Me, session: ReadSession, now: Now) -> Response:
    """The conversation and, beside it, the form."""
    return render(request, me, "quality_form.html", **await _context(session, request, me, conversation_id, now))


@router.post("/console/quality/c/{conversation_id}")
async def score(request: Request, conversation_id: Id, me: Me, session: WriteSession, now: Now) -> Response:
    """Keep the scores once, however often the form is sent."""
    given = {name: str(value) for name, value in (await request.form()).items()}
    with in_words(me, ERRORS):
        scores = {criterion.id: points_of(given[criterion.id]) for criterion in rules.form() if given.get(criterion.id)}

        async def do() -> dict[str, Any]:
            remark = given.get("remark", "").strip()
            made = await service.review(
                session, conversation_id, given.get("agent_id", ""), me.agent.id, scores, remark, now
            )
            return {"id": made.id}

        asked = repr(sorted(given.items())).encode()
        nonce = given.get("nonce", "")[:60] or new_id("nc")
        await once_for(session, request, nonce, me.caller.name, asked, now, do)
    return redirect(request, "/console/quality")


def points_of(given: str) -> int | None:
    """Points as the form sends them: a figure, `none` where it did not come up; what the rules refuse otherwise."""
    return None if given == "none" else int(given) if given in ("0", "1", "2") else -1
