"""Calls as the console shows them: where each is now, what can be done, who waits, who is to be called. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.voice import control, legs
from api.channels.voice.moment import as_dialled
from api.channels.voice.tables import Call
from api.channels.voice.voicemail import TOPIC
from api.console.session import SignedIn
from api.console.sheet import both, part
from api.conversations import callbacks, overview, places
from api.conversations.tables import Callback, Conversation, Message
from api.outbox.tables import Delivery
from api.privacy import mask_phone
from api.tickets.rules import OPEN
from api.tickets.tables import Ticket

#: What was a moment ago is still shown beside what is.
LATELY = timedelta(minutes=10)
MOST_CALLS, MOST_CALLBACKS, MOST_MESSAGES = 20, 50, 20
#: What the delivery of a call back tells while no customer has answered it.
DIALLED = {
    **dict.fromkeys(("queued", "sending", "sent"), "calling"),
    **dict.fromkeys(("failed", "dead", "parked"), "not_reached"),
    "unknown": "unknown",
}
CALLBACK = "callback"


@dataclass(frozen=True)
class CallState:
    """One call of a conversation, as far as anybody knows.

    phase: none | bot | waiting | missed | taken | following | ringing | offered | talking | held | written | done |
    over, and of a call back that no customer has answered: calling | not_reached | unknown.
    """

    conversation: Conversation
    call: Call | None
    phase: str
    since: datetime | None
    #: As people write it; masked but for its agent and supervisors. `masked`: for all eyes.
    number: str
    masked: str
    place: str
    about: str
    #: What was asked of the call and has not come about yet, and what is known to be wrong with it.
    asked: str = ""
    error: str = ""
    #: Why an agent's phone or a customer was not reached.
    why: str = ""
    acts: Sequence[control.Act] = ()


def written(number: str) -> str:
    """A number of Twilio's as people write it."""
    return as_dialled(number) or number


def phase_of(call: Call | None, conversation: Conversation) -> str:
    """Where a call is; `missed`: back in the queue, because an agent's phone was not answered."""
    if call is None:
        return "none"
    if call.ended_at is not None:
        return "over"
    if conversation.owner == "waiting":
        return "missed" if call.leg_state in legs.NOT_REACHED else "waiting"
    if conversation.owner != "agent":
        return "following" if call.leg_state in legs.LIVE else "bot"
    if call.agent_id != conversation.agent_id:
        return "following" if call.leg_state in legs.LIVE else "taken"
    if call.leg_state == "ended":
        return "done"
    return call.leg_state if call.leg_state in (*legs.LIVE, "held", "written") else "taken"


def shown(
    conversation: Conversation, call: Call | None, delivery: Delivery | None, about: str, me: SignedIn, now: datetime
) -> CallState:
    """The state as this agent may see it."""
    phase, since, why = phase_of(call, conversation), None, ""
    if call is not None:
        since = {"over": call.ended_at, "waiting": conversation.waiting_since}.get(phase) or call.leg_at
        since = conversation.claimed_at if phase == "taken" else since
        why = call.leg_state if phase == "missed" else ""
    later = delivery is not None and (
        call is None or (call.sid != delivery.provider_id and call.created_at <= delivery.created_at)
    )
    if delivery is not None and later and phase in ("none", "over") and delivery.state in DIALLED:
        phase, since, why = DIALLED[delivery.state], delivery.updated_at, delivery.error
    mine = conversation.owner == "agent" and conversation.agent_id == me.agent.id
    acts: list[control.Act] = []
    asked, error = (call.asked, call.asked_error) if call is not None else ("", "")
    if call is not None and call.ended_at is None and phase in (*legs.LIVE, "held", "written", "done"):
        busy = legs.pending(call, now) and not error
        if conversation.closed_at is None and (mine or me.supervises) and not busy:
            acts = [act for act, states in control.ALLOWED.items() if call.leg_state in states]
    place = part(conversation.sheet, "place")
    number = written(call.number if call is not None else delivery.recipient if delivery is not None else "")
    return CallState(
        conversation=conversation,
        call=call,
        phase=phase,
        since=since,
        number=number if mine or me.supervises else mask_phone(number),
        masked=mask_phone(number),
        place=" ".join(filter(None, (both(place.get("address"), me.language), both(place.get("detail"), me.language)))),
        about=both(conversation.sheet.get("symptom"), me.language) or about,
        asked=asked,
        error=error,
        why=why,
        acts=acts,
    )


async def _said(session: AsyncSession, conversation_id: str) -> str:
    """The customer's last words."""
    said = select(Message.text).where(Message.conversation_id == conversation_id, Message.sender == "customer")
    return await session.scalar(said.order_by(Message.seq.desc()).limit(1)) or ""


async def _last_call_back(session: AsyncSession, conversation_id: str, now: datetime) -> Delivery | None:
    """The call back that was made or tried last, a moment ago."""
    query = select(Delivery).where(
        Delivery.conversation_id == conversation_id, Delivery.purpose == CALLBACK, Delivery.updated_at > now - LATELY
    )
    return await session.scalar(query.order_by(Delivery.id.desc()).limit(1))


async def one(session: AsyncSession, conversation: Conversation, me: SignedIn, now: datetime) -> CallState:
    """The conversation's call that goes on, else its latest."""
    calls = select(Call).where(Call.conversation_id == conversation.id)
    call = await session.scalar(calls.order_by(Call.ended_at.is_not(None), Call.created_at.desc(), Call.sid).limit(1))
    delivery = await _last_call_back(session, conversation.id, now)
    return shown(conversation, call, delivery, await _said(session, conversation.id), me, now)


async def mine(session: AsyncSession, me: SignedIn, now: datetime) -> list[CallState]:
    """This agent's calls: those that go on, are just over or not reached, and customers who are being called back."""
    c = Conversation
    own = and_(c.owner == "agent", c.agent_id == me.agent.id, c.closed_at.is_(None))
    lately = or_(Call.ended_at.is_(None), Call.ended_at > now - LATELY)
    missed = and_(Call.agent_id == me.agent.id, Call.leg_state.in_(legs.NOT_REACHED), Call.leg_at > now - LATELY)
    on_line = select(c).join(Call, Call.conversation_id == c.id).where(or_(and_(own, lately), missed))
    dialled = select(c).join(Delivery, Delivery.conversation_id == c.id)
    dialled = dialled.where(own, Delivery.purpose == CALLBACK, Delivery.updated_at > now - LATELY)
    found = {row.id: row for query in (on_line, dialled) for row in await session.scalars(query.limit(MOST_CALLS))}
    states = [await one(session, row, me, now) for row in found.values()]
    order = ("talking", "offered", "ringing", "taken", "following", "written", "held", "calling", "done")
    return sorted(states, key=lambda state: order.index(state.phase) if state.phase in order else len(order))


@dataclass(frozen=True)
class Waiting:
    """A caller in the queue; `position` among all who wait, on whatever channel."""

    state: CallState
    position: int


async def waiting(session: AsyncSession, me: SignedIn, now: datetime) -> list[Waiting]:
    """The callers who hold the line, in the order in which everybody who waits is served."""
    queued = [row for row in await overview.queue_view(session, now) if row.channel == "voice"]
    found = []
    for row in queued[:MOST_CALLBACKS]:
        if (call := await control.live_call(session, row.conversation_id)) is not None:
            conversation = await session.get_one(Conversation, row.conversation_id)
            state = shown(conversation, call, None, await _said(session, conversation.id), me, now)
            found.append(Waiting(state, row.position))
    return found


@dataclass(frozen=True)
class Promised:
    """A promised call. `number` is whole for who may call it; `last` is the last call that was made for it."""

    callback: Callback
    conversation: Conversation
    number: str
    position: int
    late: bool
    agent: Agent | None
    last: Delivery | None
    under_way: bool
    mine: bool


async def promised(session: AsyncSession, me: SignedIn, now: datetime) -> list[Promised]:
    """Open call-backs in the order in which they are due."""
    query = (
        select(Callback, Conversation, Agent)
        .join(Conversation, Conversation.id == Callback.conversation_id)
        .outerjoin(Agent, Agent.id == Conversation.agent_id)
        .where(Callback.status == "open")
        .order_by(Callback.due_at, Callback.id)
        .limit(MOST_CALLBACKS)
    )
    rows = (await session.execute(query)).all()
    stand = await places.places_of(session, now, {conversation.id for _, conversation, _ in rows}) if rows else {}
    found = []
    for callback, conversation, agent in rows:
        made = select(Delivery).where(Delivery.key == f"callback:{callback.id}:{callback.calls}")
        last = await session.scalar(made) if callback.calls else None
        whole = callbacks.owns(me.caller, conversation)
        found.append(
            Promised(
                callback=callback,
                conversation=conversation,
                number=callback.phone if whole else mask_phone(callback.phone),
                position=stand[conversation.id].number if conversation.id in stand else 0,
                late=callback.due_at < now,
                agent=agent,
                last=last,
                under_way=last is not None and callbacks.under_way(last, now),
                mine=conversation.owner == "agent" and conversation.agent_id == me.agent.id,
            )
        )
    return found


@dataclass(frozen=True)
class Past:
    """A call that is over, and to whom it was put through last."""

    call: Call
    agent: Agent | None

    @property
    def masked(self) -> str:
        return mask_phone(written(self.call.number))


async def recent(session: AsyncSession, me: SignedIn) -> list[Past]:
    """The last calls that are over: an agent's own, for supervisors everybody's."""
    query = select(Call, Agent).outerjoin(Agent, Agent.id == Call.agent_id).where(Call.ended_at.is_not(None))
    if not me.supervises:
        query = query.where(Call.agent_id == me.agent.id)
    rows = await session.execute(query.order_by(Call.ended_at.desc(), Call.sid).limit(MOST_CALLS))
    return [Past(call, agent) for call, agent in rows]


async def messages(session: AsyncSession) -> Sequence[Ticket]:
    """Tickets of messages that callers left, which nobody has finished."""
    query = select(Ticket).where(Ticket.topic == TOPIC, Ticket.status.in_(OPEN))
    return (await session.scalars(query.order_by(Ticket.created_at.desc(), Ticket.number).limit(MOST_MESSAGES))).all()
