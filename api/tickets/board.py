"""The board of work orders: what stands where, what is due. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.tickets.due import SOON
from api.tickets.rules import BEFORE_ON_SITE, ENDED, OPEN
from api.tickets.tables import Ticket, Unit

#: Tickets on one page of the board.
PAGE = 50


@dataclass(frozen=True)
class Filters:
    """What of the board is wanted; '' for all. `status` may be a status, `open` (the trouble is not over) or `all`;
    `due` overdue or soon; `words` a number, or words of address, contact or description."""

    status: str = "open"
    kind: str = ""
    utility: str = ""
    unit: str = ""
    priority: int | None = None
    due: str = ""
    words: str = ""


def _running(state: str, now: datetime) -> ColumnElement[bool]:
    """SQL of `due.due_of(...).state`."""
    times = ((Ticket.dispatch_due_at, ("received",)), (Ticket.arrival_due_at, BEFORE_ON_SITE))
    late = or_(*(and_(Ticket.status.in_(statuses), at <= now) for at, statuses in times))
    if state == "overdue":
        return late
    soon = or_(*(and_(Ticket.status.in_(statuses), at > now, at <= now + SOON) for at, statuses in times))
    return and_(soon, ~func.coalesce(late, False))


def _conditions(wanted: Filters, now: datetime) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status == "open":
        found.append(Ticket.status.in_(OPEN))
    elif wanted.status not in ("", "all"):
        found.append(Ticket.status == wanted.status)
    for column, value in ((Ticket.kind, wanted.kind), (Ticket.utility, wanted.utility), (Ticket.unit, wanted.unit)):
        if value:
            found.append(column == value)
    if wanted.priority is not None:
        found.append(Ticket.priority == wanted.priority)
    if wanted.due in ("overdue", "soon"):
        found.append(_running(wanted.due, now))
    if words := wanted.words.strip():
        number = "".join(words.split())
        columns = (Ticket.address, Ticket.description, Ticket.contact_name, Ticket.contact_phone)
        sought = [column.icontains(words, autoescape=True) for column in columns]
        if number.isascii() and number.isdigit():
            sought += [Ticket.number.startswith(number), Ticket.contact_phone.startswith(number)]
        found.append(or_(*sought))
    return found


async def page(session: AsyncSession, wanted: Filters, now: datetime, number: int = 1) -> tuple[Sequence[Ticket], bool]:
    """A page (from 1) of tickets, and whether another follows.

    What is not over comes first, by priority, the oldest first; then what waits for its end; then what has ended.
    """
    rank = case((Ticket.status.in_(OPEN), 0), (Ticket.status.in_(ENDED), 2), else_=1)
    running = Ticket.status.in_(OPEN)
    order = (
        rank,
        case((running, Ticket.priority), else_=9),
        case((running, Ticket.created_at), else_=None),
        Ticket.created_at.desc(),
        Ticket.number,
    )
    query = select(Ticket).where(*_conditions(wanted, now)).order_by(*order)
    rows = (await session.scalars(query.offset((number - 1) * PAGE).limit(PAGE + 1))).all()
    return rows[:PAGE], len(rows) > PAGE


async def counts(session: AsyncSession, wanted: Filters, now: datetime) -> Mapping[str, int]:
    """How many there are by status, whatever status is chosen; `open` and `all` too."""
    conditions = _conditions(replace(wanted, status="all"), now)
    query = select(Ticket.status, func.count()).where(*conditions).group_by(Ticket.status)
    by_status = {row[0]: row[1] for row in await session.execute(query)}
    return by_status | {
        "open": sum(count for status, count in by_status.items() if status in OPEN),
        "all": sum(by_status.values()),
    }


async def units(session: AsyncSession) -> Sequence[Unit]:
    return (await session.scalars(select(Unit).order_by(Unit.id))).all()
