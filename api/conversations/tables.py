"""Conversations, their messages, the turns that answer them, choices offered, call-backs promised."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Conversation(Base):
    """One customer on one channel. `owner` is the single truth of who may speak next: bot, waiting or agent."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index("ix_conversations_owner", "owner", "priority", "waiting_since"),
        Index("ix_conversations_source", "source_hash", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    channel: Mapped[str] = mapped_column(String(12))  # web | wechat | voice
    #: SHA-256 of the web customer's token; empty on channels that carry their own identity.
    token_hash: Mapped[str] = mapped_column(String(64), default="")
    #: The vendor's address that lines are pushed to; empty where the customer fetches them (web, telephone).
    deliver_to: Mapped[str] = mapped_column(String(64), default="", server_default="")
    #: Until then a vendor's webhook waits and may carry the replies itself.
    held_until: Mapped[datetime | None]
    #: Keyed hash of where it comes from, for rate limits and verification counters.
    source_hash: Mapped[str] = mapped_column(String(64), default="")
    language: Mapped[str | None] = mapped_column(String(2))
    owner: Mapped[str] = mapped_column(String(8), default="bot")
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agents.id"))
    priority: Mapped[int] = mapped_column(default=4)
    waiting_since: Mapped[datetime | None]
    #: Why a person was asked for, in a word (wish, danger, failure, …).
    handover_reason: Mapped[str] = mapped_column(String(40), default="")
    #: The customer message whose turn handed over: that turn alone may still speak while the customer waits.
    handover_message: Mapped[str | None] = mapped_column(String(40))
    #: When a waiting customer was last told that a colleague will read the message.
    waiting_told_at: Mapped[datetime | None]
    #: The place in the queue that the customer was told last; 0 for none.
    place_told: Mapped[int] = mapped_column(default=0, server_default="0")
    #: How often the desk told it of its own accord while this customer waits.
    place_times: Mapped[int] = mapped_column(default=0, server_default="0")
    #: Grows when a closed conversation is taken up again: the bot starts afresh.
    episode: Mapped[int] = mapped_column(default=1)
    last_seq: Mapped[int] = mapped_column(default=0)
    #: Until when the messages that came in have used up their pace (rules.next_slot).
    pace_mark: Mapped[datetime | None]
    created_at: Mapped[datetime]
    last_message_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    account_number: Mapped[str | None] = mapped_column(String(20))
    verified_at: Mapped[datetime | None]
    #: What an agent should know about: power | water | complaint; '' for anything.
    skill: Mapped[str] = mapped_column(String(12), default="", server_default="")
    #: When the agent who owns it took it.
    claimed_at: Mapped[datetime | None]
    #: Since when the customer waits for a word of the agent who owns it; None while there is nothing to answer.
    unanswered_since: Mapped[datetime | None]
    #: When that agent was reminded of it.
    reminded_at: Mapped[datetime | None]
    #: Who let it lie and is not offered it again.
    passed_by: Mapped[str | None] = mapped_column(String(40))
    #: What the bot knows: place, what was tried, readings, … (bot/channel.py `sheet`).
    sheet: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    #: What an agent tells the bot on handing back: {"summary", "slots"}; given with its next message, then emptied.
    briefing: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    #: How the agent closed it: solved | ticket | callback | no_answer | other.
    outcome: Mapped[str] = mapped_column(String(12), default="", server_default="")
    #: The ticket that a danger message of this conversation filed, while it is open.
    danger_ticket: Mapped[str | None] = mapped_column(String(12))


class Message(Base):
    """One line of a transcript; `seq` grows by commit within its conversation."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "seq"),
        UniqueConstraint("conversation_id", "provider_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    seq: Mapped[int]
    sender: Mapped[str] = mapped_column(String(8))  # customer | bot | agent | system
    text: Mapped[str] = mapped_column(Text)
    #: The provider's message id (web: client_message_id); empty for what we send.
    provider_id: Mapped[str | None] = mapped_column(String(80))
    #: Hash of the content that came with `provider_id`: the same id with other content is refused.
    content_hash: Mapped[str] = mapped_column(String(64), default="")
    #: True for safety words, which a page shows as an alarm.
    alert: Mapped[bool] = mapped_column(default=False)
    #: What answer the line waits for (bot.actions.turn.EXPECTS), for keypads and speech recognition; "" for any.
    expects: Mapped[str] = mapped_column(String(12), default="", server_default="")
    #: The customer message that this one answers.
    reply_to: Mapped[str | None] = mapped_column(String(40), index=True)
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agents.id"))
    at: Mapped[datetime]


class Choice(Base):
    """An option offered under a message. The customer sees token and label; the payload stays here."""

    __tablename__ = "choices"

    token: Mapped[str] = mapped_column(String(40), primary_key=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), index=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    position: Mapped[int]
    label: Mapped[str] = mapped_column(String(200))
    payload: Mapped[str] = mapped_column(Text)


class Turn(Base):
    """The bot's work on one customer message. A worker holds it by a lease; `fence` grows with every claim."""

    __tablename__ = "turns"
    __table_args__ = (Index("ix_turns_state", "state", "not_before"),)

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    seq: Mapped[int]
    state: Mapped[str] = mapped_column(String(8), default="queued")  # queued | running | done | dropped
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str] = mapped_column(String(40), default="")
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime]
    #: What Rasa gets: {"text", "choice": bool, "danger": {...}|None, "language"}.
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: True once the customer was told that the answer is late.
    delay_told: Mapped[bool] = mapped_column(default=False)


class Callback(Base):
    """A promised call: to which number, when, about what."""

    __tablename__ = "callbacks"
    __table_args__ = (Index("ix_callbacks_status", "status", "due_at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    phone: Mapped[str] = mapped_column(String(24), default="")
    due_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(12), default="open")  # open | done | cancelled
    #: How often the customer was called for it.
    calls: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]


class QueueWait(Base):
    """How long somebody waited until a person claimed the conversation; what others are told is measured by it."""

    __tablename__ = "queue_waits"
    __table_args__ = (Index("ix_queue_waits_at", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    seconds: Mapped[int]
    at: Mapped[datetime]
    #: What kind of customer it was, and how many agents were there whom he suited; 0 where that is not known.
    language: Mapped[str | None] = mapped_column(String(2))
    skill: Mapped[str] = mapped_column(String(12), default="", server_default="")
    priority: Mapped[int] = mapped_column(default=4, server_default="4")
    agents: Mapped[int] = mapped_column(default=0, server_default="0")


class Alarm(Base):
    """A message that speaks of danger to life; kept even where the message itself was refused or nothing was sent."""

    __tablename__ = "alarms"
    __table_args__ = (UniqueConstraint("conversation_id", "provider_id"), Index("ix_alarms_at", "at"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"))
    provider_id: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(40))
    #: The customer's very words that tell of it, one a line.
    words: Mapped[str] = mapped_column(String(400), default="", server_default="")
    #: Who owned the conversation then; with an agent, nothing was sent to the customer.
    owner: Mapped[str] = mapped_column(String(8))
    ticket_number: Mapped[str | None] = mapped_column(String(12))
    at: Mapped[datetime]
    #: Who saw to it, and when; None while nobody has.
    acknowledged_by: Mapped[str | None] = mapped_column(ForeignKey("agents.id"))
    acknowledged_at: Mapped[datetime | None]


class Understanding(Base):
    """What the bot took a customer's message for, and what a reviewer made of it."""

    __tablename__ = "understandings"
    __table_args__ = (Index("ix_understandings_review", "reviewed_at", "at"),)

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    intent: Mapped[str] = mapped_column(String(40))
    #: 0..1
    confidence: Mapped[float]
    #: The runners-up: [{"name", "confidence"}].
    ranking: Mapped[list[Any]] = mapped_column(default=list)
    language: Mapped[str] = mapped_column(String(2))
    #: True where the bot said that it did not understand, or asked back what was meant.
    missed: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: True where the bot had asked something, so that it may be the reply, whatever its intent.
    answer: Mapped[bool] = mapped_column(default=False, server_default=false())
    #: True where the customer asked for a person right after.
    person_next: Mapped[bool] = mapped_column(default=False, server_default=false())
    at: Mapped[datetime]
    #: The intent that a reviewer gave it, `none` where it is no example for any.
    reviewed_as: Mapped[str] = mapped_column(String(40), default="", server_default="")
    reviewed_by: Mapped[str | None] = mapped_column(ForeignKey("agents.id"))
    reviewed_at: Mapped[datetime | None]


class Note(Base):
    """What colleagues tell each other about a conversation. A table of its own: no customer's line is read from it."""

    __tablename__ = "notes"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    #: The line after which it stands.
    seq: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))  # note | whisper | transfer | handback | close
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agents.id"))
    text: Mapped[str] = mapped_column(Text)
    #: What happened, where the desk tells it in the reader's words (notes.told): {"what", …}.
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    at: Mapped[datetime]


class Mention(Base):
    """A colleague named in a note, who is told of it."""

    __tablename__ = "mentions"

    note_id: Mapped[str] = mapped_column(ForeignKey("notes.id"), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id"), primary_key=True, index=True)
    read_at: Mapped[datetime | None]
