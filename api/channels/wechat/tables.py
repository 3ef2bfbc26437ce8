"""Followers, their messages' answers, nonces seen, the access token, and what followers sent besides text."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Follower(Base):
    """One person who follows the account, and what WeChat lets us send him.

    After an act of his a window is open: `allowance` messages until `window_ends_at`; each one sent by the
    customer-service API counts in `spent`.
    """

    __tablename__ = "wechat_followers"

    open_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    subscribed: Mapped[bool] = mapped_column(default=True)
    #: The conversation that goes on; a new one begins after the idle time.
    conversation_id: Mapped[str | None] = mapped_column(ForeignKey("conversations.id"))
    #: As last spoken, for the next conversation.
    language: Mapped[str | None] = mapped_column(String(2))
    window_ends_at: Mapped[datetime | None]
    allowance: Mapped[int] = mapped_column(default=0)
    spent: Mapped[int] = mapped_column(default=0)
    last_message_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Received(Base):
    """One message or event of WeChat, so that its retries do nothing twice and are answered alike."""

    __tablename__ = "wechat_received"
    __table_args__ = (Index("ix_wechat_received_at", "at"),)

    #: FromUserName with MsgId, or with CreateTime and event for events.
    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    open_id: Mapped[str] = mapped_column(String(64))
    #: The conversation and the line of the transcript that it became, if it became one.
    conversation_id: Mapped[str | None] = mapped_column(String(40))
    message_id: Mapped[str | None] = mapped_column(String(40))
    #: What is said besides the conversation's lines: a greeting, or why the message was not taken in.
    sentence: Mapped[str] = mapped_column(Text, default="")
    #: Until then the outbox leaves the reply to the callback.
    held_until: Mapped[datetime | None]
    #: The text that was sent back as the passive reply; None while there is none, '' for an empty acknowledgement.
    reply: Mapped[str | None] = mapped_column(Text)
    #: The deliveries that `reply` carries: [{"id", "body"}], the body as it was before.
    carried: Mapped[list[Any]] = mapped_column(default=list)
    #: Copies of the callback that were answered with `reply`; with none, it has reached nobody.
    given: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime]


class SeenNonce(Base):
    """A nonce of the last minutes, and a hash of what came with it."""

    __tablename__ = "wechat_nonces"
    __table_args__ = (Index("ix_wechat_nonces_at", "at"),)

    key: Mapped[str] = mapped_column(String(160), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class AccessToken(Base):
    """The one access token of all processes; whoever holds `refreshing_until` gets a new one."""

    __tablename__ = "wechat_access_tokens"

    app_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    token: Mapped[str] = mapped_column(String(600), default="")
    #: Grows with every new token: a refusal of an old one asks for nothing.
    version: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None]
    refreshing_until: Mapped[datetime | None]


class Attachment(Base):
    """A picture or a recording that a customer sent, kept for the agent."""

    __tablename__ = "attachments"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12))  # image | voice
    #: The vendor's id, by which it is fetched.
    media_id: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(8), default="pending")  # pending | kept | failed
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime]
    content_type: Mapped[str] = mapped_column(String(60), default="")
    size: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
