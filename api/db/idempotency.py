"""Idempotency-Key: the same request again gets the same answer, with nothing done twice."""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import Header, Request
from sqlalchemy import String, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from api.audit.service import forget
from api.db.base import Base
from api.errors import Problem

MAX_KEY = 200


class IdempotencyRecord(Base):
    """The answer that a key got, for the caller and path it was used on."""

    __tablename__ = "idempotency_records"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(MAX_KEY), primary_key=True)
    body_hash: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


async def require_key(idempotency_key: Annotated[str | None, Header()] = None) -> str:
    """The Idempotency-Key header; 400 where a POST comes without one."""
    if not idempotency_key or len(idempotency_key) > MAX_KEY:
        raise Problem(400, "idempotency-key-required", "Send an Idempotency-Key header of 1 to 200 characters.")
    return idempotency_key


async def once(
    session: AsyncSession,
    request: Request,
    key: str,
    caller: str,
    now: datetime,
    do: Callable[[], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    """Run `do` once for this caller, path and key; give the stored JSON answer ever after.

    The record is written in the transaction of the effect itself, so that there is never one without the other;
    of two simultaneous requests the second waits for the first (SQLite has one writer anyway).
    Raises Problem 409 for the same key with another body.
    """
    return await once_for(session, request, key, caller, await request.body(), now, do)


async def once_for(
    session: AsyncSession,
    request: Request,
    key: str,
    caller: str,
    body: bytes,
    now: datetime,
    do: Callable[[], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    """The same for a request whose body was read already, as a form's is; `body`: what was asked for."""
    scope = hashlib.sha256(f"{caller} {request.method} {request.url.path}".encode()).hexdigest()
    # Keyed: a body may hold a password or a second factor, which a plain hash would let a reader of the table guess.
    secret = request.app.state.settings.service_token.get_secret_value()
    body_hash = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if session.get_bind().dialect.name == "postgresql":
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(scope + key, 0))))
    found = await session.get(IdempotencyRecord, (scope, key))
    if found is not None:
        if found.body_hash != body_hash:
            raise Problem(409, "idempotency-key-reused", "This Idempotency-Key was used with another request.")
        forget(session)  # what the request is for the audit log stands there since the first time
        return found.answer
    answer = json.loads(json.dumps(await do(), default=str))
    session.add(IdempotencyRecord(scope=scope, key=key, body_hash=body_hash, answer=answer, created_at=now))
    await session.flush()
    return dict(answer)
