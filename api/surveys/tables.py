"""Follow-up calls and what customers answered (D8)."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Survey(Base):
    """One follow-up call about one ticket.

    state: scheduled | answering | done | partial (hung up half-way) | refused | failed (nobody reached).
    """

    __tablename__ = "surveys"
    __table_args__ = (Index("ix_surveys_created", "created_at", "id"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    #: At most one for a ticket.
    ticket_number: Mapped[str] = mapped_column(ForeignKey("tickets.number"), unique=True)
    utility: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(2))
    state: Mapped[str] = mapped_column(String(12), default="scheduled")
    #: The delivery that makes the call.
    delivery_id: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"))
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SurveyAnswer(Base):
    """The answer to one question: a score of 1 to 5, or words."""

    __tablename__ = "survey_answers"

    survey_id: Mapped[str] = mapped_column(ForeignKey("surveys.id"), primary_key=True)
    question: Mapped[str] = mapped_column(String(40), primary_key=True)
    score: Mapped[int | None]
    words: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
