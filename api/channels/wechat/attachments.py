"""Pictures and recordings: fetched from WeChat in the background, kept in the home's `media`, shown to staff."""

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.wechat.client import WechatClient
from api.channels.wechat.errors import AnswerLost, NotReached, TooLarge, WechatError
from api.channels.wechat.tables import Attachment
from api.channels.wechat.words import limits
from api.conversations.bell import bell, touch, wait_for_ring
from api.conversations.tables import Conversation, Message
from api.db.base import new_id
from api.db.engine import Database
from api.deps import ReadSession, SettingsDep, Staff
from api.errors import not_found

log = structlog.get_logger(__name__)

#: Rung when there is something to fetch.
MEDIA = "*media"
#: Seconds between looks while nobody rings: retries, and what another process has left.
POLL = 20.0
#: Longer than a fetch takes; then another process may try.
LEASE = timedelta(seconds=120)
LONGEST_PAUSE = 3600.0
#: Codes that no further try changes: invalid media id, media that is gone.
GONE = (40007, 40004)
_IS_DUE = (Attachment.state == "pending") & (
    Attachment.not_before <= bindparam("now", type_=Attachment.not_before.type)
)
_ANY_DUE = select(Attachment.id).where(_IS_DUE).limit(1)
_DUE = select(Attachment).where(_IS_DUE).order_by(Attachment.not_before).limit(1).with_for_update(skip_locked=True)


async def keep(
    session: AsyncSession, conversation: Conversation, line: Message, kind: str, media_id: str, now: datetime
) -> None:
    """Have a file of this line fetched."""
    session.add(
        Attachment(
            id=new_id("at"),
            conversation_id=conversation.id,
            message_id=line.id,
            kind=kind,
            media_id=media_id,
            state="pending",
            attempts=0,
            not_before=now,
            created_at=now,
        )
    )
    await session.flush()
    await touch(session, MEDIA)


def path_of(home: Path, attachment_id: str) -> Path:
    return home / "media" / attachment_id


def pause(attempts: int) -> float:
    """Seconds until the next try after the `attempts`-th (from 1)."""
    return float(min(limits()["media"]["pause"] * 2.0 ** (attempts - 1), LONGEST_PAUSE))


class Keeper:
    """Fetches what is pending, one file at a time."""

    def __init__(self, home: Path, client: WechatClient, clock: Callable[[], datetime]) -> None:
        self._home, self._client, self._clock = home, client, clock

    async def run(self, database: Database) -> None:
        """Until cancelled."""
        with bell.listen(MEDIA) as rung:
            while True:
                rung.clear()
                try:
                    while await self.fetch_one(database):
                        pass
                except Exception:
                    log.exception("wechat.media_broken")
                await wait_for_ring(rung, POLL)

    async def fetch_one(self, database: Database) -> bool:
        """Fetch one file that is due; False where there is none."""
        now = self._clock()
        async with database.glance.connect() as connection:
            if await connection.scalar(_ANY_DUE, {"now": now}) is None:
                return False
        async with database.write() as session, session.begin():
            claimed = await session.scalar(_DUE, {"now": now})
            if claimed is None:
                return False
            claimed.attempts += 1
            claimed.not_before = now + LEASE  # a process that dies in the fetch leaves it to others
        state, kind, size = await self._fetch(claimed)
        async with database.write() as session, session.begin():
            row = await session.get_one(Attachment, claimed.id, with_for_update=True)
            if row.attempts == claimed.attempts and row.state == "pending":
                row.state, row.content_type, row.size = state, kind, size
                row.not_before = self._clock() + timedelta(seconds=pause(row.attempts))
        return True

    async def _fetch(self, attachment: Attachment) -> tuple[str, str, int]:
        """State, content type and size."""
        limit = limits()["media"]
        try:
            media = await self._client.media(attachment.media_id, limit["bytes"])
        except (NotReached, AnswerLost) as error:
            return self._again(attachment, str(error))
        except WechatError as error:
            return self._again(attachment, str(error), final=error.code in GONE)
        except TooLarge as error:
            return self._again(attachment, str(error), final=True)
        kind = media.content_type
        if kind not in limit["types"]:
            return self._again(attachment, "type", final=True)
        await asyncio.to_thread(_write, path_of(self._home, attachment.id), media.content)
        return "kept", kind, len(media.content)

    def _again(self, attachment: Attachment, why: str, *, final: bool = False) -> tuple[str, str, int]:
        failed = final or attachment.attempts >= limits()["media"]["tries"]
        log.warning("wechat.media_failed", attachment=attachment.id, why=why, final=failed)
        return "failed" if failed else "pending", "", 0


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, and readable by nobody else."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


router = APIRouter(prefix="/api/v1/attachments", tags=["conversations"])


class AttachmentOut(BaseModel):
    """A picture or a recording; `kept`: its file can be had."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    conversation_id: str
    message_id: str
    kind: Literal["image", "voice"]
    state: Literal["pending", "kept", "failed"]
    content_type: str
    size: int
    created_at: datetime


class AttachmentsOut(BaseModel):
    items: list[AttachmentOut]
    next: None = None


@router.get("")
async def attachments(
    _staff: Staff, session: ReadSession, conversation_id: Annotated[str, Query(max_length=40)]
) -> AttachmentsOut:
    """The pictures and recordings of a conversation, oldest first."""
    query = select(Attachment).where(Attachment.conversation_id == conversation_id)
    rows = await session.scalars(query.order_by(Attachment.created_at, Attachment.id))
    return AttachmentsOut(items=[AttachmentOut.model_validate(row) for row in rows])


@router.get("/{attachment_id}", response_class=FileResponse)
async def attachment(attachment_id: str, _staff: Staff, session: ReadSession, settings: SettingsDep) -> FileResponse:
    """The file; 404 for one that is not there, or not yet."""
    row = await session.get(Attachment, attachment_id)
    if row is None or row.state != "kept":
        raise not_found("attachment")
    path = path_of(settings.home, row.id)
    if not await asyncio.to_thread(path.is_file):
        raise not_found("attachment")
    return stored_file(path, row)


def stored_file(path: Path, row: Attachment) -> FileResponse:
    """What a customer sent, to be shown as its kind or kept, but never opened as a page of ours."""
    headers = {"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return FileResponse(path, media_type=row.content_type, filename=row.id, headers=headers)
