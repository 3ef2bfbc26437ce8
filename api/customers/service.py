"""Accounts, who may see them, and contact records (C7, C9, C20). Functions take a session and never commit."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.audit.service import forget, record
from api.conversations.bell import touch
from api.conversations.tables import Conversation
from api.customers import rules, tries
from api.customers.schemas import AccountFile, AccountOut, NewContact, OwnAccount, PointOut
from api.customers.tables import Account, ContactRecord
from api.db.base import new_id
from api.errors import not_found
from api.network.tables import ServicePoint
from api.paging import newest_first
from api.privacy import mask_number, mask_phone
from api.tickets.rules import Profile
from api.tickets.tables import Ticket, TicketEvent


async def profile_of_point(session: AsyncSession, service_point_id: str | None) -> Profile:
    """What the files of all accounts at a service point say (C20)."""
    if service_point_id is None:
        return Profile()
    rows = await session.scalars(select(Account.flags).where(Account.service_point_id == service_point_id))
    flags = {flag for row in rows for flag in row}
    return Profile(life_support="life_support" in flags, key_account="key_account" in flags)


async def conversation_of(session: AsyncSession, conversation_id: str) -> Conversation:
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    return conversation


def subjects_of(conversation: Conversation, secret: str, kind: str, number: str) -> list[str]:
    """Against what a wrong try counts: the number that was tried, known or not, the conversation, the source."""
    return [
        tries.subject(secret, kind, number),
        tries.subject(secret, "conversation", conversation.id),
        # Where no source is known, the conversation stands for it: strangers must not share one lock.
        tries.subject(secret, "source", conversation.source_hash or conversation.id),
    ]


async def verify(
    session: AsyncSession, conversation: Conversation, number: str, factor: str, now: datetime, secret: str
) -> bool:
    """Verify a customer by account number and second factor.

    Problem 429 `locked`. An unknown account and a wrong factor take the same queries and get the same answer.
    """
    subjects = subjects_of(conversation, secret, "account", number)
    await tries.take_turns(session, subjects)
    if until := await tries.locked(session, subjects, now):
        raise tries.locked_problem(until, now)
    account = await session.get(Account, rules.plain(number))
    phone, id_last6 = (account.phone, account.id_last6) if account else ("", "")
    if not rules.is_factor(factor, phone=phone, id_last6=id_last6) or account is None:
        await tries.count(session, subjects, now)
        return False
    conversation.account_number, conversation.verified_at = account.number, now
    await session.flush()
    await touch(session, conversation.id)  # the agent's page says whether the customer is verified
    return True


def not_verified(session: AsyncSession, by: str, conversation_id: str, now: datetime) -> None:
    """For the audit log: what was to be a verification was a wrong try."""
    forget(session)
    record(session, by, "account.not_verified", f"conversation:{conversation_id}", now)


async def verified_account_of(
    session: AsyncSession, conversation_id: str, now: datetime, *, use: bool = False
) -> Account | None:
    """The account that a conversation has proved to be its customer's, while that lasts; `use` makes it last on."""
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None or not rules.is_verified(conversation.verified_at, conversation.closed_at, now):
        return None
    if use:
        conversation.verified_at = now
    return await session.get(Account, conversation.account_number)


async def own_account(session: AsyncSession, account: Account) -> OwnAccount:
    """What a verified customer may see of the account."""
    point = await session.get_one(ServicePoint, account.service_point_id)
    return OwnAccount(
        **AccountOut.model_validate(account).model_dump(exclude={"number", "phone"}),
        number_masked=mask_number(account.number),
        contact_phone_masked=mask_phone(account.phone),
        address_zh=point.address_zh,
        address_en=point.address_en,
    )


async def look_up_ticket(
    session: AsyncSession, conversation: Conversation, number: str, phone: str, now: datetime, secret: str
) -> Ticket | None:
    """The ticket for who knows its number and the phone it was filed with, or added to it. Problem 429 `locked`."""
    subjects = subjects_of(conversation, secret, "ticket", number)
    await tries.take_turns(session, subjects)
    if until := await tries.locked(session, subjects, now):
        raise tries.locked_problem(until, now)
    ticket = await session.get(Ticket, rules.plain(number))
    added = await session.scalars(
        select(TicketEvent.data).where(TicketEvent.ticket_number == rules.plain(number), TicketEvent.kind == "caller")
    )
    phones = [ticket.contact_phone if ticket else "", *(str(data.get("contact_phone", "")) for data in added)]
    if not any(rules.is_phone(phone, known) for known in phones):
        await tries.count(session, subjects, now)
        return None
    return ticket


async def account_file(session: AsyncSession, number: str) -> AccountFile:
    """An account and all service points of its customer, known by the phone on file (C9); 404."""
    account = await session.get(Account, rules.plain(number))
    if account is None:
        raise not_found("account")
    query = select(Account, ServicePoint).join(ServicePoint).order_by(Account.number)
    query = query.where(Account.phone == account.phone if account.phone else Account.number == account.number)
    points = [
        PointOut(
            service_point_id=point.id,
            account_number=other.number,
            utility=other.utility,
            address_zh=point.address_zh,
            address_en=point.address_en,
            room=other.room,
        )
        for other, point in await session.execute(query)
    ]
    return AccountFile(**AccountOut.model_validate(account).model_dump(), service_points=points)


async def add_contact(
    session: AsyncSession, conversation_id: str, contact: NewContact, account_number: str | None, now: datetime
) -> ContactRecord:
    """Keep a contact with the account and service point it was about."""
    for table, row_id, what in (
        (Account, account_number, "account"),
        (ServicePoint, contact.service_point_id, "service point"),
    ):
        if row_id is not None and await session.get(table, row_id) is None:
            raise not_found(what)
    record = ContactRecord(
        id=new_id("ct"),
        conversation_id=conversation_id,
        account_number=account_number,
        service_point_id=contact.service_point_id,
        kind=contact.kind,
        summary=contact.summary,
        at=now,
    )
    session.add(record)
    await session.flush()
    return record


async def list_contacts(
    session: AsyncSession, *, cursor: str | None, limit: int, **filters: str | None
) -> tuple[Sequence[ContactRecord], str | None]:
    """Contacts, newest first (C9); filters: conversation_id, account_number, service_point_id."""
    query = select(ContactRecord)
    query = query.filter_by(**{field: value for field, value in filters.items() if value is not None})
    return await newest_first(session, query, ContactRecord.at, ContactRecord.id, limit, cursor)
