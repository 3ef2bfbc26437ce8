"""Calls to WeChat's server: customer-service messages, media, the menu, the access token.

Sources: https://developers.weixin.qq.com/doc/offiaccount/en/Message_Management/Service_Center_messages.html,
…/Asset_Management/Get_temporary_materials.html, …/Custom_Menus/Creating_Custom-Defined_Menu.html,
…/Getting_Started/Global_Return_Code.html.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import httpx

from api.channels.wechat.errors import AnswerLost, NotReached, TooLarge, WechatError
from api.channels.wechat.token import Token, TokenKeeper
from api.db.engine import Database
from api.outbox.vendor import open_client, retry_after, was_not_sent
from api.settings import Settings

#: The access token is not, or no longer, valid: one new one, and one more try.
TOKEN_REFUSED = (40001, 40014, 42001)
#: Bytes of a media file (WeChat takes pictures up to 10 MB from customers).
MOST_MEDIA = 10 * 1024 * 1024
MOST_WORDS = 150
T = TypeVar("T")
#: Lifetime of a token if WeChat does not say.
LIFETIME = 7200


@dataclass(frozen=True)
class Media:
    """A file that a customer sent."""

    content: bytes
    content_type: str


class WechatClient:
    """One app at WeChat. Every call raises NotReached, AnswerLost or WechatError, and nothing else of the network's."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        clock: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._app_id = settings.wechat_app_id
        self._secret = settings.wechat_app_secret.get_secret_value()
        self._client = open_client(settings.wechat_api_base, transport=transport)
        self._tokens = TokenKeeper(self._app_id, database, clock, self._fetch_token)

    async def close(self) -> None:
        await self._client.aclose()

    async def send_text(self, open_id: str, text: str) -> None:
        """One customer-service message of at most 2,048 bytes; it counts against the customer's quota."""
        body = {"touser": open_id, "msgtype": "text", "text": {"content": text}}
        await self._call("POST", "/cgi-bin/message/custom/send", body)

    async def media(self, media_id: str, most: int = MOST_MEDIA) -> Media:
        """A temporary file (kept by WeChat for three days). TooLarge beyond `most` bytes."""
        return await self._with_token(lambda token: self._download(token, media_id, most))

    async def create_menu(self, menu: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the account's menu; WeChat's answer."""
        return await self._call("POST", "/cgi-bin/menu/create", menu)

    async def menu(self) -> dict[str, Any]:
        """The menu as WeChat has it."""
        return await self._call("GET", "/cgi-bin/menu/get")

    async def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        # As UTF-8 and not as \\u…, which WeChat would show to the customer.
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()

        async def once(token: Token) -> dict[str, Any]:
            return await self._ask(method, path, {"access_token": token.value}, content)

        return await self._with_token(once)

    async def _with_token(self, do: Callable[[Token], Awaitable[T]]) -> T:
        """Do it; if WeChat refuses the token, once more with a newer one. A second refusal is the caller's."""
        token = await self._tokens.current()
        try:
            return await do(token)
        except WechatError as refused:
            if refused.code not in TOKEN_REFUSED:
                raise
        return await do(await self._tokens.renewed(token.version))

    async def _fetch_token(self) -> tuple[str, int]:
        asked = {"grant_type": "client_credential", "appid": self._app_id, "secret": self._secret}
        answer = await self._ask("GET", "/cgi-bin/token", asked)
        value, seconds = answer.get("access_token"), _number(answer.get("expires_in", LIFETIME))
        if not isinstance(value, str) or not value or seconds is None or seconds <= 0:
            raise AnswerLost("an answer without a token")
        return value, seconds

    async def _ask(
        self, method: str, path: str, params: Mapping[str, str], content: bytes | None = None
    ) -> dict[str, Any]:
        headers = {"Content-Type": "application/json; charset=utf-8"} if content is not None else None
        try:
            answer = await self._client.request(method, path, params=dict(params), content=content, headers=headers)
        except httpx.HTTPError as error:
            raise _broken(error) from None
        _check_status(answer)
        return self._checked(answer.content, params)

    async def _download(self, token: Token, media_id: str, most: int) -> Media:
        params = {"access_token": token.value, "media_id": media_id}
        try:
            async with self._client.stream("GET", "/cgi-bin/media/get", params=params) as answer:
                _check_status(answer)
                content = bytearray()
                async for chunk in answer.aiter_bytes():
                    content += chunk
                    if len(content) > most:
                        raise TooLarge(most)
        except httpx.HTTPError as error:
            raise _broken(error) from None
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in ("application/json", "text/plain", "text/json"):
            self._checked(bytes(content), params)
            raise AnswerLost("a media file was expected")
        return Media(bytes(content), kind)

    def _checked(self, content: bytes, params: Mapping[str, str]) -> dict[str, Any]:
        """The JSON object of an answer; WechatError where it is a refusal."""
        try:
            answer = json.loads(content)
        except ValueError:
            raise AnswerLost("an answer that is no JSON") from None
        if not isinstance(answer, dict):
            raise AnswerLost("an answer that is no JSON object")
        code = _number(answer.get("errcode") or 0)
        if code is None:
            raise AnswerLost("an answer whose errcode is no number")
        if code != 0:
            words = str(answer.get("errmsg", ""))
            for secret in (params.get("access_token", ""), self._secret):
                words = words.replace(secret, "…") if secret else words
            raise WechatError(code, words[:MOST_WORDS])
        return answer


def _number(value: object) -> int | None:
    """A number of WeChat's answers, which some of its servers, and proxies before them, write as text."""
    try:
        return int(str(value))
    except ValueError:
        return None


def _broken(error: httpx.HTTPError) -> NotReached | AnswerLost:
    why = type(error).__name__
    return NotReached(why) if was_not_sent(error) else AnswerLost(why)


def _check_status(answer: httpx.Response) -> None:
    if answer.status_code != 200:
        raise NotReached(f"HTTP {answer.status_code}", retry_after(answer))
