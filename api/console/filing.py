"""Filing a ticket beside the conversation, and words for the customer about it."""

import json
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.console.case import Case, case_of
from api.console.forms import in_words
from api.console.pages import render, word
from api.console.session import Me
from api.console.sheet import both, part
from api.console.tickets import KINDS, TOPICS
from api.conversations.sentences import local_time
from api.conversations.tables import Conversation, Message, Understanding
from api.customers.service import verified_account_of
from api.db.base import new_id
from api.db.idempotency import once_for
from api.deps import Now, ReadSession, WriteSession
from api.errors import Problem, not_found
from api.settings import Settings
from api.tickets import news, service
from api.tickets.board import units
from api.tickets.filing import file_or_add
from api.tickets.placement import invalid
from api.tickets.schemas import NewTicket
from api.tickets.tables import Ticket

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]
#: Of what the customer said that many messages, and characters of each, go into a description to begin with.
LINES, LONGEST = 3, 200
#: Intents whose words tell a crew nothing.
NO_FACTS = ("talk_to_human", "greet", "thank", "goodbye", "affirm", "deny", "ask_ticket_status", "repeat")


@router.get("/console/_/c/{conversation_id}/ticket-form")
async def form(request: Request, conversation_id: Id, me: Me, session: ReadSession, now: Now) -> Response:
    """A form with what is known already."""
    case = await case_of(session, conversation_id, me, now)
    return render(
        request,
        me,
        "panel_ticket.html",
        case=case,
        filled=await prefilled(session, case),
        units=await units(session),
        kinds=KINDS,
        topics=TOPICS,
        nonce=new_id("nc"),
    )


async def prefilled(session: AsyncSession, case: Case) -> dict[str, Any]:
    """The fields as far as the sheet, the account and the customer's words fill them."""
    sheet = case.conversation.sheet
    account = case.account
    utility = sheet.get("utility") or case.conversation.skill or (account.utility if account else "")
    language = "en" if case.conversation.language == "en" else "zh"  # the order's, whoever files it
    place = case.point and (case.point.address_en if language == "en" else case.point.address_zh)
    words = [both(sheet.get("symptom"), language), *await said_by(session, case.conversation.id)]
    outages = [one for one in case.outages if one.phase == "current"]
    return {
        "kind": "complaint" if case.conversation.skill == "complaint" else "fault_report",
        "utility": utility if utility in ("power", "water") else "power",
        "topic": sheet.get("topic") if isinstance(sheet.get("topic"), str) else "",
        "scope": sheet.get("scope") if sheet.get("scope") in ("household", "surroundings") else "unknown",
        "place_words": " ".join(
            filter(None, (place or both(part(sheet, "place").get("address"), language), case.detail))
        ),
        "service_point_id": case.point.id if case.point else "",
        "contact_name": case.contact["name"] or (account.holder_name if account else ""),
        "contact_phone": (case.contact["phone"] or (account.phone if account else "") or case.number)
        if case.whole
        else "",
        "description": ("。" if language == "zh" else ". ").join(" ".join(one.split()) for one in words if one.strip()),
        "outage_id": outages[0].id if len(outages) == 1 else "",
    }


async def said_by(session: AsyncSession, conversation_id: str) -> list[str]:
    """What the customer said of the matter first: no answers to questions, no greetings, no wish for a person."""
    query = (
        select(Message.text)
        .outerjoin(Understanding, Understanding.message_id == Message.id)
        .where(
            Message.conversation_id == conversation_id,
            Message.sender == "customer",
            or_(Understanding.message_id.is_(None), ~Understanding.answer & Understanding.intent.not_in(NO_FACTS)),
        )
    )
    recent = (await session.scalars(query.order_by(Message.seq.desc()).limit(10 * LINES))).all()
    return [text[:LONGEST] for text in recent[::-1][:LINES]]


class Filed(BaseModel):
    """The form as it comes."""

    model_config = ConfigDict(extra="ignore")

    nonce: str = Field(min_length=8, max_length=60)
    kind: str = Field("", max_length=20)
    utility: str = Field("", max_length=8)
    topic: str = Field("", max_length=40)
    scope: str = Field("unknown", max_length=20)
    priority: str = Field("", max_length=1)
    unit: str = Field("", max_length=40)
    place_words: str = Field("", max_length=400)
    service_point_id: str = Field("", max_length=40)
    contact_name: str = Field("", max_length=100)
    contact_phone: str = Field("", max_length=60)
    description: str = Field("", max_length=5000)
    outage_id: str = Field("", max_length=40)
    with_tried: str = Field("", max_length=3)


def new_ticket(form: Filed, case: Case) -> NewTicket:
    """The order that a form asks for. ValidationError or Problem 422 for what is missing (B16)."""
    if not form.description.strip():
        raise invalid("description", "An order says what it is about.")
    if form.kind in ("fault_report", "damage_claim") and not (form.service_point_id or form.place_words.strip()):
        raise invalid("address", "A crew needs the exact place (B16).")
    return NewTicket.model_validate(
        {
            "kind": form.kind,
            "utility": form.utility,
            "topic": form.topic,
            "scope": form.scope or "unknown",
            "priority": form.priority or None,
            "unit": form.unit or None,
            "address": form.place_words,
            "service_point_id": form.service_point_id or None,
            "place_resolved": bool(form.service_point_id),
            "contact_name": form.contact_name,
            "contact_phone": form.contact_phone,
            "description": form.description,
            "tried": list(case.sheet.tried) if form.with_tried else [],
            "language": case.conversation.language,
            "conversation_id": case.conversation.id,
            "outage_id": form.outage_id or None,
            "account_number": case.account.number if case.account else None,
        }
    )


@router.post("/console/c/{conversation_id}/tickets")
async def file(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: WriteSession,
    now: Now,
    form: Annotated[Filed, Form()],
) -> Response:
    """File it once, however often it is sent; an open one of the same trouble is added to instead."""
    with in_words(me, "#file-errors"):
        case = await case_of(session, conversation_id, me, now)
        new = new_ticket(form, case)
        account = await verified_account_of(session, conversation_id, now)

        async def do() -> dict[str, Any]:
            ticket, existing = await file_or_add(session, new, account, me.caller.name, now)
            return {"number": ticket.number, "existing": existing}

        asked = form.model_dump_json().encode()
        filed = await once_for(session, request, form.nonce, me.caller.name, asked, now, do)
    return render(
        request,
        me,
        "panel_filed.html",
        case=case,
        number=news.grouped(filed["number"]),
        plain=filed["number"],
        existing=filed["existing"],
        reply=await reply_for(
            session, conversation_id, filed["number"], "added" if filed["existing"] else "filed", request
        ),
    )


@router.get("/console/_/c/{conversation_id}/tickets/{number}/reply")
async def reply(
    request: Request,
    conversation_id: Id,
    number: Annotated[str, Path(max_length=12)],
    me: Me,
    session: ReadSession,
    what: str = "",
) -> Response:
    """Put the news of a ticket into the reply that the agent writes: the page's composer takes the event."""
    text = await reply_for(session, conversation_id, number, what, request)
    conversation = await session.get_one(Conversation, conversation_id)
    told = {"insert-reply": {"text": text, "language": conversation.language or "zh"}}
    return Response(status_code=204, headers={"HX-Trigger": json.dumps(told), "Cache-Control": "no-store"})


async def reply_for(session: AsyncSession, conversation_id: str, number: str, what: str, request: Request) -> str:
    """What the customer may be told, in the conversation's language; never sent by itself."""
    settings: Settings = request.app.state.settings
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    ticket = await service.find(session, number)
    language = "en" if conversation.language == "en" else "zh"
    what = what or (ticket.status if ticket.status in news.TELLING else "filed")
    if what not in ("filed", "added", "on_site", "repaired", "expected"):
        raise Problem(422, "invalid", "There are no words for this.")
    return word(
        f"tickets.reply_{what}",
        language,
        number=news.grouped(number),
        due=await _due(session, ticket, what, language, settings),
    ).strip()


async def _due(session: AsyncSession, ticket: Ticket, what: str, language: str, settings: Settings) -> str:
    """The times that go with it: the committed one of what was just filed, else those that dispatch named."""

    def at(key: str, moment: datetime | None) -> str:
        return word(key, language, time=local_time(moment, settings.zone, language)) if moment else ""

    if what in ("filed", "added"):
        return at("tickets.reply_due", ticket.arrival_due_at)
    times = news.times_of(await service.history(session, ticket.number))
    eta = at("tickets.reply_eta", times.get("eta")) if what == "expected" else ""
    restored = at("tickets.reply_restored", times.get("expected"))
    return " ".join(filter(None, (eta, restored)))
