"""One step of a call on its way to a person: what its parts need to know, and what they say."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from api.channels.voice.signature import Form
from api.channels.voice.tables import Call
from api.channels.voice.twiml import Script
from api.conversations.tables import Conversation
from api.conversations.transcript import add_message, lines_after
from api.phones import normal_phone
from api.settings import Settings


@cache
def _texts() -> dict[str, dict[str, str]]:
    path = Path(__file__).with_name("person_sentences.yml")
    loaded: dict[str, dict[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def words(key: str, language: str | None, **values: object) -> str:
    """A sentence of person_sentences.yml in `zh`, unless it is `en`. KeyError for an unknown key."""
    return _texts()[key]["en" if language == "en" else "zh"].format(**values)


def known(key: str) -> bool:
    """Whether there is such a sentence."""
    return key in _texts()


def as_dialled(number: str) -> str:
    """A number as people say it: `+8613812345678` → `13812345678`; '' where it is none."""
    try:
        return normal_phone(number)
    except ValueError:
        return ""


@dataclass
class Moment:
    """A step of a call: its conversation and call are locked, `script` is what will be answered."""

    session: AsyncSession
    settings: Settings
    script: Script
    call: Call
    conversation: Conversation
    now: datetime

    @property
    def language(self) -> str:
        return "en" if self.conversation.language == "en" else "zh"

    def url(self, ask: str, **query: object) -> str:
        """Where the answer to `ask` goes: the step to come."""
        return self.script.links("person", step=self.call.step, ask=ask, **query)

    def say(self, key: str, **values: object) -> None:
        self.script.line(words(key, self.language, **values), self.language)

    def not_understood(self, form: Form) -> None:
        """Say that a key, or what was said, means nothing here."""
        self.say("wrong_key" if form.get("Digits") else "not_understood")

    async def note(self, key: str, **values: object) -> None:
        """Say a sentence that stands in the transcript, too."""
        await self.untold()
        text = words(key, self.language, **values)
        line = await add_message(self.session, self.conversation, "system", text, self.now)
        self.call.told_seq = line.seq
        self.script.line(text, self.language)

    async def untold(self) -> bool:
        """Say what was written to the caller since the last step; whether there was anything."""
        said = False
        for line in await lines_after(self.session, self.conversation.id, self.call.told_seq):
            self.call.told_seq = line.message.seq
            if line.message.sender != "customer":
                self.script.line(line.message.text, self.language)
                said = True
        return said

    def back_to_bot(self) -> None:
        """Go on with the bot, which says what has not been said yet."""
        self.script.redirect(self.script.links("turn", step=self.call.step, back=1))
