"""Wordings that the bot did not understand, for supervisors to say what they mean; the next training learns them."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query, Request, Response

from api.console.forms import in_words
from api.console.pages import render
from api.console.session import Me
from api.deps import Now, ReadSession, SettingsDep, WriteSession
from api.errors import Problem
from api.learning import reviewed, service

router = APIRouter()
AT_ONCE = 25
#: Intents as the choice shows them; what stands in none of these groups comes last.
GROUPS: Mapping[str, Sequence[str]] = {
    "power": (
        *("report_outage", "ask_outage_status", "ask_planned_outage"),
        *("meter_switch_problem", "prepaid_card_problem"),
    ),
    "water": ("no_water", "low_water_pressure", "water_quality"),
    "bills": ("ask_bill", "ask_price", "low_income_discount", "submit_meter_reading", "ask_outlet"),
    "help": (
        *("report_hazard", "report_for_others", "damage_claim", "make_complaint", "ask_ticket_status"),
        "talk_to_human",
    ),
    "talk": (
        *("greet", "goodbye", "thank", "affirm", "deny", "inform", "repeat", "cancel", "switch_language"),
        *("bot_challenge", "out_of_scope"),
    ),
}


def groups() -> dict[str, list[str]]:
    """All that a wording can be reviewed as, by group."""
    left = list(reviewed.intents())
    found = {name: [one for one in members if one in left] for name, members in GROUPS.items()}
    named = {one for members in found.values() for one in members}
    return {
        **found,
        "questions": [one for one in left if one.startswith("faq_")],
        "other": [one for one in left if one not in named and not one.startswith("faq_")],
    }


async def learnt(home: Any) -> dict[str, Any]:
    """How many examples wait for the next training, and whether the files can be read at all."""
    try:
        return {"learnt": await asyncio.to_thread(reviewed.counted, home), "broken": ""}
    except reviewed.FileBroken as problem:
        return {"learnt": {}, "broken": str(problem)}


@router.get("/console/misunderstood")
async def page(
    request: Request,
    me: Me,
    session: ReadSession,
    settings: SettingsDep,
    language: Annotated[str, Query(pattern="^(zh|en)?$")] = "",
    cursor: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """Wordings not reviewed yet, the newest first."""
    items, following = await service.misunderstood(
        session, language=language or None, limit=AT_ONCE, cursor=cursor or None
    )
    return render(
        request,
        me,
        "misunderstood.html",
        items=items,
        following=following,
        language=language,
        groups=groups(),
        **await learnt(settings.home),
    )


@router.post("/console/misunderstood/{message_id}")
async def review(
    request: Request,
    message_id: Annotated[str, Path(pattern=r"^\w{1,40}$")],
    me: Me,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
    intent: Annotated[str, Form(max_length=40)] = "",
    other: Annotated[str, Form(max_length=40)] = "",
    text: Annotated[str, Form(max_length=300)] = "",
) -> Response:
    """Settle one: by a button (`intent`) or the list (`other`). Its row goes; the count is the present one."""
    with in_words(me, f"#wrong-{message_id}"):
        meant = intent or other
        if not meant:
            raise Problem(422, "intent-required", "Choose what it means.")
        written = " ".join(text.split()) or None
        await service.review(session, settings.home, message_id, meant, written, me.agent.id, now)
    answer = render(request, me, "misunderstood_count.html", oob=True, **await learnt(settings.home))
    answer.headers["HX-Trigger"] = "reviewed"
    return answer
