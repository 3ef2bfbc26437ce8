"""What a conversation's page shows: its state, its lines and all that is known of them, notes. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.agents.tables import Agent
from api.channels.wechat.tables import Attachment
from api.console.session import SignedIn
from api.conversations.insight import understandings_of
from api.conversations.notes import Noted, names_in
from api.conversations.places import Place, place_of
from api.conversations.router import window_of
from api.conversations.rules import content_hash
from api.conversations.schemas import Window
from api.conversations.tables import Alarm, Choice, Conversation, Message, Note, Understanding
from api.customers.rules import is_verified
from api.danger import scan
from api.errors import not_found
from api.outbox.service import Carried, carried_lines
from api.privacy import mask_number

#: Lines that a page begins with, and that "earlier" adds.
PAGE = 100
#: Lines before the last one shown whose delivery, understanding and choice may still change.
UNSETTLED = 12
#: Notes are written within so long of each other that their order may differ from that of their commits.
OVERLAP = timedelta(seconds=60)

_lines = (
    select(Message, Agent.name, Agent.username)
    .outerjoin(Agent, Agent.id == Message.agent_id)
    .where(Message.conversation_id == bindparam("conversation"))
)
_LAST = _lines.where(Message.seq < bindparam("before")).order_by(Message.seq.desc()).limit(bindparam("limit"))
_LATER = _lines.where(Message.seq > bindparam("after")).order_by(Message.seq).limit(bindparam("limit"))
_CHOICES = (
    select(Choice)
    .where(Choice.message_id.in_(bindparam("messages", expanding=True)))
    .order_by(Choice.message_id, Choice.position)
)
_NOTES = (
    select(Note, Agent)
    .outerjoin(Agent, Agent.id == Note.agent_id)
    .where(Note.conversation_id == bindparam("conversation"))
    .order_by(Note.at, Note.id)
)
_STATE = (
    select(Conversation, Agent)
    .outerjoin(Agent, Agent.id == Conversation.agent_id)
    .where(Conversation.id == bindparam("conversation"))
)
_ALARMS = select(Alarm).where(
    Alarm.conversation_id == bindparam("conversation"),
    Alarm.provider_id.in_(bindparam("messages", expanding=True)),
)
_FILES = select(Attachment).where(Attachment.message_id.in_(bindparam("messages", expanding=True)))


@dataclass(frozen=True)
class State:
    """Whose a conversation is and what this agent may do with it."""

    row: Conversation
    agent: Agent | None
    me: SignedIn
    #: The customer's account, masked, while it is verified.
    account: str
    window: Window | None
    mine: bool
    #: Why this agent cannot write to the customer: '' | waiting | bot | other | closed.
    barred: str
    #: Where the customer stands who waits, as he is told it.
    place: Place = field(default_factory=Place)

    @property
    def foreign(self) -> bool:
        """Whether the customer's language is not this agent's."""
        languages = self.me.agent.languages
        return bool(languages) and self.row.language is not None and self.row.language not in languages

    @property
    def mark(self) -> str:
        """Changes whenever what this agent may do changes."""
        row = self.row
        return "-".join((row.owner, row.agent_id or "", "closed" if row.closed_at else "", row.language or ""))


async def state_of(session: AsyncSession, conversation_id: str, me: SignedIn, now: datetime) -> State:
    """The conversation as it is for this agent; Problem 404."""
    found = (await session.execute(_STATE, {"conversation": conversation_id})).one_or_none()
    if found is None:
        raise not_found("conversation")
    row, agent = found
    account = row.account_number if is_verified(row.verified_at, row.closed_at, now) else None
    mine = row.owner == "agent" and row.agent_id == me.agent.id
    barred = "" if mine else "other" if row.owner == "agent" else row.owner
    return State(
        row,
        agent,
        me,
        mask_number(account or ""),
        await window_of(session, row, now),
        mine,
        "closed" if row.closed_at is not None else barred,
        await place_of(session, row, now),
    )


@dataclass(frozen=True)
class Line:
    """One line of the transcript with all that is known of it."""

    message: Message
    #: The name of the agent who wrote it.
    by: str = ""
    #: Choices offered: (label, whether it was taken).
    offered: Sequence[tuple[str, bool]] = ()
    #: The customer chose it from a list.
    chosen: bool = False
    #: The danger that it raised the alarm for.
    danger: Alarm | None = None
    understood: Understanding | None = None
    delivery: Carried | None = None
    files: Sequence[Attachment] = ()

    @property
    def annotated(self) -> bool:
        """Whether there is more to show below it; what there is may change, and never goes away."""
        return bool(self.offered or self.chosen or self.understood or self.delivery or self.files)

    @property
    def parts(self) -> list[tuple[str, bool]]:
        """The text in pieces, with True for the words that tell of danger."""
        if self.danger is None:
            return [(self.message.text, False)]
        return marked(self.message.text, self.danger.words.split("\n") if self.danger.words else [])


def marked(text: str, words: Sequence[str]) -> list[tuple[str, bool]]:
    """The text cut at these words of it; where none are known (an alarm of an earlier version), it is scanned."""
    spans = sorted((at, at + len(each)) for each in words if each and (at := text.find(each)) >= 0)
    if not words and (found := scan(text)) is not None:
        spans = sorted(found.spans)
    parts, last = list[tuple[str, bool]](), 0
    for start, end in spans:
        if end <= last:
            continue
        parts += [(text[last:start], False), (text[max(start, last) : end], True)]
        last = end
    return [part for part in [*parts, (text[last:], False)] if part[0]]


@dataclass(frozen=True)
class Shown:
    """Lines and notes in the order of the page."""

    items: Sequence[Line | Noted]
    #: Lines that stand on the page already and may have changed.
    changed: Sequence[Line] = ()
    #: Seq of the first and the last line; 0 where there is none.
    first: int = 0
    last: int = 0
    #: Which notes stand on the page: `<time of the newest>|<ids of those about as new>`.
    noted: str = ""

    @property
    def earlier(self) -> bool:
        """Whether lines precede the first one."""
        return self.first > 1


async def last_lines(session: AsyncSession, state: State, before: int | None = None) -> Shown:
    """The last lines, of those before the line `before` where it is given, and the notes that stand among them."""
    row = state.row
    asked = {"conversation": row.id, "before": before or row.last_seq + 1, "limit": PAGE}
    found = list(reversed((await session.execute(_LAST, asked)).all()))
    lines = await _known(session, row, found)
    first = lines[0].message.seq if lines else 0
    notes = await _notes(session, state)
    among = [n for n in notes if (n.note.seq >= first or first <= 1) and (before is None or n.note.seq < before)]
    last = lines[-1].message.seq if lines else 0
    return Shown(_merged(lines, among), first=first, last=last, noted=_noted(notes))


async def news(session: AsyncSession, state: State, after: int, noted: str) -> Shown:
    """What has come after the line `after` and the notes of `noted`, and what may have changed of the lines before."""
    row, start = state.row, max(after - UNSETTLED, 0)
    asked = {"conversation": row.id, "after": start, "limit": PAGE + UNSETTLED}
    lines = await _known(session, row, (await session.execute(_LATER, asked)).all())
    fresh = [line for line in lines if line.message.seq > after]
    notes = await _notes(session, state)
    new = [note for note in notes if _is_new(note, noted)]
    last = fresh[-1].message.seq if fresh else after
    old = [line for line in lines if line.message.seq <= after and line.annotated]
    return Shown(_merged(fresh, new), old, after + 1, last, _noted(notes) or noted)


async def _known(session: AsyncSession, row: Conversation, found: Sequence[tuple[Message, str, str]]) -> list[Line]:
    """The lines with their choices, understanding, delivery and files."""
    asking = [message.id for message, *_ in found if message.sender in ("bot", "system")]
    written = [message.id for message, *_ in found if message.sender == "customer"]
    offered: dict[str, list[Choice]] = {}
    tokens = dict[str, str]()
    for choice in await session.scalars(_CHOICES, {"messages": asking}) if asking else ():
        offered.setdefault(choice.message_id, []).append(choice)
        tokens[content_hash("choice", choice.token)] = choice.token
    taken = {tokens[message.content_hash] for message, *_ in found if message.content_hash in tokens}
    understood = await understandings_of(session, written)
    carried = await carried_lines(session, [message.id for message, *_ in found]) if row.deliver_to else {}
    files: dict[str, list[Attachment]] = {}
    if row.channel == "wechat" and written:
        for file in await session.scalars(_FILES, {"messages": written}):
            files.setdefault(file.message_id, []).append(file)
    alarms = await _alarms(session, row, [message.provider_id for message, *_ in found if message.provider_id])
    return [
        Line(
            message,
            (name or username or "") if message.agent_id else "",
            [(choice.label, choice.token in taken) for choice in offered.get(message.id, ())],
            message.content_hash in tokens,
            alarms.get(message.provider_id),
            understood.get(message.id),
            carried.get(message.id),
            files.get(message.id, ()),
        )
        for message, name, username in found
    ]


async def _alarms(session: AsyncSession, row: Conversation, ids: Sequence[str]) -> dict[str | None, Alarm]:
    """The alarms that these messages of customers raised, by provider's id; there are none where nothing was urgent."""
    if not ids or (row.priority > 1 and row.episode == 1):
        return {}
    found = await session.scalars(_ALARMS, {"conversation": row.id, "messages": ids})
    return {alarm.provider_id: alarm for alarm in found}


async def _notes(session: AsyncSession, state: State) -> list[Noted]:
    """The notes; a whisper is for supervisors and for the agent who has the conversation."""
    found = (await session.execute(_NOTES, {"conversation": state.row.id})).all()
    names = await names_in(session, (note.facts for note, _ in found))
    hears = state.mine or state.me.supervises
    return [Noted(note, author, (), names) for note, author in found if hears or note.kind != "whisper"]


def _merged(lines: Sequence[Line], notes: Sequence[Noted]) -> list[Line | Noted]:
    """Each note after the line that was the last one when it was written."""
    places: list[tuple[int, int, Line | Noted]] = [(line.message.seq, 0, line) for line in lines]
    places += [(noted.note.seq, 1, noted) for noted in notes]
    return [item for *_, item in sorted(places, key=lambda place: place[:2])]


def _noted(notes: Sequence[Noted]) -> str:
    if not notes:
        return ""
    newest = max(noted.note.at for noted in notes)
    late = [noted.note.id for noted in notes if noted.note.at > newest - OVERLAP]
    return f"{newest.isoformat()}|{','.join(late)}"


def _is_new(noted: Noted, mark: str) -> bool:
    """Whether a note does not stand on the page whose `noted` this is."""
    moment, _, ids = mark.partition("|")
    try:
        newest = datetime.fromisoformat(moment)
    except ValueError:
        return True
    if newest.tzinfo is None:  # no mark of ours
        return True
    return noted.note.at > newest - OVERLAP and noted.note.id not in ids.split(",")
