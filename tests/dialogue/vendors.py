"""A desk whose WeChat and telephone lead to the vendors' simulators."""

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from tests.e2e.desk import Desk
from tests.simulators.twilio import TwilioAccount, TwilioServer
from tests.simulators.wechat import Account, WechatServer

AGENT, PASSWORD = "dialogue_agent", "a long enough password"
PUBLIC_URL = "https://desk.example.com"


def zone_of_noon() -> str:
    """A time zone in which it is about eleven in the morning: rest hours and closing times are far away."""
    east = 11 - datetime.now(UTC).hour
    return f"Etc/GMT{-east:+d}" if east else "Etc/GMT"


@dataclass
class Channels:
    """The desk, and the vendors that it talks to."""

    desk: Desk
    wechat: WechatServer
    twilio: TwilioServer
    client: httpx.Client

    def get(self, path: str, **params: str) -> Any:
        answer = self.client.get(path, params=params, headers=self.desk.service)
        answer.raise_for_status()
        return answer.json()

    def send(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Any:
        own = {"Idempotency-Key": str(uuid.uuid4()), **(headers or self.desk.service)}
        answer = self.client.request(method, path, json=body, headers=own)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def rows(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        """What the desk's database holds, where no API tells a test."""
        path = f"file:{quote(str(self.desk.home / 'mainsdesk.db'))}?mode=ro"
        with closing(sqlite3.connect(path, uri=True, timeout=10)) as database:
            return database.execute(query, values).fetchall()

    def tickets(self, conversation_id: str) -> list[dict[str, Any]]:
        found = self.get("/api/v1/tickets", conversation_id=conversation_id)["items"]
        return sorted(found, key=lambda ticket: str(ticket["created_at"]))


def open_channels(desk: Desk) -> Iterator[Channels]:
    """Start the simulators and a desk whose two channels lead to them."""
    account = Account()
    twilio_account = TwilioAccount(PUBLIC_URL, desk.base_url)
    with WechatServer(account) as wechat, TwilioServer(twilio_account) as twilio:
        desk.environment |= {
            "MAINSDESK_TIMEZONE": zone_of_noon(),
            "MAINSDESK_PUBLIC_URL": PUBLIC_URL,
            "MAINSDESK_WECHAT_APP_ID": account.app_id,
            "MAINSDESK_WECHAT_APP_SECRET": account.app_secret,
            "MAINSDESK_WECHAT_TOKEN": account.token,
            "MAINSDESK_WECHAT_AES_KEY": account.aes_key,
            "MAINSDESK_WECHAT_API_BASE": wechat.url,
            "MAINSDESK_TWILIO_ACCOUNT_SID": twilio_account.sid,
            "MAINSDESK_TWILIO_AUTH_TOKEN": twilio_account.auth_token,
            "MAINSDESK_TWILIO_FROM": twilio_account.number,
            "MAINSDESK_TWILIO_API_BASE": twilio.url,
        }
        fresh_database(desk.home)
        desk.start()
        with desk.client() as client:
            channels = Channels(desk, wechat, twilio, client)
            own = {"username": AGENT, "password": PASSWORD, "role": "agent", "languages": ["zh", "en"], "skills": []}
            channels.send("POST", "/api/v1/agents", own)
            yield channels
        desk.stop()


def fresh_database(home: Path) -> None:
    """Let the desk seed a new one: the times of the prepared one were made for another zone."""
    (home / "mainsdesk.db").unlink(missing_ok=True)
