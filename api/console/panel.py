"""Beside a conversation: its customer, place, outages, neighbours, diagnosis sheet, tickets; finding accounts."""

import hashlib
import json
from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response

from api.audit.service import record, reference
from api.console.case import case_of, sees_whole
from api.console.forms import in_words
from api.console.pages import render
from api.console.session import Me
from api.conversations.tables import Conversation
from api.customers import service
from api.customers.search import find_accounts
from api.customers.service import not_verified
from api.deps import Now, ReadSession, SettingsDep, WriteSession
from api.errors import Problem, not_found
from api.network.assets import find_assets
from api.network.lookup import find_places

router = APIRouter()
Id = Annotated[str, Path(max_length=40)]
Sought = Annotated[str, Form(max_length=200)]


@router.get("/console/_/c/{conversation_id}/panel")
async def panel(
    request: Request,
    conversation_id: Id,
    me: Me,
    session: ReadSession,
    now: Now,
    mark: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The panel as it stands; nothing (204) where what is known of the customer is still what `mark` stands for."""
    known = await session.get(Conversation, conversation_id)
    present = mark_of(known) if known is not None else ""
    if mark and mark == present:
        return Response(status_code=204)
    case = await case_of(session, conversation_id, me, now)
    return render(request, me, "panel.html", case=case, mark=present)


def mark_of(row: Conversation) -> str:
    """Changes with what the panel of a conversation is made from; tickets and outages ring a bell of their own."""
    known = (row.sheet, row.owner, row.agent_id, row.account_number, row.verified_at, row.closed_at, row.language)
    return hashlib.sha256(json.dumps(known, default=str, sort_keys=True).encode()).hexdigest()[:16]


@router.get("/console/_/c/{conversation_id}/find-account")
async def account_form(request: Request, conversation_id: Id, me: Me) -> Response:
    return render(request, me, "panel_find.html", conversation_id=conversation_id, found=None, sought="")


@router.post("/console/c/{conversation_id}/accounts")
async def accounts(
    request: Request, conversation_id: Id, me: Me, session: WriteSession, now: Now, sought: Sought = ""
) -> Response:
    """Find accounts (E2). A form, since what is sought is personal; every search is in the audit log."""
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    found = await find_accounts(session, sought)
    seen = reference("search", sought.strip())
    record(session, me.caller.name, "accounts.searched", seen, now, found=len(found), conversation=conversation_id)
    whole = sees_whole(me, conversation)
    return render(
        request, me, "panel_find.html", conversation_id=conversation_id, found=found, sought=sought, whole=whole
    )


@router.post("/console/c/{conversation_id}/verification")
async def verify(
    request: Request,
    conversation_id: Id,
    me: Me,
    settings: SettingsDep,
    session: WriteSession,
    now: Now,
    account_number: Annotated[str, Form(max_length=40)] = "",
    factor: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """Check what the customer says against the account, as the bot does: the same answers, the same lock."""
    with in_words(me, "#verify-errors"):
        conversation = await service.conversation_of(session, conversation_id)
        secret = settings.service_token.get_secret_value()
        if not account_number.strip() or not factor.strip():
            raise Problem(422, "verification-empty", "Both are needed.")
        right = await service.verify(session, conversation, account_number, factor, now, secret)
    if not right:  # not raised: the wrong try has to be counted
        not_verified(session, me.caller.name, conversation_id, now)
        answer = render(request, me, "panel_wrong.html")
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = "#verify-errors", "innerHTML"
        return answer
    case = await case_of(session, conversation_id, me, now)
    answer = render(request, me, "panel.html", case=case, mark=mark_of(case.conversation))
    answer.headers["HX-Trigger-After-Swap"] = "work-done"
    return answer


@router.get("/console/_/places")
async def places(
    request: Request,
    me: Me,
    session: ReadSession,
    place_words: Annotated[str, Query(max_length=300)] = "",
    service_point_id: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Addresses of the network that the words may mean, to choose one from."""
    found = await find_places(session, place_words, 6) if len(place_words.strip()) > 1 else None
    return render(request, me, "tickets_places.html", found=found, chosen=service_point_id)


@router.get("/console/_/assets")
async def assets(
    request: Request,
    me: Me,
    session: ReadSession,
    asset_words: Annotated[str, Query(max_length=200)] = "",
    asset_id: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Pieces of the network to choose from, by name or by an address that they supply."""
    found = await find_assets(session, asset_words)
    return render(request, me, "outages_assets.html", found=found, chosen=asset_id, sought=asset_words)
