"""Calls, the steps that they have taken, and callers' preferences."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Call(Base):
    """One call, which is a conversation of its own."""

    __tablename__ = "voice_calls"

    sid: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    direction: Mapped[str] = mapped_column(String(10), default="inbound")  # inbound | outbound
    #: The other side's number in E.164; it proves nothing. Empty where it is withheld.
    number: Mapped[str] = mapped_column(String(24), default="")
    #: queued | ringing | in-progress | completed | busy | no-answer | failed | canceled, as Twilio says.
    status: Mapped[str] = mapped_column(String(16), default="in-progress")
    #: The step that is to come: `step` of its URL.
    step: Mapped[int] = mapped_column(default=0)
    #: What the step to come waits for (a state of api.channels.voice.steps).
    state: Mapped[str] = mapped_column(String(16), default="language")
    #: The last line of the transcript that was spoken.
    told_seq: Mapped[int] = mapped_column(default=0)
    #: What was said last, for `*`: {"lines": […], …}.
    last_said: Mapped[dict[str, Any]] = mapped_column(default=dict)
    silences: Mapped[int] = mapped_column(default=0)
    misheard: Mapped[int] = mapped_column(default=0)
    #: After too many of either, only keys are asked for.
    keys_only: Mapped[bool] = mapped_column(default=False)
    slow: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    #: Which agent it is, or was last, put through to, and how often it has been to anybody.
    agent_id: Mapped[str | None] = mapped_column(ForeignKey("agents.id"), index=True)
    leg: Mapped[int] = mapped_column(default=0, server_default="0")
    #: '' | ringing | offered | talking | held | written | ended | busy | no-answer | failed | canceled | not-taken
    #: (api.channels.voice.legs).
    leg_state: Mapped[str] = mapped_column(String(12), default="", server_default="")
    leg_at: Mapped[datetime | None]
    #: What was asked of the call and has not come about yet: '' | hold | resume | hangup | move; when, and what is
    #: wrong with it (the vendor refused, or its answer was lost).
    asked: Mapped[str] = mapped_column(String(8), default="", server_default="")
    asked_at: Mapped[datetime | None]
    asked_error: Mapped[str] = mapped_column(String(60), default="", server_default="")


class Step(Base):
    """One answered webhook of a call: the same step again gets the same TwiML, and does nothing."""

    __tablename__ = "voice_steps"

    call_sid: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: The route and its step, e.g. `turn:4`.
    step: Mapped[str] = mapped_column(String(40), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    twiml: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Caller(Base):
    """A preference of a number, by keyed hash: nothing about who calls from it."""

    __tablename__ = "voice_callers"
    __table_args__ = (Index("ix_voice_callers_at", "at"),)

    number_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    language: Mapped[str] = mapped_column(String(2))
    at: Mapped[datetime]
