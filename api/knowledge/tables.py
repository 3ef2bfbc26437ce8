"""Articles and replies as supervisors changed them; rows are added and never altered."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class KnowledgeVersion(Base):
    """One version of an article or a reply; the highest is the one that counts. Version 0 is what is shipped."""

    __tablename__ = "knowledge_versions"

    #: article | reply
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    entry_id: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    #: added | changed | retired | returned (an earlier version, or the shipped text, stands again) | kept
    act: Mapped[str] = mapped_column(String(12))
    #: The whole entry; {} where the shipped one stands again.
    content: Mapped[dict[str, Any]]
    #: Not offered any more.
    retired: Mapped[bool] = mapped_column(default=False)
    #: Tells whether the shipped entry has changed since; '' where there was none.
    shipped: Mapped[str] = mapped_column(String(64), default="")
    #: Caller.name
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
