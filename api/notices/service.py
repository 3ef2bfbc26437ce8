"""Who is to be told of a change, and telling him. Functions take a session and never commit.

A notice is written with the change that it tells of, so that neither is without the other, and worded when it is sent:
what a night has overtaken is not told in the morning.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.tables import Call
from api.channels.wechat.tables import Follower
from api.conversations.bell import touch
from api.conversations.sentences import fact, hotline, local_time
from api.conversations.tables import Conversation
from api.conversations.transcript import add_message, lock_conversation
from api.db.base import table_of
from api.network.tables import ServicePoint
from api.notices import rules
from api.notices.opt_outs import opted_out
from api.notices.sentences import joined, say
from api.notices.tables import Notice
from api.outages.tables import Outage, OutageReport
from api.outbox.queue import enqueue
from api.phones import e164, takes_texts
from api.settings import Settings
from api.tickets.rules import ENDED
from api.tickets.tables import Ticket, TicketEvent

log = structlog.get_logger(__name__)

#: What the bell of api.conversations.bell is rung with when there may be a notice to send.
NOTICES = "*notices"
#: A ticket's trouble is over in these.
MENDED = ("repaired", "customer_informed", "followed_up", "closed")


@dataclass(frozen=True)
class Asker:
    """Somebody who reported something, and so asked to be told of its end."""

    conversation_id: str | None
    phone: str
    language: str | None
    address_zh: str = ""
    address_en: str = ""
    ticket_number: str | None = None


@dataclass(frozen=True)
class Told:
    """How one of them is told."""

    asker: Asker
    channel: str
    recipient: str
    language: str
    conversation_id: str | None


async def outage_changed(
    session: AsyncSession, outage: Outage, old_status: str, old_expected: datetime | None, now: datetime
) -> int:
    """Write the notices that a change of an outage calls for; how many."""
    if outage.status == "restored" and old_status != "restored":
        done = select(Notice.recipient).join(Ticket, Ticket.number == Notice.ticket_number)
        done = done.where(Ticket.outage_id == outage.id, Notice.state != "dropped")
        knows = set(await session.scalars(done))
        people = [
            one for one in await _reached(session, await askers_of(session, outage)) if one.recipient not in knows
        ]
        return await _write(session, "restored", people, now, outage=outage, mark="")
    if outage.status == "cancelled" or outage.ended_at is not None or outage.expected_end_at == old_expected:
        return 0
    last = select(Notice.data).where(Notice.outage_id == outage.id, Notice.kind == "expected")
    latest = await session.scalar(last.order_by(Notice.id.desc()).limit(1))
    told = datetime.fromisoformat(latest["expected_end_at"]) if latest else old_expected
    if not rules.worth_telling(told, outage.expected_end_at, now):
        return 0
    people = await _reached(session, await askers_of(session, outage))
    return await _write(session, "expected", people, now, outage=outage, mark=now.isoformat())


async def ticket_mended(session: AsyncSession, ticket: Ticket, now: datetime) -> int:
    """Write the notices that a repaired fault calls for: to its customer, and to callers who were added to it.

    Of a fault that is part of a confirmed outage the outage's end tells, and its customers are told once.
    """
    if ticket.kind != "fault_report":
        return 0
    outage = await session.get(Outage, ticket.outage_id) if ticket.outage_id else None
    if outage is not None and outage.kind != "predicted" and outage.ended_at is None:
        return 0
    people = await _reached(session, await _callers(session, [ticket]))
    if outage is not None:
        done = select(Notice.recipient).where(
            Notice.outage_id == outage.id, Notice.kind == "restored", Notice.state != "dropped"
        )
        knows = set(await session.scalars(done))
        people = [one for one in people if one.recipient not in knows]
    return await _write(session, "repaired", people, now, ticket=ticket, mark=now.isoformat())


async def askers_of(session: AsyncSession, outage: Outage) -> list[Asker]:
    """Everybody who was added to an outage or whose ticket belongs to it."""
    added = (
        select(OutageReport, ServicePoint, Conversation.language)
        .outerjoin(ServicePoint, ServicePoint.id == OutageReport.service_point_id)
        .outerjoin(Conversation, Conversation.id == OutageReport.conversation_id)
        .where(OutageReport.outage_id == outage.id)
        .order_by(OutageReport.created_at, OutageReport.id)
    )
    found = [
        Asker(
            report.conversation_id or None,
            report.contact_phone,
            language,
            point.address_zh if point else "",
            point.address_en if point else "",
        )
        for report, point, language in await session.execute(added)
    ]
    tickets = select(Ticket).where(
        Ticket.outage_id == outage.id, Ticket.kind == "fault_report", Ticket.status.not_in(ENDED)
    )
    return found + await _callers(session, (await session.scalars(tickets.order_by(Ticket.created_at))).all())


async def _callers(session: AsyncSession, tickets: Sequence[Ticket]) -> list[Asker]:
    """The customers of tickets, and the further callers who were added to these."""
    by_number = {ticket.number: ticket for ticket in tickets}
    found = [_customer(ticket, ticket.conversation_id, ticket.contact_phone) for ticket in tickets]
    further = select(TicketEvent).where(TicketEvent.ticket_number.in_(by_number), TicketEvent.kind == "caller")
    for event in await session.scalars(further.order_by(TicketEvent.id)):
        kind, _, conversation_id = event.by.partition(":")
        phone = str(event.data.get("contact_phone", ""))
        own = conversation_id if kind == "bot" else None
        # Another caller's words for the place, and number, are not his.
        found.append(Asker(own, phone, None))
    return found


def _customer(ticket: Ticket, conversation_id: str | None, phone: str) -> Asker:
    return Asker(conversation_id, phone, ticket.language, ticket.address, ticket.address, ticket.number)


async def _reached(session: AsyncSession, askers: Iterable[Asker]) -> list[Told]:
    """How each of them is told, everybody once: whoever reported twice, or by two ways, hears it once."""
    askers = list(askers)
    calls = select(Call.conversation_id, Call.number).where(
        Call.conversation_id.in_({asker.conversation_id for asker in askers if not asker.phone}), Call.number != ""
    )
    # Who reported by telephone and gave no number is told on the one that he called from.
    numbers = {row.conversation_id: row.number for row in await session.execute(calls)}
    ids = {asker.conversation_id for asker in askers if asker.conversation_id}
    rows = await session.scalars(select(Conversation).where(Conversation.id.in_(ids)))
    conversations = {row.id: row for row in rows}
    open_ids = {row.deliver_to for row in conversations.values() if row.channel == "wechat" and row.deliver_to}
    query = select(Follower).where(Follower.open_id.in_(open_ids), Follower.subscribed.is_(True))
    followers = {row.open_id: row for row in await session.scalars(query)} if open_ids else {}
    told: dict[str, Told] = {}
    phones: set[str] = set()
    for asker in askers:
        conversation = conversations.get(asker.conversation_id or "")
        follower = followers.get(conversation.deliver_to) if conversation else None
        try:
            given = asker.phone or numbers.get(asker.conversation_id or "", "")
            phone = e164(given) if given else ""
        except ValueError:
            phone = ""
        channel = rules.channel_for(wechat=follower is not None, phone=phone, takes_texts=takes_texts(phone))
        recipient = follower.open_id if follower else phone
        if channel is None or recipient in told or (phone and phone in phones):
            continue
        phones.add(phone)
        language = asker.language or (conversation.language if conversation else None) or "zh"
        # He may be writing in a newer conversation by now.
        current = (follower.conversation_id if follower else None) or (conversation.id if conversation else None)
        told[recipient] = Told(asker, channel, recipient, language, current)
    return list(told.values())


async def _write(
    session: AsyncSession,
    kind: str,
    people: Sequence[Told],
    now: datetime,
    *,
    mark: str,
    outage: Outage | None = None,
    ticket: Ticket | None = None,
) -> int:
    """Write the notices; those of the same outage or ticket that wait still are overtaken by them."""
    about = Notice.outage_id == outage.id if outage else Notice.ticket_number == (ticket.number if ticket else None)
    await session.execute(
        update(Notice)
        .where(about, Notice.state == "pending")
        .values(state="dropped", why="overtaken")
        .execution_options(synchronize_session=False)
    )
    subject = outage.id if outage else ticket.number if ticket else ""
    expected = outage.expected_end_at if outage else None
    rows = [
        {
            "key": ":".join(filter(None, (kind, subject, mark, one.recipient))),
            "kind": kind,
            "outage_id": outage.id if outage else None,
            "ticket_number": ticket.number if ticket else None,
            "channel": one.channel,
            "recipient": one.recipient,
            "language": one.language,
            "conversation_id": one.conversation_id,
            "data": {
                "address": one.asker.address_en if one.language == "en" else one.asker.address_zh,
                "number": one.asker.ticket_number,
                "expected_end_at": expected.isoformat() if expected else None,
            },
            "due_at": now,
            "created_at": now,
        }
        for one in people
    ]
    if not rows:
        return 0
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    # One statement for each, so that a database's bound on parameters does not bound an outage.
    await session.execute(dialect.insert(table_of(Notice)).on_conflict_do_nothing(index_elements=["key"]), rows)
    await touch(session, NOTICES)
    log.info("notices.written", kind=kind, count=len(rows))
    return len(rows)


async def send(session: AsyncSession, settings: Settings, notice: Notice, now: datetime) -> None:
    """Word and hand over one pending notice (locked), put it off while its customer rests, or drop it."""
    if why := await _overtaken(session, notice, now):
        notice.state, notice.why = "dropped", why
        return
    if why := await _impossible(session, settings, notice):
        notice.state, notice.why = "refused", why
        return
    resting = rules.periods(await fact(session, "rest_hours" if notice.channel == "call" else "notice_rest_hours"))
    due = rules.rest_ends(now, resting, settings.zone)
    if due > now:
        notice.due_at = due
        return
    words = await _words(session, settings, notice)
    if notice.channel == "wechat":
        conversation = await lock_conversation(session, str(notice.conversation_id))
        if conversation is None:
            notice.state, notice.why = "refused", "no-conversation"
            return
        await add_message(session, conversation, "system", words, now)
    else:
        await enqueue(
            session,
            notice.channel,
            notice.recipient,
            {"text": words, "language": notice.language, "rest": rules.as_data(resting)},
            now,
            key=f"notice:{notice.id}",
            purpose="notice",
            conversation_id=notice.conversation_id,
        )
    notice.state, notice.sent_at = "sent", now


async def _overtaken(session: AsyncSession, notice: Notice, now: datetime) -> str:
    """Why it is no longer true, '' while it is."""
    if notice.kind == "repaired":
        ticket = await session.get(Ticket, notice.ticket_number)
        return "" if ticket is not None and ticket.status in MENDED else "not-mended"
    outage = await session.get(Outage, notice.outage_id)
    if outage is None or (notice.kind == "restored" and outage.status != "restored"):
        return "not-restored"
    if notice.kind == "expected":
        expected = outage.expected_end_at
        if outage.ended_at is not None or expected is None or expected <= now:
            return "past"
    return ""


async def _impossible(session: AsyncSession, settings: Settings, notice: Notice) -> str:
    """Why its customer cannot be told, '' where he can."""
    telephone = settings.voice_on and bool(settings.twilio_from)
    if not (settings.wechat_on if notice.channel == "wechat" else telephone):
        return "channel-off"
    return "opted-out" if await opted_out(session, settings, notice.recipient, notice.channel) else ""


async def _words(session: AsyncSession, settings: Settings, notice: Notice) -> str:
    """The notice in its customer's language, as of now."""
    language, address = notice.language, str(notice.data.get("address") or "")
    place = say("at", language, address=address) if address else say("here", language)
    closing = say(f"still_off_{notice.channel}", language, hotline=await hotline(session))
    if notice.kind == "repaired":
        ticket = await session.get_one(Ticket, notice.ticket_number)
        supply = say(ticket.utility, language)
        if notice.data.get("number"):
            told = say("repaired", language, place=place, supply=supply, number=ticket.number)
        else:
            told = say("repaired_for_caller", language, supply=supply)
    else:
        outage = await session.get_one(Outage, notice.outage_id)
        moment = outage.ended_at if notice.kind == "restored" else outage.expected_end_at
        time = local_time(moment, settings.zone, language) if moment else ""
        told = say(notice.kind, language, place=place, supply=say(outage.utility, language), time=time)
        closing = closing if notice.kind == "restored" else ""
    name = await fact(session, "name")
    sender = str(name.get(language, "")) if isinstance(name, dict) else ""
    signed = say("signed", language, name=sender) if sender and notice.channel == "sms" else ""
    hello = say("hello", language) if notice.channel != "call" else ""
    return signed + hello + joined(language, told, closing)
