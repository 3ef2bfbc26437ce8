"""Which conversations an agent may open: those that the work brings him, and not everybody's. Reads only.

Supervisors, admins and the service token open all; a desk may allow it to agents, too (MAINSDESK_AGENTS_READ_ALL).
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from api.audit.tables import AuditEntry
from api.channels.voice.tables import Call
from api.channels.wechat.tables import Attachment
from api.conversations.tables import Callback, Conversation, Mention, Message, Note
from api.customers import rules
from api.errors import Problem
from api.tickets.tables import Ticket

#: Not 404: the number may have come from a colleague, who then knows what to do.
NOT_READABLE = Problem(
    403, "not-readable", "This conversation is a colleague's. Ask to be mentioned in it, or ask a supervisor."
)
#: So lately something was said in a conversation that is going on.
LIVE = timedelta(minutes=30)
#: Tickets whose customers are told what dispatch did, by whoever has time.
TELLING = ("on_site", "repaired")


def readable(agent_id: str, now: datetime) -> ColumnElement[bool]:
    """What an agent may open, as a condition on Conversation.

    What waits, or talks with the assistant now, as anybody may take it; what is or was the agent's; where a colleague
    named him; what somebody has to see to (a promised call, news of a ticket); what the customer of one that waits or
    is the agent's had before.
    """
    c = Conversation
    return or_(
        _at_hand(c, agent_id),
        and_(c.owner == "bot", c.closed_at.is_(None), func.coalesce(c.last_message_at, c.created_at) > now - LIVE),
        exists().where(Message.conversation_id == c.id, Message.agent_id == agent_id),
        exists().where(Note.conversation_id == c.id, or_(Note.agent_id == agent_id, _passed_on(agent_id))),
        exists().where(Note.conversation_id == c.id, Mention.note_id == Note.id, Mention.agent_id == agent_id),
        exists().where(Call.conversation_id == c.id, Call.agent_id == agent_id),
        _acted(agent_id),
        exists().where(Callback.conversation_id == c.id, Callback.status == "open"),
        exists().where(Ticket.conversation_id == c.id, Ticket.status.in_(TELLING)),
        _same_customers(agent_id, now),
    )


def _at_hand(c: type[Conversation], agent_id: str) -> ColumnElement[bool]:
    return or_(c.owner == "waiting", and_(c.owner == "agent", c.agent_id == agent_id))


def _passed_on(agent_id: str) -> ColumnElement[bool]:
    """Whether the note tells that the desk took it from the agent, who may have been given it and not have written."""
    lost: ColumnElement[bool] = Note.facts["from"].as_string() == agent_id
    return lost


def _acted(agent_id: str) -> ColumnElement[bool]:
    """Whether it was the agent's once, though he said nothing in it: taking and passing on stand in the audit log."""
    of = literal("conversation:") + Conversation.id
    acted = AuditEntry.action.startswith("conversation.")
    return exists().where(AuditEntry.by == f"agent:{agent_id}", AuditEntry.subject == of, acted)


def _same_customers(agent_id: str, now: datetime) -> ColumnElement[bool]:
    """Whether its customer, by verified account, follower or number, is one who waits or whom the agent serves."""
    c, other = Conversation, aliased(Conversation)
    mine, theirs = aliased(Call), aliased(Call)
    number = select(mine.sid).where(mine.conversation_id == other.id, mine.number == theirs.number, mine.number != "")
    number = number.where(theirs.conversation_id == c.id).correlate(other, c)
    same = or_(
        and_(other.account_number == c.account_number, other.verified_at > now - rules.IDLE),
        and_(
            other.channel == "wechat", other.channel == c.channel, other.deliver_to == c.deliver_to, c.deliver_to != ""
        ),
        number.exists(),
    )
    return exists().where(_at_hand(other, agent_id), other.closed_at.is_(None), same)


async def may_open(session: AsyncSession, agent_id: str, conversation_id: str, now: datetime) -> bool:
    """Whether an agent may open a conversation; True for one that is not there, of which the endpoint says so."""
    query = select(Conversation.owner, Conversation.agent_id).where(Conversation.id == conversation_id)
    row = (await session.execute(query)).one_or_none()  # nearly always this is answer enough
    if row is None or row.owner == "waiting" or (row.owner == "agent" and row.agent_id == agent_id):
        return True
    found = select(Conversation.id).where(Conversation.id == conversation_id, readable(agent_id, now))
    return await session.scalar(found) is not None


async def conversation_of_file(session: AsyncSession, attachment_id: str) -> str:
    """Whose picture or recording it is; '' for none."""
    query = select(Attachment.conversation_id).where(Attachment.id == attachment_id)
    return await session.scalar(query) or ""
