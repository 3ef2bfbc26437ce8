"""A caller for tests: posts what Twilio posts, signed, and reads the TwiML that comes back."""

import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from api.channels.voice.twiml import check
from api.settings import Settings

ACCOUNT, TOKEN, PUBLIC_URL = "AC00000000000000000000000000000001", "voice-auth-token", "https://desk.example.com"
FORM = "application/x-www-form-urlencoded"


def with_voice(settings: Settings, **more: Any) -> Settings:
    """These settings with the telephone on."""
    voice = {"twilio_account_sid": ACCOUNT, "twilio_auth_token": SecretStr(TOKEN), "public_url": PUBLIC_URL}
    return settings.model_copy(update={**voice, **more})


def signed(target: str, fields: dict[str, str], token: str = TOKEN, public_url: str = PUBLIC_URL) -> dict[str, str]:
    """The headers of a form posted to `target`, a path with its query."""
    signature = RequestValidator(token).compute_signature(public_url + target, fields)
    return {"X-Twilio-Signature": signature, "Content-Type": FORM}


@dataclass
class Heard:
    """One document of TwiML."""

    xml: str
    root: ElementTree.Element = field(init=False)

    def __post_init__(self) -> None:
        self.root = ElementTree.fromstring(check(self.xml))

    @property
    def text(self) -> str:
        """All that is said, in order."""
        return " ".join("".join(say.itertext()) for say in self.root.iter("Say"))

    @property
    def voices(self) -> set[str]:
        return {say.attrib["language"] for say in self.root.iter("Say")}

    @property
    def gather(self) -> dict[str, str]:
        """The attributes of the one Gather; {} where there is none."""
        found = self.root.find("Gather")
        return {} if found is None else dict(found.attrib)

    @property
    def redirect(self) -> str:
        found = self.root.find("Redirect")
        return "" if found is None else (found.text or "")

    @property
    def verbs(self) -> list[str]:
        return [verb.tag for verb in self.root]


class Caller:
    """One call. `say`, `press` and `silence` answer the last Gather; redirects are followed unless told otherwise."""

    def __init__(self, client: httpx.AsyncClient, number: str = "+8613800138000", sid: str = "") -> None:
        self.client, self.number = client, number
        self.sid = sid or f"CA{secrets.token_hex(16)}"
        self.heard = Heard("<Response/>")
        #: Everything said since the last answer.
        self.said = ""
        self.documents: list[Heard] = []

    @property
    def fields(self) -> dict[str, str]:
        return {
            "CallSid": self.sid,
            "AccountSid": ACCOUNT,
            "From": self.number,
            "To": "+862160000000",
            "CallStatus": "in-progress",
            "Direction": "inbound",
            "ApiVersion": "2010-04-01",
        }

    async def post(self, target: str, **more: str) -> Heard:
        """One signed webhook."""
        fields = {**self.fields, **more}
        response = await self.client.post(target, content=urlencode(fields), headers=signed(target, fields))
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"].startswith("application/xml")
        return Heard(response.text)

    async def go(self, target: str, *, follow: bool = True, **more: str) -> "Caller":
        self.said = ""
        self.documents = []
        self.heard = await self.post(target, **more)
        self._note()
        for _ in range(60):
            if not follow or not self.heard.redirect:
                return self
            self.heard = await self.post(self.heard.redirect)
            self._note()
        raise AssertionError(f"redirected without end: {self.said}")

    def _note(self) -> None:
        self.said += " " + self.heard.text
        self.documents.append(self.heard)

    async def dial(self, **options: Any) -> "Caller":
        return await self.go("/voice/incoming", **options)

    @property
    def action(self) -> str:
        return self.heard.gather["action"]

    async def say(self, text: str, confidence: str = "0.9", **options: Any) -> "Caller":
        return await self.go(self.action, SpeechResult=text, Confidence=confidence, **options)

    async def press(self, keys: str, **options: Any) -> "Caller":
        return await self.go(self.action, Digits=keys, **options)

    async def silence(self, **options: Any) -> "Caller":
        return await self.go(self.action, **options)
