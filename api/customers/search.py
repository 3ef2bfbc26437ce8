"""Finding accounts for staff (E2): by number, telephone, name, identity document, or address. Reads only."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.customers import rules
from api.customers.refs import number_for, ref_of
from api.customers.schemas import FoundAccountOut
from api.customers.tables import Account
from api.deps import Caller
from api.network.lookup import find_places
from api.network.tables import ServicePoint
from api.phones import normal_phone
from api.privacy import mask_phone
from api.settings import Settings

MOST = 20
#: Digits of a number that are enough to look for it.
LEAST_DIGITS = 6
_IDENTITY = re.compile(r"\d{17}[\dX]")


@dataclass(frozen=True)
class FoundAccount:
    account: Account
    point: ServicePoint


def found_account(found: FoundAccount, settings: Settings, caller: Caller) -> FoundAccountOut:
    """The JSON of a find, as its caller sees it."""
    account, point = found.account, found.point
    return FoundAccountOut(
        number=number_for(caller, account.number),
        ref=ref_of(settings, account.number),
        holder_name=account.holder_name,
        phone_masked=mask_phone(account.phone),
        utility=account.utility,
        state=account.state,
        service_point_id=point.id,
        address_zh=point.address_zh,
        address_en=point.address_en,
        room=account.room,
    )


async def find_accounts(session: AsyncSession, words: str, limit: int = MOST) -> list[FoundAccount]:
    """Accounts that the words may mean; nothing for words too short to mean one.

    Digits are the beginning of an account number, a whole telephone number, or a whole identity document's number
    (of which the last six characters are on file); words are a holder's whole name, else an address.
    """
    text = words.strip()
    plain = rules.plain(text)
    if len(text) < 2:
        return []
    if re.search(r"\d{6}", plain) and re.fullmatch(r"\+?\d[\dX]+", plain):
        return await _accounts(session, _numbered(plain), limit)
    named = await _accounts(session, Account.holder_name == text, limit)
    if named:
        return named
    places = await find_places(session, text, 5)
    points = [candidate.service_point_id for candidate in places.candidates if candidate.score >= 60]
    if not points:
        return []
    found = await _accounts(session, Account.service_point_id.in_(points), limit * 5)
    return _of_room(found, places.detail)[:limit]


def _numbered(plain: str) -> ColumnElement[bool]:
    ways: list[ColumnElement[bool]] = [Account.number.startswith(plain, autoescape=True)]
    with suppress(ValueError):
        ways.append(Account.phone == normal_phone(plain))
    if _IDENTITY.fullmatch(plain):
        ways.append(Account.id_last6 == plain[-6:])
    return or_(*ways)


def _of_room(found: Sequence[FoundAccount], detail: str) -> list[FoundAccount]:
    """Those of the room that was named, where it was; all of the building else."""
    wanted = re.sub(r"\D", "", detail)
    rooms = [one for one in found if wanted and re.sub(r"\D", "", one.account.room) == wanted]
    return rooms or list(found)


async def _accounts(session: AsyncSession, condition: ColumnElement[bool], limit: int) -> list[FoundAccount]:
    query = select(Account, ServicePoint).join(ServicePoint, ServicePoint.id == Account.service_point_id)
    rows = await session.execute(query.where(condition).order_by(Account.number).limit(limit))
    return [FoundAccount(account, point) for account, point in rows]
