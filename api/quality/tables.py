"""Quality reviews (D10)."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class QualityReview(Base):
    """How an agent led a conversation, scored by a supervisor with the form in `form.yml`."""

    __tablename__ = "quality_reviews"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id"), index=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id"), index=True)
    reviewer_id: Mapped[str] = mapped_column(ForeignKey("agents.id"))
    #: Points by criterion of the form.
    scores: Mapped[dict[str, Any]] = mapped_column(default=dict)
    #: Percent of what could be reached.
    total: Mapped[int]
    remark: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]
