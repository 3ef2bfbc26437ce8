"""Agents and their sign-ins."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Agent(Base):
    """A person who works at the console. Passwords are argon2id hashes."""

    __tablename__ = "agents"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    username: Mapped[str] = mapped_column(String(60), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(12))  # agent | supervisor | dispatcher | admin
    languages: Mapped[list[Any]] = mapped_column(default=list)
    skills: Mapped[list[Any]] = mapped_column(default=list)
    #: Where calls are put through to; empty where the agent writes instead.
    phone: Mapped[str] = mapped_column(String(24), default="", server_default="")
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class AgentSession(Base):
    """A sign-in; only the token's SHA-256 is kept. An agent is on duty while `seen_at` is recent."""

    __tablename__ = "agent_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime]
