"""Customers, accounts, verification tries, contact records (C7, C9, E2)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from api.db.base import Base


class Account(Base):
    """A customer's contract for one utility at one service point. Money in yuan, two decimals."""

    __tablename__ = "accounts"

    number: Mapped[str] = mapped_column(String(20), primary_key=True)
    utility: Mapped[str] = mapped_column(String(8))
    holder_name: Mapped[str] = mapped_column(String(60))
    phone: Mapped[str] = mapped_column(String(24), index=True)
    #: Last six characters of the identity document held on file; the other second factor.
    id_last6: Mapped[str] = mapped_column(String(6), default="")
    service_point_id: Mapped[str] = mapped_column(ForeignKey("service_points.id"), index=True)
    room: Mapped[str] = mapped_column(String(40), default="")
    #: active | cut_off (arrears) | unregistered (moved in without registering, C13)
    state: Mapped[str] = mapped_column(String(12), default="active")
    prepaid: Mapped[bool] = mapped_column(default=False)
    #: Prepaid: credit left on the meter. Otherwise: positive in credit, negative in arrears.
    balance: Mapped[Decimal] = mapped_column(Numeric(12, 2), default=Decimal("0.00"))
    #: Profile marks that decide priority (C20): life_support, key_account, low_income.
    flags: Mapped[list[Any]] = mapped_column(default=list)
    last_reading: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    last_reading_at: Mapped[datetime | None]
    last_bill: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    last_bill_at: Mapped[datetime | None]


class VerificationTry(Base):
    """A wrong try to verify, counted against the account, the conversation and the source (kept as hashes)."""

    __tablename__ = "verification_tries"
    __table_args__ = (Index("ix_verification_tries_subject_at", "subject", "at"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    subject: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]


class ContactRecord(Base):
    """One contact of an identifiable customer (C7, C9, C16, C18)."""

    __tablename__ = "contact_records"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(String(40), index=True)
    account_number: Mapped[str | None] = mapped_column(ForeignKey("accounts.number"), index=True)
    service_point_id: Mapped[str | None] = mapped_column(ForeignKey("service_points.id"), index=True)
    kind: Mapped[str] = mapped_column(String(30))
    summary: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime]
