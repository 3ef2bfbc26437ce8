"""Verification, the verified customer's account, ticket look-ups, contact records, accounts for staff."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from api.conversations.turns import LiveTurn
from api.customers import matters, service
from api.customers.refs import number_for, number_of, ref_of
from api.customers.schemas import (
    AccountFile,
    ContactOut,
    FoundAccountOut,
    FoundTicket,
    Lookup,
    LookupAnswer,
    Matters,
    NewContact,
    OwnAccount,
    Proof,
    Verified,
)
from api.customers.search import MOST, find_accounts, found_account
from api.customers.tables import ContactRecord
from api.db.idempotency import once, require_key
from api.deps import Caller, CurrentCaller, Now, ReadSession, SettingsDep, Staff, WriteSession
from api.errors import Problem, not_found
from api.paging import Limit, Page

router = APIRouter(tags=["customers"])
Key = Annotated[str, Depends(require_key)]


def conversation_caller(conversation_id: str, caller: CurrentCaller) -> Caller:
    """Anybody but the bot of another conversation: to it this one does not exist."""
    if caller.kind == "bot" and caller.conversation_id != conversation_id:
        raise not_found("conversation")
    return caller


ConversationCaller = Annotated[Caller, Depends(conversation_caller)]


def contact_for(caller: Caller, record: ContactRecord) -> ContactOut:
    """A contact as its caller sees it."""
    out = ContactOut.model_validate(record)
    out.account_number = out.account_number and number_for(caller, out.account_number)
    return out


@router.post("/conversations/{conversation_id}/verification", response_model=Verified)
async def verify(
    request: Request,
    conversation_id: str,
    body: Proof,
    caller: ConversationCaller,
    _turn: LiveTurn,
    key: Key,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:
    """Whether number and factor belong together; then the conversation is the account's for 30 idle minutes."""

    async def do() -> dict[str, Any]:
        conversation = await service.conversation_of(session, conversation_id)
        secret = settings.service_token.get_secret_value()
        right = await service.verify(session, conversation, body.account_number, body.factor, now, secret)
        if not right and caller.kind != "bot":
            service.not_verified(session, caller.name, conversation_id, now)
        return {"verified": right}

    return await once(session, request, key, caller.name, now, do)


@router.get("/conversations/{conversation_id}/account")
async def own_account(conversation_id: str, _caller: ConversationCaller, session: WriteSession, now: Now) -> OwnAccount:
    """The verified customer's account; looking at it keeps the verification alive, hence a writing session."""
    await service.conversation_of(session, conversation_id)
    account = await service.verified_account_of(session, conversation_id, now, use=True)
    if account is None:
        raise Problem(403, "not-verified", "The customer has to be verified first.")
    return await service.own_account(session, account)


@router.get("/conversations/{conversation_id}/account/matters")
async def own_matters(conversation_id: str, _caller: ConversationCaller, session: WriteSession, now: Now) -> Matters:
    """The verified customer's open tickets, filed on whatever channel, and the outages of the account's address."""
    await service.conversation_of(session, conversation_id)
    account = await service.verified_account_of(session, conversation_id, now, use=True)
    if account is None:
        raise Problem(403, "not-verified", "The customer has to be verified first.")
    return await matters.matters_of(session, account, now)


@router.post("/conversations/{conversation_id}/ticket-lookups", response_model=LookupAnswer)
async def look_up_ticket(
    request: Request,
    conversation_id: str,
    body: Lookup,
    caller: ConversationCaller,
    _turn: LiveTurn,
    key: Key,
    session: WriteSession,
    settings: SettingsDep,
    now: Now,
) -> dict[str, Any]:
    """How a ticket stands, for who knows its number and the phone it was filed with."""

    async def do() -> dict[str, Any]:
        conversation = await service.conversation_of(session, conversation_id)
        secret = settings.service_token.get_secret_value()
        ticket = await service.look_up_ticket(session, conversation, body.number, body.phone, now, secret)
        found = FoundTicket.model_validate(ticket) if ticket else None
        return LookupAnswer(found=found is not None, ticket=found).model_dump(mode="json", exclude_none=found is None)

    return await once(session, request, key, caller.name, now, do)


@router.post("/conversations/{conversation_id}/contact-records", status_code=201, response_model=ContactOut)
async def add_contact(
    request: Request,
    conversation_id: str,
    body: NewContact,
    caller: ConversationCaller,
    _turn: LiveTurn,
    key: Key,
    session: WriteSession,
    now: Now,
) -> dict[str, Any]:
    """Keep a contact (C7, C16, C18)."""

    async def do() -> dict[str, Any]:
        await service.conversation_of(session, conversation_id)
        number = body.account_number
        if caller.kind == "bot":
            account = await service.verified_account_of(session, conversation_id, now)
            number = account.number if account else None
        record = await service.add_contact(session, conversation_id, body, number, now)
        return contact_for(caller, record).model_dump(mode="json")

    return await once(session, request, key, caller.name, now, do)


@router.get("/contact-records")
async def list_contacts(
    caller: Staff,
    session: ReadSession,
    settings: SettingsDep,
    conversation_id: str | None = None,
    account_number: str | None = None,
    service_point_id: str | None = None,
    cursor: str | None = None,
    limit: Limit = 50,
) -> Page[ContactOut]:
    """Contacts of a customer, a service point or a conversation, newest first (C9)."""
    records, following = await service.list_contacts(
        session,
        conversation_id=conversation_id,
        account_number=account_number and number_of(settings, account_number),
        service_point_id=service_point_id,
        cursor=cursor,
        limit=limit,
    )
    return Page(items=[contact_for(caller, record) for record in records], next=following)


@router.get("/accounts")
async def search_accounts(
    caller: Staff,
    session: ReadSession,
    settings: SettingsDep,
    q: Annotated[str, Query(min_length=2, max_length=200)],
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> Page[FoundAccountOut]:
    """Accounts by number, telephone, holder's name, identity document or address, for staff (E2).

    To people the numbers are masked; each `ref` opens its account.
    """
    return Page(items=[found_account(one, settings, caller) for one in await find_accounts(session, q, limit)])


@router.get("/accounts/{number}")
async def read_account(number: str, caller: Staff, session: ReadSession, settings: SettingsDep) -> AccountFile:
    """An account and all service points of its customer, for staff (C9); `number` is its number or its `ref`.

    Its own number is whole here, which is what the audit log's entry says: this account was opened.
    """
    file = await service.account_file(session, number_of(settings, number))
    for point in file.service_points:
        point.ref = ref_of(settings, point.account_number)
        if point.account_number != file.number:
            point.account_number = number_for(caller, point.account_number)
    return file
