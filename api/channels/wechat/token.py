"""The access token: one owner across processes, because a new one makes the old one invalid.

WeChat: https://developers.weixin.qq.com/doc/offiaccount/en/Basic_Information/Get_access_token.html (7,200 s at most;
for five minutes after a new one is given the old one works, too; at most 2,000 a day).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import IntegrityError

from api.channels.wechat.errors import AnswerLost, NotReached, WechatError
from api.channels.wechat.tables import AccessToken
from api.db.engine import Database

log = structlog.get_logger(__name__)

#: How long before its end a token is replaced.
AHEAD = timedelta(minutes=5)
#: Longer than any request for a token takes; then another process may try.
REFRESH_LEASE = timedelta(seconds=20)
#: Pause after a request that failed: the vendor counts them.
PAUSE = timedelta(seconds=10)
#: Seconds that those without a valid token wait for the one who gets a new one.
PATIENCE = 6.0
LOOK = 0.1

#: Asks WeChat: the token and its lifetime in seconds.
Fetch = Callable[[], Awaitable[tuple[str, int]]]


@dataclass(frozen=True)
class Token:
    """`version` names it in refusals, so that one refusal brings one new token."""

    value: str
    version: int

    def __repr__(self) -> str:
        return f"Token(version={self.version})"


class TokenKeeper:
    """Gives the token of one app; the database says which, and who renews it."""

    def __init__(self, app_id: str, database: Database, clock: Callable[[], datetime], fetch: Fetch) -> None:
        self._app_id, self._database, self._clock, self._fetch = app_id, database, clock, fetch

    async def current(self) -> Token:
        """A valid token. NotReached or WechatError where none can be had."""
        row, now = await self._row(), self._clock()
        if row is not None and row.expires_at is not None and row.expires_at > now:
            token = Token(row.token, row.version)
            if row.expires_at - now <= AHEAD and await self._win(row.version):
                return await self._renew(row.version, token)
            return token
        return await self._get(row.version if row else 0)

    async def renewed(self, version: int) -> Token:
        """A token that is newer than `version`, which WeChat has refused; one request for all who were refused."""
        await self._expire(version)
        return await self._get(version)

    async def _get(self, version: int) -> Token:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while True:
            row, now = await self._row(), self._clock()
            if row is not None and row.version > version and row.expires_at is not None and row.expires_at > now:
                return Token(row.token, row.version)
            if await self._win(row.version if row else 0):
                return await self._renew(row.version if row else 0, None)
            if loop.time() >= until:
                raise NotReached("access token")
            await asyncio.sleep(LOOK)

    async def _renew(self, version: int, old: Token | None) -> Token:
        try:
            value, seconds = await self._fetch()
        except (NotReached, AnswerLost, WechatError) as error:
            await self._change(version, refreshing_until=self._clock() + PAUSE)
            log.warning("wechat.token_failed", why=str(error))
            if old is not None:
                return old
            raise NotReached(f"access token: {error}") from None
        lifetime = timedelta(seconds=seconds)
        ends = self._clock() + lifetime
        if not await self._change(version, token=value, version=version + 1, expires_at=ends, refreshing_until=None):
            raise NotReached("access token: another process was faster")
        log.info("wechat.token_renewed", version=version + 1, seconds=seconds)
        return Token(value, version + 1)

    async def _row(self) -> AccessToken | None:
        async with self._database.read() as session:
            return await session.get(AccessToken, self._app_id)

    async def _win(self, version: int) -> bool:
        """Whether it falls to us to renew this version."""
        now = self._clock()
        free = or_(AccessToken.refreshing_until.is_(None), AccessToken.refreshing_until <= now)
        if await self._change(version, free, refreshing_until=now + REFRESH_LEASE):
            return True
        return version == 0 and await self._insert(now)

    async def _insert(self, now: datetime) -> bool:
        """The first row of an app; of several processes one makes it."""
        first = AccessToken(app_id=self._app_id, token="", version=0, refreshing_until=now + REFRESH_LEASE)
        try:
            async with self._database.write() as session, session.begin():
                session.add(first)
        except IntegrityError:
            return False
        return True

    async def _expire(self, version: int) -> None:
        await self._change(version, expires_at=None)

    async def _change(self, known: int, *conditions: ColumnElement[bool], **values: object) -> bool:
        """Change the row while it holds this version; False where another process was faster."""
        query = (
            update(AccessToken)
            .where(AccessToken.app_id == self._app_id, AccessToken.version == known, *conditions)
            .values(**values)
            .returning(AccessToken.app_id)
            .execution_options(synchronize_session=False)
        )
        async with self._database.write() as session, session.begin():
            return await session.scalar(query) is not None


async def token_state(database: Database, app_id: str, now: datetime) -> dict[str, object]:
    """What may be shown of the token: `state` (none | valid | expired | renewing) and when it ends."""
    async with database.read() as session:
        query = select(AccessToken.version, AccessToken.expires_at, AccessToken.refreshing_until)
        row = (await session.execute(query.where(AccessToken.app_id == app_id))).one_or_none()
    if row is None:
        return {"state": "none", "expires_at": None}
    if row.expires_at is not None and row.expires_at > now:
        return {"state": "valid", "expires_at": row.expires_at}
    renewing = row.refreshing_until is not None and row.refreshing_until > now
    state = "renewing" if renewing else "expired" if row.version else "none"
    return {"state": state, "expires_at": row.expires_at}
