"""Everything about a conversation's customer and place that an agent should see at a glance. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.bulletins.rules import Announced
from api.bulletins.service import concerning
from api.channels.voice.moment import as_dialled
from api.console.session import SignedIn
from api.console.sheet import Sheet, both, part, plain_steps, read_sheet, steps_of
from api.conversations.tables import Callback, Conversation
from api.customers import history
from api.customers.schemas import PointOut
from api.customers.service import account_file, verified_account_of
from api.customers.tables import Account
from api.errors import not_found
from api.network.tables import Place, ServicePoint
from api.outages import queries
from api.outages.schemas import PhasedOutage
from api.privacy import mask_number, mask_phone
from api.tickets.neighbours import Neighbours, neighbours_of
from api.tickets.placement import commitments
from api.tickets.tables import Ticket

#: A place alone has many addresses: that many of its customers' other points are listed.
MOST_POINTS = 8


@dataclass(frozen=True)
class Case:
    """A conversation with all that is known around it. `whole`: its agent and supervisors see numbers unmasked."""

    conversation: Conversation
    whole: bool
    account: Account | None
    points: Sequence[PointOut]
    number: str
    point: ServicePoint | None
    place: Place | None
    #: The place in words, where no address of the network matches.
    address: str
    detail: str
    arrival_minutes: int | None
    sheet: Sheet
    contact: Mapping[str, str]
    earlier: Sequence[history.Earlier]
    tickets: Sequence[Ticket]
    callbacks: Sequence[Callback]
    outages: Sequence[PhasedOutage]
    bulletins: Sequence[Announced]
    neighbours: Mapping[str, Neighbours]

    @property
    def account_masked(self) -> str:
        return mask_number(self.account.number) if self.account else ""

    def phone(self, number: str) -> str:
        """A telephone number as this agent may see it."""
        number = as_dialled(number) or number
        return number if self.whole else mask_phone(number)

    @property
    def others(self) -> int:
        """How many others report trouble on the nearest piece of the network that has any."""
        return max((found.levels[0].total for found in self.neighbours.values() if found.levels), default=0)


def sees_whole(me: SignedIn, conversation: Conversation) -> bool:
    """Whether numbers are shown unmasked: to the conversation's own agent and to supervisors."""
    return me.supervises or (conversation.owner == "agent" and conversation.agent_id == me.agent.id)


async def case_of(session: AsyncSession, conversation_id: str, me: SignedIn, now: datetime) -> Case:
    """Problem 404 for an unknown conversation."""
    conversation = await session.get(Conversation, conversation_id)
    if conversation is None:
        raise not_found("conversation")
    account = await verified_account_of(session, conversation_id, now)
    number = await history.number_of(session, conversation_id) if conversation.channel == "voice" else ""
    earlier = await history.earlier(session, conversation, account, number)
    tickets = await history.tickets(session, conversation, account, earlier)
    own = [ticket for ticket in tickets if ticket.conversation_id == conversation_id]
    where = part(conversation.sheet, "place")
    point = await _point(session, where.get("service_point_id"), own, account)
    place_id = point.place_id if point else where.get("place_id")
    place = await session.get(Place, place_id) if isinstance(place_id, str) else None
    sheet = read_sheet(conversation.sheet, me.language)
    if not sheet.steps and own and own[0].tried:
        sheet = _with_steps(sheet, own[0], me.language)
    contact = {name: both(part(conversation.sheet, "contact").get(name), me.language) for name in ("name", "phone")}
    return Case(
        conversation=conversation,
        whole=sees_whole(me, conversation),
        account=account,
        points=(await account_file(session, account.number)).service_points[:MOST_POINTS] if account else [],
        number=number,
        point=point,
        place=place,
        address=both(where.get("address"), me.language),
        detail=both(where.get("detail"), me.language),
        arrival_minutes=(await commitments(session)).get(point.area_class) if point else None,
        sheet=sheet,
        contact=contact,
        earlier=earlier,
        tickets=tickets,
        callbacks=await history.callbacks(session, conversation, now),
        outages=await _outages(session, point, place, now),
        bulletins=await concerning(
            session, now, service_point_id=point.id if point else None, place_id=place.id if place else None
        ),
        neighbours=await _neighbours(session, conversation, point, own, now),
    )


async def _point(
    session: AsyncSession, named: object, own: Sequence[Ticket], account: Account | None
) -> ServicePoint | None:
    """Where the trouble is: as the bot understood it, as its ticket says, else the verified account's address."""
    filed = next((ticket.service_point_id for ticket in own if ticket.service_point_id), None)
    for point_id in (named, filed, account.service_point_id if account else None):
        if isinstance(point_id, str) and (point := await session.get(ServicePoint, point_id)):
            return point
    return None


async def _outages(
    session: AsyncSession, point: ServicePoint | None, place: Place | None, now: datetime
) -> Sequence[PhasedOutage]:
    if point is not None:
        return (await queries.of_points(session, [point.id], now, now))[point.id]
    return (await queries.of_place(session, place.id, now, now))[0] if place else []


async def _neighbours(
    session: AsyncSession,
    conversation: Conversation,
    point: ServicePoint | None,
    own: Sequence[Ticket],
    now: datetime,
) -> dict[str, Neighbours]:
    """By utility: the one it is about where that is known, else both."""
    if point is None:
        return {}
    told = conversation.sheet.get("utility") or (own[0].utility if own else conversation.skill)
    utilities = [told] if told in ("power", "water") else ["power", "water"]
    found = {one: await neighbours_of(session, point, one, conversation.id, now) for one in utilities}
    return {utility: one for utility, one in found.items() if one.levels}


def _with_steps(sheet: Sheet, ticket: Ticket, language: str) -> Sheet:
    steps = {"steps": steps_of(ticket.tried, language), "tried": plain_steps(ticket.tried)}
    return Sheet(**{**vars(sheet), **steps})
