"""Agents and their sign-ins."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, false, true
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
    #: Where calls are put through to, a number or a `sip:` address; empty where the agent writes instead.
    phone: Mapped[str] = mapped_column(String(120), default="", server_default="")
    must_change_password: Mapped[bool] = mapped_column(default=False)
    #: What colleagues read; the username where it is empty.
    name: Mapped[str] = mapped_column(String(60), default="", server_default="")
    #: The language of the console.
    language: Mapped[str] = mapped_column(String(2), default="zh", server_default="zh")
    #: False for who does not work here any more: cannot sign in, the history stays.
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    #: Conversations at a time.
    capacity: Mapped[int] = mapped_column(default=5, server_default="5")
    presence: Mapped[str] = mapped_column(String(10), default="away", server_default="away")  # available | busy | away
    #: When a conversation last came to this agent: who has been idle the longest is next.
    served_at: Mapped[datetime | None]
    #: Encrypted with a key that no table holds; empty without a second factor (RFC 6238).
    totp_secret: Mapped[str] = mapped_column(String(200), default="", server_default="")
    #: The last time step whose code was taken: none is taken twice.
    totp_step: Mapped[int] = mapped_column(default=0, server_default="0")
    #: Keyed hashes of the one-time codes that stand in for a lost second factor; a used one is gone.
    recovery_codes: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    #: Hash of the OpenID provider and its `sub`; None where the agent does not sign in by one.
    oidc_subject: Mapped[str | None] = mapped_column(String(200), unique=True)
    created_at: Mapped[datetime]

    @property
    def second_factor(self) -> bool:
        """Whether signing in takes a code, too."""
        return bool(self.totp_secret)


class AgentSession(Base):
    """A sign-in; only the token's SHA-256 is kept. An agent is on duty while `seen_at` is recent."""

    __tablename__ = "agent_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    agent_id: Mapped[str] = mapped_column(ForeignKey("agents.id"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    #: When the agent last did something; a console that only stands open is not that.
    acted_at: Mapped[datetime | None]
    #: True for the console's cookie, which is no bearer token.
    console: Mapped[bool] = mapped_column(default=False, server_default=false())
